"""Whole vectors to one number, and random vectors (VFU).

Results lie in NRAM, where scalar code reads them after a SYNC.  Opcodes 0x280-0x28F.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.address import NRAM
from zhisuan.isa.matrix import fused_multiply_add, saturated
from zhisuan.isa.number import MASK64, quiet
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.vector import MODES, elementwise, types_of, vector_cost

PARTIAL_SUMS = 32
SUM_MODES = ("f16.f16", "f16.f32", "f32.f32", "i8.i32", "i16.i32")


def _sum(x: np.ndarray, y: np.ndarray | None, kind: np.dtype) -> np.ndarray:
    """Σ x·y (Σ x without y) in the defined order: float32 for floats, else exact int64."""
    if kind.kind != "f":
        wide = x.astype(np.int64)
        return (wide if y is None else wide * y).sum()
    rows = -(-len(x) // PARTIAL_SUMS)
    sums = np.zeros(PARTIAL_SUMS, np.float32)
    for row in range(rows):
        part = slice(row * PARTIAL_SUMS, (row + 1) * PARTIAL_SUMS)
        a = x[part].astype(np.float32)
        before = sums[: len(a)]
        after = before + a
        if y is not None:
            after = fused_multiply_add(a, y[part].astype(np.float32), before, kind)
        sums[: len(a)] = after
    half = PARTIAL_SUMS // 2
    while half:
        sums[:half] += sums[half : 2 * half]
        half //= 2
    return sums[0]


def _write_sum(core: Core, address: int, total: np.ndarray, to: np.dtype) -> None:
    if to.kind != "f":
        core.write(address, saturated(np.array([total])))
        return
    with np.errstate(all="ignore"):
        core.write(address, quiet(np.array([total]).astype(to)))


def _sum_touches(o: Operands) -> tuple[Touch, ...]:
    source, destination = (kind.itemsize for kind in types_of(o.mode))
    result = Touch(True, o.dst, destination + 0 * o.n)
    sources = (o.a, o.b) if hasattr(o, "b") else (o.a,)
    return result, *(Touch(False, address, o.n * source) for address in sources)


def _sum_cost(machine: Any, o: Operands) -> Any:
    """max(1, ceil(n · source element bytes / `vector.bytes_per_cycle`))"""
    return machine.vector_cycles(o.n * types_of(o.mode)[0].itemsize)


@instruction("IP", 0x280, Unit.VFU, "dst n a b", modes=SUM_MODES, cycles=_sum_cost,
             latency="vector.latency", touches=_sum_touches)  # fmt: skip
def ip(core: Core, o: Operands) -> None:
    """dst = Σ a[i] * b[i], the inner product, one number at dst.

    Floats: 32 partial sums in float32, element i into sum i mod 32 by a fused multiply-add in
    increasing i, then sums j and j + 16 added, j and j + 8, …, j and j + 1.  Integers: the
    exact sum, saturated to 32 bits.
    """
    source, destination = types_of(o.mode)
    a, b = core.read(o.a, source, o.n), core.read(o.b, source, o.n)
    with np.errstate(all="ignore"):
        total = _sum(a, b, source)
    _write_sum(core, o.dst, total, destination)


@instruction("VSUM", 0x281, Unit.VFU, "dst n a", modes=SUM_MODES, cycles=_sum_cost,
             latency="vector.latency", touches=_sum_touches)  # fmt: skip
def vsum(core: Core, o: Operands) -> None:
    """dst = Σ a[i], one number at dst; the order of IP, with additions."""
    source, destination = types_of(o.mode)
    a = core.read(o.a, source, o.n)
    with np.errstate(all="ignore"):
        total = _sum(a, None, source)
    _write_sum(core, o.dst, total, destination)


INDEX_OFFSET = 4
SHORT = 2
"""Bytes of types after which the index's low half also follows directly."""


def _extreme_touches(o: Operands) -> tuple[Touch, ...]:
    width = types_of(o.mode)[0].itemsize
    return Touch(True, o.dst, INDEX_OFFSET + 4 + 0 * o.n), Touch(False, o.a, o.n * width)


