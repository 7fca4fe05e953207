"""How an instruction is declared: the `@instruction` decorator and what it records.

An instruction is one Python function.  Its name is the mnemonic, its docstring the manual
entry, its body the meaning (NumPy, obvious, the definition both executors must match); the
decorator's arguments give operands, encoding, modes, unit, cost and the memory it touches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np

from zhisuan.isa.address import CONST, GDRAM, LDRAM, NRAM, PARAM, SRAM, Space

OPCODE_BITS = 10
MODE_BITS = 6
FIELD_BITS = 6
FIELDS = 8
REGISTERS = 64
STACK_POINTER = 63
LINK_REGISTER = 62


class Unit(Enum):
    """Who executes it; the value is the number used in trace columns."""

    SCALAR = 0
    VFU = 1
    MFU = 2
    IO = 3
    MOVE = 4

    @property
    def queue(self) -> Queue | None:
        return _QUEUE_OF[self]


class Queue(Enum):
    """In-order issue queues; the value is the bit in a SYNC mask."""

    COMPUTE = 1
    IO = 2
    MOVE = 4


_QUEUE_OF: dict[Unit, Queue | None] = {
    Unit.SCALAR: None,
    Unit.VFU: Queue.COMPUTE,
    Unit.MFU: Queue.COMPUTE,
    Unit.IO: Queue.IO,
    Unit.MOVE: Queue.MOVE,
}
SYNC_ALL = sum(queue.value for queue in Queue)


class Kind(Enum):
    """What an operand is in the encoding."""

    DEST = "d"  # register written
    SOURCE = "s"  # register read
    IMMEDIATE = "#"  # signed integer in all the bits above the register fields
    FLOAT = "#f"  # FP16 immediate, same bits
    TARGET = "@"  # branch distance in words from the next instruction, same bits


@dataclass(frozen=True)
class Operand:
    name: str
    kind: Kind

    @property
    def is_register(self) -> bool:
        return self.kind in (Kind.DEST, Kind.SOURCE)


@dataclass(frozen=True)
class Touch:
    """A byte range an instruction reads or writes: [base, base + span). May hold arrays.

    `atomic`: in an order with the atomic accesses of other cores, so that they do not race.
    """

    writes: bool
    base: Any
    span: Any
    atomic: bool = False


class Core(Protocol):
    """What a meaning may use of the machine that runs it."""

    pc: int  # index of the next instruction word; a meaning may change it
    halted: bool
    held: int | None  # the lock whose section the core is in
    noted: tuple[int, ...]  # what a row's `noted` names: set by its meaning

    def read(self, address: int, dtype: Any, count: int) -> np.ndarray: ...
    def write(self, address: int, values: np.ndarray) -> None: ...
    def cast(self, address: int, values: np.ndarray) -> None: ...
    def send(self, cluster: int, address: int, values: np.ndarray) -> None: ...
    def trap(self, reason: str) -> None: ...
    def special(self, index: int) -> int: ...
    def print(self, text: str) -> None: ...


class Operands:
    """Operand values by name, as attributes, with the mode's text in `mode`.

    Registers give their 64-bit value as a Python int in [0, 2^64) for a meaning; cost and
    touch formulas get signed int64 NumPy arrays, one element per trace row.
    """

    mode: str

    def __init__(self, mode: str, values: dict[str, Any]) -> None:
        self.mode = mode
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:  # only for type checkers: all are set above
        raise AttributeError(name)


Meaning = Callable[[Core, Operands], Any]
Cycles = Callable[[Any, Operands], Any]
Touches = Callable[[Operands], tuple[Touch, ...]]


@dataclass(frozen=True)
class Instruction:
    """A row of the table.

    `name` is unique (`SADD`, and `SADD#` for its immediate form); `mnemonic` is what assembly
    shows.  `cycles(machine, o)` is how long the unit is occupied, in machine cycles;
    `latency` names the machine key added before the result is visible.  For scalar
    instructions `cost` names the key of the machine's scalar cost table instead.  `reads` and
    `writes` are the memories it can reach; an access to any other is a fault.  `noted` are
    numbers that execution adds to the trace behind the operands, for the cost formula.  Tasks of
    a kernel with an `ordered` row run in their order: they may meet in memory without a barrier.
    """

    name: str
    mnemonic: str
    opcode: int
    unit: Unit
    operands: tuple[Operand, ...]
    modes: tuple[str, ...]
    doc: str
    meaning: Meaning
    cost: str
    cycles: Cycles | None
    latency: str
    touches: Touches
    reads: tuple[Space, ...]
    writes: tuple[Space, ...]
    noted: tuple[str, ...] = ()
    ordered: bool = False

    @property
    def is_queued(self) -> bool:
        """Whether it goes to an issue queue and so has a trace row of its own."""
        return self.unit is not Unit.SCALAR

    @property
    def registers(self) -> tuple[Operand, ...]:
        return tuple(operand for operand in self.operands if operand.is_register)

    @property
    def immediate(self) -> Operand | None:
        """The one operand that is not a register, or None."""
        rest = [operand for operand in self.operands if not operand.is_register]
        return rest[0] if rest else None

    @property
    def immediate_bits(self) -> int:
        return 64 - OPCODE_BITS - MODE_BITS - FIELD_BITS * len(self.registers)


ROWS: list[Instruction] = []

SCALAR_READS = (NRAM, SRAM, PARAM, CONST, LDRAM, GDRAM)
SCALAR_WRITES = (NRAM, SRAM, LDRAM, GDRAM)
_REACHED: dict[Unit, tuple[tuple[Space, ...], tuple[Space, ...]]] = {
    Unit.SCALAR: (SCALAR_READS, SCALAR_WRITES),
    Unit.VFU: ((NRAM,), (NRAM,)),
}
"""Memories read and written by the units whose instructions all reach the same ones."""


def parse_operands(text: str) -> tuple[Operand, ...]:
    """`"d:dst n a #imm"` → operands; a bare name is a source register."""
    operands = []
    for word in text.split():
        if word.startswith("d:"):
            operands.append(Operand(word[2:], Kind.DEST))
        elif word.startswith("#f:"):
            operands.append(Operand(word[3:], Kind.FLOAT))
        elif word.startswith("#"):
            operands.append(Operand(word[1:], Kind.IMMEDIATE))
        elif word.startswith("@"):
            operands.append(Operand(word[1:], Kind.TARGET))
        else:
            operands.append(Operand(word, Kind.SOURCE))
    return tuple(operands)


def no_touches(_: Operands) -> tuple[Touch, ...]:
    return ()


def instruction(
    name: str,
    opcode: int,
    unit: Unit,
    operands: str,
    *,
    modes: tuple[str, ...] = ("",),
    cost: str = "",
    cycles: Cycles | None = None,
    latency: str = "",
    touches: Touches = no_touches,
    reads: tuple[Space, ...] | None = None,
    writes: tuple[Space, ...] | None = None,
    noted: tuple[str, ...] = (),
    ordered: bool = False,
) -> Callable[[Meaning], Meaning]:
    """Enter a row in the table; the decorated function is its meaning.

    `reads` and `writes` are needed only where the unit does not decide them.
    """
    unit_reads, unit_writes = _REACHED.get(unit, ((), ()))

    def enter(meaning: Meaning) -> Meaning:
        ROWS.append(
            Instruction(
                name=name,
                mnemonic=name.rstrip("#"),
                opcode=opcode,
                unit=unit,
                operands=parse_operands(operands),
                modes=modes,
                doc=(meaning.__doc__ or "").strip(),
                meaning=meaning,
                cost=cost,
                cycles=cycles,
                latency=latency,
                touches=touches,
                reads=unit_reads if reads is None else reads,
                writes=unit_writes if writes is None else writes,
                noted=noted,
                ordered=ordered,
            )
        )
        return meaning

    return enter


def touched(row: Instruction) -> tuple[list[str], list[str]]:
    """Names of the operands where the byte ranges start that a row writes and reads.

    Found by asking the row: all operands 1, then one of them far away; the ranges whose
    start moves as far are that operand's.
    """
    far = 1 << 40
    near = {operand.name: 1 for operand in row.operands}
    before = row.touches(Operands(row.modes[0], near))
    written, read = [], []
    for operand in row.operands:
        after = row.touches(Operands(row.modes[0], near | {operand.name: 1 + far}))
        for old, new in zip(before, after, strict=True):
            if new.base - old.base == far:
                (written if new.writes else read).append(operand.name)
    return written, read
