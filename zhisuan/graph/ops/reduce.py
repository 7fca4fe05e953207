"""Reductions over axes, and the products that reduce over one: matrix and vector products."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import axes_of, broadcast, float_dtype, same_dtype
from zhisuan.graph.registry import Call, gradient, op, shape_text


def reduced(call: Call) -> Shape:
    """Reduced axes become 1 or vanish; no axes given means all of them."""
    shape = call.shapes[0]
    axes = axes_of(call, call.attrs["axes"], len(shape)) or tuple(range(len(shape)))
    if call.attrs["keepdims"]:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


@op(shape=reduced, dtype=same_dtype, onnx="ReduceSum")
def reduce_sum(x, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """The sum over `axes` (all when empty)."""
    return np.sum(x, axis=axes or None, keepdims=keepdims, dtype=x.dtype)


@gradient("reduce_sum")
def _(g, x, axes, keepdims):
    return F.unreduce(g, x, axes=axes, keepdims=keepdims)


@op(shape=reduced, dtype=float_dtype, onnx=("ReduceMean", "GlobalAveragePool"))
def reduce_mean(x, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """The mean over `axes` (all when empty)."""
    return np.mean(x, axis=axes or None, keepdims=keepdims, dtype=x.dtype)


@gradient("reduce_mean")
def _(g, x, axes, keepdims):
    count = F.reduce_sum(F.ones_like(x), axes=axes, keepdims=keepdims)
    return F.unreduce(g / count, x, axes=axes, keepdims=keepdims)


@op(shape=reduced, dtype=same_dtype, onnx=("ReduceMax", "GlobalMaxPool"))
def reduce_max(x, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """The largest over `axes` (all when empty); of nothing, the lowest number of the type."""
    return np.max(x, axis=axes or None, keepdims=keepdims, initial=_lowest(x.dtype))


@gradient("reduce_max")
def _(g, x, y, axes, keepdims):
    wins = F.cast(F.equal(x, F.unreduce(y, x, axes=axes, keepdims=keepdims)), to=x.dtype.name)
    count = F.reduce_sum(wins, axes=axes, keepdims=keepdims)
    return wins * F.unreduce(g / count, x, axes=axes, keepdims=keepdims)


def _lowest(dtype: np.dtype) -> float | int | bool:
    if dtype.kind == "b":
        return False
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


@op(shape=reduced, dtype=same_dtype, onnx="ReduceProd")
def reduce_prod(x, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """The product over `axes` (all when empty)."""
    return np.prod(x, axis=axes or None, keepdims=keepdims, dtype=x.dtype)


@gradient("reduce_prod")
def _(g, x, y, axes, keepdims):
    return F.unreduce(g * y, x, axes=axes, keepdims=keepdims) / x


@op(shape=reduced, dtype=same_dtype, onnx="ReduceMin", aten="amin")
def reduce_min(x, *, axes: tuple[int, ...] = (), keepdims: bool = True):
    """The smallest over `axes` (all when empty); of nothing, the highest number of the type."""
    return np.min(x, axis=axes or None, keepdims=keepdims, initial=_highest(x.dtype))


def _highest(dtype: np.dtype) -> float | int | bool:
    if dtype.kind == "b":
        return True
    return np.inf if dtype.kind == "f" else int(np.iinfo(dtype).max)


@gradient("reduce_min")
def _(g, x, y, axes, keepdims):
    wins = F.cast(F.equal(x, F.unreduce(y, x, axes=axes, keepdims=keepdims)), to=x.dtype.name)
    count = F.reduce_sum(wins, axes=axes, keepdims=keepdims)
    return wins * F.unreduce(g / count, x, axes=axes, keepdims=keepdims)


def matmul_shape(call: Call) -> Shape:
    """[..., m, k] times [..., k, n] is [..., m, n]; a vector's added axis is dropped again."""
    a, b = call.shapes
    if not a or not b:
        call.fail("a product needs at least vectors", found=f"{shape_text(a)} @ {shape_text(b)}")
    left = a if len(a) > 1 else (1, *a)
    right = b if len(b) > 1 else (*b, 1)
    if left[-1] != right[-2]:
        call.fail(
            "the inner sizes differ",
            expected="[..., m, k] @ [..., k, n]",
            found=f"{shape_text(a)} @ {shape_text(b)}",
        )
    outer = Call(
        call.op, call.label, call.names, call.dtypes, (left[:-2], right[:-2]), call.known, {}
    )
    rows = left[-2:-1] if len(a) > 1 else ()
    columns = right[-1:] if len(b) > 1 else ()
    return broadcast(outer) + rows + columns


@op(shape=matmul_shape, dtype=same_dtype, onnx="MatMul")
def matmul(a, b):
    """The matrix product over the last two axes, outer axes broadcast."""
    return np.matmul(a, b)


@gradient("matmul")
def _(g, a, b):
    left = a if len(a.shape) > 1 else F.unsqueeze(a, axes=(0,))
    right = b if len(b.shape) > 1 else F.unsqueeze(b, axes=(1,))
    if len(b.shape) == 1:
        g = F.unsqueeze(g, axes=(len(g.shape),))
    if len(a.shape) == 1:
        g = F.unsqueeze(g, axes=(len(g.shape) - 1,))
    to_left = F.sum_like(F.matmul(g, swapped(right)), left)
    to_right = F.sum_like(F.matmul(swapped(left), g), right)
    return F.reshape_like(to_left, a), F.reshape_like(to_right, b)


def swapped(x):
    """The handle x with its last two axes exchanged."""
    rank = len(x.shape)
    return F.transpose(x, perm=(*range(rank - 2), rank - 1, rank - 2))


def vecmat_shape(call: Call) -> Shape:
    """[k] times [k, n] is [n]."""
    (k,), (rows, columns) = call.rank(0, 1), call.rank(1, 2)
    if k != rows:
        call.fail("the inner sizes differ", expected=f"a matrix of {k} rows", found=str(rows))
    return (columns,)


@op(
    shape=vecmat_shape,
    dtype=float_dtype,
    onnx_note="made by fuse_style_mix from Unsqueeze, Mul and ReduceSum",
)
def vecmat(x, matrix):
    """A row vector times a matrix: x [k], matrix [k, n] -> [n]."""
    return np.matmul(x, matrix)


@gradient("vecmat")
def _(g, x, matrix):
    return F.matmul(matrix, g), F.unsqueeze(x, axes=(1,)) * F.unsqueeze(g, axes=(0,))
