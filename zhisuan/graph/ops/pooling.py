"""Pooling over windows of height and width, as ONNX defines it with ceil_mode = 0."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zhisuan.base.dtype import I8, DType
from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.ops.rules import float_dtype
from zhisuan.graph.registry import Call, op


def pooled(call: Call) -> Shape:
    """Each side: (size + pads - window) // stride + 1."""
    n, channels, h, w = call.rank(0, 4)
    attrs = call.attrs
    for name, count in (("window", 2), ("strides", 2), ("pads", 4)):
        if len(attrs[name]) != count:
            call.fail(f"'{name}' has the wrong length", expected=str(count), found=str(attrs[name]))
    if min(attrs["strides"] + attrs["window"]) < 1 or min(attrs["pads"]) < 0:
        call.fail("window and strides must be positive, pads not negative")
    top, left, bottom, right = attrs["pads"]
    window_h, window_w = attrs["window"]
    if max(top, bottom) >= window_h or max(left, right) >= window_w:
        call.fail(
            "a window could lie in the padding alone",
            expected=f"pads below {window_h} down and {window_w} across",
            found=str(attrs["pads"]),
        )
    return (n, channels, _side(call, h + (top + bottom), 0), _side(call, w + (left + right), 1))


def _side(call: Call, padded: Dim, axis: int) -> Dim:
    window = call.attrs["window"][axis]
    if isinstance(padded, int) and padded < window:
        call.fail(
            "the window is larger than the padded picture",
            expected=f"at least {window} rows or columns",
            found=str(padded),
        )
    return (padded - window) // call.attrs["strides"][axis] + 1


def _windows(
    x: np.ndarray, window: tuple[int, ...], strides: tuple[int, ...], pads: tuple[int, ...],
    fill: float,
) -> np.ndarray:  # fmt: skip
    """[n, c, h', w', window h, window w] of x framed with `fill`."""
    top, left, bottom, right = pads
    frame = ((0, 0), (0, 0), (top, bottom), (left, right))
    framed = np.pad(x, frame, constant_values=x.dtype.type(fill))
    return sliding_window_view(framed, window, axis=(2, 3))[:, :, :: strides[0], :: strides[1]]


def ordered_dtype(call: Call) -> DType:
    """As `float_dtype`, or i8."""
    return I8 if call.dtypes == (I8,) else float_dtype(call)


@op(shape=pooled, dtype=ordered_dtype, onnx="MaxPool")
def max_pool(
    x,
    *,
    window: tuple[int, ...],
    strides: tuple[int, ...] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
):
    """The largest under each window; x [n, c, h, w] of floats or i8, padding never wins."""
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    return _windows(x, window, strides, pads, least).max(axis=(4, 5))


@op(shape=pooled, dtype=float_dtype, onnx="AveragePool")
def average_pool(
    x,
    *,
    window: tuple[int, ...],
    strides: tuple[int, ...] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
    count_padding: bool = False,
):
    """The mean under each window; `count_padding` divides by the whole window at the edges."""
    total = _windows(x, window, strides, pads, 0).sum(axis=(4, 5), dtype=x.dtype)
    counted = np.ones_like(x[:1, :1])
    share = _windows(counted, window, strides, pads, 1 if count_padding else 0).sum(axis=(4, 5))
    return total / share.astype(x.dtype)
