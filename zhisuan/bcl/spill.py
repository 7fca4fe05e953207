"""Spilling: values that found no register live in stack slots, or are made again.

In: machine code and the registers to spill.  Out: the same code in which each of them is only a
short-lived copy around its uses: loaded before, stored after.  Uses close together in a block
share one copy.
"""

from __future__ import annotations

from zhisuan.bcl.code import PRIVATE, Code, CodeBlock, Op, Slot, make
from zhisuan.isa.registry import STACK_POINTER

_NEAR = 8
"""Instructions over which a copy is kept for another use."""


class Spiller:
    """`unspillable`: registers that spilling again would not help."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.unspillable = set(code.kept)
        self.homes: dict[int, int | None] = {}
        self.copies: set[int] = set()
        self.recent: dict[int, tuple[int, int]] = {}  # register → (copy, where last used)

    def spill(self, registers: list[int]) -> None:
        """Rewrite the code so that `registers` no longer occur."""
        for register in registers:
            is_made = register in self.code.again
            self.homes[register] = None if is_made else self.code.new_slot(8, 8)
        for block in self.code.blocks:
            self._rewrite(block)

    def _rewrite(self, block: CodeBlock) -> None:
        self.recent = {}
        ops: list[Op] = []
        for index, op in enumerate(block.ops):
            written = op.defs()
            if written and written[0] in self.homes and self.homes[written[0]] is None:
                continue  # made again where it is used
            self._read(op, index, ops)
            ops.append(op)
            self._write(op, index, ops)
            if op.is_call:
                self.recent = {}
        block.ops = ops

    def _copy(self, register: int, index: int) -> int:
        copy = self.code.new_register()
        self.copies.add(copy)
        self.unspillable.add(copy)
        self.recent[register] = (copy, index)
        return copy

    def _read(self, op: Op, index: int, ops: list[Op]) -> None:
        for register in dict.fromkeys(op.uses()):
            if register not in self.homes:
                continue
            copy, last = self.recent.get(register, (-1, -_NEAR - 1))
            if index - last <= _NEAR and register not in self.copies:
                self.unspillable.discard(copy)  # it lives longer now
                self.recent[register] = (copy, index)
            else:
                copy = self._copy(register, index)
                ops += self._reload(register, copy, op)
            for position, is_dest in enumerate(op.dest_flags()):
                if op.regs[position] == register and not is_dest:
                    op.replace(position, copy)

    def _write(self, op: Op, index: int, ops: list[Op]) -> None:
        for position, is_dest in enumerate(op.dest_flags()):
            register = op.regs[position]
            slot = self.homes.get(register)
            if is_dest and slot is not None:
                copy = self._copy(register, index)
                op.replace(position, copy)
                place = Slot("local", slot)
                ops.append(
                    make("SSTORE", "i64", [copy, STACK_POINTER], place, op.place, memory=PRIVATE)
                )

    def _reload(self, register: int, copy: int, op: Op) -> list[Op]:
        slot = self.homes[register]
        if slot is not None:
            place = Slot("local", slot)
            return [make("SLOAD", "i64", [copy, STACK_POINTER], place, op.place, memory=PRIVATE)]
        made = []
        for pattern in self.code.again[register]:
            regs = [copy if r == register else r for r in pattern.regs]
            again = make(pattern.name, pattern.mode, regs, pattern.imm, op.place)
            again.memory = pattern.memory
            made.append(again)
        return made
