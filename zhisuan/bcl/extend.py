"""Extending integers in registers from their width to 64 bits, where that is not known already."""

from __future__ import annotations

from zhisuan.bcl.selector import NATIVE, Selector, fits


def zero_extended(s: Selector, register: int, bits: int) -> int:
    """The 64-bit register with `register`'s low `bits` and zeros above."""
    is_signed, known = s.extended.get(register, (True, 64))
    if bits == 64 or (not is_signed and known <= bits):
        return register
    if bits in NATIVE:
        return s.op("SADD#", f"u{bits}", register, imm=0)
    mask = (1 << bits) - 1
    if fits(mask, "SAND#"):
        return s.op("SAND#", "u64", register, imm=mask)
    up = s.op("SSHL#", "u64", register, imm=64 - bits)
    result = s.op("SSHR#", "u64", up, imm=64 - bits)
    s.extended[result] = (False, bits)
    return result


def is_sign_extended(s: Selector, register: int, bits: int) -> bool:
    """Whether the register is known to hold the sign extension of its low `bits`."""
    is_signed, known = s.extended.get(register, (True, 64))
    return known < bits or (is_signed and known == bits)


def sign_extended(s: Selector, register: int, bits: int) -> int:
    """The 64-bit register with `register`'s low `bits`, the top one of them repeated above."""
    if bits == 64 or is_sign_extended(s, register, bits):
        return register
    if bits in NATIVE:
        return s.op("SADD#", f"i{bits}", register, imm=0)
    up = s.op("SSHL#", "i64", register, imm=64 - bits)
    result = s.op("SSHR#", "i64", up, imm=64 - bits)
    s.extended[result] = (True, bits)
    return result


def resized(s: Selector, register: int, width: int, wanted: int, is_signed: bool) -> int:
    if wanted > width:
        extend = sign_extended if is_signed else zero_extended
        register = extend(s, register, width)
    return register if wanted in NATIVE else zero_extended(s, register, wanted)
