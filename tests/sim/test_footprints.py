"""Footprints of scalar runs: what both executors leave beside the rows of a trace."""

from __future__ import annotations

import numpy as np
import pytest
from sim_programs import ROUND, memory_for, program_of

from zhisuan.isa.address import CONST, GDRAM, NRAM
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.execute import execute
from zhisuan.sim.footprint import CODE, DATA, STREAMS
from zhisuan.sim.trace import Trace, TraceBuilder

Entry = tuple[int, ...]


def footprints(text: str, observed: bool = False) -> list[Entry]:
    """Of a program on both executors, which must agree; `observed`: with a journal."""
    traces = [_trace(text, executor, observed) for executor in ("native", "reference")]
    assert traces[0].to_bytes() == traces[1].to_bytes()
    return [tuple(entry.tolist()) for entry in traces[0].footprints]


def _trace(text: str, executor: str, observed: bool) -> Trace:
    memory, builder = memory_for(ROUND), TraceBuilder()
    journal = Journal() if observed else None
    execute(program_of(text), "main", (), memory, builder, label="t", executor=executor,
            limit=1_000_000, journal=journal)  # fmt: skip
    return builder.build()


def test_straight_code_leaves_none() -> None:
    assert footprints("SLOAD $1, #5\nSYNC #7\nSADD.i64 $1, $1, #1\nCBZ end, $1\nend:\nHALT") == []


LOOP = """
    SLOAD $1, #{n}
again:
    SSUB.i64 $1, $1, #1
    SGT.i64 $2, $1, #0
    CB again, $2
    SYNC #7
    HALT
"""


def test_a_loop_leaves_its_branch_once() -> None:
    # in the first run: from its start to the branch, taken four times; then from the loop's head
    assert footprints(LOOP.format(n=5)) == [(0, CODE, 0, 3, 4, 0), (0, CODE, 1, 3, 1, 0)]
    assert footprints(LOOP.format(n=1)) == []


def test_a_run_that_ends_with_a_branch() -> None:
    """Nothing lies between the branch and the queued instruction that follows."""
    found = footprints("SLOAD $1, #1\nJUMP over\nSLOAD $1, #2\nover:\nSYNC #7\nHALT")
    assert found == [(0, CODE, 0, 1, 1, 0)]


def access(address: int, kind: str = "SLOAD.i32 $2, $1, #0") -> str:
    text = f"SLOAD $1, #{address & 0xFFFFFFFF}\nSHIGH $1, #{address >> 32}\n"
    return text + kind + "\n"


LINE = GDRAM.base // 64
STORE = "SSTORE.i32 $2, $1, #0"


@pytest.mark.parametrize("observed", [False, True])
def test_accesses_are_gathered_in_ranges(observed: bool) -> None:
    text = "".join(access(GDRAM.base + at) for at in (0, 60, 64, 128, 0))
    text += access(GDRAM.base + 4096, STORE) + access(GDRAM.base + 4096 - 4, STORE)
    text += "SYNC #7\n" + access(GDRAM.base) + "HALT"
    assert footprints(text, observed) == [
        (0, DATA, LINE, LINE + 2, 5, 0),
        (0, DATA, LINE + 63, LINE + 64, 0, 2),
        (2, DATA, LINE, LINE, 1, 0),
    ]


def test_on_chip_memory_and_arguments_leave_none() -> None:
    assert footprints(access(NRAM.base) + access(0x0800_0000) + "HALT") == []


@pytest.mark.parametrize("observed", [False, True])
def test_the_oldest_range_goes_first(observed: bool) -> None:
    text = "".join(access(GDRAM.base + 1024 * i) for i in range(STREAMS + 2)) + "HALT"
    lines = [LINE + 16 * i for i in range(STREAMS + 2)]
    order = [*lines[:2], *lines[STREAMS:], *lines[2:STREAMS]]
    assert footprints(text, observed) == [(0, DATA, line, line, 1, 0) for line in order]


def test_constants_are_off_chip() -> None:
    text = access(CONST.base + 64) + "HALT\n.const zero 128"
    assert footprints(text) == [(0, DATA, CONST.base // 64 + 1, CONST.base // 64 + 1, 1, 0)]


def test_more_footprints_than_fit_at_once() -> None:
    """Accesses far apart, many times what the interpreter keeps between returns to Python."""
    text = """
    SLOAD $1, #0
    SLOAD $4, #20000
again:
    SMUL.i64 $2, $1, #4224
    SAND.i64 $2, $2, #65472
    SLOAD $3, #0
    SHIGH $3, #256
    SADD.i64 $3, $3, $2
    SLOAD.i32 $5, $3, #0
    SADD.i64 $1, $1, #1
    SLT.i64 $6, $1, $4
    CB again, $6
    HALT
"""
    found = footprints(text)
    data = np.array([entry[4] + entry[5] for entry in found if entry[1] == DATA])
    assert data.sum() == 20_000 and len(data) > 10_000
    assert [entry for entry in found if entry[1] == CODE] == [
        (0, CODE, 0, 10, 19_999, 0), (0, CODE, 2, 11, 1, 0),
    ]  # fmt: skip
