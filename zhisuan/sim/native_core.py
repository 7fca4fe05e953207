"""The native core: the interpreter, the tensor instructions and the replay, compiled C.

Comes in: what `reference.run` and `walk.walk` take.  Goes out: the same, bit by bit, only
sooner.  Compiled on first use by the clang of `base.clang` and kept in the cache.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import clang
from zhisuan.isa.address import NRAM, SPACES, WRAM
from zhisuan.isa.program import Program
from zhisuan.isa.registry import FIELD_BITS, FIELDS, MODE_BITS, OPCODE_BITS, REGISTERS
from zhisuan.sim import native_header as header
from zhisuan.sim import reference
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.memory import Memory
from zhisuan.sim.native_header import HANDLERS, Status
from zhisuan.sim.trace import COST_CLASSES, ROW
from zhisuan.sim.walk import Schedule, empty_schedule
from zhisuan.sim.workload import Workload

_FOLDER = Path(__file__).parent / "native"
SOURCES = tuple(sorted(path.name for path in _FOLDER.glob("*.c")))
INCLUDES = tuple(sorted(path.name for path in _FOLDER.glob("*.h")))
_ROWS = 1 << 12
"""Trace rows taken from the interpreter at a time."""
_SLICE = 1 << 26
"""Instructions between returns to Python, which may have been asked to stop (Ctrl-C)."""
DECODED = np.dtype(header.Decoded)


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
_HAS_IMMEDIATE = np.array([True] + [row.immediate is not None for row, _ in HANDLERS])
_COST_OF = np.array([0] + [COST_CLASSES.index(row.cost) if row.cost else 0 for row, _ in HANDLERS])


def run(
    program: Program,
    entry: int,
    registers: list[int],
    memory: Memory,
    limit: int,
    features: tuple[str, ...] | None = None,
    journal: Journal | None = None,
) -> list[np.ndarray]:
    """`reference.run`, natively.

    With a journal, scalar loads and stores are left to the reference, one at a time.
    """
    interpret = library(features).zhisuan_run
    decoded = decode_words(program.words)
    costs = decoded["cost"]
    left_out = np.isin(costs, _MEMORY_COSTS) & (journal is not None)
    decoded["handler"][left_out] = 0
    buffer = np.zeros(_ROWS, ROW)
    core = _start(memory, decoded, buffer)
    scratch = _Scratch(memory)  # kept alive while the pointers to it are in use
    scratch.lend(core)
    core.regs[:] = registers
    core.pc = core.run_first = entry
    rows: list[np.ndarray] = []
    entered = 0
    while True:
        core.row_count = 0
        core.limit = min(limit, core.executed + _SLICE)
        status = Status(interpret(ctypes.byref(core)))
        rows.append(buffer[: core.row_count].copy())
        entered += core.row_count
        if status is Status.HALTED:
            registers[:] = core.regs
            return rows
        if status is Status.FAULT and not core.executed == core.limit < limit:
            known = 0 <= core.pc < len(left_out) and left_out[core.pc]
            if journal is not None:
                journal.at(entered, core.pc)
            registers[:] = core.regs
            reference.step(program, core.pc, registers, memory, limit, core.executed, journal)
            assert known, f"{program.name}: the reference sees no fault at {core.pc}"
            core.counts[costs[core.pc]] += 1
            core.regs[:] = registers
            core.executed += 1
            core.pc += 1


_MEMORY_COSTS = (COST_CLASSES.index("load"), COST_CLASSES.index("store"))


def _start(memory: Memory, decoded: np.ndarray, buffer: np.ndarray):  # type: ignore[no-untyped-def]
    core = header.Core()
    core.program, core.words = _pointer(decoded), len(decoded)
    core.rows, core.row_capacity = _pointer(buffer), len(buffer)
    core.special[:] = reference.SPECIAL
    for number, space in enumerate(SPACES):
        core.space_base[number] = space.base
        core.space_size[number] = memory.size_of(space)
        core.space_data[number] = _pointer(memory.bytes_of(space))
    return core


class _Scratch:
    """Working space of tensor instructions."""

    def __init__(self, memory: Memory) -> None:
        nram, wram = memory.size_of(NRAM), memory.size_of(WRAM)
        self.nram_copy = np.empty(nram, np.uint8)
        self.neurons = np.empty(max(nram, wram // 4), np.float32)  # or four pixels' taps
        self.weights = np.empty(wram // 2, np.float32)  # a bank of FP16, one float each

    def lend(self, core) -> None:  # type: ignore[no-untyped-def]
        core.nram_copy = _pointer(self.nram_copy)
        core.neurons, core.neurons_capacity = _pointer(self.neurons), len(self.neurons)
        core.weights = _pointer(self.weights)


def _pointer(array: np.ndarray) -> int:
    return array.ctypes.data


def walk(work: Workload, machine: Machine, first_rows: Sequence[int]) -> Schedule:
    """`walk.walk`, natively."""
    rows, launches = len(work.kind), len(first_rows) - 1
    plan = empty_schedule(rows, launches)
    window = max(machine.queues.window, 1)
    depths = (machine.queues.compute, machine.queues.io, machine.queues.move)
    columns = {
        "first_rows": np.array(first_rows, np.int64),
        "kind": work.kind.view(np.uint8),
        "writes": work.writes.view(np.uint8),
        **{name: getattr(work, name) for name in _WORK_COLUMNS},
        **{name: getattr(plan, name) for name in Schedule.__dataclass_fields__},
        **{name: np.zeros(rows, np.int64) for name in _DECODER_COLUMNS},
        "starts": np.zeros((len(depths), rows), np.int64),
        "window_rows": np.zeros(window, np.int64),
    }
    task = header.Replay()
    task.rows, task.launches, task.window = rows, launches, window
    task.overhead = machine.launch.overhead
    task.depth[:] = [max(depth, 1) for depth in depths]
    for name, column in columns.items():
        assert column.flags.c_contiguous, name
        setattr(task, name, _pointer(column))
    library().zhisuan_replay(ctypes.byref(task))
    return plan


_WORK_COLUMNS = ("decode", "occupancy", "latency", "mask", "low", "high")
_DECODER_COLUMNS = ("busy_until", "decoded", "sync_before", "full_before")
