"""Integer operations of up to 64 bits → scalar instructions.

A width that the machine has uses the mode of that width.  Any other is computed in 64 bits and
then zero-extended from its width.  Wider than 64 bits: `select_wide`.
"""

from __future__ import annotations

from zhisuan.bcl import ir, select_wide
from zhisuan.bcl.extend import is_sign_extended, resized, sign_extended, zero_extended
from zhisuan.bcl.select_constant import OPERATIONS, by_constant
from zhisuan.bcl.selector import NATIVE, Selector, fits

ROWS = {
    "add": "SADD", "sub": "SSUB", "mul": "SMUL", "sdiv": "SDIV", "udiv": "SDIV", "srem": "SREM",
    "urem": "SREM", "shl": "SSHL", "lshr": "SSHR", "ashr": "SSHR", "and": "SAND", "or": "SOR",
    "xor": "SXOR",
}  # fmt: skip
_SIGNED = ("sdiv", "srem", "ashr")
_UNSIGNED = ("udiv", "urem", "lshr")
COMPARISONS = {"eq": "SEQ", "ne": "SNE", "lt": "SLT", "le": "SLE", "gt": "SGT", "ge": "SGE"}
_SWAPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def immediate(s: Selector, value: ir.Value, row: str) -> int | None:
    """The number to put into the immediate form `row`, or None if it does not fit."""
    if not isinstance(value, ir.Number):
        return None
    width = s.width(value.type)
    number = ir.signed(value.bits, width) if width in NATIVE else value.bits
    return number if fits(number, row) else None


def binary(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.type)
    if width > 64:
        select_wide.binary(s, item)
        return
    s.define(item, binary_of(s, item.op, width, item.operands[0], item.operands[1]))


def binary_of(s: Selector, op: str, width: int, a: ir.Value, b: ir.Value) -> int:
    if width not in NATIVE:
        return _odd_binary(s, op, width, a, b)
    row, number = ROWS[op], None
    if op in OPERATIONS:
        quick = by_constant(s, op, width, a, b)
        if quick is not None:
            return quick
    if op == "sub" and isinstance(b, ir.Number):
        minus = ir.Number(b.type, -b.bits & ((1 << width) - 1))
        return binary_of(s, "add", width, a, minus)
    number = immediate(s, b, row + "#")
    mode = f"u{width}" if op in _UNSIGNED else f"i{width}"
    if op == "and" and number is not None and number >= 0:
        mode = f"u{width}"
    if number is not None:
        return s.op(row + "#", mode, s.reg(a), imm=number)
    return s.op(row, mode, s.reg(a), s.reg(b))


def _odd_binary(s: Selector, op: str, width: int, a: ir.Value, b: ir.Value) -> int:
    first, second = s.reg(a), s.reg(b)
    mode = "i64" if op in _SIGNED else "u64"
    if op in _SIGNED:
        first = sign_extended(s, first, width)
        second = second if op == "ashr" else sign_extended(s, second, width)
    result = s.op(ROWS[op], mode, first, second)
    if op in ("and", "or", "xor", "lshr", "udiv", "urem"):
        s.extended[result] = (False, width)
    return zero_extended(s, result, width)


def compare(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.operands[0].type)
    if width > 64:
        select_wide.compare(s, item)
        return
    s.define(item, compare_of(s, item.word, width, item.operands[0], item.operands[1]))


def compare_of(s: Selector, predicate: str, width: int, a: ir.Value, b: ir.Value) -> int:
    if not isinstance(a, ir.Local) and isinstance(b, ir.Local):
        prefix = predicate[:-2]
        return compare_of(s, prefix + _SWAPPED[predicate[-2:]], width, b, a)
    row = COMPARISONS[predicate[-2:]]
    is_signed = predicate[0] == "s" or predicate in ("eq", "ne")
    if width not in NATIVE:
        return _odd_compare(s, row, predicate[0] == "s", width, a, b)
    mode = f"{'i' if is_signed else 'u'}{width}"
    number = immediate(s, b, row + "#")
    if number is not None:
        return s.op(row + "#", mode, s.reg(a), imm=number)
    return s.op(row, mode, s.reg(a), s.reg(b))


def _odd_compare(
    s: Selector, row: str, is_signed: bool, width: int, a: ir.Value, b: ir.Value
) -> int:
    first, second = s.reg(a), s.reg(b)
    if is_signed:
        first, second = sign_extended(s, first, width), sign_extended(s, second, width)
    return s.op(row, "i64" if is_signed else "u64", first, second)


def cast(s: Selector, item: ir.Instruction) -> None:
    """trunc, zext, sext, and casts that keep or cut bits: bitcast, ptrtoint, inttoptr."""
    source, target = item.operands[0].type, item.type
    if isinstance(source, ir.Array | ir.Struct | ir.Vector) or isinstance(target, ir.Vector):
        raise s.error("values of vector type are not supported", "use an array")
    for kind in (source, target):
        s.count_parts(kind)
    if isinstance(source, ir.Float) or isinstance(target, ir.Float):
        s.define(item, *s.parts(item.operands[0]))
        return
    width, wanted = s.width(source), s.width(target)
    if max(width, wanted) > 64:
        select_wide.cast(s, item)
        return
    register = s.reg(item.operands[0])
    as_signed = item.op == "sext" or (item.nonnegative and is_sign_extended(s, register, width))
    s.define(item, resized(s, register, width, wanted, as_signed))
