"""What checks find before a launch stops is said together with why it stopped."""

from __future__ import annotations

import pytest
from chip_programs import chip
from sim_programs import program_of

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.runtime.device import Device
from zhisuan.sim import execute as execution
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.run import CHECKS

HEAD = f"""
    SLOAD $40, #{GDRAM.base & 0xFFFFFFFF}
    SHIGH $40, #{GDRAM.base >> 32}
    SLOAD $41, #{NRAM.base}
    SLOAD $2, #64
    SGET $1, #0
    SGET $13, #13
    SGET $11, #11
    SLOAD $30, #1
"""
RACE = "VLOAD $41, $2, $40\nVMOVE $41, $2, $41\n"
STORED = "SSTORE.i64 $1, $40, #4096\n"
"""Outside the buffer."""


def said(
    text: str, tasks: int = 1, executor: str = "native", threads: int = 2,
    checks: tuple[str, ...] = CHECKS,
) -> str:  # fmt: skip
    """The error of a launch on one cluster of four cores."""
    device = Device(chip(1, 4), executor, checks)
    device.reserve(1 << 16)
    task_type = "UNION1" if tasks == 4 else "BLOCK"
    patch = pytest.MonkeyPatch()
    patch.setattr(execution.os, "cpu_count", lambda: threads)
    try:
        with device.checking([Allocation("x", GDRAM.base, 1024, filled=True)]):
            device.launch(program_of(HEAD + text), "main", {}, "launch", (tasks, 1, 1), task_type)
    except ZhisuanError as error:
        return str(error)
    finally:
        patch.undo()
    return ""


@pytest.mark.parametrize(
    ("text", "first", "named"),
    [
        (RACE + "SLOAD $3, #0\nVLOAD $41, $2, $3\nHALT", "null pointer", ["racecheck"]),
        (STORED + "TRAP #3\nHALT", "unreachable code", ["memcheck"]),
        (RACE + "SSUB.i64 $2, $2, #100\nVMOVE $41, $2, $41\nHALT",
         "an access of negative length", ["racecheck"]),
        (STORED + RACE + ".word 0x3ff\nHALT", "word 0x00000000000003ff has",
         ["memcheck", "racecheck"]),
        ("SLOAD $3, #0\nVLOAD $41, $2, $3\n" + RACE + "HALT", "null pointer", []),
    ],
)  # fmt: skip
def test_findings_before_a_fault_are_kept(text: str, first: str, named: list[str]) -> None:
    message = said(text)
    assert said(text, executor="reference") == message
    fault, _, rest = message.partition("\n\n")
    assert fault.startswith(f"error: {first}")
    assert [name for name in CHECKS if f"\n{name}: " in rest] == named
    if named:
        count = f"{len(named)} finding{'s' if len(named) > 1 else ''}"
        assert rest.startswith(f"until then, {', '.join(named)}: {count} in 1 launch\n\n")


def test_without_checks_the_fault_is_all() -> None:
    text = RACE + "SLOAD $3, #0\nVLOAD $41, $2, $3\nHALT"
    assert said(text).startswith(said(text, checks=()) + "\n\nuntil then, ")


def test_a_deadlock_keeps_the_findings_of_all_tasks() -> None:
    """Core 0 goes on past the barrier that it never reaches; the others wait for it."""
    text = "SSTORE.i64 $1, $40, #0\nSEQ.i64 $6, $1, #0\nCB end, $6\nBARRIER $30, $13, $11\nend:\n" \
        "HALT"  # fmt: skip
    messages = {
        said(text, 4, executor, threads)
        for executor, threads in (("native", 1), ("native", 2), ("reference", 1))
    }
    (message,) = messages
    assert message.startswith("error: synccheck: tasks wait for ever\n")
    assert "\n\nracecheck: two tasks write the same bytes\n" in message


def test_a_fault_of_one_task_hides_no_other_task_on_any_number_of_threads() -> None:
    """Task 0 stops at once; tasks 2 and 3 race for a byte after a long time."""
    text = """
        SLOAD $7, #20000
        SEQ.i64 $6, $1, #0
        CB fault, $6
    again:
        SSUB.i64 $7, $7, #1
        SGT.i64 $6, $7, #0
        CB again, $6
        SSTORE.i64 $1, $40, #0
        HALT
    fault:
        TRAP #1
    """
    messages = {said(text, 4, threads=threads) for threads in (1, 2, 4)}
    (message,) = messages
    assert "two tasks write the same bytes" in message
