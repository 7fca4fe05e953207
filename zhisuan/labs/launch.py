"""One launch of a kernel with drawn inputs: what it wrote, what the checks say, how long it took.

Comes in: a program, a part of a lab, values.  Goes out: a `Launched`.  A kernel that stops, or
never ends, is a result as well; nothing it does reaches beyond the simulated chip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.isa.program import Program
from zhisuan.labs.lab_file import Part
from zhisuan.sim.checks import run as checking
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.stages import stages
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import Timing, replay
from zhisuan.sim.trace import COST_CLASSES, SCALAR_RUN, Trace, TraceBuilder

GAP = 4096
"""Bytes between buffers, so that what runs over the end of one does not reach the next."""
STALE = 0xA5
"""What output buffers hold before a launch."""


@dataclass(frozen=True)
class Launched:
    """`outputs` are the buffers the reference fills, `inputs` the others, as they are afterwards.

    `fault` is what ended the launch early; `findings` is None where no checks were asked for.
    """

    program: Program
    machine: Machine
    places: Mapping[str, Allocation]
    outputs: Mapping[str, np.ndarray]
    inputs: Mapping[str, np.ndarray]
    fault: ZhisuanError | None
    findings: checking.Report | None
    trace: Trace
    journal: Journal | None

    @cached_property
    def timing(self) -> Timing:
        return replay(self.trace, self.machine)

    @property
    def cycles(self) -> int:
        return self.timing.total

    @property
    def scalar_accesses(self) -> int:
        """Loads and stores of scalar code."""
        counts = self.trace.a[:, self.trace.opcode == SCALAR_RUN].sum(axis=1)
        return int(counts[COST_CLASSES.index("load")] + counts[COST_CLASSES.index("store")])

    def last_writer(self, name: str, index: int) -> str | None:
        """The source line that last wrote element `index` of an output, quoted; None if none did.

        Known only of a launch under checks.
        """
        address = self.places[name].address + index * self.outputs[name].itemsize
        found = None
        for stage in stages(self.trace, 0, self.journal) if len(self.trace.launches) else ():
            for event in stage.events:
                for access in event.accesses:
                    inside = (access.starts <= address) & (address < access.ends)
                    if access.writes and access.low <= address < access.high and inside.any():
                        found = event.pc
        return None if found is None else self.quoted(found)

    def quoted(self, pc: int) -> str:
        """`file:line` of an instruction, and below it the line, where it is known."""
        return "\n".join(filter(None, (self.program.place(pc), self.program.quoted(pc))))


def launch(
    program: Program, part: Part, machine: Machine, values: Mapping[str, Any],
    expected: Mapping[str, np.ndarray], checks: Sequence[str] = checking.CHECKS,
) -> Launched:  # fmt: skip
    """Run the part's kernel on a fresh chip; `expected` says which buffers are outputs."""
    memory, builder = Memory(machine), TraceBuilder()
    memory.reserve(GDRAM.base)
    arguments: list[Any] = []
    places: dict[str, Allocation] = {}
    kinds: dict[str, np.ndarray] = {}
    free = GDRAM.base
    for kind, name in part.parameters:
        if kind != "ptr":
            arguments.append(values[name])
            continue
        held = np.ascontiguousarray(values[name]) if name in values else _stale(expected[name])
        filled = name in values
        places[name] = Allocation(name, free, max(held.nbytes, 1), filled=filled)
        memory.reserve(free + held.nbytes + GAP)
        memory.write(free, held.reshape(-1))
        arguments.append(free)
        kinds[name] = held
        free += (held.nbytes + 2 * GAP - 1) // GAP * GAP
    journal = Journal() if checks else None
    fault = None
    try:
        execute(
            program, part.kernel, arguments, memory, builder, label=part.kernel,
            executor=knobs.executor(), limit=part.limit, journal=journal,
            dims=(part.tasks, 1, 1), task_type=part.task_type, threads=1,
        )  # fmt: skip
    except ZhisuanError as error:
        fault = error
    trace, findings = builder.build(), None
    if journal is not None:
        journals = [journal] * len(trace.launches)
        findings = checking.check(trace, {program.name: program}, journals, places.values(),
                                  checks, machine=machine)  # fmt: skip

    def after(name: str) -> np.ndarray:
        kind = kinds[name]
        return memory.read(places[name].address, kind.dtype, kind.size).reshape(kind.shape)

    return Launched(
        program, machine, places, {n: after(n) for n in places if n in expected},
        {n: after(n) for n in places if n not in expected}, fault, findings, trace, journal,
    )  # fmt: skip


def _stale(like: np.ndarray) -> np.ndarray:
    return np.full(like.nbytes, STALE, np.uint8).view(like.dtype).reshape(like.shape)
