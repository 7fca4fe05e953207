"""Tasks that wait for memory, orders that a seed decides, and tasks that wait for ever."""

from __future__ import annotations

import numpy as np
import pytest
from chip_programs import GDRAM_BYTES, chip
from sim_programs import program_of
from test_chip_values import EXECUTORS, HEAD, PING, THROUGH_SRAM, error_of, longs

from zhisuan.isa.address import GDRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import TraceBuilder
from zhisuan.sim.turns import TURN
from zhisuan.sim.waiting import may_wait

PLAIN = HEAD.replace("SGET $10, #10", "")
"""A head that knows nothing of memory cores."""

RELAY = """
    SMUL.i64 $2, $1, #8
    SADD.i64 $2, $2, $40
    SLOAD $5, #1
    SGET $7, #4
    SSUB.i64 $7, $7, #1
    SEQ.i64 $6, $1, $7
    CB go, $6
wait:
    SLOAD.i64 $5, $2, #8
    CBZ wait, $5
go:
    SADD.i64 $5, $5, #2
    SSTORE.i64 $5, $2, #0
    HALT
"""
"""The last task begins, each task waits for the one after it."""

FLAG_BY_COPY = """
    SLOAD $3, #8
    SGT.i64 $6, $1, #0
    CB write, $6
wait:
    VLOAD $41, $3, $40
    SYNC #2
    SLOAD.i64 $5, $41, #0
    CBZ wait, $5
    SSTORE.i64 $5, $40, #8
    HALT
write:
    SLOAD $5, #77
    SLOAD $7, #30000
later:
    SSUB.i64 $7, $7, #1
    SGT.i64 $6, $7, #0
    CB later, $6
    SSTORE.i64 $5, $40, #0
    HALT
"""
"""Task 0 polls through NRAM; task 1 takes many turns before it writes."""


def ran(
    text: str,
    cores: int = 4,
    executor: str = "native",
    threads: int | None = None,
    schedule: int | None = None,
    clusters: int = 1,
) -> tuple[Memory, bytes]:
    """Memory and trace of a UNION launch on all cores."""
    memory, builder = Memory(chip(clusters, cores)), TraceBuilder()
    memory.reserve(GDRAM.base + GDRAM_BYTES)
    memory.write(GDRAM.base + 512, np.random.default_rng(2).integers(0, 256, 1024, np.uint8))
    execute(program_of(text), "main", [], memory, builder, label="test", executor=executor,
            dims=(clusters * cores, 1, 1), task_type=f"UNION{clusters}", limit=1_000_000,
            threads=threads, schedule=schedule)  # fmt: skip
    return memory, builder.build().to_bytes()


def waits(text: str) -> bool:
    program = program_of(text)
    return may_wait(program.words.tobytes(), program.kernels["main"].entry)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_task_may_wait_for_what_another_writes(executor: str) -> None:
    memory, _ = ran(PLAIN + RELAY, executor=executor)
    assert longs(memory, 0, 4) == [9, 7, 5, 3]


def test_waiting_costs_the_same_on_any_number_of_threads_and_either_executor() -> None:
    results = set()
    for executor, threads in (("native", 1), ("native", 2), ("native", 8), ("reference", None)):
        memory, trace = ran(PLAIN + FLAG_BY_COPY, 2, executor, threads)
        assert longs(memory, 0, 2) == [77, 77]
        results.add(trace)
    assert len(results) == 1
    assert TURN < 30_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RELAY, True),
        (FLAG_BY_COPY, True),
        ("again:\nSLOAD.i64 $5, $41, #0\nVMS.f16 $41, $5, $41, $5\nSSUB.i64 $7, $7, #1\n"
         "CB again, $7\nHALT", False),  # a value, not a reason to go on
        ("SLOAD.i64 $5, $40, #0\nagain:\nSSUB.i64 $5, $5, #1\nCB again, $5\nHALT", True),
        ("SLOAD $2, #0x8000000\nagain:\nSLOAD.i64 $5, $2, #8\nCB again, $5\nHALT", False),
        ("SLOAD.i64 $5, $40, #0\nCB on, $5\non:\nHALT", False),  # no loop
        ("again:\nSLOAD.i64 $5, $63, #-8\nCB again, $5\nHALT", False),
        ("again:\nSLOAD.i64 $5, $40, #0\nSSTORE.i64 $5, $63, #-8\nSLOAD.i64 $6, $63, #-8\n"
         "CB again, $6\nHALT", True),  # through the stack
        ("again:\nCALL $62, test\nCB again, $5\nHALT\ntest:\nSLOAD.i64 $5, $40, #0\n"
         "JUMPR $62", True),
        ("SLOAD.i64 $5, $40, #0\nSHIGH $5, #0\nagain:\nCB again, $5\nHALT", True),
    ],
)  # fmt: skip
def test_what_counts_as_waiting(text: str, expected: bool) -> None:
    assert waits(text) is expected


