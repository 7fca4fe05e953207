"""Ops that make a picture larger: padding and nearest-neighbour scaling."""

from __future__ import annotations

from typing import Literal

import numpy as np

from zhisuan.graph.dims import Dim, Shape
from zhisuan.graph.ops.rules import first_dtype, numbers, same_dtype
from zhisuan.graph.registry import Call, op

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


def enlarged(call: Call) -> Shape:
    n, c, h, w = call.rank(0, 4)
    scales = call.attrs["scale_h"], call.attrs["scale_w"]
    if min(scales) < 1:
        call.fail("scales must be at least 1", expected="positive integers", found=str(scales))
    return n, c, h * scales[0], w * scales[1]


@op(shape=enlarged, dtype=same_dtype, onnx=("Resize", "Upsample"))
def resize_nearest(x, *, scale_h: int, scale_w: int):
    """Every pixel of x [n, c, h, w] repeated: output pixel (i, j) is input (i//scale_h, ...)."""
    return x.repeat(scale_h, axis=2).repeat(scale_w, axis=3)
