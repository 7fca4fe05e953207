"""Graph op → kernel launches, one function per op; `products` has those of the matrix unit."""

from __future__ import annotations

from math import prod

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.fixed_point import Format
from zhisuan.graph.ir import Node
from zhisuan.kernels import pixelwise
from zhisuan.lower.state import Lowering, rule


@rule("instance_norm")
def lower_instance_norm(state: Lowering, node: Node) -> None:
    """instance_norm → channel_sums unless the convolution made them, then instance_norm, which
    does the work of a quantize that reads its result."""
    x, gamma, beta, *residual = node.inputs
    height, width, c = state.image(x)
    pixels = height * width
    if x not in state.sums:
        plan = pixelwise.channel_sums(pixels, c, state.machine)
        pointers = {"stats": state.make_sums(x, c, plan.tasks), "src": state.value(x)}
        state.launch(node, "channel_sums", plan, pointers)
    sums = state.sums[x]
    readers = [reader for reader in state.graph.nodes if node.output in reader.inputs]
    quantizer = next((reader for reader in readers if reader.op == "quantize"), None)
    halves = quantizer is None or len(readers) > 1 or node.output in state.graph.outputs
    plan = pixelwise.instance_norm(
        pixels, c, sums.makers, node.attrs["epsilon"], state.machine,
        activation=node.attrs["activation"], residual=bool(residual),
        factor=_format(quantizer).factor if quantizer else None,
    )  # fmt: skip
    pointers = {
        "dst": state.result(node) if halves else None,
        "integers": state.result(quantizer) if quantizer else None,
        "src": state.value(x),
        "residual": state.value(residual[0]) if residual else None,
        "stats": sums.place,
        "gamma": state.value(gamma),
        "beta": state.value(beta),
    }
    state.launch(node, "instance_norm", plan, pointers)


@rule("resize_nearest", integers=True)
def lower_resize_nearest(state: Lowering, node: Node) -> None:
    height, width, _ = state.image(node.inputs[0])
    plan = pixelwise.resize_nearest(
        height,
        width,
        state.pixel(node.inputs[0]),
        node.attrs["scale_h"],
        node.attrs["scale_w"],
        state.machine,
    )
    pointers = {"dst": state.result(node), "src": state.value(node.inputs[0])}
    state.launch(node, "resize_nearest", plan, pointers)


@rule("max_pool", "average_pool", integers=True)
def lower_pool(state: Lowering, node: Node) -> None:
    x, attrs = node.inputs[0], node.attrs
    mean = node.op == "average_pool"
    if mean and any(attrs["pads"]) and not attrs["count_padding"]:
        raise ZhisuanError(
            f"average_pool '{node.label}' cannot be lowered",
            expected="no padding, or padding that counts",
            found=f"pads {list(attrs['pads'])} left out of the mean",
        )
    if attrs.get("dilations"):
        raise ZhisuanError(
            f"{node.op} '{node.label}' cannot be lowered",
            expected="windows without dilation",
            found=f"dilations {list(attrs['dilations'])}",
        )
    height, width, c = state.image(x)
    out_h, out_w, _ = state.image(node.output)
    shape = pixelwise.Pooling(
        height, width, c, out_h, out_w, attrs["window"], attrs["strides"], attrs["pads"],
        "mean" if mean else "max", state.storage(x)[0],
    )  # fmt: skip
    pointers = {"dst": state.result(node), "src": state.value(x)}
    state.launch(node, "pool2d", pixelwise.pool2d(shape, state.machine), pointers)


@rule("pad", integers=True)
def lower_pad(state: Lowering, node: Node) -> None:
    """pad of height and width with zeros, mirrored or edge pixels → one pad launch."""
    x, pads = node.inputs
    height, width, _ = state.image(x)
    amounts = [int(amount) for amount in state.weights(node, pads)]
    batch, channels, top, left, batch_end, channels_end, bottom, right = amounts
    if any((batch, channels, batch_end, channels_end, node.attrs["value"])):
        raise ZhisuanError(
            f"pad '{node.label}' cannot be lowered",
            expected="padding of height and width only, with zeros if constant",
            found=f"pads {amounts}, value {node.attrs['value']}",
        )
    sides = (top, left, bottom, right)
    plan = pixelwise.pad(height, width, state.pixel(x), sides, node.attrs["mode"], state.machine)
    pointers = {"dst": state.result(node), "src": state.value(x)}
    state.launch(node, "pad", plan, pointers)


