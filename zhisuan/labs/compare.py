"""Whether a launch left what the reference says, and if not, the first element that differs.

Comes in: a `Launched`, the inputs and expected outputs.  Goes out: None, or words that name
buffer, element, both values and the source line that wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zhisuan.labs.lab_file import Part
from zhisuan.labs.launch import STALE, Launched


def difference(
    done: Launched, part: Part, given: Mapping[str, Any], expected: Mapping[str, np.ndarray]
) -> str | None:
    """What is wrong with the values of a launch, in words; None if nothing is."""
    if done.fault is not None:
        return str(done.fault)
    for name, wanted in expected.items():
        if name in done.outputs:
            found = done.outputs[name]
            wrong = ~_close(found, wanted, part)
            if wrong.any():
                return _told(done, name, found, wanted, wrong)
    for name, found in done.inputs.items():
        if found.tobytes() != np.ascontiguousarray(given[name]).tobytes():
            return f"'{name}' is an input, and the kernel changed it"
    return None


def _close(found: np.ndarray, wanted: np.ndarray, part: Part) -> np.ndarray:
    if wanted.dtype.kind in "iub":
        return found == wanted
    with np.errstate(over="ignore", invalid="ignore"):
        wide = found.astype(np.float64), wanted.astype(np.float64)
        return np.isclose(*wide, rtol=part.relative, atol=part.absolute, equal_nan=True)


def _told(
    done: Launched, name: str, found: np.ndarray, wanted: np.ndarray, wrong: np.ndarray
) -> str:
    first = int(np.flatnonzero(wrong.reshape(-1))[0])
    place = ", ".join(str(int(i)) for i in np.unravel_index(first, wrong.shape))
    text = f"{name}[{place}] is {_number(found.reshape(-1)[first])}, "
    text += f"not {_number(wanted.reshape(-1)[first])}"
    count = int(wrong.sum())
    text += f"; {count:,} of {wrong.size:,} elements are wrong"
    if done.journal is None:
        return text
    writer = done.last_writer(name, first)
    if writer is None:
        return f"{text}\nno instruction wrote it (it holds {STALE:#x} bytes from before)"
    return f"{text}\nlast written at {writer}"


def _number(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, np.floating) else str(value)
