"""Replay: cycles worked out by hand, and the account of every cycle of every unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sim_fuzzer import LIMIT, case_with, filled_memory, small_machine
from sim_programs import ROUND, memory_for, program_of, run_text, with_queues

from zhisuan.arch.machine import Launch, Machine, Queues
from zhisuan.isa.table import ROWS
from zhisuan.sim import native_core
from zhisuan.sim.execute import execute
from zhisuan.sim.fault import Fault
from zhisuan.sim.schedule import Schedule
from zhisuan.sim.timing import CAUSES, UNITS, Timing, replay
from zhisuan.sim.trace import Trace, TraceBuilder

SETUP = """
        SLOAD $1, #0x1000000
        SLOAD $2, #0x1002000
        SLOAD $3, #0x1004000
        SLOAD $10, #64
        SLOAD $11, #320
"""
"""Five cycles: three places in NRAM; 64 and 320 halves, 2 and 10 cycles of the vector unit."""
AFTER_SETUP = 100 + 5


def timed(text: str, machine: Machine = ROUND) -> Timing:
    _, trace = run_text(SETUP + text, machine)
    timing = replay(trace, machine)
    assert_accounted(timing)
    assert_same_schedule(timing, replay(trace, machine, executor="reference"))
    return timing


def assert_accounted(timing: Timing) -> None:
    assert (timing.core_cycles >= 0).all()
    assert (timing.core_cycles.sum(axis=3) == timing.launch_cycles()[:, None, None]).all()
    assert timing.total == timing.launch_cycles().sum()


def assert_same_schedule(a: Timing, b: Timing) -> None:
    for name in Schedule.__dataclass_fields__:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def spent(timing: Timing, unit: str) -> dict[str, int]:
    """The causes of a unit's cycles in the only launch, without zeros."""
    cycles = timing.cycles[0, UNITS.index(unit)].tolist()
    return {cause: count for cause, count in zip(CAUSES, cycles, strict=True) if count}


def times(timing: Timing) -> list[tuple[int, int, int]]:
    """(start, end, done) of the queued instructions, from the end of the set-up."""
    rows = np.nonzero(timing.queued >= 0)[0]
    columns = (timing.start, timing.end, timing.done)
    return [tuple(int(column[row]) - AFTER_SETUP for column in columns) for row in rows]  # type: ignore[misc]


def test_one_vector_instruction() -> None:
    timing = timed("VABS.f16 $1, $11, $1\nHALT")
    # decoded in one cycle, 10 cycles on the unit, 5 more until the result is there
    assert times(timing) == [(1, 11, 16)]
    assert timing.total == AFTER_SETUP + 16
    assert spent(timing, "vfu") == {"launch": 100, "decode": 6, "busy": 10, "drain": 5}
    assert spent(timing, "scalar") == {"launch": 100, "busy": 7, "drain": 14}
    assert spent(timing, "mfu") == {"launch": 100, "idle": 21}
    assert timing.instructions.tolist() == [[6, 1, 0, 0, 0]]


def test_independent_vector_instructions_follow_without_a_gap() -> None:
    timing = timed("VABS.f16 $1, $11, $1\nVABS.f16 $2, $11, $2\nHALT")
    assert times(timing) == [(1, 11, 16), (11, 21, 26)]


def test_dependent_instruction_waits_for_the_result() -> None:
    timing = timed("VABS.f16 $1, $11, $1\nVABS.f16 $2, $11, $1\nHALT")
    assert times(timing) == [(1, 11, 16), (16, 26, 31)]
    assert spent(timing, "vfu")["operands"] == 5


def test_all_three_conflicts_and_no_other() -> None:
    after_write = timed("VABS.f16 $2, $11, $1\nVABS.f16 $3, $11, $2\nHALT")
    after_read = timed("VABS.f16 $2, $11, $1\nVABS.f16 $1, $11, $3\nHALT")
    both_write = timed("VABS.f16 $2, $11, $1\nVABS.f16 $2, $11, $3\nHALT")
    both_read = timed("VABS.f16 $2, $11, $1\nVABS.f16 $3, $11, $1\nHALT")
    assert [times(t)[1][0] for t in (after_write, after_read, both_write, both_read)] == [
        16, 16, 16, 11,
    ]  # fmt: skip


