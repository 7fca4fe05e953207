"""Taking and putting elements at places that are computed; sorting; counting up."""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import I64, DType
from zhisuan.graph.dims import Shape, symbol
from zhisuan.graph.handle import F
from zhisuan.graph.ops.layout import like_second
from zhisuan.graph.ops.rules import axis_of, first_dtype, numbers, same_dtype, same_shape
from zhisuan.graph.registry import Call, gradient, op, shape_text

PLACES = "of places"


def taken(call: Call) -> Shape:
    data, indices = call.shapes
    axis_of(call, call.attrs["axis"], len(data))
    if len(data) != len(indices):
        call.fail("data and indices need as many axes as each other", expected=shape_text(data),
                  found=shape_text(indices))  # fmt: skip
    return indices


def _counted(indices: np.ndarray, size: int) -> np.ndarray:
    """Indices counted from the front; one that is out of range is an error."""
    if indices.size and (indices.min() < -size or indices.max() >= size):
        raise IndexError(f"an index is outside of -{size} to {size - 1}")
    return np.where(indices < 0, indices + size, indices)


def _at(indices: np.ndarray, axis: int, size: int) -> tuple[np.ndarray, ...]:
    grid = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = _counted(indices, size)
    return tuple(grid)


@op(shape=taken, dtype=first_dtype, onnx="GatherElements", aten="gather")
def take_along(x, indices, *, axis: int = 0):
    """x at `indices` along `axis`, every other coordinate that of the index."""
    return x[_at(indices, axis % x.ndim, x.shape[axis])]


@gradient("take_along")
def _(g, x, indices, axis):
    return F.scatter(F.zeros_like(x), indices, g, axis=axis, reduction="add"), None


def scattered(call: Call) -> Shape:
    if call.shapes[1] != call.shapes[2]:
        call.fail("as many updates as indices", expected=shape_text(call.shapes[1]),
                  found=shape_text(call.shapes[2]))  # fmt: skip
    axis_of(call, call.attrs["axis"], len(call.shapes[0]))
    return call.shapes[0]


REDUCTIONS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _put(y: np.ndarray, places: tuple[np.ndarray, ...], updates: np.ndarray, how: str) -> None:
    if how == "none":
        y[places] = updates
    else:
        REDUCTIONS[how].at(y, places, updates)


@op(shape=scattered, dtype=first_dtype, onnx=("ScatterElements", "Scatter"), aten="scatter")
def scatter(x, indices, updates, *, axis: int = 0, reduction: str = "none"):
    """x, but `updates` at `indices` along `axis`, or combined there (add, mul, max, min)."""
    y = x.copy()
    _put(y, _at(indices, axis % x.ndim, x.shape[axis]), updates, reduction)
    return y


@gradient("scatter")
def _(g, x, indices, updates, axis, reduction):
    if reduction == "add":
        return g, None, F.take_along(g, indices, axis=axis)
    if reduction != "none":
        raise NotImplementedError(f"the gradient of scatter with {reduction}")
    nothing = F.zeros_like(updates)
    return (
        F.scatter(g, indices, nothing, axis=axis),
        None,
        F.take_along(g, indices, axis=axis),
    )


def taken_nd(call: Call) -> Shape:
    data, indices = call.shapes
    batch, depth = call.attrs["batch_dims"], indices[-1]
    if not isinstance(depth, int) or batch + depth > len(data):
        call.fail("the last axis of indices is longer than the data has axes",
                  found=f"{shape_text(data)} at {shape_text(indices)}")  # fmt: skip
    return indices[:-1] + data[batch + depth :]


def _places(indices: np.ndarray, shape: tuple[int, ...], batch: int) -> tuple[np.ndarray, ...]:
    grid = np.ogrid[tuple(slice(n) for n in indices.shape[:batch])] if batch else []
    extra = (1,) * (indices.ndim - 1 - batch)
    lead = [item.reshape(item.shape + extra) for item in grid]
    return (*lead, *(_counted(indices[..., i], shape[batch + i]) for i in range(indices.shape[-1])))


@op(shape=taken_nd, dtype=first_dtype, onnx="GatherND", aten="index")
def gather_nd(x, indices, *, batch_dims: int = 0):
    """x at the coordinates in the last axis of `indices`, behind `batch_dims` common axes."""
    return x[_places(indices, x.shape, batch_dims)]


