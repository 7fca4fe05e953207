"""Pooling of channels-last tiles (VFU): the largest, smallest, sum and average of windows.

Opcodes 0x290-0x297.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zhisuan.isa.matrix import quarter
from zhisuan.isa.number import quiet
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.transfer import high_half, low_half
from zhisuan.isa.vector import FLOAT_MODES, MODES, larger, smaller, types_of

_DOC = """dst[y][x][c] = {what} of src[y·stride + ky·dilation][x·stride + kx·dilation][c].

    Operands as CONV: geometry packs output height, output width, window height, window width
    (4 × 16 bits from the lowest); steps: stride h, stride w, dilation h, dilation w (4 × 16);
    pitches: bytes between input rows (low half) and output rows (high half).  m channels.
    Windows go in the order (ky, kx); {order}.  A window of no elements is a fault.
    """


def _columns(o: Operands) -> Any:
    """Input pixels that a row of windows spans."""
    span = (quarter(o.geometry, 1) - 1) * quarter(o.steps, 1)
    return span + (quarter(o.geometry, 3) - 1) * quarter(o.steps, 3) + 1


def _touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = (kind.itemsize for kind in types_of(o.mode))
    out_h, out_w = quarter(o.geometry, 0), quarter(o.geometry, 1)
    last = (out_h - 1) * quarter(o.steps, 0) + (quarter(o.geometry, 2) - 1) * quarter(o.steps, 2)
    return (
        Touch(True, o.dst, (out_h - 1) * high_half(o.pitches) + out_w * o.m * destination),
        Touch(False, o.src, last * low_half(o.pitches) + _columns(o) * o.m * source),
    )


def _cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(output pixels · window height · window width · m · element bytes /
    `vector.bytes_per_cycle`)), the source's bytes,
    """
    windows = quarter(o.geometry, 0) * quarter(o.geometry, 1)
    taps = quarter(o.geometry, 2) * quarter(o.geometry, 3)
    return machine.vector_cycles(windows * taps * o.m * types_of(o.mode)[0].itemsize)


def _windows(core: Core, o: Operands) -> list[np.ndarray]:
    """For every place in the window its elements under all outputs: [out_h, out_w, m]."""
    kind = types_of(o.mode)[0]
    out_h, out_w, window_h, window_w = (quarter(o.geometry, i) for i in range(4))
    stride_h, stride_w, dilation_h, dilation_w = (quarter(o.steps, i) for i in range(4))
    columns, pitch = _columns(o), low_half(o.pitches)
    x = np.arange(out_w) * stride_w
    taps = []
    for ky in range(window_h):
        places = [o.src + (y * stride_h + ky * dilation_h) * pitch for y in range(out_h)]
        lines = [core.read(place, kind, columns * o.m) for place in places]
        row = np.stack(lines).reshape(out_h, columns, o.m)
        taps += [row[:, x + kx * dilation_w] for kx in range(window_w)]
    return taps


def _enter(name: str, opcode: int, what: str, order: str, modes: tuple[str, ...],
           compute: Callable[[list[np.ndarray], np.dtype], np.ndarray]) -> None:  # fmt: skip
    def meaning(core: Core, o: Operands) -> None:
        out_h, out_w = quarter(o.geometry, 0), quarter(o.geometry, 1)
        if out_h * out_w * o.m == 0:
            return
        if quarter(o.geometry, 2) * quarter(o.geometry, 3) == 0:
            core.trap("a pooling window of no elements")
        destination = types_of(o.mode)[1]
        with np.errstate(all="ignore"):
            result = quiet(compute(_windows(core, o), destination).astype(destination))
        for y in range(out_h):
            core.write(o.dst + y * high_half(o.pitches), result[y].reshape(-1))

    meaning.__doc__ = _DOC.format(what=what, order=order)
    instruction(name, opcode, Unit.VFU, "dst src geometry steps m pitches", modes=modes,
                cycles=_cost, latency="vector.latency", touches=_touches)(meaning)  # fmt: skip


def _folded(choose: Callable[[Any, Any], Any]) -> Callable[[list[np.ndarray], np.dtype], Any]:
    def compute(taps: list[np.ndarray], _: np.dtype) -> np.ndarray:
        best = taps[0]
        for tap in taps[1:]:
            best = choose(tap, best)
        return best

    return compute


def _summed(taps: list[np.ndarray], to: np.dtype) -> np.ndarray:
    wide = np.float32 if to.kind == "f" else np.int32
    total = np.zeros(taps[0].shape, wide)
    for tap in taps:
        total = total + tap.astype(wide)
    return total


def _averaged(taps: list[np.ndarray], to: np.dtype) -> np.ndarray:
    return _summed(taps, to) / np.float32(len(taps))


_enter("VPMAX", 0x290, "the largest", "a number beats NaN", MODES, _folded(larger))
_enter("VPMIN", 0x291, "the smallest", "a number beats NaN", MODES, _folded(smaller))
_enter("VPSUM", 0x292, "the sum", "floats add in float32 from +0, integers wrap at 32 bits",
       (*FLOAT_MODES, "i8.i32", "i16.i32", "f16.f32"), _summed)  # fmt: skip
_enter("VPAVG", 0x293, "the average", "the float32 sum from +0 is divided by the number of "
       "elements", FLOAT_MODES, _averaged)  # fmt: skip


def _place(choose: Callable[[Any, Any], Any]) -> Callable[[list[np.ndarray], np.dtype], Any]:
    """Number of the element in its window, the first of equals; 0 where all are NaN."""

    def compute(taps: list[np.ndarray], _: np.dtype) -> np.ndarray:
        best, place = taps[0], np.zeros(taps[0].shape, np.int64)
        for number, tap in enumerate(taps):
            better = choose(tap, best) | (np.isnan(best) & ~np.isnan(tap))
            best, place = np.where(better, tap, best), np.where(better, number, place)
        return place

    return compute


_PLACES = ("f16.u16", "f32.u32")
_enter("VPMAXI", 0x294, "the place in its window of the largest", "the first of equals counts, a "
       "number beats NaN", _PLACES, _place(np.greater))  # fmt: skip
_enter("VPMINI", 0x295, "the place in its window of the smallest", "the first of equals counts, "
       "a number beats NaN", _PLACES, _place(np.less))  # fmt: skip
