"""Matrix-unit instructions (MFU): convolution on NRAM neurons and WRAM weights.

Every processing element owns one WRAM bank and computes one output channel at a time; all
see the same neurons in a cycle.  Opcodes 0x300-0x33F.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa import element
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.element import BITS, bytes_of, kinds_of, numpy_of
from zhisuan.isa.number import MASK64, quiet
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.transfer import high_half, low_half

WRAM_LINE = 64
"""Bytes of a WRAM line; line i lies in bank i mod WRAM_BANKS."""
WRAM_BANKS = 64


def quarter(packed: Any, index: int) -> Any:
    """16-bit field `index` (0 lowest) of a packed operand, unsigned; ints or int64 arrays."""
    return (packed >> (16 * index)) & 0xFFFF


def weight_bytes(taps: Any, channels: Any, size: int) -> Any:
    """WRAM bytes of a filter of weights of `size` bytes; see `filter_bytes`."""
    return filter_bytes(taps, channels, 8 * size)


def filter_bytes(taps: Any, channels: Any, bits: int) -> Any:
    """WRAM bytes of a filter: whole lines per channel, channels in groups of 64 banks."""
    per_line = WRAM_LINE * 8 // bits
    lines = (taps + per_line - 1) // per_line
    groups = (channels + WRAM_BANKS - 1) // WRAM_BANKS
    return groups * lines * WRAM_BANKS * WRAM_LINE


def unpack_weights(raw: np.ndarray, taps: int, channels: int, kind: np.dtype) -> np.ndarray:
    """WRAM bytes → [taps, channels]: channel c is in bank c mod 64, its taps in line order."""
    return _by_tap(raw.view(kind), taps, channels, WRAM_LINE // kind.itemsize)


def unpack_weights_i4(raw: np.ndarray, taps: int, channels: int) -> np.ndarray:
    """The same for weights of 4 bits, two in a byte: int8[taps, channels]."""
    return _by_tap(element.unpacked(raw), taps, channels, 2 * WRAM_LINE)


def _by_tap(cells: np.ndarray, taps: int, channels: int, per_line: int) -> np.ndarray:
    lines = -(-taps // per_line)
    groups = -(-channels // WRAM_BANKS)
    cells = cells.reshape(groups, lines, WRAM_BANKS, per_line)
    flat = cells.transpose(1, 3, 0, 2).reshape(lines * per_line, groups * WRAM_BANKS)
    return flat[:taps, :channels]


def pack_weights(filters: np.ndarray) -> np.ndarray:
    """[taps, channels] → the bytes a kernel loads into WRAM; gaps are zero."""
    return _in_banks(filters, WRAM_LINE // filters.dtype.itemsize).view(np.uint8)


def pack_weights_i4(filters: np.ndarray) -> np.ndarray:
    """The same for int8 of which the low four bits count, two in a byte."""
    return element.packed(_in_banks(filters, 2 * WRAM_LINE))


def _in_banks(filters: np.ndarray, per_line: int) -> np.ndarray:
    taps, channels = filters.shape
    lines = -(-taps // per_line)
    groups = -(-channels // WRAM_BANKS)
    flat = np.zeros((lines * per_line, groups * WRAM_BANKS), filters.dtype)
    flat[:taps, :channels] = filters
    cells = flat.reshape(lines, per_line, groups, WRAM_BANKS).transpose(2, 0, 3, 1)
    return np.ascontiguousarray(cells).reshape(-1)


def _pixels(o: Operands) -> Any:
    return quarter(o.geometry, 0) * quarter(o.geometry, 1)


def _taps(o: Operands) -> Any:
    return quarter(o.geometry, 2) * quarter(o.geometry, 3) * low_half(o.channels)


def _conv_cycles(machine: Any, o: Operands) -> Any:
    """max(1, output pixels · ceil(taps / lanes) · ceil(output channels / `matrix.elements`)),
    lanes `matrix.lanes_f16`, `_f32`, `_i4`, `_i8` or `_i16` by the source type, taps kernel
    height · kernel width · input channels; where `matrix.flatten` is channels, kernel height ·
    kernel width · ceil(input channels / lanes) in place of ceil(taps / lanes).  Where
    `matrix.kind` is systolic: tiles = the two ceil's product; `matrix.shift_cycles` + (tiles - 1) ·
    max(pixels, `matrix.shift_cycles`) + pixels.  Where `sparsity.skip` is weights: pixels ·
    max(floor((paced + groups · (lanes - 1)) / lanes), groups · ceil(taps / `sparsity.window`)) ·
    ceil(min(output channels, 64) / `matrix.elements`), groups of 64 output channels, paced what
    the slowest channel of each group has of weights other than zero, added up
    """
    positions = quarter(o.geometry, 2) * quarter(o.geometry, 3)
    inputs, outputs = low_half(o.channels), high_half(o.channels)
    if machine.skips_weights:
        return machine.skipping_cycles(
            o.mode.split(".")[0], _pixels(o), _taps(o), outputs, WRAM_BANKS, o.paced
        )
    return machine.matrix_cycles(o.mode.split(".")[0], _pixels(o), positions, inputs, outputs)


def _conv_touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = kinds_of(o.mode)
    out_h, out_w = quarter(o.geometry, 0), quarter(o.geometry, 1)
    kernel_h, kernel_w = quarter(o.geometry, 2), quarter(o.geometry, 3)
    stride_h, stride_w = quarter(o.steps, 0), quarter(o.steps, 1)
    dilation_h, dilation_w = quarter(o.steps, 2), quarter(o.steps, 3)
    ci, co = low_half(o.channels), high_half(o.channels)
    rows = (out_h - 1) * stride_h + (kernel_h - 1) * dilation_h
    columns = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
    src_span = rows * low_half(o.pitches) + bytes_of(source, columns * ci)
    dst_span = (out_h - 1) * high_half(o.pitches) + bytes_of(destination, out_w * co)
    return (
        Touch(True, o.dst, dst_span),
        Touch(False, o.src, src_span),
        Touch(False, o.weight, filter_bytes(_taps(o), co, BITS[source])),
    )


def _patches(core: Core, o: Operands, kind: str) -> np.ndarray:
    """Neurons under every output pixel: [pixels, taps], taps ordered (kh, kw, ci)."""
    out_h, out_w, kernel_h, kernel_w = (quarter(o.geometry, i) for i in range(4))
    stride_h, stride_w, dilation_h, dilation_w = (quarter(o.steps, i) for i in range(4))
    ci, pitch = low_half(o.channels), low_half(o.pitches)
    columns = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
    x = np.arange(out_w)[:, None] * stride_w + np.arange(kernel_w) * dilation_w
    rows = []
    for y in range(out_h):
        taps = []
        for ky in range(kernel_h):
            address = o.src + (y * stride_h + ky * dilation_h) * pitch
            if address & MASK64 in WRAM:
                core.trap("neurons in WRAM: src must lie in NRAM")
            line = element.read(core, address, kind, columns * ci).reshape(columns, ci)
            taps.append(line[x].reshape(out_w, kernel_w * ci))
        rows.append(np.concatenate(taps, axis=1))
    return np.concatenate(rows)


def _check_conv(core: Core, o: Operands) -> None:
    if low_half(o.channels) < 0 or high_half(o.channels) < 0:
        core.trap("a negative number of channels")
    if o.weight in NRAM:
        core.trap("weights in NRAM: weight must lie in WRAM")


@instruction("CONV", 0x300, Unit.MFU, "dst src weight geometry channels steps pitches",
             modes=("f16.f16", "f16.f32", "f32.f32", "f16.f32.acc", "f32.f32.acc",
                    "i8.i32", "i16.i32", "i8.i32.acc", "i16.i32.acc", "i4.i32", "i4.i32.acc"),
             cycles=_conv_cycles, latency="matrix.latency", touches=_conv_touches,
             reads=(NRAM, WRAM), writes=(NRAM,), noted=("paced", "nonzero"))  # fmt: skip
def conv(core: Core, o: Operands) -> None:
    """Valid convolution of a channels-last tile: dst[y][x][co] = Σ src·weight over the taps.

    geometry packs output height, output width, kernel height, kernel width (4 × 16 bits from
    the lowest); channels: input channels (low half), output channels (high half); steps:
    stride h, stride w, dilation h, dilation w (4 × 16); pitches: bytes between input rows
    (low half) and output rows (high half).  Sums in float32, one fused multiply-add per tap
    in the order (kernel row, kernel column, input channel); `.acc` starts from dst, else
    from +0.  Integers sum exactly, saturated to 32 bits at the end; VAFFINE or VREQ then
    scales, rounds and narrows.  Weights lie in WRAM as `pack_weights` writes them.  4-bit
    neurons and weights lie two in a byte, the first in its low half; a row of neurons starts
    with a whole byte.  The trace counts the weights that are not zero.
    """
    source, destination = kinds_of(o.mode)[0], numpy_of(kinds_of(o.mode)[1])
    out_h, out_w = quarter(o.geometry, 0), quarter(o.geometry, 1)
    taps, co = _taps(o), high_half(o.channels)
    _check_conv(core, o)
    core.noted = (0, 0)
    if out_h * out_w * co == 0:
        return
    weight = _weights(core, o, source, taps, co)
    core.noted = weights_noted(weight)
    neurons = _patches(core, o, source) if taps else np.zeros((out_h * out_w, 0), weight.dtype)
    pitch = high_half(o.pitches)
    sums = np.dtype(np.float32 if weight.dtype.kind == "f" else np.int32)
    total = np.zeros((out_h * out_w, co), sums)
    if o.mode.endswith("acc"):
        lines = [core.read(o.dst + y * pitch, sums, out_w * co) for y in range(out_h)]
        total = np.concatenate(lines).reshape(out_h * out_w, co)
    with np.errstate(over="ignore"):
        result = _accumulate(neurons, weight, total).astype(destination)
    for y, line in enumerate(quiet(result).reshape(out_h, out_w * co)):
        core.write(o.dst + y * pitch, line)


def _weights(core: Core, o: Operands, kind: str, taps: int, channels: int) -> np.ndarray:
    raw = core.read(o.weight, np.uint8, filter_bytes(taps, channels, BITS[kind]))
    if kind == "i4":
        return unpack_weights_i4(raw, taps, channels)
    return unpack_weights(raw, taps, channels, numpy_of(kind))


def weights_noted(weight: np.ndarray) -> tuple[int, int]:
    """Of weights [taps, channels] that are not zero: those of the slowest channel of each group
    of WRAM_BANKS, added up, and all."""
    each = (weight != 0).sum(axis=0)
    slowest = [each[at : at + WRAM_BANKS].max() for at in range(0, len(each), WRAM_BANKS)]
    return int(sum(slowest)), int(each.sum())


def _accumulate(neurons: np.ndarray, weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """total [pixels, channels] plus neurons [pixels, taps] times weight [taps, channels]."""
    if neurons.dtype.kind != "f":
        return saturated(total + neurons.astype(np.int64) @ weight.astype(np.int64))
    source = neurons.dtype
    neurons, weight = neurons.astype(np.float32), weight.astype(np.float32)
    with np.errstate(all="ignore"):
        for k in range(len(weight)):
            total = fused_multiply_add(neurons[:, k, None], weight[k], total, source)
    return total


def saturated(total: np.ndarray) -> np.ndarray:
    """int64 sums → int32."""
    limits = np.iinfo(np.int32)
    return np.clip(total, limits.min, limits.max).astype(np.int32)


def fused_multiply_add(a: np.ndarray, b: np.ndarray, c: np.ndarray, source: np.dtype) -> np.ndarray:
    """float32 a·b + c with one rounding.

    Products of FP16 numbers are exact in float32, so a plain sum rounds once.  Otherwise the
    product is exact in float64; the float64 sum is rounded to odd, so that rounding it to
    float32 gives the correctly rounded result.
    """
    if source == np.float16:
        return a * b + c
    product = a.astype(np.float64) * b.astype(np.float64)
    wide = c.astype(np.float64)
    total = product + wide
    back = total - product  # two-sum: the exact rounding error of the sum
    error = (product - (total - back)) + (wide - back)
    even = (total.view(np.int64) & 1) == 0
    inexact = np.isfinite(total) & (error != 0) & even
    toward = np.where(error > 0, np.float64(np.inf), np.float64(-np.inf))
    return np.where(inexact, np.nextafter(total, toward), total).astype(np.float32)