def _extreme(name: str, opcode: int, which: str, find: Any) -> None:
    def meaning(core: Core, o: Operands) -> None:
        x = core.read(o.a, types_of(o.mode)[0], o.n)
        if not o.n:
            core.trap(f"the {which} of no elements")
        numbers = np.flatnonzero(~np.isnan(x))
        index = numbers[find(x[numbers])] if len(numbers) else 0
        core.write(o.dst, quiet(x[index : index + 1]))
        if x.dtype.itemsize == SHORT:
            core.write(o.dst + SHORT, np.array([index], np.uint32).astype(np.uint16))
        core.write(o.dst + INDEX_OFFSET, np.array([index], np.uint32))

    meaning.__doc__ = f"""dst = the {which} a[i], and 4 bytes further its index i as an unsigned 32-bit number.

    The first of equals; a number beats NaN; all NaN gives NaN and index 0.  n = 0 is a fault.
    After a number of 16 bits the index's low 16 bits follow at once, too.
    """  # noqa: E501
    instruction(name, opcode, Unit.VFU, "dst n a", modes=MODES, cycles=vector_cost,
                latency="vector.latency", touches=_extreme_touches)(meaning)  # fmt: skip


_extreme("VMAX", 0x282, "largest", np.argmax)
_extreme("VMIN", 0x283, "smallest", np.argmin)


STEP = 0x9E37_79B9_7F4A_7C15
MIX = (0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB)
"""Constants of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators)."""


def random_words(seed: int, n: int) -> np.ndarray:
    """uint64[n]: word i depends on seed and i alone."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed & MASK64) + np.uint64(STEP) * np.arange(1, n + 1, dtype=np.uint64)
        z = (z ^ z >> np.uint64(30)) * np.uint64(MIX[0])
        z = (z ^ z >> np.uint64(27)) * np.uint64(MIX[1])
    return z ^ z >> np.uint64(31)


def _random(core: Core, o: Operands) -> np.ndarray:
    kind = types_of(o.mode)[0]
    if o.n > NRAM.window:
        core.trap("more elements than NRAM can hold")
    words = random_words(o.seed, o.n)
    if kind.kind != "f":
        return (words >> np.uint64(64 - 8 * kind.itemsize)).astype(kind)
    digits = np.finfo(kind).nmant + 1
    return ((words >> np.uint64(64 - digits)).astype(np.float64) * 2.0**-digits).astype(kind)


_RANDOM = """dst[i] = a random number that depends on seed and i alone.

    Floats are uniform in [0, 1): the upper 11 (f16) or 24 (f32) bits of a 64-bit word as a
    fraction; integers are its upper bits.  The word is SplitMix64's output i + 1 from the
    state seed: z = seed + (i + 1)·0x9E3779B97F4A7C15; z = (z xor z >> 30)·0xBF58476D1CE4E5B9;
    z = (z xor z >> 27)·0x94D049BB133111EB; z xor z >> 31.  Another seed gives new numbers."""
RANDOM_MODES = ("f16", "f32", "i16", "i32")
elementwise("RV", 0x284, "dst n seed", _RANDOM, _random, modes=RANDOM_MODES, sources=(),
            cost="transcendental")  # fmt: skip
elementwise("RV#", 0x285, "dst n #seed", _RANDOM, _random, modes=RANDOM_MODES, sources=(),
            cost="transcendental")  # fmt: skip


GROUP = 128
"""Bytes that VGSUM adds up to one number."""


def _group_touches(o: Operands) -> tuple[Touch, ...]:
    size = o.n * types_of(o.mode)[0].itemsize
    return Touch(True, o.dst, size), Touch(False, o.a, size)


@instruction("VGSUM", 0x286, Unit.VFU, "dst n a", modes=("f16", "f32"), cycles=vector_cost,
             latency="vector.latency", touches=_group_touches)  # fmt: skip
def vgsum(core: Core, o: Operands) -> None:
    """Of every 128 bytes: the first element of dst = the sum of those of a, the others 0.

    Sums in float32 from +0 in the order of the elements; the last group may be shorter.
    """
    kind = types_of(o.mode)[0]
    x = core.read(o.a, kind, o.n).astype(np.float32)
    groups = np.zeros((-(-o.n * kind.itemsize // GROUP), GROUP // kind.itemsize), np.float32)
    groups.reshape(-1)[: o.n] = x
    total = np.zeros(len(groups), np.float32)
    with np.errstate(all="ignore"):
        for column in groups.T:
            total = total + column
        groups[:] = 0
        groups[:, 0] = total
        core.write(o.dst, quiet(groups.reshape(-1)[: o.n].astype(kind)))
