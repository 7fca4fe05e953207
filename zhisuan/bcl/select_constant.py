"""Products, quotients and remainders with a constant: cheaper instructions for them.

A division holds the decoder for many cycles, a product for some, a shift for one, on every machine
on which they differ.  The quotient is the upper part of a product with 2^s / d, rounded up; powers
of two are shifts, and a number beside one is a shift and a sum.  Only where code runs more than
once: it takes some instructions instead of one.

    SMUL.i32 p, x, #5    →   SSHL.i32 t, x, #2; SADD.i32 p, t, x
    SDIV.u32 q, x, #10   →   SADD.u32 z, x, #0; SMUL.u64 p, z, #0xcccccccd; SSHR.u64 q, p, #35
    SDIV.i32 q, x, #8    →   t = x >> 31; t = t >>> 29; t = x + t; q = t >> 3

Quotients of Granlund and Montgomery: with M = ⌈2^s / d⌉ and M·d − 2^s ≤ 2^(s − bits), the floor of
x·M / 2^s is that of x / d for every x < 2^bits.
"""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.extend import sign_extended, zero_extended
from zhisuan.bcl.selector import Selector, fits

OPERATIONS = ("mul", "sdiv", "udiv", "srem", "urem")


def by_constant(s: Selector, op: str, width: int, a: ir.Value, b: ir.Value) -> int | None:
    """The register with a · b, a / b or a % b, for a number b; None where that is no cheaper."""
    if not isinstance(b, ir.Number) or (s.block.depth == 0 and s.code.is_kernel):
        return None
    if op == "mul":
        return _product(s, width, a, b.bits)
    return _division(s, op, width, a, b)


def _product(s: Selector, width: int, a: ir.Value, number: int) -> int | None:
    for row, power in (("SADD", number - 1), ("SSUB", number + 1)):
        if number > 2 and power & (power - 1) == 0 and power < 1 << width:
            x = s.reg(a)
            up = s.op("SSHL#", f"i{width}", x, imm=power.bit_length() - 1)
            return s.op(row, f"i{width}", up, x)
    return None


def _division(s: Selector, op: str, width: int, a: ir.Value, b: ir.Number) -> int | None:
    is_signed = op[0] == "s"
    divisor = ir.signed(b.bits, width) if is_signed else b.bits
    size = abs(divisor)
    if size < 2 or (is_signed and size == 1 << (width - 1)):
        return None
    is_power = size & (size - 1) == 0
    if op.endswith("rem"):
        if is_signed and is_power and fits(-size, "SAND#"):
            return _signed_rest(s, width, s.reg(a), size)
        if width == 64 and not is_power:  # as slow as dividing
            return None
    x = s.reg(a)
    if is_signed:
        quotient = (_shifted if is_power else _signed)(s, width, x, size)
    else:
        quotient = _unsigned(s, width, x, size)
    if op.endswith("rem"):
        mode = f"{op[0].replace('s', 'i')}{width}"
        product = _times(s, mode, quotient, size)
        return s.op("SSUB", mode, x, product)
    if divisor < 0:
        return s.op("SSUB", f"i{width}", s.constant(0), quotient)
    return quotient


def _times(s: Selector, mode: str, register: int, number: int) -> int:
    if fits(number, "SMUL#"):
        return s.op("SMUL#", mode, register, imm=number)
    return s.op("SMUL", mode, register, s.constant(ir.signed(number, 64)))


def magic(size: int, bits: int) -> tuple[int, int]:
    """(M, s) with the smallest s: ⌊x·M / 2^s⌋ = ⌊x / size⌋ for 0 ≤ x < 2^bits."""
    shift = bits
    while True:
        factor = -(-(1 << shift) // size)
        if factor * size - (1 << shift) <= 1 << (shift - bits):
            return factor, shift
        shift += 1


def _unsigned(s: Selector, width: int, x: int, size: int) -> int:
    if size & (size - 1) == 0:
        return s.op("SSHR#", f"u{width}", x, imm=size.bit_length() - 1)
    if width == 64:
        return _unsigned64(s, x, size)
    x = zero_extended(s, x, width)
    factor, shift = magic(size, width)
    if factor.bit_length() + width <= 64:
        quotient = s.op("SSHR#", "u64", _times(s, "u64", x, factor), imm=shift)
    else:  # x and size are below 2^32: 2^64 / size is exact enough
        quotient = s.op("SMULH", "u64", x, _word(s, -(-(1 << 64) // size)))
    s.extended[quotient] = (False, width)
    return quotient


def _unsigned64(s: Selector, x: int, size: int) -> int:
    factor, shift = magic(size, 64)
    high = s.op("SMULH", "u64", x, _word(s, factor))
    if factor >> 64 == 0:
        return s.op("SSHR#", "u64", high, imm=shift - 64) if shift > 64 else high
    half = s.op("SSHR#", "u64", s.op("SSUB", "u64", x, high), imm=1)  # x + high has 65 bits
    return s.op("SSHR#", "u64", s.op("SADD", "u64", half, high), imm=shift - 65)


def _signed(s: Selector, width: int, x: int, size: int) -> int:
    """The floor for |x|, with one added where x is negative."""
    factor, shift = magic(size, width - 1)
    sign = s.op("SSHR#", f"i{width}", x, imm=width - 1)
    if width == 64:
        factor, shift = (2 * factor, 64) if shift < 64 else (factor, shift)
        high = s.op("SMULH", "i64", x, _word(s, factor))
        if factor >> 63:  # taken as negative: factor − 2^64
            high = s.op("SADD", "i64", high, x)
        below = s.op("SSHR#", "i64", high, imm=shift - 64) if shift > 64 else high
    else:
        product = _times(s, "i64", sign_extended(s, x, width), factor)
        below = s.op("SSHR#", "i64", product, imm=shift)
    return s.op("SSUB", f"i{width}", below, sign)


def _shifted(s: Selector, width: int, x: int, size: int) -> int:
    places = size.bit_length() - 1
    return s.op("SSHR#", f"i{width}", _rounded(s, width, x, size), imm=places)


def _signed_rest(s: Selector, width: int, x: int, size: int) -> int:
    whole = s.op("SAND#", f"i{width}", _rounded(s, width, x, size), imm=-size)
    return s.op("SSUB", f"i{width}", x, whole)


def _rounded(s: Selector, width: int, x: int, size: int) -> int:
    """x, and size − 1 more where x is negative."""
    places = size.bit_length() - 1
    sign = x if places == 1 else s.op("SSHR#", f"i{width}", x, imm=width - 1)
    more = s.op("SSHR#", f"u{width}", sign, imm=width - places)
    return s.op("SADD", f"i{width}", x, more)


def _word(s: Selector, bits: int) -> int:
    return s.constant(ir.signed(bits, 64))
