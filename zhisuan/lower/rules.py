"""Graph op → kernel launches, one function per op."""

from __future__ import annotations

from math import prod

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Node
from zhisuan.isa.matrix import pack_weights
from zhisuan.kernels import conv2d, linear, pixelwise
from zhisuan.kernels.element_types import HALF_TO_HALF
from zhisuan.lower.state import RULES, Lowering, Place, Sums, rule

__all__ = ["RULES"]


def _is_normalised(state: Lowering, value: str) -> bool:
    return any(node.op == "instance_norm" and node.inputs[0] == value for node in state.graph.nodes)


def _sums(state: Lowering, value: str, c: int, makers: int) -> Place:
    """Scratch for the channel sums of a value: centre, Σ(x - m), Σ(x - m)², pixels."""
    place = state.make(state.fresh(f"{value}.sums"), "scratch", (makers, 4, c), "f32", "flat")
    state.sums[value] = Sums(place, makers)
    return place


@rule("conv2d")
def lower_conv2d(state: Lowering, node: Node) -> None:
    """conv2d (pad, bias and activation absorbed) → one conv2d launch, with channel sums if an
    instance_norm follows."""
    if node.attrs["groups"] != 1:
        raise ZhisuanError(
            f"conv2d '{node.label}' is grouped",
            expected="groups = 1",
            found=f"groups = {node.attrs['groups']}",
        )
    x, weight, *bias = node.inputs
    filters = state.weights(node, weight).astype(np.float16)
    shape = _convolution(state, node, filters)
    stats = not node.attrs["activation"] and _is_normalised(state, node.output)
    block = conv2d.choose_pack(shape, state.machine)
    plan, makers = conv2d.plan(
        shape, block, state.machine, activation=node.attrs["activation"], stats=stats
    )
    strides = (shape.stride_h, shape.stride_w)
    name = f"{weight}.pack{block[0]}x{block[1]}"
    if block != (1, 1):  # the strides decide where the zeros of a widened filter are
        name += f".stride{shape.stride_h}x{shape.stride_w}"
    pointers = {
        "dst": state.result(node),
        "src": state.value(x),
        "filter": state.constant(name, conv2d.pack_filter(filters, block, strides)),
        "scale": None,
        "shift": state.value(bias[0]) if bias else None,
        "stats": _sums(state, node.output, shape.co, makers) if stats else None,
    }
    state.launch(node, "conv2d", plan, pointers, state.macs.get(node.label, 0))


def _convolution(state: Lowering, node: Node, filters: np.ndarray) -> conv2d.Convolution:
    """Geometry of a conv2d node."""
    height, width, ci = state.image(node.inputs[0])
    out_h, out_w, co = state.image(node.output)
    stride_h, stride_w = node.attrs["strides"]
    dilation_h, dilation_w = node.attrs["dilations"]
    top, left, _, _ = node.attrs["pads"]
    return conv2d.Convolution(
        height, width, ci, out_h, out_w, co, filters.shape[2], filters.shape[3],
        stride_h, stride_w, dilation_h, dilation_w, top, left, node.attrs["pad_mode"],
    )  # fmt: skip


@rule("instance_norm")
def lower_instance_norm(state: Lowering, node: Node) -> None:
    """instance_norm → channel_sums unless the convolution made them, then instance_norm."""
    x, gamma, beta, *residual = node.inputs
    height, width, c = state.image(x)
    pixels = height * width
    if x not in state.sums:
        plan = pixelwise.channel_sums(pixels, c, state.machine)
        pointers = {"stats": _sums(state, x, c, plan.tasks), "src": state.value(x)}
        state.launch(node, "channel_sums", plan, pointers)
    sums = state.sums[x]
    plan = pixelwise.instance_norm(
        pixels, c, sums.makers, node.attrs["epsilon"], state.machine,
        activation=node.attrs["activation"], residual=bool(residual),
    )  # fmt: skip
    pointers = {
        "dst": state.result(node),
        "src": state.value(x),
        "residual": state.value(residual[0]) if residual else None,
        "stats": sums.place,
        "gamma": state.value(gamma),
        "beta": state.value(beta),
    }
    state.launch(node, "instance_norm", plan, pointers)


