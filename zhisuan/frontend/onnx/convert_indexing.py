"""How ONNX's operators that pick, sort, count and cut become nodes of the graph."""

from __future__ import annotations

import numpy as np

from zhisuan.frontend.onnx.step import Step, Unsupported
from zhisuan.frontend.onnx.table import converts


@converts("Scatter")
@converts("ScatterElements")
def scatter(step: Step) -> None:
    attrs = {"axis": step.take("axis", 0), "reduction": step.take("reduction", "none")}
    step.emit("scatter", step.inputs, attrs)


@converts("TopK")
def topk(step: Step) -> None:
    """How many is an attribute before opset 10, an input since."""
    k = step.take("k") if step.opset < 10 else step.integers(1, "k")[0]
    attrs = {"k": k, "axis": step.take("axis", -1), "largest": bool(step.take("largest", 1))}
    step.ignore("sorted")  # sorted is one of the orders that unsorted allows
    step.emit_all("topk", step.inputs[:1], attrs)


@converts("ArgMax")
@converts("ArgMin")
def place_of_best(step: Step) -> None:
    attrs = {
        "axis": step.take("axis", 0),
        "keepdims": bool(step.take("keepdims", 1)),
        "last": bool(step.take("select_last_index", 0)),
    }
    step.emit(step.op.lower(), step.inputs, attrs)


@converts("CumSum")
@converts("CumProd")
def cumulative(step: Step) -> None:
    attrs = {
        "axis": step.integers(1, "axis")[0],
        "exclusive": bool(step.take("exclusive", 0)),
        "reverse": bool(step.take("reverse", 0)),
    }
    step.emit(step.op.lower(), step.inputs[:1], attrs)


@converts("Trilu")
def triangle(step: Step) -> None:
    k = step.integers(1, "k")[0] if step.has(1) else 0
    step.emit("triangle", step.inputs[:1], {"k": k, "upper": bool(step.take("upper", 1))})


@converts("OneHot")
def one_hot(step: Step) -> None:
    """Depth is known before running; indices may be of any number type."""
    depth = int(step.numbers(1, "depth").reshape(-1)[0])
    indices = step.build.node("cast", step.inputs[:1], {"to": "i64"}, label=f"{step.label}/indices")
    attrs = {"depth": depth, "axis": step.take("axis", -1)}
    step.emit("one_hot", [indices, step.inputs[2]], attrs)


@converts("Split")
def split(step: Step) -> None:
    """Sizes are an attribute before opset 13, an input since; else equal parts."""
    rank = len(step.shape(0))
    axis = step.take("axis", 0) % rank
    size = step.shape(0)[axis]
    given = step.integers(1, "split") if step.has(1) else step.take("split")
    count = step.take("num_outputs", len(step.outputs))
    if given is None:
        if not isinstance(size, int):
            raise Unsupported("Split of an open size into equal parts")
        part = -(-size // count)
        given = tuple(min(part, size - part * i) for i in range(count))
    start = 0
    for index, (name, length) in enumerate(zip(step.outputs, given, strict=True)):
        attrs = {"starts": (start,), "ends": (start + length,), "axes": (axis,), "steps": (1,)}
        label = f"{step.label}/{index}"
        step.build.node("slice", step.inputs[:1], attrs, output=name, label=label)
        start += length
    step.made_all()


@converts("Size")
def size(step: Step) -> None:
    sizes = step.build.node("shape", step.inputs, label=f"{step.label}/sizes")
    step.emit("reduce_prod", [sizes], {"axes": (0,), "keepdims": False})


@converts("Compress")
def compress(step: Step) -> None:
    condition = step.numbers(1, "condition").reshape(-1)
    places = step.constant(np.flatnonzero(condition).astype(np.int64))
    axis = step.take("axis")
    x = step.inputs[0]
    if axis is None:
        flat = step.constant(np.array([-1], np.int64))
        x = step.build.node("reshape", [x, flat], label=f"{step.label}/flat")
    step.emit("gather", [x, places], {"axis": axis or 0})


@converts("ReverseSequence")
def reverse_sequence(step: Step) -> None:
    """By places that are known before running."""
    time, batch = step.take("time_axis", 0), step.take("batch_axis", 1)
    shape = step.shape(0)
    lengths = step.integers(1, "sequence_lens")
    steps, entries = shape[time], shape[batch]
    if not isinstance(steps, int) or not isinstance(entries, int):
        raise Unsupported("ReverseSequence of open sizes")
    order = np.tile(np.arange(steps)[:, None], (1, entries))
    for entry, length in enumerate(lengths):
        order[:length, entry] = np.arange(length)[::-1]
    order = order if time < batch else order.T
    sizes = [n for n in shape if isinstance(n, int)]
    grid = order.reshape([n if i in (time, batch) else 1 for i, n in enumerate(sizes)])
    full = step.constant(np.ascontiguousarray(np.broadcast_to(grid, sizes)).astype(np.int64))
    step.emit("take_along", [step.inputs[0], full], {"axis": time})


@converts("DepthToSpace")
@converts("SpaceToDepth")
def blocks(step: Step) -> None:
    """Reshape, transpose, reshape."""
    block, mode = step.take("blocksize"), step.take("mode", "DCR")
    n, c, h, w = step.shape(0)
    if not all(isinstance(size, int) for size in (n, c, h, w)):
        raise Unsupported(f"{step.op} of open sizes")
    if step.op == "SpaceToDepth":
        inner = (n, c, h // block, block, w // block, block)
        perm = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
        outer = (n, c * block * block, h // block, w // block)
    else:
        deep = c // (block * block)
        inner = (n, block, block, deep, h, w) if mode == "DCR" else (n, deep, block, block, h, w)
        perm = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
        outer = (n, deep, h * block, w * block)
    apart = step.reshaped(step.inputs[0], inner, "apart")
    turned = step.build.node("transpose", [apart], {"perm": perm}, label=f"{step.label}/turned")
    step.emit("reshape", [turned, step.constant(np.array(outer, np.int64))])