def test_ranges_that_only_touch_do_not_conflict() -> None:
    end = "SADD.i64 $4, $1, #640\n"  # just after the 320 halves at $1
    timing = timed(end + "VABS.f16 $1, $11, $1\nVABS.f16 $4, $11, $4\nHALT")
    assert times(timing) == [(2, 12, 17), (12, 22, 27)]
    timing = timed(end + "SSUB.i64 $4, $4, #2\nVABS.f16 $1, $11, $1\nVABS.f16 $4, $11, $4\nHALT")
    assert times(timing) == [(3, 13, 18), (18, 28, 33)]


CONV = """
        SLOAD $20, #0x2000000
        SLOAD $21, #0x10004
        SHIGH $21, #0x10001
        SLOAD $22, #32
        SHIGH $22, #64
        SLOAD $23, #0x10001
        SHIGH $23, #0x10001
        SLOAD $24, #64
"""
"""Eight cycles; then CONV $dst, $src, $20 to $24: 4 pixels of 32 taps to 64 channels, 8 cycles."""


def test_vector_and_matrix_units_overlap() -> None:
    conv = "CONV.f16.f16 $2, $1, $20, $21, $22, $23, $24\n"
    timing = timed(CONV + conv + "VABS.f16 $3, $11, $3\nHALT")
    assert times(timing) == [(9, 17, 24), (10, 20, 25)]
    assert timing.mac_slots.tolist() == [8 * 64 * 16]


def test_window_limits_the_unfinished() -> None:
    body = "VABS.f16 $1, $10, $1\nVABS.f16 $2, $10, $2\nVABS.f16 $3, $10, $3\nHALT"
    assert times(timed(body)) == [(1, 3, 8), (3, 5, 10), (5, 7, 12)]
    timing = timed(body, with_queues(window=2))
    assert times(timing) == [(1, 3, 8), (3, 5, 10), (8, 10, 15)]
    assert spent(timing, "vfu")["window"] == 3


def test_in_order_behind_another_unit() -> None:
    conv = "CONV.f16.f16 $2, $1, $20, $21, $22, $23, $24\n"
    body = CONV + conv + conv.replace("$2, $1", "$1, $2") + "VABS.f16 $3, $11, $3\nHALT"
    timing = timed(body)
    # the second CONV needs the first one's result (done at 24); the vector one is behind it
    assert times(timing) == [(9, 17, 24), (24, 32, 39), (24, 34, 39)]
    assert spent(timing, "vfu")["in order"] == 24 - 11
    assert spent(timing, "mfu")["operands"] == 7


LOAD = """
        SLOAD $30, #0
        SHIGH $30, #0x100
        SLOAD $31, #640
"""
"""Three cycles; GDRAM in $30, 640 bytes in $31: ten cycles of the IO-DMA."""


def test_queues_are_ordered_by_sync_only() -> None:
    unordered = timed(LOAD + "VLOAD $1, $31, $30\nVABS.f16 $1, $11, $1\nHALT")
    assert times(unordered) == [(4, 14, 34), (5, 15, 20)]
    ordered = timed(LOAD + "VLOAD $1, $31, $30\nSYNC #2\nVABS.f16 $1, $11, $1\nHALT")
    # done at 34, the decoder goes on then
    assert times(ordered) == [(4, 14, 34), (35, 45, 50)]
    assert spent(ordered, "scalar")["sync"] == 34 - 5
    assert spent(ordered, "vfu") == {
        "launch": 100, "decode": 5 + 3 + 1 + 1 + 1, "sync": 29, "busy": 10, "drain": 5,
    }  # fmt: skip
    assert unordered.dram_read.tolist() == [640]


def test_sync_of_an_idle_queue_costs_its_decoding_only() -> None:
    timing = timed(LOAD + "VLOAD $1, $31, $30\nSYNC #5\nVABS.f16 $1, $11, $1\nHALT")
    assert times(timing)[1][0] == 6