@gradient("gather_nd")
def _(g, x, indices, batch_dims):
    return F.gather_nd_back(g, x, indices, batch_dims=batch_dims), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def gather_nd_back(x, like, indices, *, batch_dims: int = 0):
    """Zeros in the shape of `like`, plus each entry of x at its coordinates."""
    back = np.zeros(like.shape, x.dtype)
    np.add.at(back, _places(indices, like.shape, batch_dims), x)
    return back


@gradient("gather_nd_back")
def _(g, indices, batch_dims):
    return F.gather_nd(g, indices, batch_dims=batch_dims), None, None


@op(shape=same_shape, dtype=first_dtype, onnx="ScatterND", aten="index_put")
def scatter_nd(x, indices, updates, *, reduction: str = "none"):
    """x, but `updates` at the coordinates in the last axis of `indices`, or combined with it."""
    y = x.copy()
    _put(y, _places(indices, x.shape, 0), updates, reduction)
    return y


@gradient("scatter_nd")
def _(g, x, indices, updates, reduction):
    if reduction == "add":
        return g, None, F.gather_nd(g, indices)
    if reduction != "none":
        raise NotImplementedError(f"the gradient of scatter_nd with {reduction}")
    return F.scatter_nd(g, indices, F.zeros_like(updates)), None, F.gather_nd(g, indices)


def best(call: Call) -> tuple[Shape, Shape]:
    shape = list(call.shapes[0])
    shape[axis_of(call, call.attrs["axis"], len(shape))] = call.attrs["k"]
    return tuple(shape), tuple(shape)


def first_and_place(call: Call) -> tuple[DType, DType]:
    return call.dtypes[0], I64


@op(shape=best, dtype=first_and_place, outputs=("values", "indices"), onnx="TopK", aten="topk")
def topk(x, *, k: int, axis: int = -1, largest: bool = True):
    """The k largest (or smallest) along `axis` and where they were; of equal ones the first."""
    order = np.argsort(x, axis=axis, kind="stable")
    if largest:
        turned = np.flip(x, axis)
        order = x.shape[axis] - 1 - np.flip(np.argsort(turned, axis=axis, kind="stable"), axis)
    places = np.take(order, np.arange(k), axis=axis)
    return np.take_along_axis(x, places, axis), places


@gradient("topk")
def _(g_values, x, indices, axis):
    return F.scatter(F.zeros_like(x), indices, g_values, axis=axis, reduction="add")


def without_axis(call: Call) -> Shape:
    shape, axis = call.shapes[0], call.attrs["axis"]
    axis = axis_of(call, axis, len(shape))
    kept = (1,) if call.attrs["keepdims"] else ()
    return (*shape[:axis], *kept, *shape[axis + 1 :])


def place_dtype(call: Call) -> DType:
    return I64


def _winner(x: np.ndarray, axis: int, keepdims: bool, last: bool, find) -> np.ndarray:
    if last:
        return x.shape[axis] - 1 - find(np.flip(x, axis), axis=axis, keepdims=keepdims)
    return find(x, axis=axis, keepdims=keepdims)


@op(shape=without_axis, dtype=place_dtype, onnx="ArgMax", aten="argmax", flat=PLACES)
def argmax(x, *, axis: int = 0, keepdims: bool = True, last: bool = False):
    """Where the largest is along `axis`; of equal ones the first, or the last."""
    return _winner(x, axis, keepdims, last, np.argmax)


@op(shape=without_axis, dtype=place_dtype, onnx="ArgMin", aten="argmin", flat=PLACES)
def argmin(x, *, axis: int = 0, keepdims: bool = True, last: bool = False):
    """Where the smallest is along `axis`; of equal ones the first, or the last."""
    return _winner(x, axis, keepdims, last, np.argmin)


def found(call: Call) -> Shape:
    return len(call.shapes[0]), symbol("_".join(["n", *call.label.replace("/", "_").split(".")]))


@op(shape=found, dtype=place_dtype, onnx="NonZero", aten="nonzero", flat=PLACES)
def nonzero(x):
    """Coordinates of the elements that are not zero, one per column, in row-major order."""
    return np.array(np.nonzero(x))


