"""Spilling: values that found no register live in stack slots, or are made again.

In: machine code and the registers to spill.  Out: the same code in which each of them is only a
short-lived copy around its uses: loaded before, stored after.  Uses in a block share one copy as
long as there are registers for all that is live in between.
"""

from __future__ import annotations

from zhisuan.bcl.code import PRIVATE, Code, CodeBlock, Op, Slot, make
from zhisuan.bcl.liveness import backward, bits, live_out
from zhisuan.isa.registry import STACK_POINTER

_SPARE = 4
"""Registers left to copies that live from one instruction to the next."""


class Spiller:
    """`unspillable`: registers that spilling again would not help; `crowd`: how many values are
    live after each instruction of the block at hand, copies included."""

    def __init__(self, code: Code, registers: int) -> None:
        self.code = code
        self.room = registers - _SPARE
        self.crowd: list[int] = []
        self.unspillable = set(code.kept)
        self.homes: dict[int, int | None] = {}
        self.copies: set[int] = set()
        self.recent: dict[int, tuple[int, int]] = {}  # register → (copy, where last used)

    def spill(self, registers: list[int]) -> None:
        """Rewrite the code so that `registers` no longer occur."""
        for register in registers:
            is_made = register in self.code.again
            self.homes[register] = None if is_made else self._new_slot()
        out, gone = live_out(self.code), bits(registers)
        for block in self.code.blocks:
            held = [after & ~gone for _, _, after in backward(block, out[block.label])]
            self.crowd = [live.bit_count() for live in held[::-1]]
            self._rewrite(block)

    def _new_slot(self) -> int:
        slot = self.code.new_slot(8, 8)
        self.code.spills.add(slot)
        return slot

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

    def _keep(self, first: int, last: int) -> bool:
        """Take a register from one instruction to another, if there is one."""
        if max(self.crowd[first:last], default=0) >= self.room:
            return False
        for index in range(first, last):
            self.crowd[index] += 1
        return True

    def _read(self, op: Op, index: int, ops: list[Op]) -> None:
        for register in dict.fromkeys(op.uses()):
            if register not in self.homes:
                continue
            copy, last = self.recent.get(register, (-1, -1))
            if copy >= 0 and register not in self.copies and self._keep(last, index):
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