def test_transfers_overlap_latency_but_not_the_engine() -> None:
    timing = timed(LOAD + "VLOAD $1, $31, $30\nVLOAD $2, $31, $30\nVSTORE $30, $31, $3\nHALT")
    assert times(timing) == [(4, 14, 34), (14, 24, 44), (24, 34, 44)]
    assert (timing.dram_read.tolist(), timing.dram_written.tolist()) == ([1280], [640])


def test_io_and_move_are_two_engines() -> None:
    timing = timed(LOAD + "VLOAD $1, $31, $30\nVMOVE $3, $31, $2\nHALT")
    assert times(timing) == [(4, 14, 34), (5, 15, 18)]


def test_small_pieces_of_dram_count_as_whole_accesses() -> None:
    timing = timed(LOAD + "SLOAD $31, #65\nVLOAD $1, $31, $30\nHALT")
    assert times(timing) == [(5, 7, 27)]
    assert timing.dram_read.tolist() == [128]


def test_full_queue_stalls_the_decoder() -> None:
    body = "VABS.f16 $1, $11, $1\n" * 4 + LOAD + "VLOAD $2, $31, $30\nHALT"
    free = timed(body)
    assert times(free) == [(1, 11, 16), (16, 26, 31), (31, 41, 46), (46, 56, 61), (8, 18, 38)]
    timing = timed(body, with_queues(compute=2))
    # the third waits for the first to leave its queue, the fourth for the second
    assert times(timing) == [(1, 11, 16), (16, 26, 31), (31, 41, 46), (46, 56, 61), (20, 30, 50)]
    assert spent(timing, "scalar")["queue full"] == 16 - 4
    assert spent(timing, "io")["queue full"] == 12


def test_launches_follow_one_another() -> None:
    machine, builder = ROUND, TraceBuilder()
    program = program_of(SETUP + "VABS.f16 $1, $11, $1\nHALT")
    memory = memory_for(machine)
    for label in ("one", "two"):
        execute(program, "main", [], memory, builder, label=label)
    timing = replay(builder.build(), machine)
    assert_accounted(timing)
    assert timing.launch_start.tolist() == [0, 121]
    assert timing.launch_end.tolist() == [121, 242]
    assert np.array_equal(timing.cycles[0], timing.cycles[1])


def fuzzed_trace(seed: int, machine: Machine) -> Trace:
    """Launches of random programs over all rows that end without a fault."""
    builder = TraceBuilder()
    for number, row in enumerate(ROWS):
        case = case_with(row, row.modes[seed % len(row.modes)], seed * 4099 + number, length=20)
        try:
            memory = filled_memory(case.seed)
            rows = native_core.run(case.program, 0, list(case.registers), memory, LIMIT)
        except Fault:
            continue
        builder.add(row.name, "fuzz", "k", rows)
    return builder.build()


def test_native_and_reference_walks_agree_on_random_traces() -> None:
    machines = [
        small_machine(queues=Queues(compute=c, io=i, move=m, window=w), launch=Launch(o))
        for c, i, m, w, o in ((1, 1, 1, 1, 0), (2, 1, 3, 2, 7), (24, 32, 32, 8, 500))
    ]
    for seed in range(3):
        trace = fuzzed_trace(seed, machines[0])
        assert len(trace.launches) > 20
        for machine in machines:
            timing = replay(trace, machine)
            assert_accounted(timing)
            assert_same_schedule(timing, replay(trace, machine, executor="reference"))
            assert timing.total > 0


def test_replay_of_nothing() -> None:
    timing = replay(TraceBuilder().build(), ROUND)
    assert timing.total == 0
    assert timing.cycles.shape == (0, len(UNITS), len(CAUSES))


def test_same_trace_on_another_machine() -> None:
    _, trace = run_text(SETUP + LOAD + "VLOAD $1, $31, $30\nSYNC #2\nVABS.f16 $1, $11, $1\nHALT")
    slow = replace(ROUND, dram=replace(ROUND.dram, bytes_per_second=6_400_000_000))
    # 640 bytes take 100 cycles instead of 10
    assert replay(trace, slow).total == replay(trace, ROUND).total + 90
