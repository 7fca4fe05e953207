"""Pooling over windows of any number of axes: x [n, c, *sizes], pads all begins, then all ends."""

from __future__ import annotations

import itertools

import numpy as np

from zhisuan.base.dtype import I8, I64, U8, DType
from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.convolution_nd import Ints, windows
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, gradient, op


def pooled(call: Call) -> Shape:
    """Each side: (size + pads - dilation · (window - 1) - 1) // stride + 1."""
    shape, attrs = call.shapes[0], call.attrs
    axes = len(attrs["window"])
    call.rank(0, 2 + axes)
    for name, count in (("strides", axes), ("pads", 2 * axes)):
        if len(attrs[name]) != count:
            call.fail(f"'{name}' has the wrong length", expected=str(count), found=str(attrs[name]))
    if min(attrs["strides"] + attrs["window"]) < 1 or min(attrs["pads"]) < 0:
        call.fail("window and strides must be positive, pads not negative")
    reach = _reach(attrs)
    begins, ends = attrs["pads"][:axes], attrs["pads"][axes:]
    if any(max(b, e) >= r for b, e, r in zip(begins, ends, reach, strict=True)):
        call.fail(
            "a window could lie in the padding alone",
            expected="pads below " + " and ".join(map(str, reach)),
            found=str(attrs["pads"]),
        )
    sides = zip(shape[2:], begins, ends, reach, attrs["strides"], strict=True)
    return (*shape[:2], *(_side(call, n + b + e, r, s) for n, b, e, r, s in sides))


def _reach(attrs) -> list[int]:
    """How many elements a window spans on each axis."""
    spread = attrs.get("dilations") or (1,) * len(attrs["window"])
    return [(k - 1) * d + 1 for k, d in zip(attrs["window"], spread, strict=True)]


def _side(call: Call, padded: Dim, reach: int, stride: int) -> Dim:
    if isinstance(padded, int) and padded < reach:
        call.fail(
            "the window is larger than the padded picture",
            expected=f"at least {reach} elements on each of its axes",
            found=str(padded),
        )
    return (padded - reach) // stride + 1


def _seen(x: np.ndarray, window: Ints, strides: Ints, pads: Ints, dilations: Ints, fill: float):
    """[n, c, *out, *window] of x framed with `fill`."""
    axes = len(window)
    frame = [(0, 0), (0, 0), *zip(pads[:axes], pads[axes:], strict=True)]
    framed = np.pad(x, frame, constant_values=x.dtype.type(fill))
    return windows(framed, window, strides, dilations or (1,) * axes)


def ordered_dtype(call: Call) -> DType:
    """As `float_dtype`, or 8-bit integers."""
    return call.dtypes[0] if call.dtypes[0] in (I8, U8) else float_dtype(call)


@op(shape=pooled, dtype=ordered_dtype, onnx="MaxPool")
def max_pool(x, *, window: Ints, strides: Ints = (1, 1), pads: Ints = (0, 0, 0, 0)):
    """The largest under each window; padding never wins."""
    axes = tuple(range(-len(window), 0))
    return _seen(x, window, strides, pads, (), _least(x.dtype)).max(axis=axes)


def _least(dtype: np.dtype) -> float:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@gradient("max_pool")
def _(g, x, window, strides, pads):
    ones = (1,) * len(window)
    _, places = F.max_pool_places(x, window=window, strides=strides, pads=pads, dilations=ones)
    return from_places(g, x, places)


def from_places(g, x, places):
    """Zeros in the shape of x, plus each element of g at its place."""
    line = np.array([-1], np.int64)
    flat = F.gather_back(F.reshape(g, line), F.reshape(x, line), F.reshape(places, line), axis=0)
    return F.reshape_like(flat, x)


def pooled_twice(call: Call) -> tuple[Shape, Shape]:
    shape = pooled(call)
    return shape, shape


def value_and_place(call: Call) -> tuple[DType, DType]:
    return ordered_dtype(call), I64


@op(shape=pooled_twice, dtype=value_and_place, outputs=("y", "places"),
    aten=("max_pool2d_with_indices", "max_pool3d_with_indices"),
    onnx_note="MaxPool of two outputs, or with dilations")  # fmt: skip
def max_pool_places(x, *, window: Ints, strides: Ints, pads: Ints, dilations: Ints):
    """The largest under each window, and where it is in x read row by row; of equals the first."""
    seen = _seen(x, window, strides, pads, dilations, _least(x.dtype))
    where = _seen(np.arange(x.size).reshape(x.shape), window, strides, pads, dilations, -1)
    flat = seen.reshape(*seen.shape[: x.ndim], -1)
    inside = where.reshape(flat.shape)
    lifted = np.where(inside < 0, _least(x.dtype), flat)
    first = np.where((lifted == lifted.max(-1, keepdims=True)) & (inside >= 0), inside, x.size).min(
        -1
    )
    return flat.max(-1), np.minimum(first, x.size - 1)


@gradient("max_pool_places")
def _(g_y, x, places):
    return from_places(g_y, x, places)


def _shares(x: np.ndarray, window: Ints, strides: Ints, pads: Ints, dilations: Ints, counts: bool):
    """How many elements of x, or of its frame, each window has."""
    one = np.ones((1, 1, *x.shape[2:]), x.dtype)
    axes = tuple(range(-len(window), 0))
    return _seen(one, window, strides, pads, dilations, 1 if counts else 0).sum(axis=axes)


@op(shape=pooled, dtype=float_dtype, onnx="AveragePool")
def average_pool(
    x,
    *,
    window: Ints,
    strides: Ints = (1, 1),
    pads: Ints = (0, 0, 0, 0),
    count_padding: bool = False,
    dilations: Ints = (),
):
    """The mean under each window; `count_padding` divides by the whole window at the edges."""
    axes = tuple(range(-len(window), 0))
    total = _seen(x, window, strides, pads, dilations, 0).sum(axis=axes, dtype=x.dtype)
    share = _shares(x, window, strides, pads, dilations, count_padding)
    return total / share.astype(x.dtype)


@gradient("average_pool")
def _(g, x, window, strides, pads, count_padding, dilations):
    return F.average_pool_back(g, x, window=window, strides=strides, pads=pads,
                               count_padding=count_padding, dilations=dilations)  # fmt: skip


def like_second(call: Call) -> Shape:
    return call.shapes[1]


@op(shape=like_second, dtype=float_dtype, onnx_note="made by gradients")
def average_pool_back(
    d, like, *, window: Ints, strides: Ints, pads: Ints, count_padding: bool, dilations: Ints = ()
):
    """The gradient of what was averaged: every element of a window gets its share."""
    axes = len(window)
    spread = dilations or (1,) * axes
    share = d / _shares(like, window, strides, pads, spread, count_padding).astype(d.dtype)
    sizes = [n + pads[i] + pads[i + axes] for i, n in enumerate(like.shape[2:])]
    whole = np.zeros((*like.shape[:2], *sizes), d.dtype)
    for offset in itertools.product(*(range(k) for k in window)):
        index = tuple(
            slice(o * f, o * f + s * (n - 1) + 1, s)
            for o, f, s, n in zip(offset, spread, strides, d.shape[2:], strict=True)
        )
        whole[(slice(None), slice(None), *index)] += share
    inside = tuple(slice(pads[i], pads[i] + n) for i, n in enumerate(like.shape[2:]))
    return whole[(slice(None), slice(None), *inside)]


@gradient("average_pool_back")
def _(g, window, strides, pads, count_padding, dilations):
    return F.average_pool(g, window=window, strides=strides, pads=pads,
                          count_padding=count_padding, dilations=dilations), None  # fmt: skip
