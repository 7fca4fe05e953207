"""How ONNX's operators on single numbers, and reductions of them, become nodes of the graph."""

from __future__ import annotations

import numpy as np

from zhisuan.frontend.onnx.step import Step, Unsupported, dtype_of
from zhisuan.frontend.onnx.table import converts


@converts("Mod")
def mod(step: Step) -> None:
    step.emit("fmod" if step.take("fmod", 0) else "mod", step.inputs)


@converts("BitShift")
def shift(step: Step) -> None:
    left = step.take("direction") == "LEFT"
    step.emit("shift_left" if left else "shift_right", step.inputs)


@converts("Shrink")
def shrink(step: Step) -> None:
    step.emit(
        "shrink", step.inputs, {"low": step.take("lambd", 0.5), "bias": step.take("bias", 0.0)}
    )


@converts("IsInf")
def is_inf(step: Step) -> None:
    attrs = {
        "positive": bool(step.take("detect_positive", 1)),
        "negative": bool(step.take("detect_negative", 1)),
    }
    step.emit("is_inf", step.inputs, attrs)


@converts("CastLike")
def cast_like(step: Step) -> None:
    step.ignore("saturate", "round_mode")
    to = step.build.facts[step.inputs[1]].dtype.name
    step.emit("cast", step.inputs[:1], {"to": to})


@converts("Mean")
def mean(step: Step) -> None:
    total = step.inputs[0]
    for index, term in enumerate(step.inputs[1:]):
        total = step.build.node("add", [total, term], label=f"{step.label}/{index}")
    count = np.array(len(step.inputs), step.build.facts[total].dtype.numpy)
    step.emit("div", [total, step.constant(count)])


@converts("Range")
def span(step: Step) -> None:
    start, limit, delta = (step.numbers(i, "bounds").reshape(()) for i in range(3))
    count = max(int(np.ceil((limit - start) / delta)), 0)
    values = (start + np.arange(count) * delta).astype(start.dtype)
    step.emit("identity", [step.constant(values)])


@converts("EyeLike")
def eye(step: Step) -> None:
    shape = step.shape(0)
    code = step.take("dtype")
    dtype = dtype_of(code) if code else step.build.facts[step.inputs[0]].dtype
    sizes = [n for n in shape if isinstance(n, int)]
    if len(sizes) != 2:
        raise Unsupported("EyeLike of open sizes")
    values = np.eye(*sizes, k=step.take("k", 0), dtype=dtype.numpy)
    step.emit("identity", [step.constant(values)])


REDUCED = {
    "ReduceL1": ("abs", "reduce_sum", ""),
    "ReduceL2": ("square", "reduce_sum", "sqrt"),
    "ReduceSumSquare": ("square", "reduce_sum", ""),
    "ReduceLogSum": ("", "reduce_sum", "log"),
}
"""What happens to each number before the sum, and to the sum."""


@converts("ReduceL1")
@converts("ReduceL2")
@converts("ReduceSumSquare")
@converts("ReduceLogSum")
def reduced(step: Step) -> None:
    before, middle, after = REDUCED[step.op]
    x = step.inputs[0]
    if before == "square":
        x = step.build.node("mul", [x, x], label=f"{step.label}/square")
    elif before:
        x = step.build.node(before, [x], label=f"{step.label}/{before}")
    attrs = step.reduction()
    if attrs is None:
        step.emit(after or "identity", [x])
    elif after:
        total = step.build.node(middle, [x], attrs, label=f"{step.label}/sum")
        step.emit(after, [total])
    else:
        step.emit(middle, [x], attrs)


@converts("ReduceLogSumExp")
def log_sum_exp(step: Step) -> None:
    """Shifted by the largest, so that nothing overflows."""
    x, attrs = step.inputs[0], step.reduction()
    if attrs is None:
        step.emit("identity", [x])
        return
    largest = step.build.node(
        "reduce_max", [x], {**attrs, "keepdims": True}, label=f"{step.label}/max"
    )
    shifted = step.build.node("sub", [x, largest], label=f"{step.label}/shifted")
    powers = step.build.node("exp", [shifted], label=f"{step.label}/powers")
    total = step.build.node("reduce_sum", [powers], attrs, label=f"{step.label}/sum")
    logs = step.build.node("log", [total], label=f"{step.label}/log")
    if not attrs["keepdims"]:
        largest = step.build.node("reduce_max", [x], attrs, label=f"{step.label}/max_of_sum")
    step.emit("add", [logs, largest])
