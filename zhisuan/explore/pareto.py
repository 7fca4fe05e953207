"""Which results are worth a look: those that no other beats in everything.

Comes in: rows of the table.  Goes out: the Pareto front of each program, as rows; smaller is
better in every objective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

OBJECTIVES = ("milliseconds", "millijoules", "square_millimetres")
"""What is weighed against what; an objective that no row has is left out."""

TextRow = Mapping[str, str]


def objectives(rows: Sequence[TextRow]) -> list[str]:
    """The objectives that the rows have."""
    return [name for name in OBJECTIVES if any(row.get(name) for row in rows)]


def fronts(rows: Sequence[TextRow], programs: Sequence[str]) -> dict[str, list[TextRow]]:
    """Program → the rows that no other of its rows dominates, fastest first."""
    found = {}
    for program in programs:
        timed = [row for row in rows if row["program"] == program and row.get("milliseconds")]
        names = objectives(timed)
        values = np.array([[float(row[name]) for name in names] for row in timed])
        best = [row for row, keep in zip(timed, front(values), strict=True) if keep]
        found[program] = sorted(best, key=lambda row: (float(row["milliseconds"]), row["point"]))
    return found


def front(values: np.ndarray) -> np.ndarray:
    """[n, k] values, smaller better → bool[n]: no other row is as good in all and better in one."""
    keep = np.zeros(len(values), np.bool_)
    best = np.zeros((0, values.shape[1] if values.ndim == 2 else 0))
    for index in np.lexsort(values.T[::-1]) if len(values) else ():
        candidate = values[index]
        as_good, better = (best <= candidate).all(axis=1), (best < candidate).any(axis=1)
        if not (as_good & better).any():
            keep[index] = True
            best = np.vstack([best, candidate])
    return keep
