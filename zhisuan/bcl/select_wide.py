"""Integers of 65 to 128 bits as pairs of registers.

LLVM makes them when it sums loops in closed form, and people write __int128.  Addition,
multiplication, logic, shifts, comparison, casts; division is an error.
"""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.extend import resized, sign_extended, zero_extended
from zhisuan.bcl.selector import Selector

Pair = tuple[int, int]


def _pair(s: Selector, value: ir.Value) -> Pair:
    low, high = s.parts(value)
    return low, high


def masked(s: Selector, pair: Pair, width: int) -> Pair:
    """The pair with everything above `width` bits cleared."""
    if width == 128:
        return pair
    low, high = pair
    spare = 128 - width
    up = s.op("SSHL#", "u64", high, imm=spare)
    return low, s.op("SSHR#", "u64", up, imm=spare)


def _sign_extended(s: Selector, pair: Pair, width: int) -> Pair:
    if width == 128:
        return pair
    low, high = pair
    up = s.op("SSHL#", "i64", high, imm=128 - width)
    return low, s.op("SSHR#", "i64", up, imm=128 - width)


def _add(s: Selector, a: Pair, b: Pair) -> Pair:
    low = s.op("SADD", "u64", a[0], b[0])
    carry = s.op("SLT", "u64", low, a[0])
    high = s.op("SADD", "u64", a[1], b[1])
    return low, s.op("SADD", "u64", high, carry)


def _subtract(s: Selector, a: Pair, b: Pair) -> Pair:
    borrow = s.op("SLT", "u64", a[0], b[0])
    low = s.op("SSUB", "u64", a[0], b[0])
    high = s.op("SSUB", "u64", a[1], b[1])
    return low, s.op("SSUB", "u64", high, borrow)


def _multiply(s: Selector, a: Pair, b: Pair) -> Pair:
    low = s.op("SMUL", "u64", a[0], b[0])
    high = s.op("SMULH", "u64", a[0], b[0])
    first = s.op("SMUL", "u64", a[0], b[1])
    second = s.op("SMUL", "u64", a[1], b[0])
    return low, s.op("SADD", "u64", s.op("SADD", "u64", high, first), second)


def _shift(s: Selector, op: str, a: Pair, amount: int) -> Pair:
    """Shift by a register below 128: within words when < 64, else from one to the other."""
    zero = s.constant(0)
    far = s.op("SSHR#", "u64", amount, imm=6)
    rest = s.op("SSUB", "u64", s.constant(64), amount)
    none = s.op("SEQ#", "u64", s.op("SAND#", "u64", amount, imm=63), imm=0)
    if op == "shl":
        near, other = a
        moved, row, mode, back = near, "SSHL", "u64", "SSHR"
    else:
        other, near = a
        moved, row, mode, back = near, "SSHR", "i64" if op == "ashr" else "u64", "SSHL"
    shifted = s.op(row, mode, moved, amount)
    crossing = s.op("SSEL", "", none, zero, s.op(back, "u64", near, rest))
    plain = s.op(row, "u64", other, amount)
    joined = s.op("SOR", "u64", plain, crossing)
    empty = s.op("SSHR#", "i64", near, imm=63) if op == "ashr" else zero
    near_result = s.op("SSEL", "", far, empty, shifted)
    other_result = s.op("SSEL", "", far, shifted, joined)
    return (near_result, other_result) if op == "shl" else (other_result, near_result)


def binary(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.type)
    a, b = _pair(s, item.operands[0]), _pair(s, item.operands[1])
    if item.op in ("add", "sub", "mul"):
        rule = {"add": _add, "sub": _subtract, "mul": _multiply}[item.op]
        result = rule(s, a, b)
    elif item.op in ("and", "or", "xor"):
        row = "S" + item.op.upper()
        result = s.op(row, "u64", a[0], b[0]), s.op(row, "u64", a[1], b[1])
    elif item.op in ("shl", "lshr", "ashr"):
        source = _sign_extended(s, a, width) if item.op == "ashr" else a
        result = _shift(s, item.op, source, b[0])
    else:
        raise s.error("division of integers wider than 64 bits is not supported")
    s.define(item, *masked(s, result, width))


def compare(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.operands[0].type)
    a, b = _pair(s, item.operands[0]), _pair(s, item.operands[1])
    if item.word in ("eq", "ne"):
        low, high = s.op("SXOR", "u64", a[0], b[0]), s.op("SXOR", "u64", a[1], b[1])
        row = "SEQ#" if item.word == "eq" else "SNE#"
        s.define(item, s.op(row, "u64", s.op("SOR", "u64", low, high), imm=0))
        return
    mode = "u64"
    if item.word[0] == "s":
        mode = "i64"
        a, b = _sign_extended(s, a, width), _sign_extended(s, b, width)
    row = "S" + item.word[1:].upper()
    same = s.op("SEQ", "u64", a[1], b[1])
    low = s.op(row, "u64", a[0], b[0])
    high = s.op(row, mode, a[1], b[1])
    result = s.op("SSEL", "", same, low, high)
    s.extended[result] = (False, 1)
    s.define(item, result)


def cast(s: Selector, item: ir.Instruction) -> None:
    width, wanted = s.width(item.operands[0].type), s.width(item.type)
    registers = s.parts(item.operands[0])
    if wanted <= 64:
        s.define(item, resized(s, registers[0], 64, wanted, False))
        return
    if len(registers) == 2:
        low, high = registers[0], registers[1]
        pair = _sign_extended(s, (low, high), width) if item.op == "sext" else (low, high)
    elif item.op == "sext":
        low = sign_extended(s, registers[0], width)
        pair = low, s.op("SSHR#", "i64", low, imm=63)
    else:
        pair = zero_extended(s, registers[0], width), s.constant(0)
    s.define(item, *masked(s, pair, wanted))
