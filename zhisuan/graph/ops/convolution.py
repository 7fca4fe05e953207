"""Two-dimensional convolution with everything that may be fused into it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.convolution_nd import conv_gradients
from zhisuan.graph.ops.elementwise import relu, sigmoid, tanh
from zhisuan.graph.ops.resample import PadMode, check_reflect, frame
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, find, gradient, op, shape_text

Activation = Literal["", "relu", "sigmoid", "tanh"]
ACTIVATIONS = {"": lambda x: x, "relu": relu, "sigmoid": sigmoid, "tanh": tanh}


def before_activation(g, y, activation: str):
    """The gradient in front of a fused activation: handles of that behind it and of its result."""
    rule = find(activation or "identity").gradient
    assert rule is not None  # every activation has one that reads its result alone
    return rule((g,), (y,), (y,), {})[0]


def conv2d_shape(call: Call) -> Shape:
    """Each side: (size + pads - dilation * (kernel - 1) - 1) // stride + 1."""
    n, channels, h, w = call.rank(0, 4)
    out_channels, group_channels, kernel_h, kernel_w = call.rank(1, 4)
    attrs = call.attrs
    for name, count in (("strides", 2), ("pads", 4), ("dilations", 2)):
        if len(attrs[name]) != count:
            call.fail(f"'{name}' has the wrong length", expected=str(count), found=str(attrs[name]))
    if min(attrs["strides"] + attrs["dilations"]) < 1 or min(attrs["pads"]) < 0:
        call.fail("strides and dilations must be positive, pads not negative")
    groups = attrs["groups"]
    if groups < 1 or group_channels * groups != channels or _indivisible(out_channels, groups):
        call.fail(
            "the weights do not fit the channels",
            expected=f"x [n, {group_channels}*groups, h, w] with groups = {groups}",
            found=f"x {shape_text(call.shapes[0])}, w {shape_text(call.shapes[1])}",
        )
    if len(call.shapes) > 2 and call.shapes[2] != (out_channels,):
        call.fail(
            "the bias does not fit the weights",
            expected=f"[{out_channels}]",
            found=shape_text(call.shapes[2]),
        )
    top, left, bottom, right = attrs["pads"]
    if attrs["pad_mode"] == "reflect":
        check_reflect(call, h, max(top, bottom))
        check_reflect(call, w, max(left, right))
    return (
        n,
        out_channels,
        _side(call, h + (top + bottom), kernel_h, 0),
        _side(call, w + (left + right), kernel_w, 1),
    )


def _indivisible(count: Dim, groups: int) -> bool:
    return not isinstance(count, int) or count % groups != 0


def _side(call: Call, padded: Dim, kernel: Dim, axis: int) -> Dim:
    reach = (kernel - 1) * call.attrs["dilations"][axis] + 1
    if isinstance(padded, int) and isinstance(reach, int) and padded < reach:
        call.fail(
            "the kernel is larger than the padded picture",
            expected=f"at least {reach} rows or columns",
            found=str(padded),
        )
    return (padded - reach) // call.attrs["strides"][axis] + 1


@op(shape=conv2d_shape, dtype=float_dtype, onnx="Conv")
def conv2d(
    x,
    w,
    bias=None,
    *,
    strides: tuple[int, ...] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
    pad_mode: PadMode = "constant",
    dilations: tuple[int, ...] = (1, 1),
    groups: int = 1,
    activation: Activation = "",
):
    """activation(conv(pad(x), w) + bias).

    x [n, c, h, w], w [o, c/groups, kh, kw], bias [o] -> [n, o, h', w']; strides and dilations are
    (down, across), pads (top, left, bottom, right); no kernel flip.
    """
    top, left, bottom, right = pads
    x = frame(x, ((0, 0), (0, 0), (top, bottom), (left, right)), pad_mode)
    reach = [
        (size - 1) * dilation + 1 for size, dilation in zip(w.shape[2:], dilations, strict=True)
    ]
    windows = sliding_window_view(x, reach, axis=(2, 3))
    windows = windows[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]
    parts = [
        np.tensordot(window, weights, axes=((1, 4, 5), (1, 2, 3)))
        for window, weights in zip(np.split(windows, groups, 1), np.split(w, groups), strict=True)
    ]
    y = np.concatenate(parts, axis=-1).transpose(0, 3, 1, 2)
    if bias is not None:
        y = y + bias.reshape(1, -1, 1, 1)
    return ACTIVATIONS[activation](y)


@gradient("conv2d")
def _(g, x, w, bias, y, strides, pads, pad_mode, dilations, groups, activation):
    g = before_activation(g, y, activation)
    attrs = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    if pad_mode == "constant":
        return conv_gradients(g, x, w, bias, attrs)
    top, left, bottom, right = pads
    sides = np.array([0, 0, top, left, 0, 0, bottom, right])
    wide = F.pad(x, sides, mode=pad_mode)
    to_wide, to_w, to_bias = conv_gradients(g, wide, w, bias, {**attrs, "pads": (0, 0, 0, 0)})
    return F.pad_back(to_wide, x, sides, mode=pad_mode), to_w, to_bias
