"""Caches: what scalar code waits for off chip, worked out by hand, and on both walks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import chip, launch, timed
from sim_programs import ROUND, run_text
from test_footprints import LOOP, access

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Chip, Icache, Llc, Machine, Tlb
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import CONST, GDRAM
from zhisuan.sim.caches import STALLS
from zhisuan.sim.footprint import CODE, DATA, FOOTPRINT
from zhisuan.sim.timing import Timing
from zhisuan.sim.trace import ROW, Launch, Stretch, Trace, TraceBuilder

LLC = Llc(size=8 * 64, line_bytes=64, ways=2, latency=5)
TLB = Tlb(entries=2, page_bytes=4096, miss_cycles=30)
ICACHE = Icache(size=4 * 64, line_bytes=64, ways=2, refill_lines=0)
DRAM = ROUND.dram.read_latency  # 20


def waits(text: str, machine: Machine) -> dict[str, int]:
    """Cycles that a program's decoder waits for each of STALLS."""
    timing = timed(run_text(text, machine)[1], machine)
    scalar = timing.core_cycles[0, 0, 0]
    assert timing.stalls.sum(axis=1).tolist() == [
        int(scalar[timing.causes.index(name)]) for name in STALLS
    ]
    return {name: int(n) for name, n in zip(STALLS, timing.stalls.sum(axis=1), strict=True) if n}


def counts(timing: Timing) -> dict[str, int]:
    sums = timing.events.sum(axis=0).tolist()
    return {name: n for name, n in zip(timing.event_names, sums, strict=True) if n}


def test_a_load_waits_for_the_cache_and_once_for_dram() -> None:
    machine = replace(ROUND, llc=LLC)
    assert waits(access(GDRAM.base) * 3 + "HALT", machine) == {"cache": 15, "dram": DRAM}
    assert waits(access(GDRAM.base) + "SYNC #7\n" + access(GDRAM.base) + "HALT", machine) == {
        "cache": 10, "dram": DRAM,
    }  # fmt: skip
    store = access(GDRAM.base, "SSTORE.i32 $2, $1, #0")
    assert waits(store + "HALT", machine) == {}
    constant = access(CONST.base) + "HALT\n.const zero 64"
    assert waits(constant, machine) == {"cache": 5, "dram": DRAM}


def test_the_least_recently_used_line_of_a_set_goes() -> None:
    """Four sets of two: lines 0, 4 and 8 do not fit together."""
    machine = replace(ROUND, llc=LLC)

    def missed(*lines: int) -> int:
        text = "".join(access(GDRAM.base + 64 * line) + "SYNC #7\n" for line in lines) + "HALT"
        return waits(text, machine)["dram"] // DRAM

    assert missed(0, 4, 0, 4) == 2
    assert missed(0, 4, 8, 4) == 3
    assert missed(0, 4, 8, 0) == 4
    assert missed(0, 4, 0, 8, 0) == 3
    assert missed(0, 1, 2, 3, 0, 1, 2, 3) == 4


def test_translation_is_waited_for_by_loads_and_stores() -> None:
    machine = replace(ROUND, tlb=TLB)
    store = "SSTORE.i32 $2, $1, #0"
    text = access(GDRAM.base) + "SYNC #7\n" + access(GDRAM.base + 4032, store) + "SYNC #7\n"
    assert waits(text + "HALT", machine) == {"tlb": 30}
    pages = "".join(access(GDRAM.base + 4096 * i) + "SYNC #7\n" for i in (0, 1, 2, 0))
    assert waits(pages + "HALT", machine) == {"tlb": 4 * 30}


def test_a_loop_that_fits_waits_for_its_code_once() -> None:
    machine = replace(ROUND, icache=ICACHE)
    assert waits(LOOP.format(n=2), machine) == waits(LOOP.format(n=500), machine)
    assert waits(LOOP.format(n=2), machine) == {"instruction fetch": DRAM}  # six words, a line


def long_loop(words: int, times: int, queued: bool) -> str:
    """A loop of so many words, with an instruction for a queue in it or not."""
    body = "SADD.i64 $3, $3, #1\n" * (words - 3 - queued) + "SYNC #7\n" * queued
    tail = "SSUB.i64 $1, $1, #1\nSGT.i64 $2, $1, #0\nCB again, $2\n"
    return f"SLOAD $1, #{times}\nagain:\n{body}{tail}HALT"


@pytest.mark.parametrize("queued", [False, True])
def test_a_kernel_larger_than_the_cache_misses_every_time(queued: bool) -> None:
    machine = replace(ROUND, icache=ICACHE)
    fits = waits(long_loop(24, 10, queued), machine)["instruction fetch"] // DRAM
    assert fits == 4
    large = waits(long_loop(64, 10, queued), machine)["instruction fetch"] // DRAM
    more = waits(long_loop(64, 20, queued), machine)["instruction fetch"] // DRAM
    assert more - large > 3 * 10 and large > 3 * 10


def test_lines_ahead_come_with_a_missing_one() -> None:
    text = "SADD.i64 $3, $3, #1\n" * 31 + "HALT"  # four lines
    for refill, missing in ((0, 4), (1, 2), (3, 1), (9, 1)):
        machine = replace(ROUND, icache=replace(ICACHE, size=2048, refill_lines=refill))
        assert waits(text, machine) == {"instruction fetch": missing * DRAM}


