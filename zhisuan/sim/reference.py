"""The reference executor: fetch, decode, call the meaning.  It defines what programs do.

Comes in: a program, where to start, registers, memory.  Goes out: changed memory and the rows
of the trace, or a `Fault`.  Slow and obvious; the native core must agree with it in every bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.encoding import Encodable, decode
from zhisuan.isa.number import MASK64
from zhisuan.isa.program import Program
from zhisuan.isa.registry import REGISTERS, Instruction, Kind, Operands, Unit
from zhisuan.sim import fault
from zhisuan.sim.barrier import run_alone
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.core_state import CoreState
from zhisuan.sim.fault import Fault
from zhisuan.sim.footprint import FOOTPRINT, Footprints
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import ALONE, ALONE_JOB, INSTRUCTIONS, Job, Task
from zhisuan.sim.trace import BARRIER_OPCODE, COST_CLASSES, PRINT_OPCODE, ROW, leaves_row
from zhisuan.sim.turns import Pause

WRITING_COSTS = tuple(index for index, cost in enumerate(COST_CLASSES) if cost in ("store", "sync"))
"""The classes of scalar instructions that others may notice."""
_ROWS_OF_A_NOTE = 4
"""A note of a journal takes the room of so many rows of the trace."""
_Row = tuple[tuple[int, ...], int, int, int, int]


class ReferenceCore:
    """The core as a meaning sees it (`isa.registry.Core`), running a task of a job.

    `cores` are the memories of the compute cores of its cluster, `clusters` those of any core of
    each cluster of its job.
    """

    def __init__(
        self, memory: Memory, task: Task = ALONE, job: Job = ALONE_JOB,
        journal: Journal | None = None,
    ) -> None:  # fmt: skip
        self.memory = memory
        self.task = task
        self.cores, self.clusters = neighbours(memory, task, job)
        self.journal = journal
        self.note_access: Callable[[int, bool], None] | None = None
        """Told of scalar accesses: address, and whether it writes."""
        self.pc = 0
        self.halted = False
        self.held: int | None = None
        self.noted: tuple[int, ...] = ()
        self.executed = 0
        self.printed: list[str] = []
        self.row: Instruction | None = None

    def read(self, address: int, dtype: np.typing.DTypeLike, count: int) -> np.ndarray:
        kind = np.dtype(dtype)
        address &= MASK64
        self._check(self.memory, address, count * kind.itemsize, kind.itemsize, write=False)
        return self.memory.peek(address, kind, count)

    def write(self, address: int, values: np.ndarray) -> None:
        self._put(self.memory, address, values)

    def cast(self, address: int, values: np.ndarray) -> None:
        for memory in self.cores:
            self._put(memory, address, values)

    def send(self, cluster: int, address: int, values: np.ndarray) -> None:
        if not 0 <= cluster < len(self.clusters):
            raise fault.no_cluster(cluster, len(self.clusters))
        self._put(self.clusters[cluster], address, values)

    def _put(self, memory: Memory, address: int, values: np.ndarray) -> None:
        address &= MASK64
        self._check(memory, address, values.nbytes, values.itemsize, write=True)
        memory.poke(address, values)

    def _check(self, memory: Memory, address: int, size: int, element: int, write: bool) -> None:
        assert self.row is not None
        error = access_error(memory, self.row, address, size, element, write)
        if error is not None:
            raise error
        if self.row.opcode == PRINT_OPCODE:  # looks on: neither timed nor judged
            return
        if self.journal is not None and self.row.unit is Unit.SCALAR:
            self.journal.note(address, size, write)
        if self.note_access is not None and self.row.unit is Unit.SCALAR:
            self.note_access(address, write)

    def trap(self, reason: str) -> NoReturn:
        raise fault.trapped(reason)

    def print(self, text: str) -> None:
        self.printed.append(text)

    def special(self, index: int) -> int:
        if index == INSTRUCTIONS:
            return self.executed
        if not 0 <= index < len(self.task.special):
            raise fault.no_special(index)
        return self.task.special[index]


def neighbours(memory: Memory, task: Task, job: Job) -> tuple[list[Memory], list[Memory]]:
    """The memories that multicast writes, and those that CDMA writes, by clusterId."""
    cast = [memory.seen_by(task.cluster, core) for core in job.cores(task.cluster)]
    clusters = job.clusters if job.shared else ()
    return cast, [memory.seen_by(cluster, 0) for cluster in clusters]


def access_error(
    memory: Memory, row: Instruction, address: int, size: int, element: int, write: bool
) -> ZhisuanError | None:
    """What is wrong with an access by an instruction: tensor operands must be aligned to
    their elements, scalar ones need not (compilers copy structures in words)."""
    allowed = row.writes if write else row.reads
    align = 1 if row.unit is Unit.SCALAR else element
    return memory.complaint(address, size, write, allowed, align)


class Run:
    """One task in progress; `rows` are its trace rows so far, arrays of ROW.

    `journal` is told of every scalar load and store.  `most_rows` is how many rows it may leave.
    """

    def __init__(
        self,
        program: Program,
        entry: int,
        registers: list[int],
        memory: Memory,
        limit: int,
        *,
        task: Task = ALONE,
        job: Job = ALONE_JOB,
        journal: Journal | None = None,
        most_rows: int | None = None,
    ) -> None:
        self.most_rows = most_rows
        self.program, self.registers, self.limit, self.task = program, registers, limit, task
        self.rows: list[np.ndarray] = []
        self.core = ReferenceCore(memory, task, job, journal)
        self.core.pc = entry
        self._decoded: dict[int, Encodable] = {}
        self._entered = 0
        self._number = 0  # of the row to come
        self._counts = [0] * len(COST_CLASSES)  # of the scalar run in progress, from _first on
        self._first = entry
        self._footprints = Footprints()
        self._footprints.start(entry)
        self.core.note_access = lambda address, write: self._footprints.access(
            self._number, address, write
        )
        self.at = entry
        """Where it is: at a BARRIER that it has executed, else at the next instruction."""

    @property
    def printed(self) -> list[str]:
        """The texts that it has printed."""
        return self.core.printed

    @property
    def written(self) -> tuple[int, ...]:
        """Changes with everything that it does but for arithmetic, loads and branches."""
        return self._entered, *(self._counts[i] for i in WRITING_COSTS)

    @property
    def registers_and_pc(self) -> bytes:
        return np.array([*self.registers, self.core.pc], np.uint64).tobytes()

    @property
    def footprints(self) -> np.ndarray:
        """What its scalar runs touched (FOOTPRINT), rows counted in this task."""
        return np.array(self._footprints.taken, FOOTPRINT)

    def meet(self, runs: Sequence[Run]) -> None:
        """Nothing to tell: the memories of the other tasks of the job are known."""

    @property
    def journal(self) -> Journal | None:
        return self.core.journal

    @journal.setter
    def journal(self, journal: Journal | None) -> None:
        self.core.journal = journal

    @property
    def pc(self) -> int:
        """The next instruction."""
        return self.core.pc

    @property
    def executed(self) -> int:
        return self.core.executed

    @property
    def state(self) -> CoreState:
        core = self.core
        return CoreState(core.pc, core.executed, core.held, tuple(self.registers))

    @state.setter
    def state(self, state: CoreState) -> None:
        core = self.core
        core.pc, core.executed, core.held = state.pc, state.executed, state.held
        core.halted, self.at = False, state.pc
        self.registers[:] = state.registers
        self._counts, self._first = [0] * len(COST_CLASSES), state.pc
        self._footprints = Footprints()
        self._footprints.start(state.pc)
        self.rows = []

    def forget(self) -> None:
        """Drop what it would have told of a trace so far."""
        self.rows = []
        self._footprints.taken.clear()

    def resume(
        self, most: int | None = None, stops: np.ndarray | None = None, locks: bool = True
    ) -> Pause:
        """Execute to the next BARRIER, the last of `rows`, or to HALT; `most` instructions, and
        on to the end of a locked section unless `locks` is false; or to a word that `stops`
        (bool, one for each) marks."""
        core = self.core
        rows: list[_Row] = []
        pause = Pause.TURN_OVER
        end = self.limit + 1 if most is None else core.executed + most
        try:
            while pause is Pause.TURN_OVER and (
                core.executed < end or (locks and core.held is not None)
            ):
                self.at = core.pc
                if stops is not None and 0 <= core.pc < len(stops) and stops[core.pc]:
                    return Pause.STOPPED
                if core.journal is not None:
                    core.journal.at(self._entered + len(rows), core.pc)
                self._refuse_rows(self._entered + len(rows))
                refuse_notes(core.journal, self.most_rows, core.pc)
                item, values = _step(core, self.program, self.registers, self.limit, self._decoded)
                rows += self._rows(item, values)
                if item.row.opcode == BARRIER_OPCODE:
                    pause = Pause.BARRIER
                elif core.halted:
                    pause = Pause.ENDED
                else:
                    self.at = core.pc
        finally:  # a fault leaves the rows of what came before
            self.rows.append(np.array(rows, ROW))
            self._entered += len(rows)
        return pause

    def _refuse_rows(self, entered: int) -> None:
        """Stop before a row too many."""
        pc, most = self.core.pc, self.most_rows
        if most is None or entered < most or not 0 <= pc < len(self.program.words):
            return
        if leaves_row(_fetch(self.program, pc, self._decoded).row):
            raise Fault(fault.Runaway(most, fault.QUEUED), pc)

    def close(self) -> None:
        """After a fault: enter the scalar run that it ended, as HALT would have done."""
        if any(self._counts):
            self.rows.append(np.array([(tuple(self._counts), self._first, 0, 0, 0)], ROW))

    def _rows(self, item: Encodable, values: list[int]) -> list[_Row]:
        """The rows that are complete once this instruction is executed."""
        queued = leaves_row(item.row)
        if self.core.pc != self.at + 1 and not self.core.halted:
            self._footprints.branch(self.at, self.core.pc)
        if not queued:
            if not any(self._counts):
                self._first = self.at
            self._counts[COST_CLASSES.index(item.row.cost)] += 1
        found: list[_Row] = []
        if (queued or self.core.halted) and any(self._counts):
            found.append((tuple(self._counts), self._first, 0, 0, 0))
            self._counts = [0] * len(COST_CLASSES)
            self._footprints.end(self._number, self.at - queued)
            self._number += 1
        if queued:
            self._number += 1
            self._footprints.start(self.core.pc)
            found.append(_trace_row(item, [*values, *self.core.noted], self.at))
        return found


def refuse_notes(journal: Journal | None, most_rows: int | None, pc: int) -> None:
    """Stop a task whose journal has grown too long for the checks."""
    most = (most_rows or 0) // _ROWS_OF_A_NOTE
    if most and journal is not None and len(journal.notes) > most:
        raise Fault(fault.Runaway(most, fault.NOTED), pc)


def run(
    program: Program,
    entry: int,
    registers: list[int],
    memory: Memory,
    limit: int,
    journal: Journal | None = None,
) -> list[np.ndarray]:
    """Execute a lone task from word `entry` until HALT, waiting for nobody; its trace rows."""
    task = Run(program, entry, registers, memory, limit, journal=journal)
    return run_alone(task)


def _fetch(program: Program, pc: int, decoded: dict[int, Encodable]) -> Encodable:
    if not 0 <= pc < len(program.words):
        raise fault.outside(pc, len(program.words))
    if pc not in decoded:
        decoded[pc] = decode(int(program.words[pc]))
    return decoded[pc]


def _operand_values(item: Encodable, registers: list[int]) -> list[int]:
    pairs = zip(item.row.operands, item.values, strict=True)
    return [registers[value] if operand.is_register else value for operand, value in pairs]


def _trace_row(item: Encodable, values: list[int], pc: int) -> _Row:
    signed = [value - (1 << 64) if value >> 63 == 1 else value for value in values]
    padded = tuple(signed + [0] * (len(COST_CLASSES) - len(signed)))
    return padded, pc, item.row.opcode, item.row.modes.index(item.mode), 0


def _step(
    core: ReferenceCore,
    program: Program,
    registers: list[int],
    limit: int,
    decoded: dict[int, Encodable],
) -> tuple[Encodable, list[int]]:
    """Execute the instruction at core.pc; returns it and its operands' values before."""
    pc = core.pc
    try:
        item = _fetch(program, pc, decoded)
        if core.executed == limit:
            raise fault.Runaway(limit)
        values = _operand_values(item, registers)
        core.row = row = item.row
        core.noted = ()
        core.pc += 1
        named = {operand.name: value for operand, value in zip(row.operands, values, strict=True)}
        result = row.meaning(core, Operands(item.mode, named))
    except ZhisuanError as error:
        raise Fault(error, pc) from error
    core.executed += 1
    for operand, number in zip(row.operands, item.values, strict=True):
        if operand.kind is Kind.DEST:
            registers[number] = result & MASK64
    return item, values


def step(core: ReferenceCore, program: Program, registers: list[int], limit: int) -> None:
    """Execute the one instruction at `core.pc`, which the native core could or should not; most
    often that raises its `Fault`."""
    _step(core, program, registers, limit, {})


def start_registers(stack_top: int) -> list[int]:
    """Registers as a kernel finds them: zero, but for the stack pointer."""
    registers = [0] * REGISTERS
    registers[REGISTERS - 1] = stack_top
    return registers
