"""Instance normalisation, with the affine, activation and residual that follow it."""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.graph.dims import Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.convolution import ACTIVATIONS, Activation, before_activation
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, gradient, op, shape_text


def instance_norm_shape(call: Call) -> Shape:
    shape = call.rank(0, 4)
    for index in (1, 2):
        if call.shapes[index] != (shape[1],):
            call.fail(
                f"'{call.names[index]}' must have one number per channel",
                expected=shape_text((shape[1],)),
                found=shape_text(call.shapes[index]),
            )
    if len(call.shapes) > 3 and call.shapes[3] != shape:
        call.fail(
            "the residual must have the shape of x",
            expected=shape_text(shape),
            found=shape_text(call.shapes[3]),
        )
    return shape


@op(shape=instance_norm_shape, dtype=float_dtype, onnx="InstanceNormalization")
def instance_norm(
    x, scale, shift, residual=None, *, epsilon: float = 1e-5, activation: Activation = ""
):
    """activation((x - mean) / sqrt(variance + epsilon) * scale + shift) + residual.

    x and residual [n, c, h, w], scale and shift [c]; mean and (biased) variance per n and c over
    h and w.  The activation comes before the residual.
    """
    centred = x - np.mean(x, axis=(2, 3), keepdims=True)
    variance = np.mean(centred * centred, axis=(2, 3), keepdims=True)
    normal = centred / np.sqrt(variance + x.dtype.type(epsilon))
    y = ACTIVATIONS[activation](normal * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1))
    return y if residual is None else y + residual


@gradient("instance_norm")
def _(g, x, scale, shift, residual, y, epsilon, activation):
    """Written out: the mean and the variance depend on x as well."""
    made = y if residual is None else y - residual
    inner = before_activation(g, made, activation)
    line = np.array([1, -1, 1, 1], np.int64)
    centred = x - F.reduce_mean(x, axes=(2, 3))
    factor = 1 / F.sqrt(F.reduce_mean(centred * centred, axes=(2, 3)) + epsilon)
    normal = centred * factor
    to_normal = inner * F.reshape(scale, line)
    mean = F.reduce_mean(to_normal, axes=(2, 3))
    along = F.reduce_mean(to_normal * normal, axes=(2, 3))
    to_x = (to_normal - mean - normal * along) * factor
    to_scale = F.reduce_sum(inner * normal, axes=(0, 2, 3), keepdims=False)
    to_shift = F.reduce_sum(inner, axes=(0, 2, 3), keepdims=False)
    return to_x, to_scale, to_shift, None if residual is None else g


def batch_norm_shape(call: Call) -> Shape:
    shape = call.shapes[0]
    channels = shape[1] if len(shape) > 1 else 1
    for index in range(1, 5):
        if call.shapes[index] != (channels,):
            call.fail(
                f"'{call.names[index]}' must have one number per channel",
                expected=shape_text((channels,)),
                found=shape_text(call.shapes[index]),
            )
    return shape


def first_dtype(call: Call) -> DType:
    return call.dtypes[0]


@op(shape=batch_norm_shape, dtype=first_dtype, onnx="BatchNormalization", aten="batch_norm")
def batch_norm(x, scale, shift, mean, variance, *, epsilon: float = 1e-5):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, per channel, the second axis."""
    line = (1, -1, *[1] * (x.ndim - 2)) if x.ndim > 1 else (-1,)
    factor = scale / np.sqrt(variance + variance.dtype.type(epsilon))
    y = (x - mean.reshape(line)) * factor.reshape(line) + shift.reshape(line)
    return y.astype(x.dtype)


@gradient("batch_norm")
def _(g, x, scale, mean, variance, epsilon):
    rank = len(x.shape)
    line = np.array([1, -1, *[1] * (rank - 2)], np.int64)
    others = tuple(axis for axis in range(rank) if axis != 1)
    root = F.sqrt(variance + epsilon)
    normal = (x - F.reshape(mean, line)) / F.reshape(root, line)
    total = F.reduce_sum(g, axes=others, keepdims=False)
    along = F.reduce_sum(g * normal, axes=others, keepdims=False)
    return (
        g * F.reshape(scale / root, line),
        along,
        total,
        -total * scale / root,
        -along * scale / (root * root) / 2,
    )
