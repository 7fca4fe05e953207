"""Graph ops of the matrix unit → kernel launches: convolutions, linear layers, in FP16 and INT8."""

from __future__ import annotations

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Node
from zhisuan.isa.matrix import pack_weights
from zhisuan.kernels import conv2d, linear, pixelwise
from zhisuan.kernels.convolution import Convolution
from zhisuan.kernels.element_types import (
    HALF_TO_HALF,
    INT8_TO_HALF,
    INT8_TO_INT8,
    ElementTypes,
)
from zhisuan.lower.state import Lowering, Place, rule


@rule("conv2d")
def lower_conv2d(state: Lowering, node: Node) -> None:
    """conv2d (pad, bias and activation absorbed) → one conv2d launch, with channel sums if an
    instance_norm follows."""
    filters = state.weights(node, node.inputs[1]).astype(np.float16)
    bias = state.value(node.inputs[2]) if len(node.inputs) > 2 else None
    stats = not node.attrs["activation"] and state.is_normalised(node.output)
    _launch_conv2d(state, node, filters, HALF_TO_HALF, None, bias, stats)


@rule("conv2d_i8", integers=True)
def lower_conv2d_i8(state: Lowering, node: Node) -> None:
    """conv2d_i8 → one conv2d launch on integers, with channel sums if an instance_norm follows."""
    _, weight, scale, shift = node.inputs
    filters = state.weights(node, weight)
    places = state.value(scale), state.value(shift)
    stats = not node.attrs["activation"] and state.is_normalised(node.output)
    _launch_conv2d(state, node, filters, _integers(node), *places, stats)


def _integers(node: Node) -> ElementTypes:
    return INT8_TO_INT8 if node.attrs["to"] == "i8" else INT8_TO_HALF


def _launch_conv2d(state: Lowering, node: Node, filters: np.ndarray, types: ElementTypes,
                   scale: Place | None, shift: Place | None, stats: bool) -> None:  # fmt: skip
    shape = _convolution(state, node, filters, types)
    block = conv2d.choose_pack(shape, state.machine)
    plan, makers = conv2d.plan(
        shape, block, state.machine, activation=node.attrs["activation"], stats=stats
    )
    strides = (shape.stride_h, shape.stride_w)
    name = f"{node.inputs[1]}.pack{block[0]}x{block[1]}"
    if block != (1, 1):  # the strides decide where the zeros of a widened filter are
        name += f".stride{shape.stride_h}x{shape.stride_w}"
    slices = int(plan.args["slices"])
    if slices > 1:
        name += f".slices{slices}"
    packed = conv2d.pack_filter(filters, block, strides, slices)
    pointers = {
        "dst": state.result(node),
        "src": state.value(node.inputs[0]),
        "filter": state.constant(name, packed),
        "scale": scale,
        "shift": shift,
        "stats": state.make_sums(node.output, shape.co, makers) if stats else None,
    }
    state.launch(node, "conv2d", plan, pointers, state.macs.get(node.label, 0))


def _convolution(state: Lowering, node: Node, filters: np.ndarray,
                 types: ElementTypes) -> Convolution:  # fmt: skip
    """Geometry of a convolution."""
    if node.attrs["groups"] != 1:
        raise ZhisuanError(
            f"{node.op} '{node.label}' is grouped",
            expected="groups = 1",
            found=f"groups = {node.attrs['groups']}",
        )
    height, width, ci = state.image(node.inputs[0])
    out_h, out_w, co = state.image(node.output)
    stride_h, stride_w = node.attrs["strides"]
    dilation_h, dilation_w = node.attrs["dilations"]
    top, left, _, _ = node.attrs["pads"]
    return Convolution(
        height, width, ci, out_h, out_w, co, filters.shape[2], filters.shape[3],
        stride_h, stride_w, dilation_h, dilation_w, top, left, node.attrs["pad_mode"], types,
    )  # fmt: skip


@rule("linear")
def lower_linear(state: Lowering, node: Node) -> None:
    """linear (bias and activation absorbed) → one linear launch that streams the weights."""
    weights = state.weights(node, node.inputs[1]).astype(np.float16)
    bias = state.value(node.inputs[2]) if len(node.inputs) > 2 else None
    _launch_linear(state, node, weights, HALF_TO_HALF, None, bias)


@rule("linear_i8", integers=True)
def lower_linear_i8(state: Lowering, node: Node) -> None:
    """linear_i8 → one linear launch on integers."""
    _, weight, scale, shift = node.inputs
    weights = state.weights(node, weight)
    places = state.value(scale), state.value(shift)
    _launch_linear(state, node, weights, _integers(node), *places)


def _launch_linear(state: Lowering, node: Node, weights: np.ndarray, types: ElementTypes,
                   scale: Place | None, bias: Place | None) -> None:  # fmt: skip
    x = node.inputs[0]
    (rows, k), n = state.shapes[x], len(weights)
    if x in state.flattened:  # columns in the order of memory: height, width, channel
        turned = weights.reshape(n, *state.flattened[x]).transpose(0, 2, 3, 1)
        weights = turned.reshape(n, k)
    cut = linear.pieces(k, n, types, state.machine)
    pointers = {
        "dst": state.result(node),
        "src": state.places[x],
        "weights": state.constant(f"{node.inputs[1]}.{node.label}", linear.pack(weights, cut)),
        "scale": scale,
        "bias": bias,
    }
    plan = linear.plan(rows, k, n, cut, types, state.machine, activation=node.attrs["activation"])
    state.launch(node, "linear", plan, pointers, state.macs.get(node.label, 0))


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
