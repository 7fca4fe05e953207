"""Integers wider than 64 bits as words of 64, the lowest first; the highest is zero-extended.

LLVM makes them when it sums loops in closed form or copies a structure as one number, and people
write __int128.  Products and shifts by a variable reach to 128 bits; division is the library's.
"""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.extend import resized, sign_extended, zero_extended
from zhisuan.bcl.selector import Selector

Words = list[int]


def masked(s: Selector, words: Words, width: int) -> Words:
    """The words with everything above `width` bits cleared."""
    top = width - 64 * (len(words) - 1)
    if top == 64:
        return words
    up = s.op("SSHL#", "u64", words[-1], imm=64 - top)
    return [*words[:-1], s.op("SSHR#", "u64", up, imm=64 - top)]


def _sign_extended(s: Selector, words: Words, width: int) -> Words:
    top = width - 64 * (len(words) - 1)
    if top == 64:
        return words
    up = s.op("SSHL#", "i64", words[-1], imm=64 - top)
    return [*words[:-1], s.op("SSHR#", "i64", up, imm=64 - top)]


def _sign(s: Selector, word: int) -> int:
    return s.op("SSHR#", "i64", word, imm=63)


def _add(s: Selector, a: Words, b: Words) -> Words:
    result: Words = []
    carry = None
    for x, y in zip(a, b, strict=True):
        total = s.op("SADD", "u64", x, y)
        over = s.op("SLT", "u64", total, x)
        if carry is not None:
            total = s.op("SADD", "u64", total, carry)
            over = s.op("SOR", "u64", over, s.op("SLT", "u64", total, carry))
        result.append(total)
        carry = over
    return result


def _subtract(s: Selector, a: Words, b: Words) -> Words:
    result: Words = []
    borrow = None
    for x, y in zip(a, b, strict=True):
        rest = s.op("SSUB", "u64", x, y)
        under = s.op("SLT", "u64", x, y)
        if borrow is not None:
            under = s.op("SOR", "u64", under, s.op("SLT", "u64", rest, borrow))
            rest = s.op("SSUB", "u64", rest, borrow)
        result.append(rest)
        borrow = under
    return result


def _multiply(s: Selector, a: Words, b: Words) -> Words:
    if len(a) > 2:
        raise s.error("products of integers wider than 128 bits are not supported")
    low = s.op("SMUL", "u64", a[0], b[0])
    high = s.op("SMULH", "u64", a[0], b[0])
    first = s.op("SMUL", "u64", a[0], b[1])
    second = s.op("SMUL", "u64", a[1], b[0])
    return [low, s.op("SADD", "u64", s.op("SADD", "u64", high, first), second)]


def _shift_by_constant(s: Selector, op: str, a: Words, amount: int) -> Words:
    """Whole words move, then each takes bits of its neighbour."""
    by, bits = divmod(amount, 64)
    fill = _sign(s, a[-1]) if op == "ashr" else s.constant(0)

    def word(index: int) -> int:
        if index >= len(a):
            return fill
        return a[index] if index >= 0 else s.constant(0)

    result: Words = []
    for index in range(len(a)):
        if op == "shl":
            main, other, row, back = word(index - by), word(index - by - 1), "SSHL#", "SSHR#"
        else:
            main, other, row, back = word(index + by), word(index + by + 1), "SSHR#", "SSHL#"
        if bits:
            moved = s.op(row, "u64", main, imm=bits)
            main = s.op("SOR", "u64", moved, s.op(back, "u64", other, imm=64 - bits))
        result.append(main)
    return result


def _shift(s: Selector, op: str, a: Words, amount: int) -> Words:
    """Shift by a register below 128: within words when < 64, else from one to the other."""
    if len(a) > 2:
        raise s.error("shifts by a variable of integers wider than 128 bits are not supported")
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
    empty = _sign(s, near) if op == "ashr" else zero
    near_result = s.op("SSEL", "", far, empty, shifted)
    other_result = s.op("SSEL", "", far, shifted, joined)
    return [near_result, other_result] if op == "shl" else [other_result, near_result]


def binary(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.type)
    a, b = s.parts(item.operands[0]), s.parts(item.operands[1])
    if item.op in ("add", "sub", "mul"):
        rule = {"add": _add, "sub": _subtract, "mul": _multiply}[item.op]
        result = rule(s, a, b)
    elif item.op in ("and", "or", "xor"):
        row = "S" + item.op.upper()
        result = [s.op(row, "u64", x, y) for x, y in zip(a, b, strict=True)]
    elif item.op in ("shl", "lshr", "ashr"):
        source = _sign_extended(s, a, width) if item.op == "ashr" else a
        amount = item.operands[1]
        if isinstance(amount, ir.Number):
            result = _shift_by_constant(s, item.op, source, min(amount.bits, width - 1))
        else:
            result = _shift(s, item.op, source, b[0])
    else:
        raise s.error("division of integers wider than 128 bits is not supported")
    s.define(item, *masked(s, result, width))


def compare(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.operands[0].type)
    a, b = s.parts(item.operands[0]), s.parts(item.operands[1])
    if item.word in ("eq", "ne"):
        _compare_all(s, item, a, b)
        return
    mode = "u64"
    if item.word[0] == "s":
        mode = "i64"
        a, b = _sign_extended(s, a, width), _sign_extended(s, b, width)
    row = "S" + item.word[1:].upper()
    result = s.op(row, "u64", a[0], b[0])
    for index in range(1, len(a)):
        same = s.op("SEQ", "u64", a[index], b[index])
        high = s.op(row, mode if index == len(a) - 1 else "u64", a[index], b[index])
        result = s.op("SSEL", "", same, result, high)
    s.extended[result] = (False, 1)
    s.define(item, result)


def _compare_all(s: Selector, item: ir.Instruction, a: Words, b: Words) -> None:
    differ = s.op("SXOR", "u64", a[0], b[0])
    for x, y in zip(a[1:], b[1:], strict=True):
        differ = s.op("SOR", "u64", differ, s.op("SXOR", "u64", x, y))
    s.define(item, s.op("SEQ#" if item.word == "eq" else "SNE#", "u64", differ, imm=0))


def cast(s: Selector, item: ir.Instruction) -> None:
    width, wanted = s.width(item.operands[0].type), s.width(item.type)
    words = s.parts(item.operands[0])
    if wanted <= 64:
        s.define(item, resized(s, words[0], 64, wanted, False))
        return
    if item.op == "sext":
        one = len(words) == 1
        words = [sign_extended(s, words[0], width)] if one else _sign_extended(s, words, width)
        fill = _sign(s, words[-1])
    else:
        words = [zero_extended(s, words[0], width)] if len(words) == 1 else words
        fill = s.constant(0)
    count = s.count_parts(item.type)
    s.define(item, *masked(s, (words + [fill] * count)[:count], wanted))
