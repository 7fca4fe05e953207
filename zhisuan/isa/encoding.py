"""Instruction ↔ 64-bit word: opcode 10 bits, mode 6, register fields 6 each, immediate above.

Bit 0 is the lowest of the opcode; the first register operand of the row takes the field next
to the mode.  The immediate, if any, is two's complement in all bits above the last field.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.registry import FIELD_BITS, MODE_BITS, OPCODE_BITS, REGISTERS, Instruction
from zhisuan.isa.table import BY_OPCODE

_FIRST_FIELD = OPCODE_BITS + MODE_BITS


@dataclass(frozen=True)
class Encodable:
    """One instruction with its operand values, in the row's order.

    Registers are numbers 0..63; the immediate is a signed integer (a FLOAT immediate the bits
    of its FP16 value; a TARGET the distance in words from the next instruction).
    """

    row: Instruction
    mode: str
    values: tuple[int, ...]


def encode(item: Encodable) -> int:
    """The 64-bit word; an operand that does not fit is an error naming it."""
    row = item.row
    if item.mode not in row.modes:
        raise ZhisuanError(
            f"{row.mnemonic} has no mode '{item.mode}'",
            expected="one of " + ", ".join(mode or "(none)" for mode in row.modes),
            found=item.mode or "(none)",
        )
    word = row.opcode | row.modes.index(item.mode) << OPCODE_BITS
    position = _FIRST_FIELD
    for operand, value in zip(row.operands, item.values, strict=True):
        if not operand.is_register:
            continue
        if not 0 <= value < REGISTERS:
            raise ZhisuanError(
                f"{row.mnemonic}: operand '{operand.name}' is not a register",
                expected=f"$0 to ${REGISTERS - 1}",
                found=f"${value}",
            )
        word |= value << position
        position += FIELD_BITS
    immediate = row.immediate
    if immediate is not None:
        value = item.values[row.operands.index(immediate)]
        bits = row.immediate_bits
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise ZhisuanError(
                f"{row.mnemonic}: immediate '{immediate.name}' does not fit",
                expected=f"a signed number of {bits} bits",
                found=str(value),
                hint="load it into a register with SLOAD (and SHIGH for the upper half)",
            )
        word |= (value & ((1 << bits) - 1)) << position
    return word


def decode(word: int) -> Encodable:
    """The instruction in a word; an unknown opcode or mode is an error."""
    opcode = word & ((1 << OPCODE_BITS) - 1)
    row = BY_OPCODE.get(opcode)
    if row is None:
        raise ZhisuanError(f"word 0x{word:016x} has no known opcode", found=f"0x{opcode:03x}")
    mode = word >> OPCODE_BITS & ((1 << MODE_BITS) - 1)
    if mode >= len(row.modes):
        raise ZhisuanError(f"word 0x{word:016x}: {row.mnemonic} has no mode number {mode}")
    position = _FIRST_FIELD
    fields = []
    for _ in row.registers:
        fields.append(word >> position & (REGISTERS - 1))
        position += FIELD_BITS
    top = word >> position
    bits = row.immediate_bits
    if row.immediate is None and top:
        raise ZhisuanError(f"word 0x{word:016x}: bits set above the operands of {row.mnemonic}")
    signed = top - (1 << bits) if bits and top >> (bits - 1) else top
    registers = iter(fields)
    values = tuple(next(registers) if op.is_register else signed for op in row.operands)
    return Encodable(row, row.modes[mode], values)
