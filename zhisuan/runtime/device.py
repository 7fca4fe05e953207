"""A device: a machine, its memory, and the trace of everything launched on it.

`play` runs a whole plan, and `Loaded` keeps one for several runs.  Between writing inputs and
reading outputs nothing is computed here: every value in between comes from instructions.  A
device that was given checks judges what its launches did, when asked by `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import dtype as dtypes
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, NRAM, SRAM, WRAM
from zhisuan.isa.program import Program
from zhisuan.runtime.plan import Buffer, Plan, verify
from zhisuan.sim.checks import run as checking
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import ONE_TASK, Dims
from zhisuan.sim.trace import Trace, TraceBuilder

Progress = Callable[[int, int, str], None]
"""progress(done, total, label): called before each launch, and once at the end."""


Debugger = Callable[[Program, str, Sequence[int | float], Dims, str], None]
"""debugger(program, kernel, arguments, dims, task type) runs a launch to its end."""


class Device:
    """One simulated card.  `checks` names checks of `sim.checks.run.CHECKS`, without it those of
    ZHISUAN_CHECK; `schedule` is the seed of another order of tasks than the usual one."""

    def __init__(
        self, machine: Machine, executor: str = "native", checks: Sequence[str] | None = None,
        schedule: int | None = None,
    ) -> None:  # fmt: skip
        _check_windows(machine)
        self.machine = machine
        self.executor = executor
        self.checks = checking.by_default() if checks is None else tuple(checks)
        self.schedule = schedule
        self.debugger: Debugger | None = None
        """Runs launches in place of `execute`, without leaving a trace."""
        self.journals: list[Journal] = []
        self.programs: dict[str, Program] = {}
        self.memory = Memory(machine)
        self.trace = TraceBuilder()

    def forget(self) -> None:
        """Begin an empty trace, and nothing to judge; memory stays as it is."""
        self.trace = TraceBuilder()
        self.journals = []

    def reserve(self, size: int) -> None:
        """Make the first `size` bytes of GDRAM usable."""
        if size > self.machine.dram.size:
            raise ZhisuanError(
                f"the network does not fit in the DRAM of machine '{self.machine.name}'",
                expected=f"at most {self.machine.dram.size:,} bytes",
                found=f"{size:,} bytes",
                hint="use a smaller picture, or enlarge [dram] size in the machine file",
            )
        self.memory.reserve(GDRAM.base + size)

    def write(self, buffer: Buffer, values: np.ndarray) -> None:
        """Put a tensor into its buffer, converted to the buffer's type and layout."""
        self.memory.write(buffer.address, buffer.encode(values))

    def read(self, buffer: Buffer) -> np.ndarray:
        """The tensor a buffer holds, in the buffer's element type."""
        element = dtypes.dtype(buffer.dtype)
        count = buffer.size // element.size
        return buffer.decode(self.memory.read(buffer.address, element.numpy, count))

    def launch(
        self, program: Program, kernel: str, args: Mapping[str, int | float], label: str,
        dims: Dims = ONE_TASK, task_type: str = "BLOCK",
    ) -> None:  # fmt: skip
        """Run all tasks of a kernel to their ends; args by parameter name, in any order."""
        order = [parameter.name for parameter in program.kernel(kernel).parameters]
        if self.debugger is not None:
            values = [args[name] for name in order]
            self.debugger(program, kernel, values, dims, task_type)
            return
        journal = Journal() if self.checks else None
        launches = self.trace.launches
        try:
            execute(
                program,
                kernel,
                [args[name] for name in order],
                self.memory,
                self.trace,
                label=label,
                executor=self.executor,
                journal=journal,
                dims=dims,
                task_type=task_type,
                schedule=self.schedule,
            )
        finally:  # with checks a launch that stopped is judged as well
            if journal is not None and self.trace.launches > launches:
                self.journals.append(journal)
                self.programs[program.name] = program

    def check(self, allocations: Iterable[Allocation]) -> None:
        """Raise what the checks find in the launches so far; the allocations are of GDRAM."""
        if self.checks:
            self._report(allocations).raise_if_any()

    @contextmanager
    def checking(self, allocations: Iterable[Allocation]) -> Iterator[None]:
        """Raise what the checks find once the launches within are done, or one has stopped."""
        try:
            yield
        except ZhisuanError as fault:
            report = self._report(allocations) if self.checks else None
            if report is not None and report.findings:
                raise checking.StoppedWithFindings(fault, report) from fault
            raise
        self.check(allocations)

    def _report(self, allocations: Iterable[Allocation]) -> checking.Report:
        return checking.check(self.trace.build(), self.programs, self.journals, allocations,
                              self.checks, machine=self.machine)  # fmt: skip