@rule("resize_nearest")
def lower_resize_nearest(state: Lowering, node: Node) -> None:
    height, width, c = state.image(node.inputs[0])
    plan = pixelwise.resize_nearest(
        height, width, c, node.attrs["scale_h"], node.attrs["scale_w"], state.machine
    )
    pointers = {"dst": state.result(node), "src": state.value(node.inputs[0])}
    state.launch(node, "resize_nearest", plan, pointers)


@rule("max_pool", "average_pool")
def lower_pool(state: Lowering, node: Node) -> None:
    x, attrs = node.inputs[0], node.attrs
    mean = node.op == "average_pool"
    if mean and any(attrs["pads"]) and not attrs["count_padding"]:
        raise ZhisuanError(
            f"average_pool '{node.label}' cannot be lowered",
            expected="no padding, or padding that counts",
            found=f"pads {list(attrs['pads'])} left out of the mean",
        )
    height, width, c = state.image(x)
    out_h, out_w, _ = state.image(node.output)
    shape = pixelwise.Pooling(
        height, width, c, out_h, out_w, attrs["window"], attrs["strides"], attrs["pads"],
        "mean" if mean else "max", "f16",
    )  # fmt: skip
    pointers = {"dst": state.result(node), "src": state.value(x)}
    state.launch(node, "pool2d", pixelwise.pool2d(shape, state.machine), pointers)


@rule("pad")
def lower_pad(state: Lowering, node: Node) -> None:
    """pad of height and width with zeros, mirrored or edge pixels → one pad launch."""
    x, pads = node.inputs
    height, width, c = state.image(x)
    amounts = [int(amount) for amount in state.weights(node, pads)]
    batch, channels, top, left, batch_end, channels_end, bottom, right = amounts
    if any((batch, channels, batch_end, channels_end, node.attrs["value"])):
        raise ZhisuanError(
            f"pad '{node.label}' cannot be lowered",
            expected="padding of height and width only, with zeros if constant",
            found=f"pads {amounts}, value {node.attrs['value']}",
        )
    sides = (top, left, bottom, right)
    plan = pixelwise.pad(height, width, c, sides, node.attrs["mode"], state.machine)
    pointers = {"dst": state.result(node), "src": state.value(x)}
    state.launch(node, "pad", plan, pointers)


@rule("vecmat")
def lower_vecmat(state: Lowering, node: Node) -> None:
    """vecmat → a 1 × 1 convolution in float32."""
    vector, matrix = node.inputs
    values = np.asarray(state.weights(node, matrix), np.float32)
    k, n = values.shape
    packed = state.constant(f"{matrix}.packed", pack_weights(values))
    pointers = {"dst": state.result(node), "src": state.value(vector), "matrix": packed}
    plan = pixelwise.vecmat(k, n, state.machine)
    state.launch(node, "vecmat", plan, pointers, state.macs.get(node.label, 0))


@rule("flatten", "reshape")
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


@rule("linear")
def lower_linear(state: Lowering, node: Node) -> None:
    """linear (bias and activation absorbed) → one linear launch that streams the weights."""
    x, weight, *bias = node.inputs
    weights = state.weights(node, weight)
    (rows, k), n = state.shapes[x], len(weights)
    if x in state.flattened:  # columns in the order of memory: height, width, channel
        turned = weights.reshape(n, *state.flattened[x]).transpose(0, 2, 3, 1)
        weights = turned.reshape(n, k)
    cut = linear.pieces(k, n, HALF_TO_HALF, state.machine)
    pointers = {
        "dst": state.result(node),
        "src": state.places[x],
        "weights": state.constant(
            f"{weight}.{node.label}", linear.pack(weights.astype(np.float16), cut)
        ),
        "scale": None,
        "bias": state.value(bias[0]) if bias else None,
    }
    plan = linear.plan(
        rows, k, n, cut, HALF_TO_HALF, state.machine, activation=node.attrs["activation"]
    )
    state.launch(node, "linear", plan, pointers, state.macs.get(node.label, 0))


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
