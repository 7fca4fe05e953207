"""Instance normalisation, with the affine, activation and residual that follow it."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.ops.convolution import ACTIVATIONS, Activation
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, op, shape_text


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
