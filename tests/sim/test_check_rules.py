"""The rules of the checks one by one: buffers' lives, order through barriers, limits, counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chip_programs import chip
from sim_programs import ROUND, memory_for, program_of

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.isa.program import Program
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.run import CHECKS, Report, check, parse
from zhisuan.sim.checks.stages import Stage, stages
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import Trace, TraceBuilder

COPY = """
.program "copy"
.kernel "copy"(ptr to, ptr from, i64 size)
    SLOAD $1, #0x8000000
    SLOAD.i64 $2, $1, #0
    SLOAD.i64 $3, $1, #8
    SLOAD.i64 $4, $1, #16
    SLOAD $5, #0x1000000
    VLOAD $5, $4, $3
    VSTORE $2, $4, $5
    HALT
"""
"""Copies through NRAM; one queue, so no SYNC is needed."""
INPUT = Allocation("input", GDRAM.base, 256, filled=True)


def copied(
    launches: list[tuple[int, int, int]],
    allocations: list[Allocation] | None,
    names: tuple[str, ...] = CHECKS,
) -> Report:
    """The report on launches that copy (to, from, size), offsets in GDRAM."""
    program, builder, memory = program_of(COPY), TraceBuilder(), memory_for(ROUND)
    journals = []
    for to, source, size in launches:
        journals.append(Journal())
        args = [GDRAM.base + to, GDRAM.base + source, size]
        execute(program, "copy", args, memory, builder, label="copy", journal=journals[-1])
    return check(builder.build(), {"copy": program}, journals, allocations, names)


def said(report: Report) -> list[tuple[str, str]]:
    return [(finding.check, finding.what) for finding in report.findings]


def test_right_copies_pass() -> None:
    middle = Allocation("middle", GDRAM.base + 256, 256, 0, 1)
    output = Allocation("output", GDRAM.base + 512, 256, 1, 1)
    report = copied([(256, 0, 256), (512, 256, 256)], [INPUT, middle, output])
    report.raise_if_any()
    assert report.launches == 2


def test_a_buffer_starts_unwritten_where_another_lay() -> None:
    first = Allocation("first", GDRAM.base + 256, 256, 0, 0)
    second = Allocation("second", GDRAM.base + 256, 256, 1, 1)
    output = Allocation("output", GDRAM.base + 512, 256)
    report = copied([(256, 0, 256), (512, 256, 256)], [INPUT, first, second, output])
    assert said(report) == [("initcheck", "read of bytes that nobody has written")]
    assert report.findings[0].party.instruction == "VLOAD $5, $4, $3"


def test_a_buffer_is_gone_after_its_last_launch() -> None:
    first = Allocation("first", GDRAM.base + 256, 256, 0, 0)
    output = Allocation("output", GDRAM.base + 512, 256)
    report = copied([(256, 0, 256), (512, 256, 256)], [INPUT, first, output])
    assert said(report) == [("memcheck", "read outside every buffer")]


def test_an_access_over_two_buffers_is_outside() -> None:
    neighbour = Allocation("neighbour", GDRAM.base + 256, 256, filled=True)
    output = Allocation("output", GDRAM.base + 512, 256)
    report = copied([(512, 128, 256)], [INPUT, neighbour, output])
    assert said(report) == [("memcheck", "read past the end of 'input'")]
    assert report.findings[0].hint == "128 bytes fewer: is the last tile a short one?"


def test_without_allocations_dram_is_nobodys_business() -> None:
    assert copied([(256, 0, 256)], None).findings == ()


def test_the_same_pair_is_said_once_and_counted() -> None:
    loop = """
    SLOAD $1, #0x1000000
    SLOAD $2, #64
    SLOAD $3, #5
    VSET.f16 $1, $2, $4
    VMOVE $1, $2, $1
    SSUB.i64 $3, $3, #1
    SGT.i64 $6, $3, #0
    CB #-5, $6
    """
    text = loop + "\n".join(["VSET.f16 $1, $2, $4", "VMOVE $1, $2, $1"] * 30) + "\nHALT"
    program, builder = program_of(text), TraceBuilder()
    execute(program, "main", [], memory_for(ROUND), builder, label="loop")
    report = check(builder.build(), {"test": program}, most=7)
    assert len(report.findings) == 7
    assert [finding.times for finding in report.findings[:2]] == [5, 4]  # there, and back
    assert "\n  launch:   loop, 5 times\n" in str(report.findings[0])
    assert report.left_out > 50
    with pytest.raises(ZhisuanError) as caught:
        report.raise_if_any()
    total = 7 + report.left_out
    assert str(caught.value).startswith(f"error: racecheck: {total} findings in 1 launch\n\n")
    assert str(caught.value).endswith(f"\n\nand {report.left_out} more")
    assert check(builder.build(), {}, most=1).findings[0].party.place == "word 4"


MEET = """
    SGET $1, #0
    SGET $9, #13
    SLOAD $2, #2
    SLOAD $3, #1
    SLOAD $4, #7
    SEQ.i64 $5, $1, #2
    SEQ.i64 $6, $1, #0
    CB #1, $5
    BARRIER $3, $9, $2
    CB #1, $6
    BARRIER $4, $9, $2
    HALT
