"""Fully connected layers, and the softmax that ends a classifier."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.convolution import ACTIVATIONS, Activation, before_activation
from zhisuan.graph.ops.reduce import swapped
from zhisuan.graph.ops.rules import axes_of, float_dtype
from zhisuan.graph.registry import Call, gradient, op, shape_text


def linear_shape(call: Call) -> Shape:
    rows, inner = call.rank(0, 2)
    outputs, width = call.rank(1, 2)
    if inner != width:
        call.fail(
            "the inner sizes differ",
            expected=f"weights [outputs, {inner}]",
            found=shape_text(call.shapes[1]),
        )
    if len(call.shapes) > 2 and call.shapes[2] != (outputs,):
        call.fail(
            "the bias does not fit the weights",
            expected=shape_text((outputs,)),
            found=shape_text(call.shapes[2]),
        )
    return rows, outputs


@op(shape=linear_shape, dtype=float_dtype, onnx="Gemm")
def linear(x, w, bias=None, *, activation: Activation = ""):
    """activation(x @ wᵀ + bias): x [rows, k], w [outputs, k], bias [outputs]."""
    y = np.matmul(x, w.T)
    return ACTIVATIONS[activation](y if bias is None else y + bias)


@gradient("linear")
def _(g, x, w, y, activation):
    g = before_activation(g, y, activation)
    return F.matmul(g, w), F.matmul(swapped(g), x), F.reduce_sum(g, axes=(0,), keepdims=False)


def softmax_shape(call: Call) -> Shape:
    axes_of(call, (call.attrs["axis"],), len(call.shapes[0]))
    return call.shapes[0]


@op(shape=softmax_shape, dtype=float_dtype, onnx="Softmax")
def softmax(x, *, axis: int = -1):
    """e^x over its sum along `axis`, shifted by the largest so that nothing overflows."""
    shifted = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return shifted / np.sum(shifted, axis=axis, keepdims=True, dtype=x.dtype)


@gradient("softmax")
def _(g, y, axis):
    return y * (g - F.reduce_sum(g * y, axes=(axis,), keepdims=True))