def tiled(call: Call) -> Shape:
    shape, times = call.shapes[0], numbers(call, 1)
    if len(times) != len(shape):
        call.fail("a number of times for every axis", expected=str(len(shape)),
                  found=str(len(times)))  # fmt: skip
    return tuple(dim * n for dim, n in zip(shape, times, strict=True))


@op(shape=tiled, dtype=first_dtype, onnx="Tile", aten=("tile", "repeat"))
def tile(x, times):
    """x again and again along each axis."""
    return np.tile(x, times)


@gradient("tile")
def _(g, x):
    return F.untile(g, x), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def untile(x, like):
    """The sum of the pieces of x that have the shape of `like`."""
    sizes = [n for whole, part in zip(x.shape, like.shape, strict=True)
             for n in (whole // max(part, 1), part)]  # fmt: skip
    return x.reshape(sizes).sum(axis=tuple(range(0, 2 * x.ndim, 2)), dtype=x.dtype)


@gradient("untile")
def _(g, x):
    times = [a // b for a, b in zip(x.shape, g.shape, strict=True)]
    return F.tile(g, np.array(times, np.int64)), None


def _summed(x: np.ndarray, axis: int, exclusive: bool, reverse: bool, run, first) -> np.ndarray:
    x = np.flip(x, axis) if reverse else x
    y = run(x, axis=axis, dtype=x.dtype)
    if exclusive:
        y = np.roll(y, 1, axis)
        index = [slice(None)] * x.ndim
        index[axis] = slice(0, 1)
        y[tuple(index)] = first
    return np.flip(y, axis) if reverse else y


@op(shape=same_shape, dtype=same_dtype, onnx="CumSum", aten="cumsum")
def cumsum(x, *, axis: int, exclusive: bool = False, reverse: bool = False):
    """The sum of all up to each element along `axis`, without itself if exclusive."""
    return _summed(x, axis, exclusive, reverse, np.cumsum, 0)


@gradient("cumsum")
def _(g, axis, exclusive, reverse):
    return F.cumsum(g, axis=axis, exclusive=exclusive, reverse=not reverse)


@op(shape=same_shape, dtype=same_dtype, onnx="CumProd", aten="cumprod")
def cumprod(x, *, axis: int, exclusive: bool = False, reverse: bool = False):
    """The product of all up to each element along `axis`, without itself if exclusive."""
    return _summed(x, axis, exclusive, reverse, np.cumprod, 1)


@gradient("cumprod")
def _(g, x, y, axis, exclusive, reverse):
    back = F.cumsum(g * y, axis=axis, exclusive=exclusive, reverse=not reverse)
    return back / x


@op(shape=same_shape, dtype=same_dtype, onnx="Trilu", aten=("tril", "triu"))
def triangle(x, *, k: int = 0, upper: bool = True):
    """The last two axes on and above (or below) the diagonal k, zeros elsewhere."""
    return np.triu(x, k) if upper else np.tril(x, k)


@gradient("triangle")
def _(g, k, upper):
    return F.triangle(g, k=k, upper=upper)


@op(shape=same_shape, dtype=same_dtype, aten="flip", onnx_note="Slice with steps of -1 in ONNX")
def flip(x, *, axes: tuple[int, ...]):
    """x backwards along each of `axes`."""
    return np.flip(x, axes)


@gradient("flip")
def _(g, axes):
    return F.flip(g, axes=axes)


def one_more(call: Call) -> Shape:
    shape = call.shapes[0]
    axis = call.attrs["axis"]
    axis = axis % (len(shape) + 1)
    return (*shape[:axis], call.attrs["depth"], *shape[axis:])


def second_dtype(call: Call) -> DType:
    return call.dtypes[1]


@op(shape=one_more, dtype=second_dtype, onnx="OneHot", aten="one_hot", flat=PLACES)
def one_hot(indices, values, *, depth: int, axis: int = -1):
    """values[1] where the new axis is at the index, values[0] elsewhere and for indices outside."""
    axis %= indices.ndim + 1
    line = np.arange(depth).reshape([depth if i == axis else 1 for i in range(indices.ndim + 1)])
    counted = np.where(indices < 0, indices + depth, indices)
    hit = np.expand_dims(counted, axis) == line
    return np.where(hit, values[1], values[0]).astype(values.dtype)
