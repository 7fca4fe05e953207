"""Intervals lay out exactly what the timing accounts for; thinning and columns keep sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM
from zhisuan.report.intervals import Lane, columns, lanes_of, thinned
from zhisuan.report.model import RunReport
from zhisuan.sim.footprint import DATA, FOOTPRINT
from zhisuan.sim.timing import CAUSES, UNITS, replay
from zhisuan.sim.trace import SCALAR_RUN, Trace

MACHINE = load("dlp-s")
VARIANTS = {
    "as it is": {},
    "short queues": {"queues.compute": 2, "queues.io": 1, "queues.move": 1},
    "small window": {"queues.window": 2},
    "window of one, slow matrix": {"queues.window": 1, "matrix.latency": 900},
    "slow memory": {"dram.bytes_per_second": 1_000_000_000, "dram.read_latency": 5000},
    "no latency": {"vector.latency": 0, "matrix.latency": 0, "launch.overhead": 0},
}


def by_launch(lane: Lane, launch_end: np.ndarray) -> np.ndarray:
    """[launches, causes] cycles of a lane."""
    launch = np.searchsorted(launch_end, lane.edges[:-1], "right")
    total = np.zeros((len(launch_end), len(CAUSES)), np.int64)
    np.add.at(total, (launch, lane.state), lane.length)
    return total


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_cycle_is_where_the_timing_says(small_trace: Trace, changes: dict[str, int]) -> None:
    timing = replay(small_trace, vary(MACHINE, changes))
    lanes = lanes_of(small_trace, timing)
    assert tuple(lane.unit for lane in lanes) == UNITS
    for unit, lane in enumerate(lanes):
        assert (lane.length > 0).all()
        np.testing.assert_array_equal(
            by_launch(lane, timing.launch_end), timing.cycles[:, unit], lane.unit
        )


def reading_dram(trace: Trace) -> Trace:
    """The same, but every scalar run loads from DRAM: seven times from three lines of its own."""
    runs = np.flatnonzero(trace.opcode == SCALAR_RUN)
    marks = np.zeros(len(runs), FOOTPRINT)
    lines = GDRAM.base // 64 + 5000 * runs
    for name, values in (("row", runs), ("kind", DATA), ("first", lines), ("last", lines + 2),
                         ("count", 7)):  # fmt: skip
        marks[name] = values
    return replace(trace, footprints=marks)


def test_waiting_for_off_chip_loads_is_where_the_timing_says(small_trace: Trace) -> None:
    test_every_cycle_is_where_the_timing_says(reading_dram(small_trace), {})


def test_the_variants_meet_every_cause(small_trace: Trace) -> None:
    met = np.zeros(len(CAUSES), np.int64)
    for changes in VARIANTS.values():
        met += replay(reading_dram(small_trace), vary(MACHINE, changes)).cycles.sum(axis=(0, 1))
    of_chips = ["sram", "noc", "barrier"]
    assert [cause for cause, n in zip(CAUSES, met, strict=True) if not n] == of_chips


def test_working_intervals_are_the_rows_of_the_trace(small_report: RunReport) -> None:
    timing = small_report.timing
    for lane in lanes_of(small_report.trace, timing)[1:]:
        busy = lane.state == 0
        rows = lane.row[busy]
        np.testing.assert_array_equal(lane.edges[:-1][busy], timing.start[rows])
        np.testing.assert_array_equal(lane.edges[1:][busy], timing.end[rows])


@pytest.mark.parametrize("limit", [1000, 40, 12])
def test_thinning_keeps_the_sums(small_report: RunReport, limit: int) -> None:
    for lane in lanes_of(small_report.trace, small_report.timing):
        thin = thinned(lane, limit, len(CAUSES))
        assert len(thin.length) <= limit
        for state in range(len(CAUSES)):
            before = lane.length[lane.state == state].sum()
            assert thin.length[thin.state == state].sum() == before
        assert thin.merged.sum() == len(lane.length)
        if len(lane.length) <= limit:
            assert thin is lane


def test_columns_share_out_the_cycles(small_report: RunReport) -> None:
    lane = lanes_of(small_report.trace, small_report.timing)[2]
    total = int(lane.edges[-1])
    shares = columns(lane, 0, total, 70, len(CAUSES))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    busy = lane.length[lane.state == 0].sum() / total
    assert shares[:, 0].mean() == pytest.approx(busy)
