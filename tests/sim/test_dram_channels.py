"""DRAM with channels: cycles worked out by hand, the order of access patterns, fairness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import spent, timed
from dram_traces import CHANNELS, ROWS_APART, channelled, load, store, strided, trace_of

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load as load_machine
from zhisuan.arch.load import preset_names
from zhisuan.arch.machine import NO_SRAM, Chip, Machine, Noc
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import LDRAM, NRAM
from zhisuan.sim.timing import Timing, replay
from zhisuan.sim.trace import Trace

MACHINE = channelled()


def busy(*transfers: tuple[str, dict[str, int]], machine: Machine = MACHINE) -> list[int]:
    """Cycles of each of a core's transfers."""
    timing = timed(trace_of(transfers), machine)
    return (timing.end - timing.start).tolist()


def events(timing: Timing) -> dict[str, int]:
    sums = timing.events.sum(axis=0).tolist()[:3]
    return dict(zip(timing.event_names[:3], sums, strict=True))


def test_a_burst_opens_its_row_once() -> None:
    # 10 to open the row, 4 for the burst; then the row is open
    assert busy(load(0, 64), load(64, 64), load(0, 64)) == [14, 4, 4]


def test_all_channels_work_at_once() -> None:
    # each of the four opens a row and moves 16 bursts
    timing = timed(trace_of([load(0, 4096), load(0, 4096)]), MACHINE)
    assert (timing.end - timing.start).tolist() == [74, 64]
    assert events(timing) == {"row hits": 4, "row misses": 4, "turn-arounds": 0}


def test_neighbouring_bursts_of_a_channel_are_one_visit() -> None:
    # bytes 0 to 255 and 1024 to 1279 lie side by side in channel 0; others have one piece
    assert busy(load(0, 1280)) == [10 + 8 * 4]


def test_another_row_of_the_bank_waits_for_the_row_cycle() -> None:
    # ready at 14, may close from 30, 10 to close, 10 to open, 4 for the burst: at 54
    assert busy(load(0, 64), load(ROWS_APART, 64)) == [14, 40]