"""
"""Tasks 0 and 1 meet, then 1 and 2."""


def stage_table(trace: Trace) -> dict[tuple[int, int], Stage]:
    """Stages by (task, how many the task had before)."""
    found: dict[tuple[int, int], Stage] = {}
    for stage in stages(trace, 0, None):
        number = sum(1 for task, _ in found if task == stage.index)
        found[stage.index, number] = stage
    return found


def test_barriers_order_stages_through_others() -> None:
    builder = TraceBuilder()
    memory = Memory(chip(1, 3))
    execute(program_of(MEET), "main", [], memory, builder, label="", dims=(3, 1, 1),
            task_type="UNION1")  # fmt: skip
    table = stage_table(builder.build())
    unordered = {
        (a, b)
        for a, one in table.items()
        for b, two in table.items()
        if a < b and one.unordered(two)
    }
    # 0.0 | 0.1 after meeting 1;  1.0 | 1.1 | 1.2 between;  2.0 | 2.1 after meeting 1 and 2
    assert ((0, 0), (2, 1)) not in unordered  # through task 1
    assert ((0, 0), (1, 1)) not in unordered
    assert unordered == {
        ((0, 0), (1, 0)), ((0, 0), (2, 0)), ((1, 0), (2, 0)), ((1, 1), (2, 0)),
        ((0, 1), (1, 1)), ((0, 1), (1, 2)), ((0, 1), (2, 0)), ((0, 1), (2, 1)), ((1, 2), (2, 1)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", CHECKS),
        ("racecheck,memcheck", ("memcheck", "racecheck")),
        ("initcheck, synccheck", ("initcheck", "synccheck")),
    ],
)
def test_names_of_checks(text: str, names: tuple[str, ...]) -> None:
    assert parse(text) == names


def test_a_trace_read_from_a_file_is_judged_alike(tmp_path: Path) -> None:
    program = program_of("SLOAD $1, #0x1000000\nSLOAD $2, #64\nVSET.f16 $1, $2, $4\n"
                         "VMOVE $1, $2, $1\nHALT")  # fmt: skip
    builder = TraceBuilder()
    execute(program, "main", [], memory_for(ROUND), builder, label="race")
    builder.build().save(tmp_path / "x.trace")
    again = Program.from_bytes(program.to_bytes())
    first = check(builder.build(), {"test": program})
    second = check(Trace.load(tmp_path / "x.trace"), {"test": again})
    assert [str(one) for one in first.findings] == [str(one) for one in second.findings]
    assert len(first.findings) == 1
    assert np.array_equal(program.words, again.words)
