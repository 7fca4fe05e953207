"""How each ONNX operator of layers, layout and shapes becomes a node of the graph."""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import from_numpy
from zhisuan.frontend.onnx.step import Step, Unsupported, dtype_of
from zhisuan.frontend.onnx.table import converts


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
    step.ignore("kernel_shape")  # the weights say it too
    if len(step.shape(0)) != 4:
        raise Unsupported(f"Conv over {len(step.shape(0)) - 2} axes")
    auto_pad = step.take("auto_pad", "NOTSET")
    if auto_pad not in ("NOTSET", "VALID"):
        raise Unsupported(f"Conv with auto_pad={auto_pad}")
    attrs = {
        "strides": step.take("strides", (1, 1)),
        "pads": step.take("pads", (0, 0, 0, 0)),
        "dilations": step.take("dilations", (1, 1)),
        "groups": step.take("group", 1),
    }
    step.emit("conv2d", step.inputs, attrs)


@converts("MaxPool")
@converts("AveragePool")
def pool(step: Step) -> None:
    """Windows with dilation, rounding up, or pads worked out at run time are refused."""
    if len(step.shape(0)) != 4:
        raise Unsupported(f"{step.op} over {len(step.shape(0)) - 2} axes")
    for name, plain in (("auto_pad", "NOTSET"), ("ceil_mode", 0), ("dilations", (1, 1))):
        if step.take(name, plain) not in (plain, "VALID"):
            raise Unsupported(f"{step.op} with {name}")
    step.ignore("storage_order")
    attrs = {
        "window": step.take("kernel_shape"),
        "strides": step.take("strides", (1, 1)),
        "pads": step.take("pads", (0, 0, 0, 0)),
    }
    if step.op == "AveragePool":
        attrs["count_padding"] = bool(step.take("count_include_pad", 0))
    step.emit("max_pool" if step.op == "MaxPool" else "average_pool", step.inputs, attrs)


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


@converts("Softmax")
def softmax(step: Step) -> None:
    """Since opset 13 along one axis; before, over everything from the axis on."""
    rank = len(step.shape(0))
    axis = step.take("axis", -1 if step.opset >= 13 else 1) % rank
    if step.opset < 13 and axis != rank - 1:
        raise Unsupported("Softmax over several axes (opset below 13)")
    step.emit("softmax", step.inputs, {"axis": axis})


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


_SAME_AS_REPEAT = {
    ("asymmetric", "floor"),
    ("half_pixel", "round_prefer_floor"),
    ("half_pixel", "round_prefer_ceil"),
    ("pytorch_half_pixel", "round_prefer_floor"),
}


@converts("Upsample")
@converts("Resize")
def resize(step: Step) -> None:
    """Nearest neighbour by whole factors; for those the listed modes all repeat pixels."""
    mode = step.take("mode", "nearest")
    if mode != "nearest" or len(step.shape(0)) != 4:
        raise Unsupported(f"{step.op} with mode={mode} of {len(step.shape(0))} axes")
    if step.opset >= 11:
        step.ignore("cubic_coeff_a", "extrapolation_value", "exclude_outside")
        way = (
            step.take("coordinate_transformation_mode", "half_pixel"),
            step.take("nearest_mode", "round_prefer_floor"),
        )
        if way not in _SAME_AS_REPEAT:
            raise Unsupported(f"Resize with {way[0]} and {way[1]}")
    policy = step.take("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        raise Unsupported(f"Resize with keep_aspect_ratio_policy={policy}")
    scales = _scales(step, step.take("axes", (0, 1, 2, 3)))
    whole = [int(scale) for scale in scales]
    if whole != scales or whole[:2] != [1, 1] or min(whole) < 1:
        raise Unsupported(f"{step.op} by {', '.join(f'{scale:g}' for scale in scales)}")
    step.emit("resize_nearest", step.inputs[:1], {"scale_h": whole[2], "scale_w": whole[3]})


def _scales(step: Step, axes: tuple[int, ...]) -> list[float]:
    """A factor for each of the four axes; those not named stay."""
    scales = [1.0] * 4
    for axis, scale in zip(axes, _given_scales(step, axes), strict=True):
        scales[axis] = scale
    return scales


def _given_scales(step: Step, axes: tuple[int, ...]) -> list[float]:
    if step.op == "Upsample" or step.opset == 10:
        return [float(scale) for scale in step.numbers(1, "scales")]
    if step.has(2) and step.shape(2) != (0,):
        return [float(scale) for scale in step.numbers(2, "scales")]
    shape = [dim for dim in step.shape(0) if isinstance(dim, int)]
    if len(shape) < 4:
        raise Unsupported("Resize to fixed sizes from open ones")
    return [size / shape[axis] for axis, size in zip(axes, step.integers(3, "sizes"), strict=True)]
