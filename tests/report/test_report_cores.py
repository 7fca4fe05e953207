"""The lanes of every core of a chip account for its cycles as the replay does."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM
from zhisuan.report.intervals import core_shown, lanes_of
from zhisuan.runtime.device import Device
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.timing import Timing, replay
from zhisuan.sim.trace import Trace

SOURCE = """
__mlu_entry__ void share(float *data) {
  __mlu_shared__ float all[1024], other[512];
  __nram__ float own[1024];
  for (int round = 0; round < 3; round++) {
    if (__is_mpu()) {
      __memcpy(all, data, 4096, GDRAM2SRAM);
      if (clusterDim > 1) __memcpy(other, all, 2048, SRAM2SRAM, 1 - clusterId % 2);
    }
    __sync_cluster();
    if (__is_ipu()) {
      __memcpy_async(own, all, 4096, SRAM2NRAM);
      __sync_move();
      if (coreId == 1) __bang_active_exp(own, own, 1024);
      __sync_compute();
      __memcpy_async(data + (1 + taskId) * 1024, own, 4096, NRAM2GDRAM);
    }
    __sync_all();
  }
}
__mlu_entry__ void alone(float *data) {
  __nram__ float own[1024];
  __memcpy(own, data, 4096, GDRAM2NRAM);
  __bang_active_exp(own, own, 1024);
}
"""


@pytest.fixture(scope="module")
def run() -> tuple[Trace, Timing]:
    """Three launches on eight cores, one core, and six cores in two rounds."""
    device = Device(load("mlu270"))
    device.reserve(1 << 20)
    program = bcl.compile(SOURCE, "share.bcl").program
    args = {"data": GDRAM.base}
    with device.checking([Allocation("data", GDRAM.base, 1 << 20, filled=True)]):
        device.launch(program, "share", args, "share", (8, 1, 1), "UNION2")
        device.launch(program, "alone", args, "alone")
        device.launch(program, "alone", args, "many", (21, 1, 1))
    trace = device.trace.build()
    return trace, replay(trace, device.machine)


def test_every_cycle_of_every_core(run: tuple[Trace, Timing]) -> None:
    trace, timing = run
    for place in range(len(timing.cores)):
        for unit, lane in enumerate(lanes_of(trace, timing, place)):
            launch = np.searchsorted(timing.launch_end, lane.edges[:-1], "right")
            total = np.zeros((3, len(timing.causes)), np.int64)
            np.add.at(total, (launch, lane.state), lane.length)
            np.testing.assert_array_equal(total, timing.core_cycles[:, place, unit], lane.unit)
            busy = lane.row[lane.state == 0]
            where = {(int(trace.cluster[row]), int(trace.core[row])) for row in busy}
            assert where <= {timing.cores[place]}


def test_the_run_meets_the_causes_of_chips(run: tuple[Trace, Timing]) -> None:
    timing = run[1]
    met = timing.cycles.sum(axis=(0, 1))
    found = {cause for cause, n in zip(timing.causes, met, strict=True) if n}
    assert {"dram", "sram", "barrier", "sync", "idle"} <= found


def test_the_core_shown_is_named(run: tuple[Trace, Timing]) -> None:
    assert core_shown(run[1]) == ("Of 20 cores the timeline shows the busiest: cluster 0, core 1.")
