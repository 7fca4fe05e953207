"""Convolution over any number of axes, its transpose, and the two products that lead back.

x [n, c, *sizes], w [o, c/groups, *kernel]; strides and dilations per axis, pads all begins and then
all ends.  The three products below are each other's gradients, so these go to any order.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, gradient, op, shape_text

Ints = tuple[int, ...]


def check_window(call: Call, axes: int) -> None:
    """Strides, dilations and pads fit the number of axes and are sensible."""
    attrs = call.attrs
    for name, count in (("strides", axes), ("dilations", axes), ("pads", 2 * axes)):
        if len(attrs[name]) != count:
            call.fail(f"'{name}' has the wrong length", expected=str(count), found=str(attrs[name]))
    if min(attrs["strides"] + attrs["dilations"], default=1) < 1 or min(attrs["pads"]) < 0:
        call.fail("strides and dilations must be positive, pads not negative")


def side(call: Call, size: Dim, kernel: Dim, axis: int, axes: int) -> Dim:
    """(size + pads - dilation · (kernel - 1) - 1) // stride + 1."""
    attrs = call.attrs
    padded = size + (attrs["pads"][axis] + attrs["pads"][axis + axes])
    reach = (kernel - 1) * attrs["dilations"][axis] + 1
    if isinstance(padded, int) and isinstance(reach, int) and padded < reach:
        call.fail("the kernel is larger than what it is laid on",
                  expected=f"a size of at least {reach} with pads", found=str(padded))  # fmt: skip
    return (padded - reach) // attrs["strides"][axis] + 1


def conv_shape(call: Call) -> Shape:
    x, w = call.shapes[:2]
    axes = len(x) - 2
    if axes < 1 or len(w) != len(x):
        call.fail("input and weights need as many axes, three or more",
                  found=f"x {shape_text(x)}, w {shape_text(w)}")  # fmt: skip
    check_window(call, axes)
    groups = call.attrs["groups"]
    if w[1] * groups != x[1] or (isinstance(w[0], int) and w[0] % groups):
        call.fail("the weights do not fit the channels",
                  expected=f"x [n, {w[1]}*groups, ...] with groups = {groups}",
                  found=f"x {shape_text(x)}, w {shape_text(w)}")  # fmt: skip
    if len(call.shapes) > 2 and call.shapes[2] != (w[0],):
        call.fail("the bias does not fit the weights", expected=shape_text((w[0],)),
                  found=shape_text(call.shapes[2]))  # fmt: skip
    sides = [side(call, x[2 + i], w[2 + i], i, axes) for i in range(axes)]
    return (x[0], w[0], *sides)


def framed(x: np.ndarray, pads: Ints) -> np.ndarray:
    axes = len(pads) // 2
    return np.pad(x, [(0, 0), (0, 0), *zip(pads[:axes], pads[axes:], strict=True)])


def windows(x: np.ndarray, kernel: Ints, strides: Ints, dilations: Ints) -> np.ndarray:
    """[n, c, *out, *kernel] of x, which is padded already; a view."""
    axes = len(kernel)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    seen = sliding_window_view(x, reach, axis=tuple(range(2, 2 + axes)))
    steps = [slice(None, None, s) for s in (*strides, *dilations)]
    return seen[(slice(None), slice(None), *steps)]