def test_code_comes_through_the_last_level_cache_and_the_tlb() -> None:
    machine = replace(ROUND, icache=ICACHE, llc=LLC, tlb=TLB)
    assert waits("HALT", machine) == {"instruction fetch": 5 + DRAM + 30}
    again = Launch("t", "test", "main", 1)
    builder = TraceBuilder()
    row = np.zeros(1, ROW)
    row["a"][0, 0] = 1
    builder.add("t", "test", "main", [row])
    builder.add_tasks(again, [Stretch([row])])
    other = replace(builder.build(), launches=(Launch("t", "test", "main", 0), again))
    assert counts(timed(other, machine)) == {
        "LLC misses": 1, "TLB misses": 1, "fetch misses": 1,
    }  # fmt: skip
    moved = replace(again, program="other")
    two = timed(replace(other, launches=(other.launches[0], moved)), machine)
    assert counts(two) == {"LLC misses": 2, "TLB misses": 2, "fetch misses": 2}


def test_units_behind_a_waiting_decoder_wait_for_the_same() -> None:
    machine = replace(ROUND, llc=LLC)
    text = access(GDRAM.base) + "SLOAD $3, #64\nSLOAD $4, #0x1000000\nVABS.f16 $4, $3, $4\nHALT"
    timing = timed(run_text(text, machine)[1], machine)
    vector = timing.core_cycles[0, 0, timing.units.index("vfu")]
    found = {name: int(n) for name, n in zip(timing.causes, vector, strict=True) if n}
    assert found["dram"] == DRAM and found["cache"] == 5 and found["decode"] == 6


def test_the_same_on_any_number_of_threads() -> None:
    """Footprints, stalls and counts of eight cores that share a cache."""
    machine = replace(chip(2, 4), llc=LLC, tlb=TLB, icache=ICACHE)
    text = long_loop(30, 5, queued=True).replace("HALT", access(GDRAM.base) + "HALT")
    found = [launch(text, machine, (8, 1, 1), threads=n)[1] for n in (1, 8)]
    assert found[0].to_bytes() == found[1].to_bytes()
    once, again = (timed(trace, machine) for trace in found)
    assert np.array_equal(once.stalls, again.stalls) and once.total == again.total
    assert counts(once) == counts(again)
    assert counts(once)["TLB misses"] == 8 * 2  # each core for itself: its code, and the load


def random_trace(rng: np.random.Generator) -> Trace:
    """Rows and footprints of two launches on three cores, as no program need leave them."""
    builder = TraceBuilder()
    for number in range(2):
        stretches = []
        for core in range(3):
            rows = np.zeros(40, ROW)
            rows["a"][:, :4] = rng.integers(0, 9, (40, 4)) + (np.arange(4) == 0)
            rows["pc"] = rng.integers(0, 300, 40)
            marks = np.zeros(60, FOOTPRINT)
            marks["row"] = np.sort(rng.integers(0, 40, 60))
            marks["kind"] = rng.choice([CODE, DATA], 60)
            code = marks["kind"] == CODE
            marks["first"] = np.where(code, rng.integers(0, 300, 60),
                                      GDRAM.base // 64 + rng.integers(0, 5000, 60))  # fmt: skip
            marks["last"] = marks["first"] + rng.integers(0, 40, 60)
            marks["count"] = np.where(code, rng.integers(1, 9, 60), 40 + rng.integers(0, 9, 60))
            stretches.append(Stretch([rows], 0, core, core, marks))
        builder.add_tasks(Launch("t", f"p{number}", "main", builder.rows, (3, 1, 1)), stretches)
    return builder.build()


@pytest.mark.parametrize("seed", range(6))
def test_both_agree_on_random_traces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways = int(rng.integers(1, 5))
    machine = replace(
        ROUND,
        chip=Chip(1, 3),
        llc=replace(LLC, size=128 * ways * 8, line_bytes=128, ways=ways) if seed % 3 else None,
        tlb=replace(TLB, entries=int(rng.integers(1, 20))) if seed % 2 else None,
        icache=replace(ICACHE, size=64 * ways * 5, ways=ways, refill_lines=seed % 4),
    )
    timing = timed(random_trace(rng), machine)
    assert timing.stalls.sum() > 0
    hits = counts(timing)
    lookups = hits["fetch hits"] + hits["fetch misses"]
    assert 0 < hits["fetch misses"] <= lookups


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"llc.size": 1000}, "a cache must be whole sets of lines"),
        ({"llc.line_bytes": 32}, "a line must be a power of two"),
        ({"icache.line_bytes": 96}, "a line must be a power of two"),
        ({"icache.ways": 0}, r"icache\.ways is too small"),
        ({"llc.size": 1 << 40}, "the cache has too many lines"),
        ({"tlb.page_bytes": 5000}, "a page must be a power of two"),
        ({"tlb.entries": 1 << 30}, "the TLB is too large"),
    ],
)
def test_caches_that_cannot_be(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ZhisuanError, match=message):
        vary(load("dlp-s"), changes)
