"""Ops that move elements or speak about sizes and compute nothing new."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.graph.dims import Dim, Formula, Shape, divide_exactly, product
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import (
    axes_of,
    axis_of,
    first_dtype,
    same_dtype,
    same_shape,
    sizes,
)
from zhisuan.graph.registry import Call, gradient, op, shape_text

FAR = 2**31 - 1  # exporters write "to the end" as a bound of at least this size


def shape_vector(call: Call) -> Shape:
    return (len(call.shapes[0]),)


def index_dtype(call: Call) -> DType:
    return dtypes.I64


def shape_value(call: Call) -> np.ndarray:
    return dims_array(call.shapes[0])


def dims_array(dims: Shape) -> np.ndarray:
    """`dims` as a vector: int64 when all are numbers, else objects."""
    if any(isinstance(dim, Formula) for dim in dims):
        return np.array(dims, dtype=object)
    return np.array(dims, dtype=np.int64)


@op(shape=shape_vector, dtype=index_dtype, onnx="Shape", value=shape_value, flat="of sizes")
def shape(x):
    """The sizes of x as an i64 vector."""
    return np.array(x.shape, dtype=np.int64)


def reshaped(call: Call) -> Shape:
    """0 keeps the size at its place, one -1 takes what is left."""
    source = call.shapes[0]
    target = sizes(call, 1)
    for axis, dim in enumerate(target):
        if dim == 0:
            if axis >= len(source):
                call.fail("a 0 has no size to copy", found=shape_text(tuple(target)))
            target[axis] = source[axis]
    if target.count(-1) > 1:
        call.fail("only one size may be -1", found=shape_text(tuple(target)))
    total = product(source)
    if -1 in target:
        rest = product(dim for dim in target if dim != -1)
        missing = divide_exactly(total, rest) if rest != 0 else None
        if missing is None:
            _refuse_reshape(call, source, target)
        target[target.index(-1)] = missing
    if product(target) != total:
        _refuse_reshape(call, source, target)
    return tuple(target)


def _refuse_reshape(call: Call, source: Shape, target: list[Dim]) -> NoReturn:
    call.fail(
        "the number of elements changes",
        expected=f"{product(source)} elements, as in {shape_text(source)}",
        found=shape_text(tuple(target)),
    )


@op(shape=reshaped, dtype=first_dtype, onnx="Reshape")
def reshape(x, shape):
    """x in row-major order with new sizes; 0 keeps a size, -1 takes what is left."""
    target = [x.shape[i] if size == 0 else size for i, size in enumerate(shape.tolist())]
    return x.reshape(target)


@gradient("reshape")
def _(g, x):
    return F.reshape_like(g, x), None


def flattened(call: Call) -> Shape:
    source = call.shapes[0]
    axis = call.attrs["axis"]
    axis = axis_of(call, axis, len(source)) if axis != len(source) else axis
    return product(source[:axis]), product(source[axis:])


@op(shape=flattened, dtype=same_dtype, onnx="Flatten")
def flatten(x, *, axis: int = 1):
    """x as a matrix: axes before `axis` become rows, the others columns."""
    return x.reshape(int(np.prod(x.shape[: axis if axis >= 0 else axis + x.ndim])), -1)


@gradient("flatten")
def _(g, x):
    return F.reshape_like(g, x)


def transposed(call: Call) -> Shape:
    shape = call.shapes[0]
    perm = call.attrs["perm"]
    if sorted(perm) != list(range(len(shape))):
        call.fail(
            "perm is not a permutation of the axes",
            expected=f"each of 0 to {len(shape) - 1} once",
            found=str(perm),
        )
    return tuple(shape[axis] for axis in perm)


@op(shape=transposed, dtype=same_dtype, onnx="Transpose")
def transpose(x, *, perm: tuple[int, ...]):
    """x with its axes reordered: output axis i is input axis perm[i]."""
    return np.transpose(x, perm)


@gradient("transpose")
def _(g, perm):
    back = sorted(range(len(perm)), key=lambda axis: perm[axis])
    return F.transpose(g, perm=tuple(back))


def concatenated(call: Call) -> Shape:
    first = call.shapes[0]
    axis = axis_of(call, call.attrs["axis"], len(first))
    total: Dim = 0
    for shape in call.shapes:
        if len(shape) != len(first) or any(
            a != b for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
        ):
            call.fail(
                f"the inputs differ outside axis {axis}",
                expected=f"the sizes of {shape_text(first)} but for axis {axis}",
                found=shape_text(shape),
            )
        total = total + shape[axis]
    return (*first[:axis], total, *first[axis + 1 :])


@op(shape=concatenated, dtype=same_dtype, onnx="Concat")
def concat(*xs, axis: int):
    """The inputs one after the other along `axis`."""
    return np.concatenate(xs, axis)


@gradient("concat")
def _(g, xs, axis):
    return [F.concat_part(g, x, *xs[:i], axis=axis) for i, x in enumerate(xs)]


def sliced(call: Call) -> Shape:
    result = list(call.shapes[0])
    axes = axes_of(call, call.attrs["axes"], len(result))
    steps = call.attrs["steps"]
    if not len(call.attrs["starts"]) == len(call.attrs["ends"]) == len(axes) == len(steps):
        call.fail("starts, ends, axes and steps must have one length")
    for start, end, axis, step in zip(
        call.attrs["starts"], call.attrs["ends"], axes, steps, strict=True
    ):
        result[axis] = _slice_size(call, result[axis], start, end, step)
    return tuple(result)


def _slice_size(call: Call, size: Dim, start: int, end: int, step: int) -> Dim:
    """How many of `size` elements the slice keeps; a symbolic size needs open bounds."""
    if step == 0:
        call.fail("a step is 0", expected="a step other than 0")
    if isinstance(size, int):
        return len(range(size)[slice(start, end, step)])
    if step > 0 and start >= 0 and end >= FAR:
        return (size - start + (step - 1)) // step
    if step > 0 and start >= 0 and end < 0:
        return (size + end - start + (step - 1)) // step
    if step == -1 and start == -1 and end <= -FAR:
        return size
    call.fail(
        f"cannot slice the size {size} from {start} to {end} by {step}",
        expected="bounds that do not depend on how large a symbolic size is",
    )


@op(shape=sliced, dtype=first_dtype, onnx="Slice")
def slice_(
    x,
    *,
    starts: tuple[int, ...],
    ends: tuple[int, ...],
    axes: tuple[int, ...],
    steps: tuple[int, ...],
):
    """x[start:end:step] on each of `axes`; bounds beyond the end stop at it."""
    index = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


@gradient("slice")
def _(g, x, starts, ends, axes, steps):
    return F.slice_back(g, x, starts=starts, ends=ends, axes=axes, steps=steps)


def like_second(call: Call) -> Shape:
    return call.shapes[1]


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def slice_back(
    x,
    like,
    *,
    starts: tuple[int, ...],
    ends: tuple[int, ...],
    axes: tuple[int, ...],
    steps: tuple[int, ...],
):
    """Zeros in the shape of `like`, but x where that slice of it stands."""
    back = np.zeros(like.shape, x.dtype)
    index = [slice(None)] * like.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index[axis] = slice(start, end, step)
    back[tuple(index)] = x
    return back


@gradient("slice_back")
def _(g, starts, ends, axes, steps):
    return F.slice(g, starts=starts, ends=ends, axes=axes, steps=steps), None


def sliced_vector(call: Call) -> Shape:
    (size,) = call.rank(0, 1)
    start, stop = call.attrs["start"], call.attrs["stop"]
    if not 0 <= start <= stop or (isinstance(size, int) and stop > size):
        call.fail(
            "the slice leaves the vector",
            expected=f"0 <= start <= stop <= {size}",
            found=f"{start}:{stop}",
        )
    return (stop - start,)


@op(shape=sliced_vector, dtype=same_dtype, onnx_note="made by fuse_style_mix")
def slice1d(x, *, start: int, stop: int):
    """Elements start to stop - 1 of a vector."""
    return x[start:stop]


@gradient("slice1d")
def _(g, x, start, stop):
    return F.slice_back(g, x, starts=(start,), ends=(stop,), axes=(0,), steps=(1,))


def unsqueezed(call: Call) -> Shape:
    shape = call.shapes[0]
    rank = len(shape) + len(call.attrs["axes"])
    axes = axes_of(call, call.attrs["axes"], rank)
    rest = iter(shape)
    return tuple(1 if axis in axes else next(rest) for axis in range(rank))


@op(shape=unsqueezed, dtype=same_dtype, onnx="Unsqueeze")
def unsqueeze(x, *, axes: tuple[int, ...]):
    """x with axes of size 1 put in; `axes` are places in the result."""
    return np.expand_dims(x, axes)


@gradient("unsqueeze")
def _(g, x):
    return F.reshape_like(g, x)


def squeezed(call: Call) -> Shape:
    shape = call.shapes[0]
    axes = axes_of(call, call.attrs["axes"], len(shape))
    if any(shape[axis] != 1 for axis in axes):
        call.fail("only axes of size 1 can go", expected=f"1 at {axes}", found=shape_text(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


@op(shape=squeezed, dtype=same_dtype, onnx="Squeeze")
def squeeze(x, *, axes: tuple[int, ...]):
    """x without the given axes of size 1."""
    return np.squeeze(x, axes)


@gradient("squeeze")
def _(g, x):
    return F.reshape_like(g, x)


def gathered(call: Call) -> Shape:
    data, indices = call.shapes
    axis = axis_of(call, call.attrs["axis"], len(data))
    return data[:axis] + indices + data[axis + 1 :]


@op(shape=gathered, dtype=first_dtype, onnx="Gather")
def gather(x, indices, *, axis: int = 0):
    """The entries of x at `indices` along `axis`; negative indices count from the end."""
    return np.take(x, indices, axis=axis)


@gradient("gather")
def _(g, x, indices, axis):
    return F.gather_back(g, x, indices, axis=axis), None


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def gather_back(x, like, indices, *, axis: int = 0):
    """Zeros in the shape of `like`, plus each entry of x at its index along `axis`."""
    back = np.zeros(like.shape, x.dtype)
    front = np.moveaxis(back, axis, 0)
    axis %= like.ndim
    moved = np.moveaxis(
        x.reshape(*like.shape[:axis], indices.size, *like.shape[axis + 1 :]), axis, 0
    )
    np.add.at(front, indices.reshape(-1), moved)
    return back


@gradient("gather_back")
def _(g, indices, axis):
    return F.gather(g, indices, axis=axis), None, None


def given_shape(call: Call) -> Shape:
    return tuple(sizes(call, 0))


def filled_dtype(call: Call) -> DType:
    return dtypes.dtype(call.attrs["dtype"])


@op(shape=given_shape, dtype=filled_dtype, onnx="ConstantOfShape", flat="constant")
def full(shape, *, value: float = 0.0, dtype: str = "f32"):
    """A tensor of the given sizes with `value` everywhere."""
    return np.full(shape.tolist(), value, dtypes.dtype(dtype).numpy)


@op(shape=same_shape, dtype=same_dtype, flat="constant", onnx_note="ConstantOfShape(Shape)")
def ones_like(x):
    """1 everywhere, in the shape and type of x."""
    return np.ones_like(x)


@op(shape=same_shape, dtype=same_dtype, flat="constant", onnx_note="ConstantOfShape(Shape)")
def zeros_like(x):
    """0 everywhere, in the shape and type of x."""
    return np.zeros_like(x)


def expanded(call: Call) -> Shape:
    source, target = call.shapes[0], tuple(sizes(call, 1))
    rank = max(len(source), len(target))
    left = (1,) * (rank - len(source)) + source
    right = (1,) * (rank - len(target)) + target
    if any(a != b and 1 not in (a, b) for a, b in zip(left, right, strict=True)):
        call.fail(
            "the shapes do not broadcast",
            expected=f"sizes that fit {shape_text(source)}",
            found=shape_text(target),
        )
    return tuple(b if a == 1 else a for a, b in zip(left, right, strict=True))


@op(shape=expanded, dtype=first_dtype, onnx="Expand")
def expand(x, shape):
    """x repeated along axes of size 1 until it broadcasts with `shape`."""
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.tolist())))


@gradient("expand")
def _(g, x):
    return F.sum_like(g, x), None
