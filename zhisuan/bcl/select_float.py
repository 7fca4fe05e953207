"""half and float operations → scalar instructions in modes f16 and f32."""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.extend import resized, sign_extended, zero_extended
from zhisuan.bcl.selector import NATIVE, Selector

_ROWS = {"fadd": "SADD", "fsub": "SSUB", "fmul": "SMUL", "fdiv": "SDIV"}
_SIGN = {"f16": 0x8000, "f32": 0x8000_0000}
_BITS = {"f16": 16, "f32": 32}
_ORDERED = {
    "oeq": "SEQ",
    "olt": "SLT",
    "ole": "SLE",
    "ogt": "SGT",
    "oge": "SGE",
    "une": "SNE",
}
_NEGATED = {"ult": "oge", "ule": "ogt", "ugt": "ole", "uge": "olt", "ueq": "one", "uno": "ord"}


def binary(s: Selector, item: ir.Instruction) -> None:
    mode = s.float_mode(item.type)
    if item.op == "frem":
        raise s.error("the remainder of floats (fmod) is not supported")
    a, b = s.reg(item.operands[0]), s.reg(item.operands[1])
    s.define(item, s.op(_ROWS[item.op], mode, a, b))


def negated(s: Selector, register: int, mode: str) -> int:
    return s.op("SXOR#", f"u{_BITS[mode]}", register, imm=_SIGN[mode])


def absolute(s: Selector, register: int, mode: str) -> int:
    return s.op("SAND#", f"u{_BITS[mode]}", register, imm=_SIGN[mode] - 1)


def negate(s: Selector, item: ir.Instruction) -> None:
    mode = s.float_mode(item.type)
    s.define(item, negated(s, s.reg(item.operands[0]), mode))


def compare(s: Selector, item: ir.Instruction) -> None:
    mode = s.float_mode(item.operands[0].type)
    a, b = s.reg(item.operands[0]), s.reg(item.operands[1])
    s.define(item, compare_of(s, item.word, mode, a, b))


def compare_of(s: Selector, predicate: str, mode: str, a: int, b: int) -> int:
    if predicate in _ORDERED:
        return s.op(_ORDERED[predicate], mode, a, b)
    if predicate in ("true", "false"):
        return s.constant(int(predicate == "true"))
    if predicate in _NEGATED:
        opposite = compare_of(s, _NEGATED[predicate], mode, a, b)
        return s.op("SXOR#", "u64", opposite, imm=1)
    if predicate == "one":
        return s.op("SOR", "u64", s.op("SLT", mode, a, b), s.op("SGT", mode, a, b))
    assert predicate == "ord", predicate
    return s.op("SAND", "u64", s.op("SEQ", mode, a, a), s.op("SEQ", mode, b, b))


def cast(s: Selector, item: ir.Instruction) -> None:
    """fpext, fptrunc, and conversions from and to integers of up to 64 bits."""
    source, target = item.operands[0].type, item.type
    if item.op in ("fpext", "fptrunc"):
        modes = f"{s.float_mode(source)}.{s.float_mode(target)}"
        s.define(item, s.op("SCVT", modes, s.reg(item.operands[0])))
    elif item.op in ("sitofp", "uitofp"):
        width = s.width(source)
        if width > 64:
            raise s.error("conversion of integers wider than 64 bits is not supported")
        register = s.reg(item.operands[0])
        extend = sign_extended if item.op == "sitofp" else zero_extended
        letter = "i" if item.op == "sitofp" else "u"
        wide = extend(s, register, width)
        s.define(item, s.op("SCVT", f"{letter}64.{s.float_mode(target)}", wide))
    else:
        to_integer(s, item, s.width(target), item.op == "fptosi")


def to_integer(s: Selector, item: ir.Instruction, width: int, is_signed: bool) -> None:
    if width > 64:
        raise s.error("conversion to integers wider than 64 bits is not supported")
    mode, register = s.float_mode(item.operands[0].type), s.reg(item.operands[0])
    natural = width if width in NATIVE else 64
    result = s.op("SCVT", f"{mode}.{'i' if is_signed else 'u'}{natural}", register)
    s.define(item, resized(s, result, natural, width, is_signed))
