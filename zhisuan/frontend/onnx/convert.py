"""How each ONNX operator of layers, layout and shapes becomes a node of the graph."""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import from_numpy
from zhisuan.frontend.onnx.step import Step, Unsupported, dtype_of
from zhisuan.frontend.onnx.table import converts
from zhisuan.graph.dims import Dim


@converts("Constant")
def constant(step: Step) -> None:
    value = step.take("value")
    for name in ("value_float", "value_floats"):
        value = _or_array(value, step.take(name), np.float32)
    for name in ("value_int", "value_ints"):
        value = _or_array(value, step.take(name), np.int64)
    if value is None:
        raise Unsupported("Constant that is text or sparse")
    step.build.constant(step.outputs[0], value)


def _or_array(value: np.ndarray | None, given: object, dtype: type) -> np.ndarray | None:
    return value if given is None else np.array(given, dtype)


@converts("Conv")
def conv(step: Step) -> None:
    kernel = step.take("kernel_shape", step.shape(1)[2:])
    attrs = {**window_of(step, kernel), "groups": step.take("group", 1)}
    step.emit("conv2d" if len(kernel) == 2 else "conv", step.inputs, attrs)


def window_of(step: Step, kernel: tuple[Dim, ...]) -> dict[str, tuple[int, ...]]:
    """Strides, dilations and pads; "same" pads make each side size / stride, rounded up."""
    axes = len(kernel)
    strides = step.take("strides", (1,) * axes)
    dilations = step.take("dilations", (1,) * axes)
    pads = step.take("pads", (0,) * (2 * axes))
    auto = step.take("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        sides = []
        for size, k, s, d in zip(step.shape(0)[2:], kernel, strides, dilations, strict=True):
            if not isinstance(size, int) or not isinstance(k, int):
                raise Unsupported(f"{step.op} with auto_pad={auto} of open sizes")
            more = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
            sides.append((more // 2, more - more // 2)[:: 1 if auto == "SAME_UPPER" else -1])
        pads = (*(begin for begin, _ in sides), *(end for _, end in sides))
    return {"strides": strides, "pads": pads, "dilations": dilations}


@converts("ConvTranspose")
def conv_transpose(step: Step) -> None:
    """`output_shape` decides the pads, else the pads decide it."""
    kernel = step.take("kernel_shape", step.shape(1)[2:])
    axes = len(kernel)
    sizes = [n for n in (*step.shape(0)[2:], *kernel) if isinstance(n, int)]
    if len(sizes) != 2 * axes:
        raise Unsupported("ConvTranspose of open sizes")
    inner, kernel = sizes[:axes], sizes[axes:]
    wanted = step.take("output_shape")
    auto = step.take("auto_pad", "NOTSET")
    more = step.take("output_padding", (0,) * axes)
    strides = step.take("strides", (1,) * axes)
    dilations = step.take("dilations", (1,) * axes)
    pads = step.take("pads", (0,) * (2 * axes))
    if wanted is None and auto.startswith("SAME"):
        wanted = tuple(n * s for n, s in zip(inner, strides, strict=True))
    if wanted is not None:
        totals = [
            (n - 1) * s + (k - 1) * d + 1 + m - w
            for n, s, k, d, m, w in zip(
                inner, strides, kernel, dilations, more, wanted[-axes:], strict=True
            )
        ]
        more = tuple(m + max(-total, 0) for m, total in zip(more, totals, strict=True))
        halves = [(max(t, 0) // 2, max(t, 0) - max(t, 0) // 2) for t in totals]
        order = -1 if auto == "SAME_LOWER" or auto == "NOTSET" else 1
        sides = [half[::order] for half in halves]
        pads = (*(begin for begin, _ in sides), *(end for _, end in sides))
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "more": more,
             "groups": step.take("group", 1)}  # fmt: skip
    step.emit("conv_transpose", step.inputs, attrs)


@converts("BatchNormalization")
def batch_norm(step: Step) -> None:
    step.ignore("momentum", "spatial")
    if step.take("training_mode", 0):
        raise Unsupported("BatchNormalization in training mode")
    step.outputs = step.outputs[:1]
    step.emit("batch_norm", step.inputs, {"epsilon": step.take("epsilon", 1e-5)})


@converts("MaxPool")
@converts("AveragePool")
def pool(step: Step) -> None:
    """Rounding up is more padding at the ends, which never counts."""
    window = step.take("kernel_shape")
    attrs = {"window": window, **window_of(step, window)}
    ceil = bool(step.take("ceil_mode", 0))
    counts = bool(step.take("count_include_pad", 0))
    if step.take("storage_order", 0) and len(step.outputs) > 1:
        raise Unsupported(f"{step.op} with places column by column")
    grown = _grown(step, attrs) if ceil else attrs["pads"]
    if ceil and step.op == "AveragePool" and counts and grown != attrs["pads"]:
        raise Unsupported("AveragePool with ceil_mode that counts padding")
    attrs["pads"] = grown
    flat = all(d == 1 for d in attrs["dilations"])
    if step.op == "AveragePool":
        attrs["dilations"] = () if flat else attrs["dilations"]
        step.emit("average_pool", step.inputs, {**attrs, "count_padding": counts})
    elif flat and len(step.outputs) == 1:
        attrs.pop("dilations")
        step.emit("max_pool", step.inputs, attrs)
    else:
        step.emit_all("max_pool_places", step.inputs, attrs)


def _grown(step: Step, attrs: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Pads whose ends let the last, incomplete window in, if it begins inside."""
    axes = len(attrs["window"])
    pads = list(attrs["pads"])
    for axis, size in enumerate(step.shape(0)[2:]):
        if not isinstance(size, int):
            raise Unsupported(f"{step.op} with ceil_mode of open sizes")
        stride = attrs["strides"][axis]
        reach = (attrs["window"][axis] - 1) * attrs["dilations"][axis] + 1
        padded = size + pads[axis] + pads[axis + axes]
        count = -(-(padded - reach) // stride)
        if count * stride >= size + pads[axis]:
            count -= 1
        pads[axis + axes] += max(count * stride + reach - padded, 0)
    return tuple(pads)


@converts("Gemm")
def gemm(step: Step) -> None:
    """alpha · A' · B' + beta · C with factors of 1; the weights are turned when B is not."""
    factors = (step.take("alpha", 1.0), step.take("beta", 1.0))
    turned = (step.take("transA", 0), step.take("transB", 0))
    if factors != (1.0, 1.0) or turned[0]:
        raise Unsupported(f"Gemm with alpha, beta = {factors}, transA = {turned[0]}")
    x, w, *bias = step.inputs
    if not turned[1]:
        w = step.build.node("transpose", [w], {"perm": (1, 0)}, label=f"{step.label}/turn")
    outputs = step.build.facts[w].shape[0]
    fits = bool(bias) and step.build.facts[bias[0]].shape == (outputs,)
    if not bias or fits:
        step.emit("linear", [x, w, *bias])
    else:  # C of another shape broadcasts
        product = step.build.node("linear", [x, w], label=f"{step.label}/product")
        step.emit("add", [product, bias[0]])


@converts("LogSoftmax")
@converts("Hardmax")
@converts("Softmax")
def softmax(step: Step) -> None:
    """Since opset 13 along one axis; before, over everything from the axis on."""
    rank = len(step.shape(0))
    axis = step.take("axis", -1 if step.opset >= 13 else 1) % rank
    if step.opset < 13 and axis != rank - 1:
        raise Unsupported(f"{step.op} over several axes (opset below 13)")
    names = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Hardmax": "hardmax"}
    step.emit(names[step.op], step.inputs, {"axis": axis})


@converts("ReduceSum")
@converts("ReduceMean")
@converts("ReduceMax")
@converts("ReduceProd")
@converts("ReduceMin")
def reduce(step: Step) -> None:
    """Axes moved from attribute to input at opset 13 (sum) and 18 (the others)."""
    attrs = step.reduction()
    name = "reduce_" + step.op.removeprefix("Reduce").lower()
    step.emit("identity" if attrs is None else name, step.inputs[:1], attrs)


@converts("GlobalAveragePool")
@converts("GlobalMaxPool")
def global_pool(step: Step) -> None:
    name = "reduce_mean" if step.op == "GlobalAveragePool" else "reduce_max"
    step.emit(name, step.inputs, {"axes": tuple(range(2, len(step.shape(0)))), "keepdims": True})


@converts("Shape")
def shape(step: Step) -> None:
    """Since opset 15 a range of the sizes may be asked for."""
    start, end = step.take("start", 0), step.take("end")
    if start == 0 and end is None:
        step.emit("shape", step.inputs)
        return
    rank = len(step.shape(0))
    start, end, _ = slice(start, end).indices(rank)
    sizes = step.build.node("shape", step.inputs, label=f"{step.label}/all")
    attrs = {"starts": (start,), "ends": (end,), "axes": (0,), "steps": (1,)}
    step.emit("slice", [sizes], attrs)


@converts("Sum")
def sum_(step: Step) -> None:
    """a + b + c, from the left."""
    total = step.inputs[0]
    for index, term in enumerate(step.inputs[1:-1]):
        total = step.build.node("add", [total, term], label=f"{step.label}/{index}")
    if len(step.inputs) == 1:
        step.emit("identity", [total])
    else:
        step.emit("add", [total, step.inputs[-1]])


@converts("Reshape")
def reshape(step: Step) -> None:
    if step.take("allowzero", 0) and 0 in step.numbers(1, "shape"):
        raise Unsupported("Reshape with allowzero=1 and a size of 0")
    step.emit("reshape", step.inputs)


@converts("Transpose")
def transpose(step: Step) -> None:
    reverse = tuple(reversed(range(len(step.shape(0)))))
    step.emit("transpose", step.inputs, {"perm": step.take("perm", reverse)})


@converts("Slice")
def slice_(step: Step) -> None:
    """Bounds are attributes before opset 10, inputs since."""
    if step.opset < 10:
        starts, ends = step.take("starts"), step.take("ends")
        axes, steps = step.take("axes"), None
    else:
        starts, ends = step.integers(1, "starts"), step.integers(2, "ends")
        axes = step.integers(3, "axes") if step.has(3) else None
        steps = step.integers(4, "steps") if step.has(4) else None
    attrs = {
        "starts": starts,
        "ends": ends,
        "axes": axes if axes is not None else tuple(range(len(starts))),
        "steps": steps if steps is not None else (1,) * len(starts),
    }
    step.emit("slice", step.inputs[:1], attrs)


@converts("Unsqueeze")
@converts("Squeeze")
def squeeze(step: Step) -> None:
    """Axes are an attribute before opset 13, an input since; Squeeze may leave them out."""
    axes = step.integers(1, "axes") if step.has(1) else step.take("axes")
    if axes is None:
        axes = tuple(axis for axis, dim in enumerate(step.shape(0)) if dim == 1)
    step.emit(step.op.lower(), step.inputs[:1], {"axes": axes})


@converts("Cast")
def cast(step: Step) -> None:
    step.ignore("saturate")  # about 8-bit floats only
    step.emit("cast", step.inputs, {"to": dtype_of(step.take("to")).name})


@converts("ConstantOfShape")
def constant_of_shape(step: Step) -> None:
    value = step.take("value", np.zeros(1, np.float32))
    attrs = {"value": float(value[0]), "dtype": from_numpy(value.dtype).name}
    step.emit("full", step.inputs, attrs)


@converts("Pad")
def pad(step: Step) -> None:
    """Pads and value are attributes before opset 11, inputs since; axes came with 18."""
    if step.op == "Pad" and step.opset < 11:
        pads = step.constant(np.array(step.take("pads"), np.int64))
        value = step.take("value", 0.0)
    else:
        pads = step.inputs[1]
        value = float(step.numbers(2, "value").reshape(())) if step.has(2) else 0.0
    if step.has(3):
        pads = step.constant(_spread_pads(step))
    mode = step.take("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        raise Unsupported(f"Pad with mode={mode}")
    step.emit("pad", [step.inputs[0], pads], {"mode": mode, "value": value})


def _spread_pads(step: Step) -> np.ndarray:
    """Pads given for some axes, as pads for all of them."""
    rank = len(step.shape(0))
    given, axes = step.integers(1, "pads"), step.integers(3, "axes")
    pads = np.zeros((2, rank), np.int64)
    pads[:, [axis % rank for axis in axes]] = np.array(given).reshape(2, len(axes))
    return pads.reshape(-1)


@converts("Clip")
def clip(step: Step) -> None:
    """Bounds are attributes before opset 11, inputs since."""
    attrs = {}
    for index, (ours, theirs) in enumerate((("low", "min"), ("high", "max")), start=1):
        given = step.take(theirs)
        if step.has(index):
            given = float(step.numbers(index, theirs).reshape(()))
        if given is not None:
            attrs[ours] = float(given)
    step.emit("clip", step.inputs[:1], attrs)


@converts("Dropout")
def dropout(step: Step) -> None:
    step.ignore("ratio", "seed", "is_test")
    if step.has(2) and step.numbers(2, "training_mode").any():
        raise Unsupported("Dropout in training mode")
    step.emit("identity", step.inputs[:1])
