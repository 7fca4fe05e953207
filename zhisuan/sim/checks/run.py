"""All checks of what a device did, launch by launch.

Comes in: the trace, the programs, the journals of scalar accesses, the allocations.  Goes out:
findings, launch by launch, causes before what follows from them.  Judged by what the program
says, not by when this run's instructions happened to be done; the same for the same input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zhisuan.arch.machine import Machine
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.isa.address import GDRAM, Space
from zhisuan.isa.program import Program
from zhisuan.sim.checks import initcheck, memcheck, racecheck, synccheck
from zhisuan.sim.checks.allocation import Allocation, Table
from zhisuan.sim.checks.arrays import array_tables
from zhisuan.sim.checks.finding import MOST, Finding, Findings
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.racecheck_tasks import check_tasks
from zhisuan.sim.checks.stages import Stage, stages
from zhisuan.sim.checks.synccheck import check_barriers
from zhisuan.sim.trace import Trace

CHECKS = (memcheck.NAME, initcheck.NAME, racecheck.NAME, synccheck.NAME)
"""Every check by the name that people know."""
ALL, NONE = "all", "none"
_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """What was found; `left_out` counts those beyond the most that are kept of a launch."""

    findings: tuple[Finding, ...]
    left_out: int
    launches: int

    def raise_if_any(self) -> None:
        """Turn findings into the error that ends a run."""
        if self.findings:
            raise ZhisuanError(self.text())

    def text(self) -> str:
        """How many there are of which checks, and the first of them."""
        shown = "\n\n".join(str(finding) for finding in self.findings[:_SHOWN])
        hidden = len(self.findings) - len(self.findings[:_SHOWN]) + self.left_out
        rest = f"\n\nand {hidden} more" if hidden else ""
        names = sorted({finding.check for finding in self.findings})
        count = len(self.findings) + self.left_out
        return (
            f"{', '.join(names)}: {count} finding{'s' if count > 1 else ''} "
            f"in {self.launches} launch{'es' if self.launches > 1 else ''}\n\n{shown}{rest}"
        )


class StoppedWithFindings(ZhisuanError):
    """A launch stopped at a fault, and the checks found something in what came before."""

    def __init__(self, fault: ZhisuanError, report: Report) -> None:
        self.fault = fault
        self.report = report
        super().__init__(
            fault.what, where=fault.where, expected=fault.expected, found=fault.found,
            hint=fault.hint,
        )  # fmt: skip

    def render(self) -> str:
        return f"{self.fault.render()}\n\nuntil then, {self.report.text()}"


def parse(text: str) -> tuple[str, ...]:
    """`memcheck,racecheck`, `all` or `none` → names of CHECKS, in their order."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    for name in asked or [""]:
        if name not in (*CHECKS, ALL, NONE):
            raise ZhisuanError(
                f"there is no check called '{name}'",
                where="--check",
                expected=", ".join((*CHECKS, ALL, NONE)),
                found=text,
                hint=did_you_mean(name, (*CHECKS, ALL, NONE)) or f"--check {ALL}",
            )
    return CHECKS if ALL in asked else tuple(name for name in CHECKS if name in asked)


def by_default() -> tuple[str, ...]:
    """The checks of a run that names none: those of ZHISUAN_CHECK."""
    return parse(knobs.check() or NONE)


def check(
    trace: Trace,
    programs: Mapping[str, Program],
    journals: Sequence[Journal] = (),
    allocations: Iterable[Allocation] | None = None,
    names: Iterable[str] = CHECKS,
    *,
    machine: Machine | None = None,
    most: int = MOST,
) -> Report:
    """Check every launch of a trace.

    Without journals the scalar unit's accesses are not seen; without allocations nothing is
    known about buffers: no memcheck of them, and all of DRAM counts as written.  Without the
    machine nothing is known about the rooms of arrays: no memcheck of those.
    """
    names = tuple(names)
    held = None if allocations is None else tuple(allocations)
    shadow = initcheck.Shadow()
    found: list[Finding] = []
    left_out = 0
    for number, launch in enumerate(trace.launches):
        program = programs.get(launch.program)
        findings = Findings(launch.label, launch.kernel, program, most)
        parts = stages(trace, number, journals[number] if journals else None)
        if memcheck.NAME in names:
            arrays = array_tables(program, machine) if program and machine else {}
            _show(parts, memcheck.MemCheck(findings, _tables(held, number), arrays))
        if racecheck.NAME in names:
            _show(parts, racecheck.RaceCheck(findings))
            check_tasks(parts, findings)
        if synccheck.NAME in names:
            check_barriers(parts, program, findings)
        if initcheck.NAME in names:
            begun = [item for item in held or () if item.first == number]
            _show(parts, initcheck.InitCheck(findings, shadow, begun))
        found += findings.all()
        left_out += findings.left_out
    return Report(tuple(found), left_out, len(trace.launches))


def _show(
    parts: Sequence[Stage], to: memcheck.MemCheck | racecheck.RaceCheck | initcheck.InitCheck
) -> None:
    for stage in parts:
        for event in stage.events:
            to.see(event)


def _tables(held: Sequence[Allocation] | None, launch: int) -> dict[Space, Table]:
    """The allocations that exist during a launch, by memory; none where they are not known."""
    if held is None:
        return {}
    alive = [item for item in held if item.first <= launch <= item.last]
    return {GDRAM: Table(alive)}
