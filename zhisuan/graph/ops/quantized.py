"""Ops on 8-bit integers: to and from real numbers, convolution, fully connected layers.

Each op ends in one float32 affine, product and sum rounded separately, as the chip's VAFFINE
computes it: the reference gives the chip's bits.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from zhisuan.base.dtype import F16, F32, I8, I32, DType, dtype
from zhisuan.graph.dims import Shape
from zhisuan.graph.fixed_point import POSITIONS, Format, to_i8
from zhisuan.graph.ops.convolution import conv2d, conv2d_shape
from zhisuan.graph.ops.linear import linear_shape
from zhisuan.graph.ops.resample import PadMode
from zhisuan.graph.ops.rules import same_shape
from zhisuan.graph.registry import Call, ShapeRule, op, shape_text

Rectifier = Literal["", "relu"]
Real = Literal["f16", "f32"]
Result = Literal["i8", "f16", "f32"]


def _checked_format(call: Call) -> None:
    scale, position = call.attrs["scale"], call.attrs["position"]
    if not (math.isfinite(scale) and 1 <= scale <= 2 and abs(position) <= POSITIONS):
        call.fail(
            "no format of integers",
            expected=f"a scale from 1 to 2, a position from -{POSITIONS} to {POSITIONS}",
            found=f"scale {scale}, position {position}",
        )


def quantize_dtype(call: Call) -> DType:
    """From real numbers to i8."""
    _checked_format(call)
    if call.dtypes[0] not in (F16, F32):
        call.fail("works on real numbers", expected="f16 or f32", found=str(call.dtypes[0]))
    return I8


@op(shape=same_shape, dtype=quantize_dtype,
    onnx_note="QuantizeLinear divides, and rounds otherwise", flat="of 8-bit integers")  # fmt: skip
def quantize(x, *, position: int, scale: float):
    """x · (scale / 2^position) to the nearest i8, ties to even, saturated.

    The factor is rounded to float32, and so is the product; NaN gives 0.
    """
    with np.errstate(all="ignore"):
        return to_i8(x.astype(np.float32) * np.float32(Format(position, scale).factor))


def dequantize_dtype(call: Call) -> DType:
    """From i8 to the real type that the attribute names."""
    _checked_format(call)
    if call.dtypes[0] != I8:
        call.fail("works on integers", expected="i8", found=str(call.dtypes[0]))
    return dtype(call.attrs["to"])


@op(shape=same_shape, dtype=dequantize_dtype,
    onnx_note="DequantizeLinear has an offset and other types",
    flat="of 8-bit integers")  # fmt: skip
def dequantize(x, *, position: int, scale: float, to: Real = "f32"):
    """x · (2^position / scale): the step is rounded to float32, then the product, then to `to`."""
    step = np.float32(Format(position, scale).step)
    with np.errstate(all="ignore"):
        return (x.astype(np.float32) * step).astype(dtype(to).numpy)


def _affine_dtype(call: Call) -> DType:
    wanted = (I8, I8, F32, F32)
    if call.dtypes != wanted:
        call.fail(
            "works on integers, with a float affine",
            expected=", ".join(map(str, wanted)),
            found=", ".join(map(str, call.dtypes)),
        )
    return dtype(call.attrs["to"])


def _with_affine(call: Call, rule: ShapeRule) -> Shape:
    """The shape that `rule` gives for x and w; scale and shift hold a number per output."""
    shape = rule(replace(call, shapes=call.shapes[:2], names=call.names[:2]))
    for index in (2, 3):
        if call.shapes[index] != (shape[1],):
            call.fail(
                f"'{call.names[index]}' must have one number per output channel",
                expected=shape_text((shape[1],)),
                found=shape_text(call.shapes[index]),
            )
    return shape


def conv2d_i8_shape(call: Call) -> Shape:
    """As conv2d's."""
    return _with_affine(call, conv2d_shape)


def linear_i8_shape(call: Call) -> Shape:
    """As linear's."""
    return _with_affine(call, linear_shape)


def affine(
    sums: np.ndarray, scale: np.ndarray, shift: np.ndarray, activation: str, to: str
) -> np.ndarray:
    """i32 sums, channels last → float32, · scale, + shift, activation, then to `to`.

    Each arrow and sign rounds once, to nearest even; i8 saturates.
    """
    with np.errstate(all="ignore"):
        y = sums.astype(np.float32) * scale + shift
        if activation == "relu":
            y = np.where(y > 0, y, np.float32(0))
        return to_i8(y) if to == "i8" else y.astype(dtype(to).numpy)


def sums_i32(wide: np.ndarray) -> np.ndarray:
    """Whole numbers in float64 → i32, saturated."""
    limits = np.iinfo(I32.numpy)
    return np.clip(wide, limits.min, limits.max).astype(np.int32)


@op(shape=conv2d_i8_shape, dtype=_affine_dtype,
    onnx_note="made from Conv by quantising with a calibration",
    flat="of 8-bit integers")  # fmt: skip
def conv2d_i8(
    x,
    w,
    scale,
    shift,
    *,
    strides: tuple[int, ...] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
    pad_mode: PadMode = "constant",
    dilations: tuple[int, ...] = (1, 1),
    groups: int = 1,
    activation: Rectifier = "",
    to: Result = "i8",
):
    """convert(activation(f32(conv(pad(x), w)) · scale + shift)) to the type `to`.

    x [n, c, h, w] i8, w [o, c/groups, kh, kw] i8, scale and shift [o] f32.  The sums are exact,
    saturated to i32; the affine is in float32.  The other attributes are conv2d's.
    """
    sums = conv2d(  # every product and partial sum is a whole number below 2^53: exact
        x.astype(np.float64), w.astype(np.float64), strides=strides, pads=pads,
        pad_mode=pad_mode, dilations=dilations, groups=groups,
    )  # fmt: skip
    channels_last = sums_i32(sums).transpose(0, 2, 3, 1)
    return affine(channels_last, scale, shift, activation, to).transpose(0, 3, 1, 2)


@op(shape=linear_i8_shape, dtype=_affine_dtype,
    onnx_note="made from Gemm by quantising with a calibration",
    flat="of 8-bit integers")  # fmt: skip
def linear_i8(x, w, scale, shift, *, activation: Rectifier = "", to: Result = "i8"):
    """convert(activation(f32(x @ wᵀ) · scale + shift)) to the type `to`.

    x [rows, k] i8, w [outputs, k] i8, scale and shift [outputs] f32; arithmetic as conv2d_i8.
    """
    sums = sums_i32(x.astype(np.float64) @ w.T.astype(np.float64))
    return affine(sums, scale, shift, activation, to)
