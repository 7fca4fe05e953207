"""Vector instructions, run by the vector unit (VFU) on NRAM operands.

The length `n` is a register value in elements.  The mode names the element type; where
source and destination differ it is `source.destination`.  Float arithmetic is done in the
element type, one rounding per operation written; integers wrap at their width.
Opcodes 0x200-0x25F.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa import element, elementary
from zhisuan.isa.address import NRAM
from zhisuan.isa.element import BITS, bytes_of, kinds_of, numpy_of
from zhisuan.isa.number import quiet, value_of
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.rounding import rounded_to
from zhisuan.isa.transfer import high_half, low_half

FLOAT_MODES = ("f16", "f32")
MODES = (*FLOAT_MODES, "i8", "i16", "i32")
"""FP16 first: what course programs, which name no type, compute in."""
Function = Callable[..., Any]


def types_of(mode: str) -> tuple[np.dtype, np.dtype]:
    """Source and destination element types of a mode."""
    source, destination = kinds_of(mode)
    return numpy_of(source), numpy_of(destination)


def width_of(mode: str) -> int:
    """Bytes per element of the wider side: what limits the lanes."""
    return max(BITS[kind] for kind in kinds_of(mode)) // 8


def vector_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(n · bytes of the wider element / `vector.bytes_per_cycle`))"""
    return machine.vector_cycles(o.n * width_of(o.mode))


def elementwise(name: str, opcode: int, operands: str, doc: str, compute: Function,
                modes: tuple[str, ...] = FLOAT_MODES, sources: tuple[str, ...] = ("a",),
                segments: tuple[str, ...] = (), cost: str = "") -> None:  # fmt: skip
    """Enter a row whose meaning reads whole vectors and writes one of n elements."""

    def meaning(core: Core, o: Operands) -> None:
        source, destination = kinds_of(o.mode)
        vectors = [element.read(core, getattr(o, s), source, o.n) for s in sources]
        with np.errstate(all="ignore"):
            result = np.asarray(compute(core, o, *vectors)).astype(numpy_of(destination))
        element.write(core, o.dst, destination, quiet(result))

    def touches(o: Operands) -> tuple[Touch, ...]:
        source, destination = kinds_of(o.mode)
        read = tuple(Touch(False, getattr(o, s), bytes_of(source, o.n)) for s in sources)
        cyclic = tuple(Touch(False, getattr(o, s), bytes_of(source, o.m)) for s in segments)
        return (Touch(True, o.dst, bytes_of(destination, o.n)), *read, *cyclic)

    def cycles(machine: Any, o: Operands) -> Any:
        return vector_cost(machine, o) * (machine.vector_passes(cost) if cost else 1)

    meaning.__doc__ = doc
    passes = f" · `vector.{cost}_passes`" if cost else ""
    cycles.__doc__ = f"{vector_cost.__doc__}{passes}"
    instruction(name, opcode, Unit.VFU, operands, modes=modes, cycles=cycles,
                latency="vector.latency", touches=touches)(meaning)  # fmt: skip


def pair(function: Function) -> Function:
    return lambda core, o, x, y: function(x, y)


def single(function: Function) -> Function:
    return lambda core, o, x: function(x)


def scalar(function: Function) -> Function:
    return lambda core, o, x: function(x, value_of(o.s, o.mode))


def in_f32(function: Function) -> Function:
    return lambda core, o, x: function(x.astype(np.float32))


def _repeated(core: Core, address: int, kind: np.dtype, o: Operands) -> np.ndarray:
    """The m elements at `address`, over and over to the length n."""
    if o.n and not o.m:
        core.trap("a cyclic operand of length m = 0")
    return np.resize(core.read(address, kind, o.m), o.n)


