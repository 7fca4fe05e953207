"""Run a kernel one instruction at a time, and look at its variables on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from variable_values import Look

from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM, NRAM, PARAM
from zhisuan.isa.debug_query import CallFrame, backtrace
from zhisuan.isa.program import Program
from zhisuan.sim.memory import PARAM_BYTES, Memory
from zhisuan.sim.reference import Run, start_registers

DATA = GDRAM.base
"""Where the kernel's one array lies, `SIZE` bytes."""
SIZE = 4096


class Debugged:
    """A task of `program`'s first kernel that stands before an instruction."""

    def __init__(self, program: Program, arguments: Sequence[int] = (DATA,)) -> None:
        machine = load("dlp-s")
        self.program = program
        self.memory = Memory(machine)
        self.memory.reserve(DATA + SIZE)
        self.memory.poke(DATA, np.zeros(SIZE, np.uint8))
        self.memory.poke(PARAM.base, np.zeros(PARAM_BYTES, np.uint8))
        self.memory.poke(PARAM.base, np.array(arguments, np.uint64))
        self.memory.load_constants(program, program.const_data)
        entry = next(iter(program.kernels.values())).entry
        registers = start_registers(NRAM.base + machine.nram.size)
        self.run = Run(program, entry, registers, self.memory, 10**6)

    @property
    def pc(self) -> int:
        return self.run.core.pc

    @property
    def printed(self) -> str:
        return "".join(self.run.printed)

    def steps(self) -> Iterator[int]:
        """The word before each instruction; ends when the kernel does."""
        while not self.run.core.halted:
            yield self.pc
            self.run.resume(1)

    def read(self, address: int, count: int) -> bytes:
        return self.memory.peek(address, np.dtype(np.uint8), count).tobytes()

    def frames(self) -> list[CallFrame]:
        return list(backtrace(self.program, self.pc, self.run.registers, self.read))

    def look(self, frame: CallFrame) -> Look:
        return Look(frame.registers, frame.base, self.read)