def _bias(y: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    return y if bias is None else y + bias.reshape(-1, *[1] * (y.ndim - 2))


@op(shape=conv_shape, dtype=float_dtype, aten=("conv1d", "conv3d", "convolution"),
    onnx_note="Conv over other than two axes")  # fmt: skip
def conv(x, w, bias=None, *, strides: Ints, pads: Ints, dilations: Ints, groups: int = 1):
    """The sum over channels and kernel of x · w at every place, plus bias; no kernel flip."""
    axes = x.ndim - 2
    seen = windows(framed(x, pads), w.shape[2:], strides, dilations)
    inner = (1, *range(2 + axes, 2 + 2 * axes))
    parts = [
        np.tensordot(a, b, axes=(inner, tuple(range(1, 2 + axes))))
        for a, b in zip(np.split(seen, groups, 1), np.split(w, groups), strict=True)
    ]
    return _bias(np.moveaxis(np.concatenate(parts, axis=-1), -1, 1), bias)


def like_third(call: Call) -> Shape:
    return call.shapes[2]


def _spread(
    g: np.ndarray, w: np.ndarray, sizes: Ints, strides: Ints, pads: Ints, dilations: Ints,
    groups: int,
) -> np.ndarray:  # fmt: skip
    """What each element of the input is worth: g laid down kernel by kernel, and added."""
    axes = g.ndim - 2
    begins, ends = pads[:axes], pads[axes:]
    padded = [b + n + e for b, n, e in zip(begins, sizes, ends, strict=True)]
    whole = np.zeros((g.shape[0], w.shape[1] * groups, *padded), g.dtype)
    parts = zip(
        np.split(g, groups, 1), np.split(w, groups), np.split(whole, groups, 1), strict=True
    )
    for grad, weights, target in parts:
        for offset in itertools.product(*(range(k) for k in w.shape[2:])):
            piece = np.tensordot(grad, weights[(slice(None), slice(None), *offset)], axes=(1, 0))
            index = tuple(
                slice(o * d, o * d + s * (n - 1) + 1, s)
                for o, d, s, n in zip(offset, dilations, strides, g.shape[2:], strict=True)
            )
            target[(slice(None), slice(None), *index)] += np.moveaxis(piece, -1, 1)
    inside = tuple(slice(b, b + n) for b, n in zip(begins, sizes, strict=True))
    return whole[(slice(None), slice(None), *inside)]


@op(shape=like_third, dtype=float_dtype, onnx_note="made by gradients")
def conv_input_back(
    d, w, like, *, strides: Ints, pads: Ints, dilations: Ints, groups: int = 1
):  # fmt: skip
    """The gradient of a convolution's input, which has the shape of `like`."""
    return _spread(d, w, like.shape[2:], strides, pads, dilations, groups)


@op(shape=like_third, dtype=float_dtype, onnx_note="made by gradients")
def conv_weight_back(
    d, x, like, *, strides: Ints, pads: Ints, dilations: Ints, groups: int = 1
):  # fmt: skip
    """The gradient of a convolution's weights, which have the shape of `like`."""
    axes = d.ndim - 2
    seen = windows(framed(x, pads), like.shape[2:], strides, dilations)
    seen = seen[(slice(None), slice(None), *(slice(0, n) for n in d.shape[2:]))]
    places = (0, *range(2, 2 + axes))
    parts = [
        np.tensordot(a, b, axes=(places, places))
        for a, b in zip(np.split(d, groups, 1), np.split(seen, groups, 1), strict=True)
    ]
    return np.concatenate(parts)


def conv_gradients(g, x, w, bias, attrs):
    """Gradients of input, weights and bias; `attrs` are the window's."""
    summed = tuple(axis for axis in range(len(x.shape)) if axis != 1)
    return (
        F.conv_input_back(g, w, x, **attrs),
        F.conv_weight_back(g, x, w, **attrs),
        None if bias is None else F.reduce_sum(g, axes=summed, keepdims=False),
    )


@gradient("conv")
def _(g, x, w, bias, strides, pads, dilations, groups):
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return conv_gradients(g, x, w, bias, attrs)


def transposed_shape(call: Call) -> Shape:
    """Each side: (size - 1) · stride + dilation · (kernel - 1) + 1 + more - pads."""
    x, w = call.shapes[:2]
    axes = len(x) - 2
    if axes < 1 or len(w) != len(x) or w[0] != x[1]:
        call.fail("the weights do not fit the input", expected="w [c, o/groups, *kernel]",
                  found=f"x {shape_text(x)}, w {shape_text(w)}")  # fmt: skip
    check_window(call, axes)
    attrs = call.attrs
    sides = [
        (x[2 + i] - 1) * attrs["strides"][i] + (w[2 + i] - 1) * attrs["dilations"][i] + 1
        + attrs["more"][i] - attrs["pads"][i] - attrs["pads"][i + axes]
        for i in range(axes)
    ]  # fmt: skip
    return (x[0], w[1] * attrs["groups"], *sides)


@op(shape=transposed_shape, dtype=float_dtype, onnx="ConvTranspose",
    aten=("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"))  # fmt: skip
def conv_transpose(
    x, w, bias=None, *, strides: Ints, pads: Ints, dilations: Ints, more: Ints, groups: int = 1
):
    """What leads back through a convolution with w, as a layer of its own, plus bias.

    w is [c, o/groups, *kernel]; `more` are rows that no stride reaches, at the end of each axis.
    """
    axes = x.ndim - 2
    sizes = tuple(
        (x.shape[2 + i] - 1) * strides[i] + (w.shape[2 + i] - 1) * dilations[i] + 1
        + more[i] - pads[i] - pads[i + axes]
        for i in range(axes)
    )  # fmt: skip
    ends = tuple(max(pads[i + axes], 0) for i in range(axes))
    return _bias(_spread(x, w, sizes, strides, (*pads[:axes], *ends), dilations, groups), bias)


@gradient("conv_transpose")
def _(g, x, w, bias, strides, pads, dilations, more, groups):
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    summed = tuple(axis for axis in range(len(x.shape)) if axis != 1)
    return (
        F.conv_at(g, w, x, **attrs),
        F.conv_weight_back(x, g, w, **attrs),
        None if bias is None else F.reduce_sum(g, axes=summed, keepdims=False),
    )


@op(shape=like_third, dtype=float_dtype, onnx_note="made by gradients")
def conv_at(x, w, like, *, strides: Ints, pads: Ints, dilations: Ints, groups: int = 1):
    """A convolution of x with w, of which as many places are kept as `like` has."""
    y = conv(x, w, strides=strides, pads=pads, dilations=dilations, groups=groups)
    return y[(slice(None), slice(None), *(slice(0, n) for n in like.shape[2:]))]


# Of the three products y(a, b) each goes back through the other two.


@gradient("conv_at")
def _(g, x, w, strides, pads, dilations, groups):
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return F.conv_input_back(g, w, x, **attrs), F.conv_weight_back(g, x, w, **attrs), None


@gradient("conv_input_back")
def _(g, d, w, strides, pads, dilations, groups):
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return F.conv_at(g, w, d, **attrs), F.conv_weight_back(d, g, w, **attrs), None


@gradient("conv_weight_back")
def _(g, d, x, strides, pads, dilations, groups):
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    return F.conv_at(x, g, d, **attrs), F.conv_input_back(d, g, x, **attrs), None
