"""A sweep from its file to its table, its fronts and its picture.

Comes in: a `Sweep` and a folder.  Goes out, into the folder: results.csv (a row for every
point), front.csv (those worth a look), pareto.svg.  Interrupted at any moment and resumed, it
computes what is missing and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhisuan import __version__
from zhisuan.arch.check import values
from zhisuan.base.files import write_atomically
from zhisuan.base.progress import bar
from zhisuan.explore import workers
from zhisuan.explore.cluster import Cluster, connected
from zhisuan.explore.journal import TABLE, Journal, write_table
from zhisuan.explore.pareto import TextRow, fronts
from zhisuan.explore.picture import picture
from zhisuan.explore.point import MEASURED, Point, Row, measure, points
from zhisuan.explore.program import Program
from zhisuan.explore.sweep_file import Sweep

FRONT, PICTURE = "front.csv", "pareto.svg"
BATCH = 20
"""Most points given to a worker at a time."""
ROUNDS = 4
"""Every worker gets at least so many batches when there are points enough."""


@dataclass(frozen=True)
class Outcome:
    """A finished sweep: all rows, the fronts by program, and how many rows were there before."""

    rows: tuple[TextRow, ...]
    fronts: Mapping[str, Sequence[TextRow]]
    bases: Mapping[str, TextRow]
    resumed: int
    files: tuple[Path, ...]


def run(
    sweep: Sweep, folder: Path, *, jobs: int = 1, resume: bool = False, ray: str = ""
) -> Outcome:
    """Measure every point that `folder` has no row of, then write fronts and picture.

    Points are measured by `jobs` processes, or by the Ray cluster at the address `ray`.
    """
    columns = ["point", "program", *sweep.vary, *MEASURED, "impossible"]
    programs = {name: source.load() for name, source in sweep.programs.items()}
    journal = Journal(folder, _identity(sweep), columns, resume)
    try:
        before = len(journal.rows)
        bases = {
            name: _texts(measure(Point(0, name, {}), program, sweep.machine))
            | {"point": sweep.machine.name}
            for name, program in programs.items()
        }
        todo = [point for point in points(sweep) if point.number not in journal.rows]
        with ExitStack() as stack:
            cluster = stack.enter_context(connected(ray, jobs)) if ray else None
            batches = _batches(todo, programs, cluster.cores if cluster else jobs)
            shown = stack.enter_context(bar("point", len(todo)))
            for row in _measured(batches, sweep, programs, cluster or jobs):
                journal.add(row.point.number, _texts(row))
                shown.advance()
        journal.finish()
    finally:
        journal.close()
    rows = tuple(journal.rows[number] for number in sorted(journal.rows))
    best = fronts(rows, list(sweep.programs))
    write_table(folder / FRONT, columns, [row for front in best.values() for row in front])
    write_atomically(folder / PICTURE, picture(rows, best, bases).encode())
    files = tuple(folder / name for name in (TABLE, FRONT, PICTURE))
    return Outcome(rows, best, bases, before, files)


def _identity(sweep: Sweep) -> dict[str, Any]:
    """What makes two sweeps the same; for sweep.json."""
    return {
        "version": __version__,
        "machine": dict(values(sweep.machine)),
        "vary": sweep.vary,
        "programs": {name: source.identity() for name, source in sweep.programs.items()},
        "sample": [sweep.sample, sweep.seed],
    }


def _batches(
    todo: Sequence[Point], programs: Mapping[str, Program], jobs: int
) -> list[list[Point]]:
    """Points that can share a plan together; no batch has points of two programs."""
    most = max(1, min(BATCH, len(todo) // (ROUNDS * jobs)))
    depends = {name: program.depends_on() for name, program in programs.items()}

    def likeness(point: Point) -> tuple[str, str]:
        shared = [v for key, v in point.changes.items() if key in depends[point.program]]
        return point.program, repr(shared)

    ordered = sorted(todo, key=likeness)
    batches: list[list[Point]] = []
    for point in ordered:
        last = batches[-1] if batches else []
        if not last or len(last) == most or last[0].program != point.program:
            batches.append([])
        batches[-1].append(point)
    return batches


def _measured(
    batches: Sequence[Sequence[Point]],
    sweep: Sweep,
    programs: dict[str, Program],
    by: int | Cluster,
) -> Iterator[Row]:
    """The rows of all batches, measured by so many processes or by a cluster."""
    if isinstance(by, Cluster):
        yield from by.rows(batches, sweep.machine, programs)
        return
    if min(by, len(batches)) > 1:
        programs.clear()  # the workers load their own
        yield from workers.rows(batches, sweep.machine, sweep.programs, by)
        return
    for batch in batches:
        for point in batch:
            yield measure(point, programs[point.program], sweep.machine)


def _texts(row: Row) -> dict[str, str]:
    """The row as the table has it."""
    changes = {key: str(value) for key, value in row.point.changes.items()}
    head = {"point": str(row.point.number), "program": row.point.program}
    return {**head, **changes, **row.measured, "impossible": row.impossible}
