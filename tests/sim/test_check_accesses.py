"""What checks think an instruction touches is what its meaning touches, for the whole table."""

from __future__ import annotations

import pytest
from sim_fuzzer import case_with

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.encoding import decode
from zhisuan.isa.registry import ROWS, Instruction
from zhisuan.isa.table import BY_NAME
from zhisuan.sim.checks.accesses import Access, access, accesses, copied_bytes, watched

TOUCHING = [row for row in ROWS if row.is_queued and (row.reads or row.writes)]
QUEUED = [(row, mode) for row in TOUCHING for mode in row.modes]
SEEDS = 6


def touched_bytes(found: tuple[Access, ...], writes: bool) -> set[int]:
    """Every byte of the accesses of one kind."""
    return {
        byte
        for item in found
        if item.writes is writes
        for start, end in zip(item.starts, item.ends, strict=True)
        for byte in range(start, end)
    }


def drawn(row: Instruction, mode: str) -> list[tuple[int, ...]]:
    """Operand values of an instruction, as the fuzzer chooses them; none beyond all memories."""
    found = []
    for seed in range(SEEDS):
        case = case_with(row, mode, seed, 7)
        for word in case.program.words.tolist():
            item = decode(word)
            if item.row is row and item.mode == mode:
                pairs = zip(row.operands, item.values, strict=True)
                values = [case.registers[v] if o.is_register else v for o, v in pairs]
                found.append(tuple(v - (1 << 64) if v >> 63 == 1 else v for v in values))
    return found


@pytest.mark.parametrize(("row", "mode"), QUEUED, ids=[f"{r.name}-{m}" for r, m in QUEUED])
def test_formulas_say_what_meanings_do(row: Instruction, mode: str) -> None:
    compared = 0
    for values in drawn(row, mode):
        try:
            defined = watched(row, mode, values)
        except OverflowError:  # addresses beyond all memories
            continue
        if defined is None:  # a trap
            continue
        compared += 1
        ours = accesses(row, mode, values)
        assert touched_bytes(ours, True) == touched_bytes(defined, True), values
        got, wanted = touched_bytes(ours, False), touched_bytes(defined, False)
        if row.name == "CONV":  # of the filter's lines only the bytes that count
            filters = {byte for byte in wanted if byte in WRAM}
            assert got - filters == wanted - filters
        else:
            assert got == wanted, values
    assert compared > SEEDS


def test_only_the_used_part_of_a_filter_is_read() -> None:
    """3 taps of 2 channels in FP16: 6 bytes at the start of a line in two banks."""
    geometry, steps = 1 | 1 << 16 | 1 << 32 | 1 << 48, 1 | 1 << 16 | 1 << 32 | 1 << 48
    values = (NRAM.base, NRAM.base + 64, WRAM.base, geometry, 3 | 2 << 32, steps, 6 | 4 << 32)
    neurons, filters, results = accesses(BY_NAME["CONV"], "f16.f16", values)
    assert (neurons.starts.tolist(), neurons.ends.tolist()) == ([NRAM.base + 64], [NRAM.base + 70])
    assert filters.starts.tolist() == [WRAM.base, WRAM.base + 64]
    assert filters.ends.tolist() == [WRAM.base + 6, WRAM.base + 70]
    assert (results.low, results.high, results.writes) == (NRAM.base, NRAM.base + 4, True)


def test_segments_are_sorted_joined_and_never_empty() -> None:
    found = access(False, [300, 100, 140, 110, 500], [10, 20, 60, 5, 0])
    assert found is not None
    assert found.starts.tolist() == [100, 140, 300]
    assert found.ends.tolist() == [120, 200, 310]
    assert found.size == 90
    assert access(True, [100, 200], 0) is None


@pytest.mark.parametrize(
    ("other", "common"),
    [
        ((120, 20), None),
        ((119, 2), (119, 120)),
        ((0, 1000), (100, 120)),
        ((199, 150), (199, 200)),
        ((200, 100), None),
        ((310, 1), None),
    ],
)
def test_common_bytes(other: tuple[int, int], common: tuple[int, int] | None) -> None:
    pieces, one = access(True, [100, 140, 300], [20, 60, 10]), access(False, *other)
    assert pieces is not None and one is not None
    assert pieces.common(one) == one.common(pieces) == common


def test_copies_are_in_order() -> None:
    """Two segments of two bytes, backwards in the destination."""
    block = BY_NAME["VMOVE3"]
    named = {"dst": 1000, "size": 2, "src": 500, "dst_stride": -4, "src_stride": 8, "n": 2,
             "outer": 0, "n1": 1}  # fmt: skip
    values = tuple(named[operand.name] for operand in block.operands)
    read, write = copied_bytes(block, "", values)
    assert read.tolist() == [500, 501, 508, 509]
    assert write.tolist() == [1000, 1001, 996, 997]
