"""Time on many cores: what they share, barriers, scaling; both walks, every cycle accounted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import SAME_BYTES, chip, launch, spent, timed
from sim_programs import run_text
from test_chip_values import HEAD, PING, THROUGH_SRAM

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.sim.network import Network
from zhisuan.sim.timing import UNITS, Timing, replay

LOOP = """
    SLOAD $30, #64
    SGET $31, #4
again:
    SLT.i64 $6, $1, $30
    CBZ end, $6
    {work}
    SADD.i64 $1, $1, $31
    JUMP again
end:
    HALT
"""
"""64 pieces of work, shared out over the tasks."""
STREAM = "SLOAD $2, #6400\n VLOAD $41, $2, $40\n SYNC #2\n VSTORE $40, $2, $41\n SYNC #2"
COMPUTE = "SLOAD $2, #4096\n VABS.f16 $41, $2, $41\n SYNC #1"
ALONE = HEAD.replace("SGET $10, #10", "")


def total(work: str, machine: Machine, tasks: int) -> Timing:
    _, trace = launch(ALONE + LOOP.format(work=work), machine, (tasks, 1, 1), checks=SAME_BYTES)
    return timed(trace, machine)


def test_compute_bound_work_scales_with_the_cores() -> None:
    machine = replace(chip(4, 4), launch=replace(chip(4, 4).launch, overhead=0))
    times = {n: total(COMPUTE, machine, n).total for n in (1, 2, 4, 16)}
    for n in (2, 4, 16):
        assert times[1] / n == pytest.approx(times[n], rel=0.06)


def test_bandwidth_saturates() -> None:
    machine = chip(4, 4)
    timings = {n: total(STREAM, machine, n) for n in (1, 2, 4, 16)}
    bytes_moved = 64 * 2 * 6400
    rates = [bytes_moved / (timings[n].total - 100) for n in timings]
    assert rates == sorted(rates)
    assert rates[0] < 60  # latency is exposed
    assert rates[-1] == pytest.approx(64, rel=0.02)  # 64 bytes a cycle is all that DRAM has
    assert spent(timings[1], "dram") == 0 < spent(timings[2], "dram") < spent(timings[16], "dram")
    assert {int(t.dram_read[0] + t.dram_written[0]) for t in timings.values()} == {bytes_moved}


def test_one_core_of_a_chip_is_a_core_alone() -> None:
    machine = chip(2, 2)
    _, trace = run_text(ALONE + LOOP.format(work=STREAM), machine)
    timing, alone = timed(trace, machine), timed(trace, chip(1, 1, sram=0))
    assert timing.total == alone.total
    assert np.array_equal(timing.core_cycles[:, 0], alone.core_cycles[:, 0])
    assert timing.core_cycles[0, 1:, :, timing.causes.index("idle")].tolist() == [
        [timing.total] * len(UNITS)
    ] * (len(timing.cores) - 1)


def test_tasks_follow_each_other_on_a_core() -> None:
    """The second task waits for the first one's transfer, though nothing else orders them."""
    text = ALONE + "SLOAD $2, #640\nVLOAD $41, $2, $40\nHALT"
    machine = chip(1, 1)
    one = timed(launch(text, machine, (1, 1, 1))[1], machine)
    three = timed(launch(text, machine, (3, 1, 1))[1], machine)
    assert three.total - 100 == 3 * (one.total - 100)


def test_two_transfers_at_once_take_turns() -> None:
    """640 bytes each, ten cycles of DRAM; both are decoded at once."""
    text = ALONE + "SLOAD $2, #640\nVLOAD $41, $2, $40\nHALT"
    machine = chip(1, 2)
    _, trace = launch(text, machine, (2, 1, 1))
    timing = timed(trace, machine)
    loads = timing.start[timing.queued >= 0]
    assert np.diff(loads).tolist() == [10]
    io = timing.core_cycles[0, :, UNITS.index("io"), timing.causes.index("dram")]
    assert io.tolist() == [0, 10, 0]


def test_barrier_waits_for_the_slowest() -> None:
    """Core 0 computes for 64 cycles before the barrier, the others do nothing."""
    text = (
        ALONE
        + """
        SLOAD $30, #0
        SLOAD $2, #2048
        SEQ.i64 $3, $1, #0
        CBZ meet, $3
        VABS.f16 $41, $2, $41
    meet:
        BARRIER $30, $13, $11
        HALT
    """
    )
    machine = chip(1, 4)
    _, trace = launch(text, machine, (4, 1, 1), "UNION1")
    timing = timed(trace, machine)
    ends = timing.end[trace.opcode == 0x3A]
    assert len(set(ends.tolist())) == 1
    waits = timing.core_cycles[0, :4, 0, timing.causes.index("barrier")]
    assert waits[0] == 64 + 5 - 1  # its own instruction, the decoding of the barrier apart
    assert waits[1:].tolist() == [int(waits[0]) + 1] * 3


