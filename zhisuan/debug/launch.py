"""What is debugged: one launch of a kernel, before its first instruction.

Comes in: a program, a kernel's name, its arguments, memory that holds its data.  Goes out: the same
together.  Nothing is executed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhisuan.arch.machine import Machine
from zhisuan.isa.program import Kernel, Program
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import ONE_TASK, Dims


@dataclass(frozen=True)
class Launch:
    """`values` are numbers in the order of the parameters; `folders` is where source files lie
    that the program names; `number` counts the launches of a program from 0."""

    program: Program
    kernel: str
    values: Sequence[int | float]
    memory: Memory
    dims: Dims = ONE_TASK
    task_type: str = "BLOCK"
    executor: str = "native"
    folders: tuple[Path, ...] = ()
    number: int = 0
    arrays: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Pointer arguments whose arrays are known: element type and count."""

    @property
    def entry(self) -> Kernel:
        return self.program.kernel(self.kernel)

    @property
    def machine(self) -> Machine:
        return self.memory.machine

    @property
    def text(self) -> str:
        """`kernel<<<4, UNION1>>>`."""
        used = max((place for place, size in enumerate(self.dims) if size > 1), default=0)
        dims = " × ".join(str(size) for size in self.dims[: used + 1])
        return f"{self.kernel}<<<{dims}, {self.task_type}>>>"
