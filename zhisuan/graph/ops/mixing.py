"""Mixing the elements along an axis by a matrix: interpolation, transforms."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import axis_of, float_dtype
from zhisuan.graph.registry import Call, gradient, op


def mixed(call: Call) -> Shape:
    shape = call.shapes[0]
    rows, columns = call.rank(1, 2)
    axis = axis_of(call, call.attrs["axis"], len(shape))
    if columns != shape[axis]:
        call.fail("the matrix does not fit the axis", expected=f"{shape[axis]} columns",
                  found=str(columns))  # fmt: skip
    return (*shape[:axis], rows, *shape[axis + 1 :])


@op(shape=mixed, dtype=float_dtype, onnx="Resize", aten="interpolate")
def mix_axis(x, matrix, *, axis: int):
    """matrix @ x along `axis`: row i of the matrix says what element i of the result is made of."""
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis).astype(x.dtype)


@gradient("mix_axis")
def _(g, x, matrix, axis):
    axis %= len(x.shape)
    turned = F.transpose(matrix, perm=(1, 0))
    front = (axis, *(i for i in range(len(x.shape)) if i != axis))
    rest = np.array([0, -1], np.int64)
    left = F.reshape(F.transpose(g, perm=front), rest)
    right = F.reshape(F.transpose(x, perm=front), rest)
    return F.mix_axis(g, turned, axis=axis), F.matmul(left, F.transpose(right, perm=(1, 0)))
