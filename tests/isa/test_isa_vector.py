"""Meanings of vector and transfer rows, and that every row touches what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM, NRAM, SPACES, WRAM, space_of
from zhisuan.isa.number import bits_of
from zhisuan.isa.registry import Instruction, Operands, Unit
from zhisuan.isa.table import BY_NAME, ROWS
from zhisuan.isa.transfer import high_half, low_half

F = np.float32
A, B, C, D = (NRAM.base + 0x2000 * at for at in range(4))
RANDOM = np.random.default_rng(5)


def halves(low: int, high: int) -> int:
    return (low & 0xFFFF_FFFF) | (high & 0xFFFF_FFFF) << 32


def vector(kind: str, n: int = 37) -> np.ndarray:
    values = RANDOM.normal(size=n).astype(kind) * 3
    values[:4] = [np.nan, np.inf, -0.0, 1]
    return values


PAIRS = {
    "VAV": np.add, "VSV": np.subtract, "VMV": np.multiply, "VDV": np.divide,
    "VGTM": np.fmax, "VLTM": np.fmin,
}  # fmt: skip
SCALARS = {"VAS": np.add, "VMS": np.multiply, "VMAXS": np.fmax, "VMINS": np.fmin}
CYCLIC = {"VCADD": np.add, "VCSUB": np.subtract, "VCMUL": np.multiply}
SINGLES = {
    "VSQRT": np.sqrt, "VRECIP": np.reciprocal, "VABS": np.abs,
    "VRELU": lambda x: np.where(x > 0, x, 0).astype(x.dtype),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["f16", "f32"])
@pytest.mark.parametrize("name", [*PAIRS, *SCALARS, *CYCLIC, *SINGLES])
def test_element_by_element(core, name: str, mode: str) -> None:
    kind = mode.replace("f16", "f2").replace("f32", "f4")
    a, b = vector(kind), vector(kind)[::-1].copy()
    core.write(A, a)
    core.write(B, b)
    with np.errstate(all="ignore"):
        if name in PAIRS:
            core.run(name, mode, dst=C, n=37, a=A, b=B)
            want = PAIRS[name](a, b)
        elif name in SCALARS:
            core.run(name, mode, dst=C, n=37, a=A, s=bits_of(1.5, mode))
            want = SCALARS[name](a, a.dtype.type(1.5))
        elif name in CYCLIC:
            core.run(name, mode, dst=C, n=37, a=A, seg=B, m=5)
            want = CYCLIC[name](a, np.tile(b[:5], 8)[:37])
        else:
            core.run(name, mode, dst=C, n=37, a=A)
            want = SINGLES[name](a)
    np.testing.assert_array_equal(core.read(C, a.dtype, 37), want)


def test_destination_may_be_a_source(core) -> None:
    core.write(A, np.arange(8, dtype=F))
    core.run("VAV", "f32", dst=A, n=8, a=A, b=A)
    np.testing.assert_array_equal(core.read(A, F, 8), 2 * np.arange(8, dtype=F))


def test_conversion_rounds_to_even_and_saturates(core) -> None:
    core.write(A, np.array([0.5, 1.5, -2.5, 300, -300, np.nan, np.inf, -0.4], F))
    core.run("VCVT", "f32.i8", dst=B, n=8, a=A)
    assert core.read(B, np.int8, 8).tolist() == [0, 2, -2, 127, -128, 0, 127, 0]
    core.run("VCVT", "f32.u8", dst=B, n=8, a=A)
    assert core.read(B, np.uint8, 8).tolist() == [0, 2, 0, 255, 0, 0, 255, 0]
    core.write(A, np.array([2049, 2051, 70000, -70000], np.int32))
    core.run("VCVT", "i32.f16", dst=B, n=4, a=A)
    assert core.read(B, np.float16, 4).tolist() == [2048, 2052, np.inf, -np.inf]


def test_affine(core) -> None:
    x = vector("f2", 12)[4:]
    scale, shift = np.array([2, -1, 0.5], F), np.array([0.25, 0, -1], F)
    for address, values in ((A, x), (B, scale), (C, shift)):
        core.write(address, values)
    core.run("VAFFINE", "f16.f32.relu", dst=D, n=8, a=A, scale=B, shift=C, m=3)
    want = x.astype(F) * np.tile(scale, 3)[:8] + np.tile(shift, 3)[:8]
    np.testing.assert_array_equal(core.read(D, F, 8), np.maximum(want, 0))


def test_channel_sums_add_to_the_destination(core) -> None:
    tile = RANDOM.integers(-5, 6, (2, 3, 4)).astype(np.float16)
    shift = np.array([1, 2, 3, 4], F)
    for row in range(2):
        core.write(A + row * 40, tile[row])
    core.write(B, shift)
    for name, power in (("VCSUM", 1), ("VCSSQ", 2)):
        core.write(C, np.full(4, 10, F))
        core.run(name, "f16", dst=C, size=halves(2, 3), a=A, shift=B, m=4, pitch=40)
        want = 10 + ((tile.astype(F) - shift) ** power).sum((0, 1))
        np.testing.assert_array_equal(core.read(C, F, 4), want)


def test_set_and_transpose(core) -> None:
    core.run("VSET", "f16", dst=A, n=3, value=bits_of(1.5, "f16"))
    assert core.read(A, np.float16, 4).tolist() == [1.5, 1.5, 1.5, 0]
    core.write(A, np.arange(6, dtype=np.int16))
    core.run("VTRANS", "i16", dst=B, size=halves(2, 3), a=A)
    assert core.read(B, np.int16, 6).tolist() == [0, 3, 1, 4, 2, 5]


def test_block_transfer_with_negative_and_zero_strides(core) -> None:
    data = np.arange(64, dtype=np.uint8)
    core.write(GDRAM.base, data)
    core.run("VLOAD3", dst=A + 32, size=2, src=GDRAM.base, dst_stride=-4, src_stride=8, n=3,
             outer=halves(16, 0), n1=2)  # fmt: skip
    got = core.read(A, np.uint8, 64)
    for j in range(2):
        for i in range(3):
            at = 32 + 16 * j - 4 * i
            assert got[at : at + 2].tolist() == data[8 * i : 8 * i + 2].tolist()
    assert np.count_nonzero(got) == 6 * 2 - 2  # each copy holds one zero byte at i = 0


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-(1 << 31), (1 << 31) - 1))
def test_packed_halves(low: int, high: int) -> None:
    word = halves(low, high)
    assert (low_half(word), high_half(word)) == (low, high)
    array = np.array([word], np.uint64).view(np.int64)
    assert (low_half(array)[0], high_half(array)[0]) == (low, high)


QUEUED = [row for row in ROWS if row.is_queued]
TOUCHING = [row for row in QUEUED if row.reads or row.writes]
EXAMPLE = {  # operand name → a value that suits every row
    "n": 6, "m": 3, "size": 64, "s": 0, "value": 0, "pitch": 40, "n1": 2,
    "dst_stride": 96, "src_stride": -128, "outer": halves(1024, 2048),
    "geometry": 2 | 3 << 16 | 2 << 32 | 2 << 48, "channels": halves(4, 5),
    "seed": 1, "mul": 3, "bits": 2, "addr": 0x40, "cluster": 0, "t": 1, "id": 2,
    "steps": 1 | 2 << 16 | 2 << 32 | 1 << 48, "pitches": halves(256, 512),
}  # fmt: skip


def example(row: Instruction) -> dict[str, int]:
    """Operands that run: the address operands lie in the first memory the row may use."""
    values = {}
    for at, operand in enumerate(row.operands):
        if operand.name in EXAMPLE:
            values[operand.name] = EXAMPLE[operand.name]
        else:
            spaces = row.writes if operand.name == "dst" else row.reads
            space = WRAM if operand.name == "weight" else spaces[0]
            if operand.name == "a" and space is GDRAM:  # of an atomic
                space = NRAM
            values[operand.name] = space.base + 0x1000 * (at + 1)
    if row.unit is Unit.VFU and "size" in values:
        values["size"] = halves(2, 3)
    return values


def covered(accesses: list[tuple[int, int]], ranges: list[tuple[int, int]]) -> bool:
    """Whether every access lies in a range."""
    return all(
        any(base <= address and address + size <= base + span for base, span in ranges)
        for address, size in accesses
        if size
    )


@pytest.mark.parametrize("row", TOUCHING, ids=lambda row: row.name)
def test_a_row_touches_what_it_says(core, row: Instruction) -> None:
    for mode in row.modes:
        core.reads.clear()
        core.writes.clear()
        operands = example(row)
        if "mask" in operands:  # all true, so that everything is collected
            core.write(operands["mask"], np.ones(64, np.uint8))
            core.writes.clear()
        core.run(row.name, mode, **operands)
        touches = row.touches(Operands(mode, operands))
        written = [(int(t.base), int(t.span)) for t in touches if t.writes]
        read = [(int(t.base), int(t.span)) for t in touches if not t.writes]
        assert covered(core.writes, written), mode
        assert covered(core.reads, read + written), mode  # accumulating rows read dst
        for ranges, done in ((written, core.writes), (read, core.reads)):
            for base, span in ranges:  # tight: the first and last byte are really used
                inside = [(a, s) for a, s in done if base <= a < base + span]
                assert min(a for a, _ in inside) == base, mode
                assert max(a + s for a, s in inside) == base + span, mode
        for accesses, spaces in ((core.writes, row.writes), (core.reads, row.reads)):
            assert {space_of(address) for address, _ in accesses} <= set(spaces), mode


@pytest.mark.parametrize("row", QUEUED, ids=lambda row: row.name)
def test_costs_take_arrays_and_are_at_least_one(row: Instruction) -> None:
    machine = load("dlp-s")
    assert row.cycles is not None
    for values in (example(row), dict.fromkeys(example(row), 0)):
        arrays = {name: np.array([value, value]) for name, value in values.items()}
        for mode in row.modes:
            one = row.cycles(machine, Operands(mode, values))
            both = np.broadcast_to(row.cycles(machine, Operands(mode, arrays)), 2)
            assert both.tolist() == [int(one)] * 2
            assert int(one) >= 1
    assert machine.latency(row.latency) >= 0


def test_vector_costs() -> None:
    machine = load("dlp-s")
    rows = {"VAV": 13, "VDV": 13 * 8, "VEXP": 13 * 8}  # 800 FP16 = 1600 bytes = 12.5 cycles
    for name, cycles in rows.items():
        cost = BY_NAME[name].cycles
        assert cost is not None
        assert cost(machine, Operands("f16", {"n": 800})) == cycles


def test_every_space_is_reached_by_some_row() -> None:
    reached = {space.name for row in ROWS for space in (*row.reads, *row.writes)}
    assert reached == {space.name for space in SPACES}