def cyclic(function: Function) -> Function:
    def compute(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
        return function(x, _repeated(core, o.seg, types_of(o.mode)[0], o))

    return compute


def larger(x: Any, y: Any) -> Any:
    return np.where((x > y) | np.isnan(y), x, y)


def smaller(x: Any, y: Any) -> Any:
    return np.where((x < y) | np.isnan(y), x, y)


BOTH = ("a", "b")
elementwise("VAV", 0x200, "dst n a b", "dst[i] = a[i] + b[i].", pair(np.add), sources=BOTH,
            modes=MODES)  # fmt: skip
elementwise("VSV", 0x201, "dst n a b", "dst[i] = a[i] - b[i].", pair(np.subtract), sources=BOTH,
            modes=MODES)  # fmt: skip
elementwise("VMV", 0x202, "dst n a b", "dst[i] = a[i] * b[i].", pair(np.multiply), sources=BOTH,
            modes=MODES)  # fmt: skip
elementwise("VDV", 0x203, "dst n a b", "dst[i] = a[i] / b[i], correctly rounded.",
            pair(np.divide), sources=BOTH, cost="divide")  # fmt: skip
elementwise("VGTM", 0x204, "dst n a b",
            "dst[i] = the larger of a[i] and b[i]; a number beats NaN.",
            pair(larger), sources=BOTH, modes=MODES)  # fmt: skip
elementwise("VLTM", 0x205, "dst n a b",
            "dst[i] = the smaller of a[i] and b[i]; a number beats NaN.",
            pair(smaller), sources=BOTH, modes=MODES)  # fmt: skip


def _with_scalar(name: str, opcode: int, doc: str, function: Function) -> None:
    """Enter `name $dst,$n,$a,$s`, and for floats `name $dst,$n,$a,#s`."""

    def with_constant(core: Core, o: Operands, x: np.ndarray) -> np.ndarray:
        return function(x, np.array(o.s & 0xFFFF, np.uint16).view(np.float16).astype(x.dtype))

    elementwise(name, opcode, "dst n a s", f"{doc} s is in a register, in the element type.",
                scalar(function), modes=MODES)  # fmt: skip
    elementwise(name + "#", opcode + 0x20, "dst n a #f:s",
                f"{doc} s is a constant that FP16 holds.",
                with_constant)  # fmt: skip


_with_scalar("VAS", 0x208, "dst[i] = a[i] + s.", np.add)
_with_scalar("VMS", 0x209, "dst[i] = a[i] * s.", np.multiply)
_with_scalar("VMAXS", 0x20A, "dst[i] = the larger of a[i] and s.", larger)
_with_scalar("VMINS", 0x20B, "dst[i] = the smaller of a[i] and s.", smaller)

SEGMENT = ("seg",)
elementwise("VCADD", 0x210, "dst n a seg m", "dst[i] = a[i] + seg[i mod m].", cyclic(np.add),
            segments=SEGMENT, modes=MODES)  # fmt: skip
elementwise("VCSUB", 0x211, "dst n a seg m", "dst[i] = a[i] - seg[i mod m].", cyclic(np.subtract),
            segments=SEGMENT, modes=MODES)  # fmt: skip
elementwise("VCMUL", 0x212, "dst n a seg m", "dst[i] = a[i] * seg[i mod m].", cyclic(np.multiply),
            segments=SEGMENT, modes=MODES)  # fmt: skip

elementwise("VEXP", 0x220, "dst n a", "dst[i] = e^a[i], through float32 (isa.elementary).",
            in_f32(elementary.exp), cost="transcendental")  # fmt: skip
elementwise("VLOG", 0x221, "dst n a", "dst[i] = ln a[i], through float32 (isa.elementary).",
            in_f32(elementary.log), cost="transcendental")  # fmt: skip
elementwise("VSIG", 0x222, "dst n a", "dst[i] = 1 / (1 + e^-a[i]), through float32.",
            in_f32(elementary.sigmoid), cost="transcendental")  # fmt: skip
elementwise("VTANH", 0x223, "dst n a", "dst[i] = tanh a[i], through float32.",
            in_f32(elementary.tanh), cost="transcendental")  # fmt: skip
elementwise("VSQRT", 0x224, "dst n a", "dst[i] = square root of a[i], correctly rounded.",
            single(np.sqrt), cost="divide")  # fmt: skip
elementwise("VRECIP", 0x225, "dst n a", "dst[i] = 1 / a[i], correctly rounded.",
            single(lambda x: x.dtype.type(1) / x), cost="divide")  # fmt: skip
elementwise("VRELU", 0x226, "dst n a", "dst[i] = a[i] if a[i] > 0, else 0; NaN gives 0.",
            single(lambda x: np.where(x > 0, x, x.dtype.type(0))), modes=MODES)  # fmt: skip
elementwise("VABS", 0x227, "dst n a", "dst[i] = |a[i]|.", single(np.abs), modes=MODES)


def _set_touches(o: Operands) -> tuple[Touch, ...]:
    return (Touch(True, o.dst, o.n * BY_NAME[o.mode].size),)


@instruction("VSET", 0x231, Unit.VFU, "dst n value", modes=("f16", "f32", "i8", "i32", "i16"),
             cycles=vector_cost, latency="vector.latency", touches=_set_touches)  # fmt: skip
def vset(core: Core, o: Operands) -> None:
    """dst[i] = value, the low bits of a register."""
    kind = BY_NAME[o.mode]
    low = o.value & ((1 << kind.bits) - 1)
    if o.n > NRAM.window:
        core.trap("more elements than NRAM can hold")
    value = np.frombuffer(low.to_bytes(kind.size, "little"), kind.numpy)
    core.write(o.dst, np.resize(value, o.n))


_AFFINE_KINDS = (
    *(f"{source}.{to}" for source in FLOAT_MODES for to in FLOAT_MODES),
    *(f"i32.{to}" for to in ("f16", "f32", "i8", "i16")),
    *(f"{source}.{to}" for source in FLOAT_MODES for to in ("i8", "i16")),
    *(f"{source}.{to}" for source in ("i8", "i16") for to in FLOAT_MODES),
    *(f"{source}.i4" for source in ("i32", *FLOAT_MODES)),
    *(f"i4.{to}" for to in FLOAT_MODES),
)
_AFFINE = tuple(f"{kinds}{relu}" for kinds in _AFFINE_KINDS for relu in ("", ".relu"))


def _affine_touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = kinds_of(o.mode)
    return (
        Touch(True, o.dst, bytes_of(destination, o.n)),
        Touch(False, o.a, bytes_of(source, o.n)),
        Touch(False, o.scale, o.m * 4),
        Touch(False, o.shift, o.m * 4),
    )


@instruction("VAFFINE", 0x240, Unit.VFU, "dst n a scale shift m", modes=_AFFINE,
             cycles=vector_cost, latency="vector.latency", touches=_affine_touches)  # fmt: skip
def vaffine(core: Core, o: Operands) -> None:
    """dst[i] = a[i] * scale[i mod m] + shift[i mod m], then max(·, 0) with `.relu`.

    The per-channel affine of normalisation, bias and quantisation: arithmetic in float32
    (product and sum rounded separately), scale and shift float32, one conversion at each end;
    to an integer it rounds to nearest even and saturates, NaN gives 0.
    """
    source, destination = kinds_of(o.mode)
    x = element.read(core, o.a, source, o.n).astype(np.float32)
    scale = _repeated(core, o.scale, np.dtype(np.float32), o)
    shift = _repeated(core, o.shift, np.dtype(np.float32), o)
    with np.errstate(all="ignore"):
        y = x * scale + shift
        if o.mode.endswith("relu"):
            y = np.where(y > 0, y, np.float32(0))
        element.write(core, o.dst, destination, quiet(rounded_to(y, destination)))


def _channel_cycles(machine: Any, o: Operands) -> Any:
    """max(1, ceil(rows · columns · m · 4 / `vector.bytes_per_cycle`)): float32 lanes"""
    return machine.vector_cycles(low_half(o.size) * high_half(o.size) * o.m * 4)


def _channel_touches(o: Operands) -> tuple[Touch, ...]:
    rows, columns = low_half(o.size), high_half(o.size)
    width = types_of(o.mode)[0].itemsize
    span = o.pitch * np.maximum(rows - 1, 0) + columns * o.m * width
    return (
        Touch(True, o.dst, o.m * 4),
        Touch(False, o.a, span),
        Touch(False, o.shift, o.m * 4),
    )


def _rows_and_columns(core: Core, o: Operands) -> tuple[int, int]:
    rows, columns = low_half(o.size), high_half(o.size)
    if rows < 0 or columns < 0:
        core.trap("a negative number of rows or columns")
    if max(rows, columns) > NRAM.window:
        core.trap("more rows or columns than NRAM can hold")
    return rows, columns


def _channel_sum(core: Core, o: Operands, square: bool) -> None:
    kind = types_of(o.mode)[0]
    rows, columns = _rows_and_columns(core, o)
    total = core.read(o.dst, np.float32, o.m)
    shift = core.read(o.shift, np.float32, o.m)
    with np.errstate(all="ignore"):
        for row in range(rows if columns * o.m else 0):
            line = core.read(o.a + row * o.pitch, kind, columns * o.m).astype(np.float32)
            for pixel in line.reshape(columns, o.m) - shift:
                total = total + (pixel * pixel if square else pixel)
    core.write(o.dst, quiet(total))


@instruction("VCSUM", 0x248, Unit.VFU, "dst size a shift m pitch", modes=FLOAT_MODES,
             cycles=_channel_cycles, latency="vector.latency",
             touches=_channel_touches)  # fmt: skip
def vcsum(core: Core, o: Operands) -> None:
    """dst[c] += Σ over pixels of (a[pixel][c] - shift[c]), for the m channels c.

    size packs rows (low half) and columns (high half) of a channels-last tile whose rows are
    pitch bytes apart.  float32, pixels added in memory order; dst and shift are float32.
    """
    _channel_sum(core, o, square=False)


@instruction("VCSSQ", 0x249, Unit.VFU, "dst size a shift m pitch", modes=FLOAT_MODES,
             cycles=_channel_cycles, latency="vector.latency",
             touches=_channel_touches)  # fmt: skip
def vcssq(core: Core, o: Operands) -> None:
    """dst[c] += Σ over pixels of (a[pixel][c] - shift[c])², for the m channels c.

    Operands as VCSUM.  Difference, square and sum are each rounded to float32.
    """
    _channel_sum(core, o, square=True)


def _transpose_cycles(machine: Any, o: Operands) -> Any:
    """max(1, ceil(rows · columns · element bytes / `vector.bytes_per_cycle`))"""
    return machine.vector_cycles(low_half(o.size) * high_half(o.size) * width_of(o.mode))


def _transpose_touches(o: Operands) -> tuple[Touch, ...]:
    span = low_half(o.size) * high_half(o.size) * width_of(o.mode)
    return Touch(True, o.dst, span), Touch(False, o.a, span)


@instruction("VTRANS", 0x250, Unit.VFU, "dst size a", modes=("i8", "i16", "i32"),
             cycles=_transpose_cycles, latency="vector.latency",
             touches=_transpose_touches)  # fmt: skip
def vtrans(core: Core, o: Operands) -> None:
    """dst[j][i] = a[i][j]; size packs rows (low) and columns (high) of a; no aliasing."""
    rows, columns = _rows_and_columns(core, o)
    values = core.read(o.a, BY_NAME[o.mode].numpy, rows * columns)
    core.write(o.dst, np.ascontiguousarray(values.reshape(rows, columns).T).reshape(-1))
