"""The native core: the interpreter, the tensor instructions and the replay, compiled C.

Comes in: what `reference.run` and `walk.walk` take.  Goes out: the same, bit by bit, only
sooner.  Compiled on first use by the clang of `base.clang` and kept in the cache.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zhisuan.base import clang
from zhisuan.isa.address import NRAM, SPACES, WRAM
from zhisuan.isa.program import Program
from zhisuan.isa.registry import (
    FIELD_BITS,
    FIELDS,
    MODE_BITS,
    OPCODE_BITS,
    REGISTERS,
)
from zhisuan.sim import native_header as header
from zhisuan.sim import reference
from zhisuan.sim.barrier import run_alone
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.core_state import CoreState
from zhisuan.sim.fault import QUEUED, Fault, Runaway
from zhisuan.sim.footprint import FOOTPRINT, STREAMS, joined
from zhisuan.sim.footprint import none as no_footprints
from zhisuan.sim.memory import Memory
from zhisuan.sim.native_header import HANDLERS, Status
from zhisuan.sim.reference import refuse_notes
from zhisuan.sim.tasks import ALONE, ALONE_JOB, Job, Task
from zhisuan.sim.trace import COST_CLASSES, PRINT_OPCODE, ROW, leaves_row
from zhisuan.sim.turns import Pause

_FOLDER = Path(__file__).parent / "native"
SOURCES = tuple(sorted(path.name for path in _FOLDER.glob("*.c")))
INCLUDES = tuple(sorted(path.name for path in _FOLDER.glob("*.h")))
_ROWS = 1 << 12
"""Trace rows taken from the interpreter at a time."""
_SLICE = 1 << 26
"""Instructions between returns to Python, which may have been asked to stop (Ctrl-C)."""
DECODED = np.dtype(header.Decoded)
CACHE_LINE = 64


@functools.cache
def library(features: tuple[str, ...] | None = None) -> ctypes.CDLL:
    """The compiled core; `features` such as ("-avx512f",) are not used."""
    texts = {name: (_FOLDER / name).read_text(encoding="utf-8") for name in (*SOURCES, *INCLUDES)}
    path = clang.build_shared(
        {name: texts[name] for name in SOURCES},
        features=features,
        includes={"generated.h": header.header()} | {name: texts[name] for name in INCLUDES},
    )
    return ctypes.CDLL(str(path))


def decode_words(words: np.ndarray) -> np.ndarray:
    """uint64[n] words → DECODED[n]; a word that is no instruction gets handler 0."""
    out: np.ndarray = np.zeros(len(words), DECODED)
    opcode = (words & ((1 << OPCODE_BITS) - 1)).astype(np.int64)
    mode = (words >> OPCODE_BITS & ((1 << MODE_BITS) - 1)).astype(np.int64)
    handler = _HANDLER_OF[opcode, mode]
    registers = _REGISTERS_OF[handler]
    first = OPCODE_BITS + MODE_BITS
    for field in range(FIELDS):
        number = words >> (first + FIELD_BITS * field) & (REGISTERS - 1)
        out["r"][:, field] = np.where(field < registers, number, 0)
    shift = first + FIELD_BITS * registers
    top = np.where(shift < 64, words.view(np.int64) >> np.minimum(shift, 63), 0)
    immediate = _HAS_IMMEDIATE[handler]
    out["imm"] = np.where(immediate, top, 0)
    out["handler"] = np.where(~immediate & (top != 0), 0, handler)
    out["cost"] = _COST_OF[out["handler"]]
    return out


def _handler_table() -> np.ndarray:
    table = np.zeros((1 << OPCODE_BITS, 1 << MODE_BITS), np.uint16)
    for number, (row, mode) in enumerate(HANDLERS, 1):
        table[row.opcode, row.modes.index(mode)] = number
    return table


_HANDLER_OF = _handler_table()
_REGISTERS_OF = np.array([0] + [len(row.registers) for row, _ in HANDLERS])
_QUEUED = np.array([False] + [row.is_queued for row, _ in HANDLERS])
_LEAVES_ROW = np.array([False] + [leaves_row(row) for row, _ in HANDLERS])
_HAS_IMMEDIATE = np.array([True] + [row.immediate is not None for row, _ in HANDLERS])
_COST_OF = np.array([0] + [COST_CLASSES.index(row.cost) if row.cost else 0 for row, _ in HANDLERS])


class Run:
    """`reference.Run`, natively."""

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
        features: tuple[str, ...] | None = None,
        most_rows: int | None = None,
    ) -> None:
        self.most_rows = most_rows
        self.program, self.registers, self.limit, self.task = program, registers, limit, task
        self.rows: list[np.ndarray] = []
        self.printed: list[str] = []
        self.memory, self.job, self.journal = memory, job, journal
        self._interpret = library(features).zhisuan_run
        self._words = program.words.astype(np.uint64).tobytes()
        self._decoded = _decoded(self._words)
        self._entered = 0
        self.stopped = False
        """Set by another thread: the next slice of instructions is the last."""
        self.at = entry
        """Where it is: at a BARRIER that it has executed, else at the next instruction."""
        self._core = _start(memory, self._decoded, task)
        self._core.regs[:] = registers
        self._core.pc = self._core.run_first = self._core.stretch = entry
        self._buffers = _FootprintBuffers(self._core)
        self._taken: list[np.ndarray] = []

    @property
    def footprints(self) -> np.ndarray:
        """`reference.Run.footprints`."""
        return joined([no_footprints(), *self._taken])

    def meet(self, runs: Sequence[Run]) -> None:
        """Tell the core where its neighbours are: the other tasks of its job."""
        mine = {run.task.core: run for run in runs if run.task.cluster == self.task.cluster}
        others = {run.task.cluster: run for run in runs}
        self._cores = _addresses([mine[core] for core in self.job.cores(self.task.cluster)])
        clusters = self.job.clusters if self.job.shared else ()
        self._clusters = _addresses([others[cluster] for cluster in clusters])
        self._core.cores, self._core.core_count = _pointer(self._cores), len(self._cores)
        self._core.clusters = _pointer(self._clusters)
        self._core.cluster_count = len(self._clusters)

    @property
    def written(self) -> tuple[int, ...]:
        """`reference.Run.written`."""
        return self._entered, *(self._core.counts[i] for i in reference.WRITING_COSTS)

    @property
    def registers_and_pc(self) -> bytes:
        return bytes(self._core.regs) + self._core.pc.to_bytes(8, "little", signed=True)

    @property
    def pc(self) -> int:
        """`reference.Run.pc`."""
        return self._core.pc

    @property
    def executed(self) -> int:
        return self._core.executed

    @property
    def state(self) -> CoreState:
        core = self._core
        held = core.lock if core.locked else None
        return CoreState(core.pc, core.executed, held, tuple(core.regs))

    @state.setter
    def state(self, state: CoreState) -> None:
        core = self._core
        core.pc = self.at = state.pc
        core.executed, core.locked = state.executed, state.held is not None
        core.lock = state.held or 0
        core.regs[:] = state.registers
        self.registers[:] = state.registers
        core.counts[:] = [0] * len(COST_CLASSES)
        core.run_first = core.stretch = core.pc
        core.branch_count = core.footprint_count = core.oldest_stream = 0
        core.streams = type(core.streams)()
        self._buffers.slots[:] = 0
        self.forget()

    def forget(self) -> None:
        """`reference.Run.forget`."""
        self.rows, self._taken = [], []

    def resume(
        self, most: int | None = None, stops: np.ndarray | None = None, locks: bool = True
    ) -> Pause:
        """`reference.Run.resume`."""
        core = self._core
        end = self.limit + 1 if most is None else core.executed + most
        decoded = self._decoded if stops is None else _with_stops(self._words, stops.tobytes())
        core.program = _pointer(decoded)
        with _scratch(self.memory) as scratch:
            scratch.lend(core, observed=self.journal is not None)
            while not self.stopped and (core.executed < end or (locks and core.locked)):
                core.row_count = core.note_count = 0
                core.notes_row = self._entered
                core.row_capacity = self._room_for_rows()
                most_now = max(end, core.executed + 1)
                core.limit = min(self.limit, core.executed + _SLICE, most_now)
                status = Status(self._interpret(ctypes.byref(core)))
                over = core.executed == core.limit < self.limit
                faulty = status is Status.FAULT and not over
                if self.journal is not None:
                    self.journal.add(scratch.notes[: core.note_count])
                    refuse_notes(self.journal, self.most_rows, core.pc)
                self._enter(scratch.rows[: core.row_count], faulty, decoded)
                self.at = core.pc
                if status is Status.ROWS_FULL:
                    self._refuse_rows(decoded)
                if faulty and stops is not None and 0 <= core.pc < len(stops) and stops[core.pc]:
                    return Pause.STOPPED
                if status in (Status.HALTED, Status.BARRIER):
                    self.registers[:] = core.regs
                    if status is Status.HALTED:
                        return Pause.ENDED
                    self.at = int(self.rows[-1]["pc"][-1])
                    return Pause.BARRIER
                if faulty:
                    self._step()
                    self.at = core.pc
        return Pause.TURN_OVER

    def _room_for_rows(self) -> int:
        """Rows that the interpreter may enter at a time; it keeps two free."""
        left = _ROWS if self.most_rows is None else self.most_rows - self._entered
        return min(_ROWS, max(left, 1) + 2)

    def _refuse_rows(self, decoded: np.ndarray) -> None:
        """`reference.Run._refuse_rows`."""
        pc, most = self._core.pc, self.most_rows
        if most is not None and self._entered >= most and _LEAVES_ROW[decoded["handler"][pc]]:
            raise Fault(Runaway(most, QUEUED), pc)

    def close(self) -> None:
        """`reference.Run.close`."""
        counts = tuple(self._core.counts)
        if any(counts):
            self.rows.append(np.array([(counts, self._core.run_first, 0, 0, 0)], ROW))

    def _enter(self, rows: np.ndarray, faulty: bool, decoded: np.ndarray) -> None:
        """Keep rows; that of an instruction that stopped is none of the trace."""
        pc = self._core.pc
        if faulty and 0 <= pc < len(self._decoded) and _QUEUED[decoded["handler"][pc]]:
            rows = rows[:-1]
        self._taken.append(self._buffers.take())
        if len(rows):
            self.rows.append(rows.copy())
            self._entered += len(rows)

    def _step(self) -> None:
        """Let the reference execute the next instruction: PRINT, or one that raises its fault."""
        core, pc = self._core, self._core.pc
        self.registers[:] = core.regs
        helper = reference.ReferenceCore(self.memory, self.task, self.job)
        helper.pc, helper.executed = core.pc, core.executed
        helper.held = core.lock if core.locked else None
        reference.step(helper, self.program, self.registers, self.limit)
        opcode = int(self.program.words[pc]) & (1 << OPCODE_BITS) - 1
        known = opcode == PRINT_OPCODE
        assert known, f"{self.program.name}: the reference sees no fault at {pc}"
        self.printed += helper.printed
        core.counts[self._decoded["cost"][pc]] += 1
        core.executed += 1
        core.pc += 1


def run(
    program: Program,
    entry: int,
    registers: list[int],
    memory: Memory,
    limit: int,
    features: tuple[str, ...] | None = None,
    journal: Journal | None = None,
) -> list[np.ndarray]:
    """`reference.run`, natively."""
    task = Run(program, entry, registers, memory, limit, journal=journal, features=features)
    task.meet([task])
    return run_alone(task)


@functools.lru_cache(maxsize=64)
def _decoded(words: bytes) -> np.ndarray:
    """A program for the interpreter."""
    return decode_words(np.frombuffer(words, np.uint64))


@functools.lru_cache(maxsize=64)
def _with_stops(words: bytes, stops: bytes) -> np.ndarray:
    """A program whose marked words are no instructions: the interpreter comes back from them."""
    decoded = _decoded(words).copy()
    decoded["handler"][np.frombuffer(stops, bool)] = 0
    return decoded


def _start(memory: Memory, decoded: np.ndarray, task: Task):  # type: ignore[no-untyped-def]
    core = header.Core()
    core.program, core.words = _pointer(decoded), len(decoded)
    core.special[:] = task.special
    for number, space in enumerate(SPACES):
        core.space_base[number] = space.base
        core.space_size[number] = memory.size_of(space)
        core.space_data[number] = _pointer(memory.bytes_of(space))
    return core


class _FootprintBuffers:
    """Where the interpreter of a core leaves footprints."""

    def __init__(self, core) -> None:  # type: ignore[no-untyped-def]
        self.core, words = core, max(core.words, 1)
        self.footprints = np.empty(words + STREAMS + _ROWS, FOOTPRINT)
        self.branches = np.empty(words, FOOTPRINT)
        self.slots = np.zeros(words, np.int32)
        core.footprints, core.footprint_capacity = _pointer(self.footprints), len(self.footprints)
        core.branches, core.branch_slot = _pointer(self.branches), _pointer(self.slots)

    def take(self) -> np.ndarray:
        taken = self.footprints[: self.core.footprint_count].copy()
        self.core.footprint_count = 0
        return taken


def _addresses(runs: Sequence[Run]) -> np.ndarray:
    return np.array([ctypes.addressof(run._core) for run in runs], np.uint64)


class _Scratch:
    """Working space of a core while it runs: for tensor instructions, and for trace rows."""

    def __init__(self, nram: int, wram: int) -> None:
        self.nram_copy = np.empty(nram, np.uint8)
        self.neurons = _lines(max(nram, wram // 4))  # or the patches of a few pixels
        self.weights = _lines(wram + wram // 16 + 16)  # 4-bit ones as words, sums of channels
        self.rows = np.empty(_ROWS, ROW)
        self.notes = np.empty((_ROWS, len(header.NOTE)), np.int64)

    def lend(self, core, observed: bool) -> None:  # type: ignore[no-untyped-def]
        core.nram_copy = _pointer(self.nram_copy)
        core.neurons, core.neurons_capacity = _pointer(self.neurons), len(self.neurons)
        core.weights, core.weights_valid = _pointer(self.weights), 0
        core.rows, core.row_capacity = _pointer(self.rows), len(self.rows)
        core.notes, core.note_capacity = _pointer(self.notes), len(self.notes) * observed


def _lines(floats: int) -> np.ndarray:
    """float32 from the start of a line of the host's cache, so that vectors lie in one each."""
    raw = np.empty(4 * floats + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + 4 * floats].view(np.float32)


_IDLE_SCRATCH: dict[tuple[int, int], list[_Scratch]] = {}


@contextmanager
def _scratch(memory: Memory) -> Iterator[_Scratch]:
    """A scratch that nobody else uses meanwhile; they are kept, since touching new pages costs."""
    sizes = memory.size_of(NRAM), memory.size_of(WRAM)
    idle = _IDLE_SCRATCH.setdefault(sizes, [])
    try:
        scratch = idle.pop()
    except IndexError:
        scratch = _Scratch(*sizes)
    try:
        yield scratch
    finally:
        idle.append(scratch)


def _pointer(array: np.ndarray) -> int:
    plain = array.view(np.uint8) if array.dtype.names else array  # fields would all be described
    return plain.__array_interface__["data"][0]