def test_another_bank_does_not_wait() -> None:
    assert busy(load(0, 64), load(ROWS_APART // 4, 64)) == [14, 14]


def test_rows_open_behind_the_data_of_the_turn_before() -> None:
    # five rows of each channel in turns of one row; only the first is waited for, though the
    # fifth has to close the first
    assert busy(load(0, 5 * 4096)) == [10 + 5 * 64]


def test_a_written_row_recovers_before_it_closes() -> None:
    # after a write of 10 + 2 + 4 cycles 12 more, before 10 + 10 + 4 for the next row
    fast = channelled(row_cycle_ps=20_000)
    assert busy(store(0, 64), store(ROWS_APART, 64), machine=fast) == [14, 12 + 24]
    assert busy(load(0, 64), load(ROWS_APART, 64), machine=fast) == [14, 24]


def test_the_bus_turns() -> None:
    # the first store turns the bus while its row opens
    assert busy(store(0, 64), load(0, 64), store(0, 64)) == [14, 8 + 4, 2 + 4]
    timing = timed(trace_of([store(0, 64), load(0, 64), store(0, 64)]), MACHINE)
    assert events(timing) == {"row hits": 2, "row misses": 1, "turn-arounds": 3}


def test_writes_give_way_after_a_batch() -> None:
    # 32 bursts on each channel in two turns: after every 16 the bus goes to reads and back
    assert busy(store(0, 4096), store(0, 4 * 4096)) == [74, 4 * 64 + 4 * (8 + 2)]


def test_bytes_that_are_written_in_part_are_read_first() -> None:
    cases = [store(0, 64), store(64, 65), store(1, 63), store(3, 5), store(63, 2)]
    opened = 14
    assert busy(*cases) == [opened, 3 * 4, 2 * 4, 2 * 4, 4 * 4]
    assert busy(load(0, 64), load(63, 2)) == [opened, 2 * 4]


def test_segments_in_the_same_bank_take_a_row_cycle_each() -> None:
    (cycles,) = busy(strided("VLOAD3", 0, 64, ROWS_APART, 16))
    assert cycles == 14 + 15 * 40


def test_side_by_side_segments_are_one() -> None:
    assert busy(strided("VLOAD3", 0, 64, 64, 64)) == busy(load(0, 4096))
    backwards = strided("VLOAD3", 63 * 64, 64, -64, 64)
    assert busy(backwards) == busy(load(0, 4096))


def test_refresh_takes_its_share() -> None:
    # a fifth of the time for refresh: 5 cycles a burst
    machine = channelled(refresh_ps=200_000)
    assert busy(load(0, 4096), load(0, 4096), machine=machine) == [90, 80]


def test_transfers_within_dram_are_read_and_written() -> None:
    copy = ("DMOVE", {"dst": load(0, 0)[1]["src"] + 64, "size": 64, "src": load(0, 0)[1]["src"]})
    assert busy(copy) == [10 + 4 + 2 + 4]


def test_private_memories_of_cores_are_apart() -> None:
    """The same address of the private DRAM of two cores is in different rows."""
    own = ("VLOAD", {"dst": NRAM.base, "size": 64, "src": LDRAM.base})
    timing = timed(trace_of([own], [own]), channelled(cores=2))
    assert events(timing)["row misses"] == 2


def test_cores_take_turns() -> None:
    """Two long transfers that start together end together; neither waits for all of the other."""
    machine, pieces = channelled(cores=2), 16
    other_banks = (1 << 20) + ROWS_APART // 2
    first, second = load(0, pieces * 4096), load(other_banks, pieces * 4096)
    timing = timed(trace_of([first], [second]), machine)
    alone = pieces * 64
    assert timing.done[0] == pytest.approx(timing.done[1], abs=64 + 20)
    assert timing.total - 100 == pytest.approx(2 * alone, rel=0.02)
    same_banks = timed(trace_of([first], [load(1 << 20, pieces * 4096)]), machine)
    assert same_banks.total > 1.1 * timing.total  # each closes the rows of the other
    short = timed(trace_of([first], [load(other_banks, 64)]), machine)
    # ready at 101, after a turn of 10 + 64 cycles a burst of 4, and 20 of latency
    assert short.done[1] == 101 + 74 + 4 + 20 < short.done[0]


def test_waiting_for_other_cores_is_named() -> None:
    timing = timed(trace_of([load(0, 4096)], [load(4096, 4096)]), channelled(cores=2))
    io = timing.core_cycles[0, :, timing.units.index("io"), timing.causes.index("dram")]
    assert io[0] == 0 < io[1]
    assert (timing.end - timing.start).sum() + io.sum() == (timing.end - 101).sum()


PATTERNS = {
    "contiguous read": [load(0, 1 << 18)],
    "contiguous write": [store(0, 1 << 18)],
    "strided read": [strided("VLOAD3", 0, 64, 8192, 1 << 12)],
    "strided write": [strided("VSTORE3", 0, 64, 8192, 1 << 12)],
}
"""A quarter of a megabyte each: in one piece, or a burst of every row of a matrix."""


@pytest.mark.parametrize("name", [n for n in preset_names() if load_machine(n).channels])
def test_the_order_of_access_patterns(name: str) -> None:
    machine = load_machine(name)
    timings = [replay(trace_of(p), machine) for p in PATTERNS.values()]
    cycles = [int(t.end[0] - t.start[0]) for t in timings]
    assert cycles == sorted(set(cycles)), dict(zip(PATTERNS, cycles, strict=True))
    peak = (1 << 18) / machine.dram_bytes_per_cycle
    assert 1.0 < cycles[0] / peak < 1.15


def random_transfers(rng: np.random.Generator, count: int) -> list[tuple[str, dict[str, int]]]:
    """Transfers of all kinds, sizes and alignments."""
    issued = []
    for _ in range(count):
        at, size = int(rng.integers(0, 1 << 17)), int(2 ** rng.uniform(0, 13))
        stride = int(rng.choice([size, -size, 0, 64, 256, 4096, 5000, ROWS_APART]))
        n = int(rng.integers(0, 20))
        base = at + max(0, -stride) * n
        kind = rng.integers(4)
        plain, block = (load, "VLOAD3") if kind & 1 else (store, "VSTORE3")
        issued.append(plain(at, size) if kind & 2 else strided(block, base, size, stride, n))
        if kind & 2 == 0:
            issued[-1][1].update(n1=int(rng.integers(0, 3)), outer=(1 << 48) + (1 << 16))
    return issued


@pytest.mark.parametrize("seed", range(6))
def test_both_walks_agree_on_random_transfers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = channelled(
        cores=3, count=int(rng.integers(1, 7)), banks=int(rng.integers(1, 6)),
        turn_bytes=256 * int(rng.integers(1, 9)), row_bytes=64 * int(rng.integers(1, 40)),
        refresh_ps=int(rng.integers(0, 300_000)), write_batch=int(rng.integers(1, 40)),
        bytes_per_second=int(rng.integers(10, 90)) * 10**9 + 7,
    )  # fmt: skip
    trace = trace_of(*(random_transfers(rng, 30) for _ in range(3)))
    timed(trace, machine)


@pytest.mark.parametrize("seed", range(4))
def test_more_bandwidth_and_more_channels_are_never_slower(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    trace = trace_of(random_transfers(rng, 40))
    rates = [replay(trace, channelled(bytes_per_second=n * 10**9)).total for n in (8, 20, 64, 99)]
    assert rates == sorted(rates, reverse=True)
    wider = [channelled(count=n, bytes_per_second=n * 16 * 10**9) for n in (1, 2, 4, 8)]
    totals = [replay(trace, machine).total for machine in wider]
    assert totals == sorted(totals, reverse=True)


def clusters_of(*issued: list[tuple[str, dict[str, int]]]) -> Trace:
    """A launch in which the only core of cluster i issues issued[i]."""
    trace = trace_of(*issued)
    return replace(trace, cluster=trace.core, core=np.zeros_like(trace.core))


def networked(controllers: int, channels: bool = True) -> Machine:
    """Four clusters of a core on a ring; links of 32 bytes a cycle, 5 cycles a hop."""
    machine = replace(channelled(), chip=Chip(4, 1), sram=NO_SRAM,
                      noc=Noc("ring", 32, 5, controllers))  # fmt: skip
    return machine if channels else replace(machine, channels=None)


@pytest.mark.parametrize("channels", [True, False])
def test_controllers_hang_on_the_network(channels: bool) -> None:
    """One at cluster 0: others need one or two hops, and links of half the DRAM's width."""
    found = []
    for cluster in range(4):
        issued = [[load(0, 4096)] if i == cluster else [] for i in range(4)]
        timing = timed(clusters_of(*issued), networked(1, channels))
        found.append((int(timing.end[0] - timing.start[0]), int(timing.done[0] - timing.end[0])))
    assert found == [(74 if channels else 64, 20), (128, 25), (128, 30), (128, 25)]


def test_links_are_shared_and_spread() -> None:
    both = clusters_of([], [load(0, 4096)], [load(4096, 4096)], [])
    one = timed(both, networked(1))  # both come over the link from cluster 0 to 1
    assert spent(one, "noc") > 0
    assert timed(both, networked(2)).total < one.total
    none = timed(both, networked(0))
    assert spent(none, "noc") == 0 and none.total < one.total


def test_without_channels_dram_is_ideal() -> None:
    ideal = replace(MACHINE, channels=None)
    assert busy(load(0, 64), load(ROWS_APART, 64), store(0, 4096), machine=ideal) == [1, 1, 64]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noc.controllers": 2}, "more memory controllers than clusters"),
        ({"channels.count": 0}, "channels.count is too small"),
        ({"channels.interleave_bytes": 384}, "interleaved in a power of two"),
        ({"channels.interleave_bytes": 32}, "interleaved in a power of two"),
        ({"channels.turn_bytes": 300}, "a turn must be whole pieces"),
        ({"channels.row_bytes": 100}, "a row must hold whole accesses"),
        ({"channels.banks": 1 << 14}, "there are too many banks"),
        ({"channels.row_cycle_ps": 1000}, "a row cycle must have time"),
        ({"channels.refresh_ps": 3_900_000}, "refresh must leave time"),
        ({"channels.activate_ps": 10**10}, "channels.activate_ps is too large"),
    ],
)
def test_channels_that_cannot_be(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ZhisuanError, match=message):
        vary(load_machine("dlp-s"), changes)


def test_round_channels_are_possible() -> None:
    vary(load_machine("dlp-s"), {f"channels.{k}": v for k, v in vars(CHANNELS).items()})
