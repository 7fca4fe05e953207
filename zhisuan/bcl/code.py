"""Machine code before registers are assigned: rows of the instruction table over virtual registers.

Registers 0..63 are the machine's; larger numbers are virtual.  `select` makes this form,
`order` adds SYNCs, `allocate` replaces the virtual registers, `emit` encodes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.base.errors import SourcePos
from zhisuan.isa.registry import LINK_REGISTER, REGISTERS, STACK_POINTER, Instruction, Kind
from zhisuan.isa.table import BY_NAME

ARGUMENT_REGISTERS = tuple(range(16))
"""Arguments and results travel in $0..$15, further arguments on the stack, 8 bytes each."""
CALLER_SAVED = tuple(range(32))
"""A call may change $0..$31 and the link register."""
CALLEE_SAVED = tuple(range(32, LINK_REGISTER))
"""A function restores those of $32..$61 that it changes."""
ALLOCATABLE = CALLER_SAVED + CALLEE_SAVED
FRAME_POINTER = CALLEE_SAVED[-1]
"""Where a function that moves the stack pointer as it runs keeps its frame."""
STACK_ALIGNMENT = 64

PRIVATE = "private"  # stack slots, parameters, constants: no queued instruction touches them
DRAM = "dram"
ANY = "any"  # may be on chip

_DEST = {row.name: tuple(op.kind is Kind.DEST for op in row.registers) for row in BY_NAME.values()}
BRANCHES = ("JUMP", "CB", "CBZ")
ENDS = ("JUMP", "JUMPR", "HALT", "TRAP")
_EFFECTS = frozenset(
    (
        "SSTORE",
        "JUMP",
        "CB",
        "CBZ",
        "CALL",
        "CALLR",
        "JUMPR",
        "SYNC",
        "BARRIER",
        "HALT",
        "TRAP",
        "PRINT",
    )
)


@dataclass(frozen=True)
class Slot:
    """A stack offset known only when the frame is laid out.

    `area` is "local" (slot `index`), "out" (outgoing argument), or "in" (incoming argument).
    """

    area: str
    index: int
    offset: int = 0


@dataclass(frozen=True)
class Symbol:
    """The index of a function's first instruction, known when all code is laid out."""

    name: str
    offset: int = 0


Immediate = int | str | Slot | Symbol | None


@dataclass(slots=True, eq=False)
class Op:
    """One instruction; `regs` in the row's order.  `imm` of a branch is a block's label.

    `ordered`: a transfer whose order the compiler keeps; `memory`: what a scalar access may
    touch; `reads` and `writes`: machine registers used beyond the operands (calls).
    `number` counts those that selection emitted, in order; 0 is one that a later pass made.
    """

    row: Instruction
    mode: str
    regs: list[int]
    imm: Immediate = None
    place: SourcePos | None = None
    ordered: bool = True
    memory: str = ""
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    number: int = 0

    @property
    def name(self) -> str:
        return self.row.name

    def uses(self) -> list[int]:
        regs = [r for r, dest in zip(self.regs, _DEST[self.row.name], strict=True) if not dest]
        if self.row.name == "SHIGH#":
            regs.append(self.regs[0])
        return [r for r in (*regs, *self.reads) if r != STACK_POINTER]

    def defs(self) -> list[int]:
        regs = [r for r, dest in zip(self.regs, _DEST[self.row.name], strict=True) if dest]
        return [r for r in (*regs, *self.writes) if r != STACK_POINTER]

    @property
    def is_move(self) -> bool:
        return self.row.name == "SMOVE"

    @property
    def is_call(self) -> bool:
        return self.row.name in ("CALL", "CALLR")

    @property
    def has_effect(self) -> bool:
        moves_stack = any(
            dest and r == STACK_POINTER
            for r, dest in zip(self.regs, _DEST[self.row.name], strict=True)
        )
        return moves_stack or self.row.is_queued or self.row.name in _EFFECTS

    def replace(self, index: int, register: int) -> None:
        self.regs[index] = register

    def dest_flags(self) -> tuple[bool, ...]:
        return _DEST[self.row.name]

    def __str__(self) -> str:
        regs = iter(self.regs)
        words = [f"${next(regs)}" if o.is_register else f"#{self.imm}" for o in self.row.operands]
        mode = f".{self.mode}" if self.mode else ""
        return f"{self.row.mnemonic}{mode} " + ", ".join(words)


@dataclass
class CodeBlock:
    """Straight-line code; control leaves by the branches at its end, never by falling through."""

    label: str
    ops: list[Op] = field(default_factory=list)
    depth: int = 0

    def successors(self) -> list[str]:
        """Labels of the blocks that may follow."""
        found = []
        for op in reversed(self.ops):
            if op.name in BRANCHES:
                found.append(str(op.imm))
            elif op.name not in ENDS:
                break
        return found[::-1]


@dataclass
class Code:
    """A function's machine code.

    `again`: for a virtual register that is cheaper to make again than to keep, the ops that
    make it, the last of which writes it (others write registers of their own).
    `spills`: the slots in which the allocator keeps values, whose addresses nobody takes.
    `kept`: virtual registers that are never spilled, because making others again needs them.
    """

    name: str
    is_kernel: bool
    blocks: list[CodeBlock] = field(default_factory=list)
    next_register: int = REGISTERS
    slots: list[tuple[int, int]] = field(default_factory=list)  # (bytes, alignment)
    out_arguments: int = 0
    makes_calls: bool = False
    moves_stack: bool = False  # has arrays of a length known at run time: needs FRAME_POINTER
    again: dict[int, list[Op]] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    spills: set[int] = field(default_factory=set)
    saved: tuple[int, ...] = ()

    def new_register(self) -> int:
        self.next_register += 1
        return self.next_register - 1

    def new_slot(self, size: int, align: int) -> int:
        self.slots.append((max(size, 1), align))
        return len(self.slots) - 1

    def __str__(self) -> str:
        lines = []
        for block in self.blocks:
            lines.append(f"{block.label}:")
            lines += [f"    {op}" for op in block.ops]
        return "\n".join(lines)


def make(
    name: str,
    mode: str,
    regs: list[int],
    imm: Immediate = None,
    place: SourcePos | None = None,
    memory: str = "",
) -> Op:
    """An instruction of the table by its name."""
    row = BY_NAME[name]
    assert mode in row.modes, f"{name} has no mode {mode}"
    assert len(regs) == len(row.registers), f"{name} takes {len(row.registers)} registers"
    return Op(row, mode, regs, imm, place, memory=memory)


def drop_unused(code: Code) -> None:
    """Remove instructions without effect whose results nobody reads."""
    counts: dict[int, int] = {}
    for block in code.blocks:
        for op in block.ops:
            for register in op.uses():
                counts[register] = counts.get(register, 0) + 1
    changed = True
    while changed:
        changed = False
        for block in code.blocks:
            kept = []
            for op in block.ops:
                results = op.defs()
                alive = op.has_effect or any(r < REGISTERS or counts.get(r) for r in results)
                if alive:
                    kept.append(op)
                    continue
                changed = True
                for register in op.uses():
                    counts[register] -= 1
            block.ops = kept