def _check_windows(machine: Machine) -> None:
    """Refuse memories larger than their windows of the address map."""
    sizes = (
        (NRAM, machine.nram.size),
        (WRAM, machine.wram.size),
        (SRAM, machine.sram.size),
        (GDRAM, machine.dram.size),
    )
    for space, size in sizes:
        if size > space.window:
            key = "dram" if space is GDRAM else space.name
            raise ZhisuanError(
                f"{space.name.upper()} of machine '{machine.name}' is larger than its addresses",
                where=f"{key}.size",
                expected=f"at most {space.window:,} bytes",
                found=f"{size:,} bytes",
                hint=f"{key}.size = {space.window}",
            )


class Loaded:
    """A plan on a device with its constants in DRAM, for one set of inputs after another.

    Scratch buffers keep what the run before left in them: no kernel of a plan reads what it has
    not written, which initcheck judges.
    """

    def __init__(
        self,
        plan: Plan,
        programs: dict[str, Program],
        constants: Mapping[str, np.ndarray],
        machine: Machine,
        *,
        executor: str = "native",
        checks: Sequence[str] | None = None,
        schedule: int | None = None,
    ) -> None:
        verify(plan, programs)
        self.plan, self.programs = plan, programs
        self.device = Device(machine, executor, checks, schedule)
        self.device.reserve(plan.dram_bytes)
        for buffer in plan.by_role("constant"):
            self.device.write(buffer, constants[buffer.name])

    def run(
        self, inputs: Mapping[str, np.ndarray], progress: Progress | None = None
    ) -> tuple[dict[str, np.ndarray], Trace]:
        """Inputs by name → outputs by name, and the trace of this run.

        What the checks find is an error, raised when all launches are done, or one has stopped.
        """
        plan, device = self.plan, self.device
        self.begin(inputs)
        total = len(plan.launches)
        with device.checking(_allocations(plan)):
            for index, launch in enumerate(plan.launches):
                if progress:
                    progress(index, total, launch.layer)
                self.launch(index)
            if progress:
                progress(total, total, "done")
        outputs = {buffer.name: device.read(buffer) for buffer in plan.by_role("output")}
        return outputs, device.trace.build()

    def begin(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Put the inputs of a new run in place."""
        plan, device = self.plan, self.device
        device.forget()
        for buffer in plan.by_role("input"):
            if buffer.name not in inputs:
                raise ZhisuanError(f"input '{buffer.name}' is missing",
                                   expected=", ".join(b.name for b in plan.by_role("input")),
                                   found=", ".join(inputs) or "none")  # fmt: skip
            device.write(buffer, inputs[buffer.name])

    def launch(self, index: int) -> None:
        """The launch of this number; those before it are done."""
        launch = self.plan.launches[index]
        self.device.launch(self.programs[launch.program], launch.kernel, launch.args,
                           launch.label, launch.dims, launch.task_type)  # fmt: skip


def play(
    plan: Plan,
    programs: dict[str, Program],
    constants: Mapping[str, np.ndarray],
    inputs: Mapping[str, np.ndarray],
    machine: Machine,
    *,
    executor: str = "native",
    progress: Progress | None = None,
    checks: Sequence[str] | None = None,
    schedule: int | None = None,
) -> tuple[dict[str, np.ndarray], Trace]:
    """Run a plan once: inputs by name → outputs by name, and the trace.

    `schedule` is the seed of another order of tasks.
    """
    loaded = Loaded(plan, programs, constants, machine,
                    executor=executor, checks=checks, schedule=schedule)  # fmt: skip
    return loaded.run(inputs, progress)


def _allocations(plan: Plan) -> list[Allocation]:
    """The plan's buffers; those that the host fills are written from the start."""
    filled = ("input", "constant")
    return [
        Allocation(b.name, b.address, b.size, b.first, b.last, b.role in filled)
        for b in plan.buffers
    ]