@pytest.mark.parametrize("text", [PLAIN + RELAY, HEAD + PING, HEAD + THROUGH_SRAM])
def test_a_program_without_races_computes_the_same_in_every_order(text: str) -> None:
    usual = ran(text, clusters=2)[0].bytes_of(GDRAM).tobytes()
    for seed in range(8):
        assert ran(text, clusters=2, schedule=seed)[0].bytes_of(GDRAM).tobytes() == usual


def test_a_seed_gives_the_same_trace_again_and_barriers_their_numbers() -> None:
    usual = ran(HEAD + THROUGH_SRAM, clusters=2)[1]
    assert {ran(HEAD + THROUGH_SRAM, clusters=2, schedule=seed)[1] for seed in range(8)} == {usual}
    first, second, other = (ran(PLAIN + RELAY, schedule=seed)[1] for seed in (5, 5, 6))
    assert first == second != other  # how often each looked


LAST_COMES = "SLOAD $2, #7\nSSTORE.i64 $1, $40, #0\nHALT"


def test_some_seed_shows_a_race() -> None:
    found = {longs(ran(PLAIN + LAST_COMES, schedule=seed)[0], 0, 1)[0] for seed in range(20)}
    assert len(found) > 1


def test_a_loop_that_nobody_ends_is_told_with_who_waits_for_whom() -> None:
    text = """
        SLOAD $30, #7
        CB end, $15
        SEQ.i64 $6, $1, #1
        CB wait, $6
        BARRIER $30, $13, $11
        HALT
    wait:
        SLOAD.i64 $5, $40, #64
        CBZ wait, $5
        BARRIER $30, $13, $11
    end:
        HALT
    """
    said = error_of(text, chip(1, 2), (2, 1, 1), "UNION1")
    assert said == (
        "error: synccheck: tasks wait for ever\n"
        "  where:    kernel 'main', test.dlps:26, pc 22, task 1 on cluster 0 core 1: "
        "CBZ #-2, $5 // to 21\n"
        "  expected: every barrier reached by as many cores as it waits for, and every value that "
        "a loop waits for written\n"
        "  found:    barrier 7: 1 of 2 came\n"
        "              task 0 on cluster 0 core 0 waits, test.dlps:22, pc 19\n"
        "              for task 1 on cluster 0 core 1, which reads memory in a loop, "
        "test.dlps:26, pc 22\n"
        "              for task 0 on cluster 0 memory core, which ended\n"
        "            task 1 on cluster 0 core 1 reads memory in a loop, test.dlps:26, pc 22; "
        "nobody writes any more\n"
        "  try:      is the value written at all, to this address, by a task that runs at the same "
        "time?"
    )


def test_a_circle_of_barriers_is_told() -> None:
    text = """
        SADD.i64 $30, $1, #3
        CB end, $15
        BARRIER $30, $13, $11
        SLOAD $30, #9
        BARRIER $30, $13, $11
    end:
        HALT
    """
    said = error_of(text, chip(1, 2), (2, 1, 1), "UNION1")
    assert (
        "barrier 3: 1 of 2 came\n"
        "              task 0 on cluster 0 core 0 waits, test.dlps:20, pc 17\n"
        "              for task 1 on cluster 0 core 1, which waits at barrier 4, test.dlps:20, "
        "pc 17\n"
        "              for task 0 on cluster 0 memory core, which ended\n"
        "            barrier 4: 1 of 2 came\n"
    ) in said
