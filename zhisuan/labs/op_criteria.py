"""What is judged of an op made from a kernel: its meaning, its gradient, and who computes it.

Comes in: a criterion and an `OpWork`.  Goes out: points and, where some are missing, why.  On the
chip the kernel's results are marked as they arrive, so that a host that computes is noticed.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.labs.kinds import Outcome, cases, kind, met, missed
from zhisuan.labs.lab_file import Case, Criterion, Part
from zhisuan.labs.op_work import OpWork, marked, watched

STEP = 1e-6
"""By which an input is moved to see how the result follows, in double precision."""
CLOSE = 1e-5
"""Relative tolerance of gradients."""


@kind("registers")
def _registers(criterion: Criterion, work: OpWork) -> Outcome:
    """The module loads, and makes an op of the right name with the right inputs."""
    return met(criterion, f"{work.part.op}({', '.join((*work.row.inputs, *work.row.attrs))})")


@kind("meaning")
def _meaning(criterion: Criterion, work: OpWork) -> Outcome:
    """On the CPU the op has the values of the lab's definition."""
    for case in criterion.cases:
        arrays, attrs = work.drawn(case)
        try:
            found = work.call(arrays, attrs, "cpu")[0].numpy()
        except ZhisuanError as error:
            return missed("stopped", f"with {_text(case)}:\n{error}")
        wrong = _difference(found, work.expected(arrays, attrs), work.part)
        if wrong is not None:
            return missed("values", f"with {_text(case)}, on the CPU:\n{wrong}")
    return met(criterion, cases(len(criterion.cases)))


@kind("gradient")
def _gradient(criterion: Criterion, work: OpWork) -> Outcome:
    """The op's gradient is how its result follows its inputs, each moved a little."""
    for case in criterion.cases:
        arrays, attrs = work.drawn(case)
        wide = [array.astype(np.float64) for array in arrays]
        weights = np.cos(np.arange(work.expected(wide, attrs).size, dtype=np.float64))
        weights = weights.reshape(work.expected(wide, attrs).shape)
        try:
            found = work.gradients(wide, attrs, weights)
        except ZhisuanError as error:
            return missed("stopped", f"with {_text(case)}:\n{error}")
        for index, name in enumerate(work.row.inputs):
            wanted = _slopes(work, wide, index, weights, case)
            if found[index].shape != wanted.shape:
                shapes = f"{list(found[index].shape)}, not {list(wanted.shape)}"
                return missed(name, f"with {_text(case)}:\nthe gradient of {name} is {shapes}")
            wrong = ~np.isclose(found[index], wanted, rtol=CLOSE, atol=CLOSE)
            if wrong.any():
                at = int(np.flatnonzero(wrong.reshape(-1))[0])
                pair = f"{found[index].flat[at]:.7g}, not {wanted.flat[at]:.7g}"
                why = f"element {at} of the gradient of {name} is {pair}"
                return missed(name, f"with {_text(case)}:\n{why}")
    return met(criterion, cases(len(criterion.cases)))


def _slopes(
    work: OpWork, arrays: list[np.ndarray], index: int, weights: np.ndarray, case: Case
) -> np.ndarray:
    """d Σ weights · result / d input, by differences."""
    attrs = work.drawn(case)[1]
    slopes = np.zeros(arrays[index].shape)
    for at in range(slopes.size):
        ends = []
        for step in (STEP, -STEP):
            moved = [array.copy() for array in arrays]
            moved[index].flat[at] += step
            ends.append(float((weights * work.expected(moved, attrs)).sum()))
        slopes.flat[at] = (ends[0] - ends[1]) / (2 * STEP)
    return slopes


@kind("on_chip")
def _on_chip(criterion: Criterion, work: OpWork) -> Outcome:
    """On the chip one launch of the kernel computes the whole result from the op's inputs."""
    for case in criterion.cases:
        wrong = _wrong_on_chip(case, work)
        if wrong is not None:
            return missed(wrong[0], f"with {_text(case)}, on the chip:\n{wrong[1]}")
    return met(criterion, cases(len(criterion.cases)))


def _wrong_on_chip(case: Case, work: OpWork) -> tuple[str, str] | None:
    arrays, attrs = work.drawn(case)
    part = work.part
    try:
        with watched() as seen:
            result = work.call(arrays, attrs, "dlp")[0].numpy()
    except ZhisuanError as error:
        return "stopped", str(error)
    names = [launch.kernel for launch in seen]
    if names != [part.kernel]:
        launched = ", ".join(names) or "no kernel"
        return "launches", f"launched was {launched}; it should be {part.kernel}, once"
    known = {array.tobytes() for array in arrays}
    (launch,) = seen
    others = [a for a in launch.given if a.nbytes != result.nbytes and a.tobytes() not in known]
    changed = sum(a.tobytes() in known for a in launch.given) < len(arrays)
    if others or changed:
        return "inputs", "the kernel was not given the op's inputs as they are"
    if not any(marked(left).tobytes() == result.tobytes() for left in launch.left):
        return "the host computes", "the op's result is not what the kernel left in its output"
    found = marked(result)
    wrong = _difference(found, work.expected(arrays, attrs), part)
    return None if wrong is None else ("values", wrong)


def _difference(found: np.ndarray, wanted: np.ndarray, part: Part) -> str | None:
    if found.shape != wanted.shape:
        return f"the result is {list(found.shape)}, not {list(wanted.shape)}"
    wide = found.astype(np.float64)
    wrong = ~np.isclose(wide, wanted, rtol=part.relative, atol=part.absolute, equal_nan=True)
    if not wrong.any():
        return None
    at = int(np.flatnonzero(wrong.reshape(-1))[0])
    count = f"{int(wrong.sum()):,} of {wrong.size:,} elements are wrong"
    return f"element {at} is {wide.flat[at]:.7g}, not {wanted.flat[at]:.7g}; {count}"


def _text(case: Case) -> str:
    return ", ".join(f"{name} = {value}" for name, value in case.items())
