"""Ops that give one tensor the shape of another, which only its sizes are read of.

Gradients are written with these, so that sizes may stay open until the graph runs.
"""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.layout import like_second
from zhisuan.graph.ops.reduce import reduced
from zhisuan.graph.ops.rules import first_dtype
from zhisuan.graph.registry import Call, gradient, op, shape_text


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def sum_like(x, like):
    """x summed over the axes along which `like` would have to be broadcast to the shape of x."""
    extra = x.ndim - like.ndim
    axes = tuple(
        axis
        for axis in range(x.ndim)
        if axis < extra or (like.shape[axis - extra] == 1 and x.shape[axis] != 1)
    )
    return x.sum(axis=axes, dtype=x.dtype).reshape(like.shape) if axes else x


@gradient("sum_like")
def _(g, x):
    return F.broadcast_like(g, x), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def broadcast_like(x, like):
    """x repeated along axes of size 1, and along new ones in front, to the shape of `like`."""
    return np.broadcast_to(x, like.shape)


@gradient("broadcast_like")
def _(g, x):
    return F.sum_like(g, x), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def reshape_like(x, like):
    """The elements of x, in row-major order, in the shape of `like`."""
    return x.reshape(like.shape)


@gradient("reshape_like")
def _(g, x):
    return F.reshape_like(g, x), None


def spread(call: Call) -> Shape:
    kept = Call(
        call.op, call.label, call.names, call.dtypes, call.shapes[1:], call.known, call.attrs
    )
    if reduced(kept) != call.shapes[0]:
        call.fail(
            "x is not what a reduction of that tensor leaves",
            expected=shape_text(reduced(kept)),
            found=shape_text(call.shapes[0]),
        )
    return call.shapes[1]


@op(shape=spread, dtype=first_dtype, onnx_note="made by gradients")
def unreduce(x, like, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """What a reduction of `like` over `axes` left, repeated to the shape of `like` again."""
    if not keepdims:
        sizes = list(like.shape)
        for axis in axes or range(like.ndim):
            sizes[axis] = 1
        x = x.reshape(sizes)
    return np.broadcast_to(x, like.shape)


@gradient("unreduce")
def _(g, axes, keepdims):
    return F.reduce_sum(g, axes=axes, keepdims=keepdims), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def concat_part(x, like, *before, axis: int):
    """The part of x along `axis` where `like` stands, behind the tensors `before`."""
    start = sum(item.shape[axis] for item in before)
    index = [slice(None)] * x.ndim
    index[axis] = slice(start, start + like.shape[axis])
    return x[tuple(index)]


@gradient("concat_part")
def _(g, x, like, before, axis):
    return (F.concat_part_back(g, x, like, *before, axis=axis), *(None,) * (1 + len(before)))


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def concat_part_back(x, whole, like, *before, axis: int):
    """Zeros in the shape of `whole`, but x where `concat_part` of it stands."""
    start = sum(item.shape[axis] for item in before)
    back = np.zeros(whole.shape, x.dtype)
    index = [slice(None)] * back.ndim
    index[axis] = slice(start, start + like.shape[axis])
    back[tuple(index)] = x
    return back


@gradient("concat_part_back")
def _(g, like, before, axis):
    return (F.concat_part(g, like, *before, axis=axis), *(None,) * (2 + len(before)))