@rule("flatten", "reshape", integers=True)
def lower_flatten(state: Lowering, node: Node) -> None:
    """A picture as one row → a view: no launch; the linear layer turns its weights instead."""
    x, shape = node.inputs[0], state.shapes[node.output]
    if len(shape) != 2 or shape[0] != 1:
        raise ZhisuanError(
            f"{node.op} '{node.label}' cannot be lowered",
            expected="one picture, or one row, made a row [1, n]",
            found=f"{list(state.shapes[x])} to {list(shape)}",
        )
    state.places[node.output] = state.value(x)
    if len(state.shapes[x]) == 4:
        height, width, c = state.image(x)
        if c > 1 and height * width > 1:
            state.flattened[node.output] = (c, height, width)


@rule("softmax")
def lower_softmax(state: Lowering, node: Node) -> None:
    """softmax along the last axis of a matrix → one softmax launch."""
    shape = state.shapes[node.output]
    if len(shape) != 2 or node.attrs["axis"] not in (1, -1):
        raise ZhisuanError(
            f"softmax '{node.label}' cannot be lowered",
            expected="a matrix, along its last axis",
            found=f"{list(shape)}, axis {node.attrs['axis']}",
        )
    pointers = {"dst": state.result(node), "src": state.value(node.inputs[0])}
    state.launch(node, "softmax", pixelwise.softmax(*shape, state.machine), pointers)


@rule("slice1d")
def lower_slice1d(state: Lowering, node: Node) -> None:
    """slice1d → a view: no launch."""
    whole = state.value(node.inputs[0])
    start = node.attrs["start"] * 4
    state.places[node.output] = whole.at(start)


def _format(node: Node) -> Format:
    return Format(node.attrs["position"], node.attrs["scale"])


@rule("quantize", "dequantize", integers=True)
def lower_rescale(state: Lowering, node: Node) -> None:
    """Between FP16 and 8-bit integers → one rescale launch."""
    if node.output in state.places:  # the op that made its input has quantised it
        return
    form = _format(node)
    to_int8 = node.op == "quantize"
    factor = form.factor if to_int8 else form.step
    if len(state.shapes[node.output]) < 2:
        raise ZhisuanError(
            f"{node.op} '{node.label}' cannot be lowered",
            expected="pictures or matrices, which are FP16 on the chip",
            found=str(list(state.shapes[node.output])),
        )
    elements = prod(state.shapes[node.output])
    plan = pixelwise.rescale(elements, factor, to_int8, state.machine)
    pointers = {"dst": state.result(node), "src": state.value(node.inputs[0])}
    state.launch(node, "rescale", plan, pointers)


@rule("add", "sub", "mul", "div", "maximum", "minimum")
def lower_binary(state: Lowering, node: Node) -> None:
    shape = state.shapes[node.output]
    given = [state.shapes[name] for name in node.inputs]
    if given != [shape, shape] or len(shape) != 4:
        raise ZhisuanError(
            f"{node.op} '{node.label}' cannot be lowered",
            expected="two images of the same shape",
            found=" and ".join(str(list(one)) for one in given),
        )
    a, b = node.inputs
    plan = pixelwise.elementwise(node.op, prod(shape), state.machine)
    pointers = {"dst": state.result(node), "a": state.value(a), "b": state.value(b)}
    state.launch(node, "elementwise", plan, pointers)


@rule("relu", "sigmoid", "tanh", "exp", "log", "sqrt", "abs")
def lower_unary(state: Lowering, node: Node) -> None:
    state.image(node.inputs[0])
    plan = pixelwise.elementwise(node.op, prod(state.shapes[node.output]), state.machine)
    pointers = {"dst": state.result(node), "a": state.value(node.inputs[0]), "b": None}
    state.launch(node, "elementwise", plan, pointers)
