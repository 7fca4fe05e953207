"""Ops that make a picture larger: padding and nearest-neighbour scaling."""

from __future__ import annotations

from typing import Literal

import numpy as np

from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import first_dtype, numbers, same_dtype
from zhisuan.graph.registry import Call, gradient, op

PadMode = Literal["constant", "reflect", "edge"]


def padded(call: Call) -> Shape:
    """Pads are all the begins, then all the ends; negative pads crop."""
    shape = call.shapes[0]
    pads = numbers(call, 1)
    if len(pads) != 2 * len(shape):
        call.fail(
            "pads must hold a begin and an end for every axis",
            expected=f"{2 * len(shape)} numbers",
            found=str(len(pads)),
        )
    sides = list(zip(shape, pads[: len(shape)], pads[len(shape) :], strict=True))
    if call.attrs["mode"] == "reflect":
        for dim, begin, end in sides:
            check_reflect(call, dim, max(begin, end))
    return tuple(dim + begin + end for dim, begin, end in sides)


def check_reflect(call: Call, size: Dim, pad: int) -> None:
    """A mirror image can be no wider than the picture without its edge."""
    if isinstance(size, int) and pad >= max(size, 1):
        call.fail(
            f"reflect padding of {pad} does not fit the picture",
            expected=f"at least {pad + 1} rows or columns",
            found=str(size),
        )


@op(shape=padded, dtype=first_dtype, onnx="Pad")
def pad(x, pads, *, mode: PadMode = "constant", value: float = 0.0):
    """x framed by pads = (begin of each axis..., end of each axis...).

    `constant` fills with value, `reflect` mirrors without repeating the edge, `edge` repeats it.
    """
    begins, ends = pads.tolist()[: x.ndim], pads.tolist()[x.ndim :]
    return frame(x, tuple(zip(begins, ends, strict=True)), mode, value)


def frame(
    x: np.ndarray, pads: tuple[tuple[int, int], ...], mode: str, value: float = 0.0
) -> np.ndarray:
    """x padded by (begin, end) per axis; negative numbers crop."""
    grow = [(max(begin, 0), max(end, 0)) for begin, end in pads]
    if mode == "constant":
        x = np.pad(x, grow, constant_values=x.dtype.type(value))
    else:
        x = np.pad(x, grow, mode=mode)  # pyright: ignore[reportArgumentType, reportCallIssue]
    crop = [slice(-min(b, 0), x.shape[i] + min(e, 0)) for i, (b, e) in enumerate(pads)]
    return x[tuple(crop)]


@gradient("pad")
def _(g, x, pads, mode):
    return F.pad_back(g, x, pads, mode=mode), None


def like_second(call: Call) -> Shape:
    return call.shapes[1]


@op(shape=like_second, dtype=first_dtype, onnx_note="made by gradients")
def pad_back(d, like, pads, *, mode: PadMode = "constant"):
    """The gradient of what was padded, in the shape of `like`: copies add up, fills are dropped."""
    places = np.arange(like.size).reshape(like.shape)
    sides = tuple(zip(pads[: like.ndim].tolist(), pads[like.ndim :].tolist(), strict=True))
    sources = frame(places, sides, mode, -1).reshape(-1)
    kept = sources >= 0
    back = np.zeros(like.size, d.dtype)
    np.add.at(back, sources[kept], d.reshape(-1)[kept])
    return back.reshape(like.shape)


@gradient("pad_back")
def _(g, pads, mode):
    return F.pad(g, pads, mode=mode), None, None


def enlarged(call: Call) -> Shape:
    n, c, h, w = call.rank(0, 4)
    scales = call.attrs["scale_h"], call.attrs["scale_w"]
    if min(scales) < 1:
        call.fail("scales must be at least 1", expected="positive integers", found=str(scales))
    return n, c, h * scales[0], w * scales[1]


@op(shape=enlarged, dtype=same_dtype, onnx="Upsample")
def resize_nearest(x, *, scale_h: int, scale_w: int):
    """Every pixel of x [n, c, h, w] repeated: output pixel (i, j) is input (i//scale_h, ...)."""
    return x.repeat(scale_h, axis=2).repeat(scale_w, axis=3)


@gradient("resize_nearest")
def _(g, x, scale_h, scale_w):
    n, c, h, w = x.shape
    sizes = np.array([n, c, h, scale_h, w, scale_w], np.int64)
    return F.reduce_sum(F.reshape(g, sizes), axes=(3, 5), keepdims=False)