def test_shared_memory_is_as_wide_as_its_ports_together() -> None:
    """Four cores read 640 bytes: ten cycles on their ports, SRAM takes a quarter of that each."""
    text = ALONE + "SLOAD $2, #640\n VREAD $41, $2, $42\nHALT"
    machine = chip(1, 4)
    _, trace = launch(text, machine, (4, 1, 1), "UNION1")
    timing = timed(trace, machine)
    reads = timing.start[timing.queued >= 0]
    assert np.diff(reads).tolist() == [3, 3, 3]
    assert spent(timing, "sram") == 3 + 6 + 9
    cast = HEAD + "SLOAD $2, #640\nCBZ end, $15\nVCAST $41, $2, $42\nVCAST $41, $2, $42\nend:\nHALT"
    _, trace = launch(cast, machine, (4, 1, 1), "UNION1")
    starts = timed(trace, machine)
    assert np.diff(starts.start[starts.queued >= 0]).tolist() == [10]


@pytest.mark.parametrize(("topology", "longest"), [("ring", 4), ("mesh", 4), ("torus", 3)])
def test_hops_of_every_topology(topology: str, longest: int) -> None:
    """CDMA of 640 bytes from cluster 0 to 4: 20 cycles; done 4 cycles later and 5 a hop."""
    machine = chip(8, 1, topology)
    network = Network(machine)
    routes = {(a, b): network.route(a, b) for a in range(8) for b in range(8)}
    assert max(map(len, routes.values())) == longest
    text = (
        HEAD
        + """
        SLOAD $2, #640
        SLOAD $3, #4
        CBZ end, $15
        SGT.i64 $4, $8, #0
        CB end, $4
        CDMA $42, $2, $42, $3
    end:
        HALT
    """
    )
    _, trace = launch(text, machine, (8, 1, 1), "UNION8")
    timing = timed(trace, machine)
    row = np.flatnonzero(timing.queued >= 0)
    assert (timing.end - timing.start)[row].tolist() == [20]
    assert (timing.done - timing.end)[row].tolist() == [4 + 5 * len(routes[0, 4])]


def test_routes_lead_where_they_should() -> None:
    for clusters in (1, 2, 3, 4, 6, 8, 12):
        for topology in ("ring", "mesh", "torus"):
            network = Network(chip(clusters, 1, topology))
            for a in range(clusters):
                links = {link for b in range(clusters) for link in network.route(a, b)}
                assert len(network.route(a, a)) == 0
                assert all(0 <= link < network.links for link in links)
                firsts = {network.route(a, b)[0] // 4 for b in range(clusters) if b != a}
                assert firsts <= {a}


def test_messages_over_one_link_take_turns() -> None:
    """Clusters 0 and 1 both send 640 bytes to cluster 2 of a ring of eight, over the same link."""
    machine = chip(8, 2)
    text = (
        HEAD
        + """
        SLOAD $2, #640
        SLOAD $3, #2
        CBZ end, $15
        SGT.i64 $4, $8, #1
        CB end, $4
        CDMA $42, $2, $42, $3
    end:
        HALT
    """
    )
    _, trace = launch(text, machine, (16, 1, 1), "UNION8", checks=SAME_BYTES)
    timing = timed(trace, machine)
    starts = timing.start[timing.queued >= 0]
    assert np.diff(starts).tolist() == [20]
    assert spent(timing, "noc") == 20


@pytest.mark.parametrize(
    ("body", "cores", "task_type"), [(THROUGH_SRAM, 4, "UNION2"), (PING, 1, "UNION2")]
)
def test_both_walks_agree_on_whole_programs(body: str, cores: int, task_type: str) -> None:
    machine = chip(2, cores)
    _, trace = launch(HEAD + body, machine, (2 * cores, 3, 1), task_type, checks=SAME_BYTES)
    for queues in ((1, 1, 1, 1), (2, 1, 2, 2), (24, 32, 32, 8)):
        depths = dict(zip(("compute", "io", "move", "window"), queues, strict=True))
        varied = replace(machine, queues=replace(machine.queues, **depths))
        assert timed(trace, varied).total > 0


def test_a_trace_of_a_larger_chip_is_refused() -> None:
    _, trace = launch(HEAD + PING, chip(2, 1), (2, 1, 1), "UNION2")
    with pytest.raises(ZhisuanError, match="larger chip") as caught:
        replay(trace, chip(1, 1))
    assert "1 clusters of 1" in str(caught.value)


def test_faster_shared_parts_never_change_the_trace() -> None:
    slow, fast = chip(2, 4), chip(2, 4)
    fast = replace(fast, sram=replace(fast.sram, bytes_per_cycle=256, latency=1))
    data = np.arange(512).astype(np.uint8)
    traces = [launch(HEAD + THROUGH_SRAM, m, (8, 1, 1), "UNION2", filled=data)[1]
              for m in (slow, fast)]  # fmt: skip
    assert traces[0].to_bytes() == traces[1].to_bytes()
    assert timed(traces[0], fast).total < timed(traces[0], slow).total
