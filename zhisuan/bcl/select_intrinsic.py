"""LLVM intrinsics → scalar instructions: minima, bit counts, saturation, overflow, rounding."""

from __future__ import annotations

from collections.abc import Callable

from zhisuan.bcl import ir
from zhisuan.bcl.extend import sign_extended, zero_extended
from zhisuan.bcl.select_control import abort
from zhisuan.bcl.select_float import absolute, compare_of, to_integer
from zhisuan.bcl.select_memory import copy, fill, restore_stack, save_stack
from zhisuan.bcl.selector import NATIVE, Selector

Rule = Callable[[Selector, ir.Instruction], None]
_IGNORED = (
    "lifetime", "assume", "sideeffect", "donothing", "prefetch", "invariant",
    "pseudoprobe", "annotation",
)  # fmt: skip
_WHOLE = {"f16": 0x6400, "f32": 0x4B00_0000}  # 2^10, 2^23: every larger number is whole
_SIGN = {"f16": 0x8000, "f32": 0x8000_0000}
_ONE = {"f16": 0x3C00, "f32": 0x3F80_0000}
_HALF = {"f16": 0x3800, "f32": 0x3F00_0000}


def lower(s: Selector, item: ir.Instruction) -> None:
    """`call @llvm.NAME.TYPE(…)`; an intrinsic without a rule is an error naming it."""
    words = item.word.removeprefix("llvm.").split(".")
    if words[0] in _IGNORED:
        return
    for length in (3, 2, 1):
        rule = _RULES.get(".".join(words[:length]))
        if rule is not None:
            rule(s, item)
            return
    raise s.error(f"the operation '{item.word}' is not supported")


def _narrow(s: Selector, item: ir.Instruction) -> int:
    width = s.width(item.operands[0].type)
    if width > 64:
        raise s.error(f"'{item.word}' is not supported on integers wider than 64 bits")
    return width


def _same(s: Selector, item: ir.Instruction) -> None:
    s.define(item, *s.parts(item.operands[0]))


def _false(s: Selector, item: ir.Instruction) -> None:
    s.define(item, s.constant(0))


# -- integers -----------------------------------------------------------------------------


def _pick(row: str, is_signed: bool) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        a, b = s.reg(item.operands[0]), s.reg(item.operands[1])
        if width in NATIVE:
            s.define(item, s.op(row, f"{'i' if is_signed else 'u'}{width}", a, b))
            return
        if is_signed:
            a, b = sign_extended(s, a, width), sign_extended(s, b, width)
        result = s.op(row, "i64" if is_signed else "u64", a, b)
        s.define(item, zero_extended(s, result, width))

    return rule


def _three_way(is_signed: bool) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        extend = sign_extended if is_signed else zero_extended
        a, b = (extend(s, s.reg(v), width) for v in item.operands)
        mode = "i64" if is_signed else "u64"
        result = s.op("SSUB", "i64", s.op("SGT", mode, a, b), s.op("SLT", mode, a, b))
        wanted = s.width(item.type)
        s.define(item, result if wanted in NATIVE else zero_extended(s, result, wanted))

    return rule


def _abs(s: Selector, item: ir.Instruction) -> None:
    width = _narrow(s, item)
    x = sign_extended(s, s.reg(item.operands[0]), width)
    mode = f"i{width}" if width in NATIVE else "i64"
    result = s.op("SMAX", mode, x, s.op("SSUB", mode, s.constant(0), x))
    s.define(item, result if width in NATIVE else zero_extended(s, result, width))


def _count(row: str) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        x = s.reg(item.operands[0])
        if width in NATIVE:
            s.define(item, s.op(row, f"u{width}", x))
            return
        if row == "SCTZ":
            x = s.op("SOR", "u64", x, s.constant(1 << width))
        count = s.op(row, "u64", x)
        if row == "SCLZ":
            count = s.op("SADD#", "i64", count, imm=width - 64)
        s.define(item, zero_extended(s, count, width))

    return rule


def _swap_bytes(s: Selector, item: ir.Instruction) -> None:
    s.define(item, _swapped(s, s.reg(item.operands[0]), _narrow(s, item), 8))


def _reverse_bits(s: Selector, item: ir.Instruction) -> None:
    width, x = _narrow(s, item), s.reg(item.operands[0])
    if width in NATIVE:
        s.define(item, _swapped(s, x, width, 1))
    else:
        s.define(item, s.op("SSHR#", "u64", _swapped(s, x, 64, 1), imm=64 - width))


def _swapped(s: Selector, x: int, width: int, unit: int) -> int:
    """Reverse the order of `unit`-bit pieces: swap neighbours, then pairs, and so on."""
    mode = f"u{width}"
    while unit < width:
        period = (1 << 2 * unit) - 1
        mask = ((1 << width) - 1) // period * ((1 << unit) - 1)
        low = s.op("SAND", mode, x, s.constant(ir.signed(mask, 64)))
        high = s.op("SAND", mode, s.op("SSHR#", mode, x, imm=unit), s.constant(ir.signed(mask, 64)))
        x = s.op("SOR", mode, s.op("SSHL#", mode, low, imm=unit), high)
        unit *= 2
    return x


def _funnel(left: bool) -> Rule:
    """fshl(a, b, c) = a << c | b >> 1 >> ~c, all shifts modulo the width; fshr likewise."""

    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        if width not in NATIVE:
            raise s.error(f"'{item.word}' is not supported")
        mode = f"u{width}"
        a, b, c = (s.reg(value) for value in item.operands)
        rest = s.op("SXOR#", mode, c, imm=-1)
        if left:
            high = s.op("SSHL", mode, a, c)
            low = s.op("SSHR", mode, s.op("SSHR#", mode, b, imm=1), rest)
        else:
            high = s.op("SSHL", mode, s.op("SSHL#", mode, a, imm=1), rest)
            low = s.op("SSHR", mode, b, c)
        s.define(item, s.op("SOR", mode, high, low))

    return rule


def _saturating(row: str, is_signed: bool) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        a, b = s.reg(item.operands[0]), s.reg(item.operands[1])
        if width == 64:
            result = _saturate64(s, row, is_signed, a, b)
        else:
            extend = sign_extended if is_signed else zero_extended
            exact = s.op(row, "i64", extend(s, a, width), extend(s, b, width))
            high = (1 << (width - 1 if is_signed else width)) - 1
            low = -high - 1 if is_signed else 0
            clipped = s.op("SMIN", "i64", exact, s.constant(high))
            result = s.op("SMAX", "i64", clipped, s.constant(low))
        s.define(item, result if width in NATIVE else zero_extended(s, result, width))

    return rule


def _saturate64(s: Selector, row: str, is_signed: bool, a: int, b: int) -> int:
    result, overflow = _overflow64(s, row, is_signed, a, b)
    if is_signed:
        sign = s.op("SSHR#", "i64", a, imm=63)
        limit = s.op("SXOR", "i64", sign, s.constant((1 << 63) - 1))
    else:
        limit = s.constant(-1 if row == "SADD" else 0)
    return s.op("SSEL", "", overflow, limit, result)


def _overflow64(s: Selector, row: str, is_signed: bool, a: int, b: int) -> tuple[int, int]:
    """The 64-bit result and whether it overflowed."""
    mode = "i64" if is_signed else "u64"
    result = s.op(row, mode, a, b)
    if row == "SMUL":
        high = s.op("SMULH", mode, a, b)
        expected = s.op("SSHR#", "i64", result, imm=63) if is_signed else s.constant(0)
        return result, s.op("SNE", "u64", high, expected)
    if not is_signed:
        first, second = (result, a) if row == "SADD" else (a, b)
        return result, s.op("SLT", "u64", first, second)
    other = s.op("SXOR", "u64", b, result) if row == "SADD" else s.op("SXOR", "u64", a, b)
    changed = s.op("SAND", "u64", s.op("SXOR", "u64", a, result), other)
    return result, s.op("SLT#", "i64", changed, imm=0)


def _with_overflow(row: str, is_signed: bool) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        width = _narrow(s, item)
        a, b = s.reg(item.operands[0]), s.reg(item.operands[1])
        if width == 64:
            s.define(item, *_overflow64(s, row, is_signed, a, b))
            return
        extend = sign_extended if is_signed else zero_extended
        a, b = extend(s, a, width), extend(s, b, width)
        if row == "SMUL" and width > 32:
            exact, beyond = _overflow64(s, row, is_signed, a, b)
            cut = s.op("SNE", "u64", exact, extend(s, exact, width))
            s.define(item, zero_extended(s, exact, width), s.op("SOR", "u64", beyond, cut))
            return
        exact = s.op(row, "i64", a, b)
        s.extended[exact] = (True, 64)
        overflow = s.op("SNE", "u64", exact, extend(s, exact, width))
        result = exact if width in NATIVE else zero_extended(s, exact, width)
        s.define(item, result, overflow)

    return rule


# -- floats -------------------------------------------------------------------------------


def _float_pair(row: str) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        mode = s.float_mode(item.type)
        s.define(item, s.op(row, mode, s.reg(item.operands[0]), s.reg(item.operands[1])))

    return rule


def _float_single(row: str) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        s.define(item, s.op(row, s.float_mode(item.type), s.reg(item.operands[0])))

    return rule


def _float_abs(s: Selector, item: ir.Instruction) -> None:
    s.define(item, absolute(s, s.reg(item.operands[0]), s.float_mode(item.type)))


def _with_sign(s: Selector, mode: str, magnitude: int, sign: int) -> int:
    bits = f"u{mode[1:]}"
    negative = s.op("SAND#", bits, sign, imm=_SIGN[mode])
    return s.op("SOR", bits, absolute(s, magnitude, mode), negative)


def _copy_sign(s: Selector, item: ir.Instruction) -> None:
    mode = s.float_mode(item.type)
    s.define(item, _with_sign(s, mode, s.reg(item.operands[0]), s.reg(item.operands[1])))


def _multiply_add(s: Selector, item: ir.Instruction) -> None:
    mode = s.float_mode(item.type)
    a, b, c = (s.reg(value) for value in item.operands)
    s.define(item, s.op("SADD", mode, s.op("SMUL", mode, a, b), c))


def _fused(s: Selector, item: ir.Instruction) -> None:
    raise s.error(
        "the scalar unit has no fused multiply-add", "write a * b + c, which rounds twice"
    )


def _rounding(way: str) -> Rule:
    """Whole part through i64 where |x| is small enough to have a fraction, sign kept."""

    def rule(s: Selector, item: ir.Instruction) -> None:
        mode = s.float_mode(item.type)
        x = s.reg(item.operands[0])
        small = s.op("SLT", mode, absolute(s, x, mode), s.constant(_WHOLE[mode]))
        whole = _with_sign(s, mode, _whole_part(s, way, mode, x), x)
        s.define(item, s.op("SSEL", "", small, whole, x))

    return rule


def _whole_part(s: Selector, way: str, mode: str, x: int) -> int:
    if way == "even":
        big = _with_sign(s, mode, s.constant(_WHOLE[mode]), x)
        return s.op("SSUB", mode, s.op("SADD", mode, x, big), big)
    whole = s.op("SCVT", f"i64.{mode}", s.op("SCVT", f"{mode}.i64", x))
    one = s.constant(_ONE[mode])
    if way == "floor":
        return s.op("SSEL", "", s.op("SGT", mode, whole, x), s.op("SSUB", mode, whole, one), whole)
    if way == "ceil":
        return s.op("SSEL", "", s.op("SLT", mode, whole, x), s.op("SADD", mode, whole, one), whole)
    if way == "away":
        rest = absolute(s, s.op("SSUB", mode, x, whole), mode)
        step = s.op("SADD", mode, whole, _with_sign(s, mode, one, x))
        return s.op("SSEL", "", s.op("SGE", mode, rest, s.constant(_HALF[mode])), step, whole)
    return whole


def _saturating_integer(is_signed: bool) -> Rule:
    def rule(s: Selector, item: ir.Instruction) -> None:
        if s.width(item.type) not in NATIVE:
            raise s.error(f"'{item.word}' is not supported")
        to_integer(s, item, s.width(item.type), is_signed)

    return rule


def _float_class(s: Selector, item: ir.Instruction) -> None:
    """is.fpclass for NaN, infinity, zero and finite tests, each through a comparison."""
    mode = s.float_mode(item.operands[0].type)
    test = item.operands[1]
    assert isinstance(test, ir.Number)
    x = s.reg(item.operands[0])
    size = absolute(s, x, mode)
    infinity = s.constant(0x7C00 if mode == "f16" else 0x7F80_0000)
    known = {0x003: ("uno", x), 0x204: ("oeq", infinity), 0x1F8: ("olt", infinity)}
    inverse = test.bits not in known
    wanted = test.bits ^ 0x3FF if inverse else test.bits
    if wanted not in known:
        raise s.error("this classification of floats is not supported")
    predicate, other = known[wanted]
    found = compare_of(s, predicate, mode, size, other if other is not x else size)
    s.define(item, s.op("SXOR#", "u64", found, imm=1) if inverse else found)


_RULES: dict[str, Rule] = {
    "memcpy": copy, "memmove": copy, "memset": fill,
    "stacksave": save_stack, "stackrestore": restore_stack,
    "expect": _same, "ssa.copy": _same, "launder.invariant": _same, "is.constant": _false,
    "trap": abort, "debugtrap": abort, "ubsantrap": abort,
    "smin": _pick("SMIN", True), "smax": _pick("SMAX", True),
    "umin": _pick("SMIN", False), "umax": _pick("SMAX", False),
    "scmp": _three_way(True), "ucmp": _three_way(False),
    "abs": _abs, "ctlz": _count("SCLZ"), "cttz": _count("SCTZ"), "ctpop": _count("SPOP"),
    "bswap": _swap_bytes, "bitreverse": _reverse_bits,
    "fshl": _funnel(True), "fshr": _funnel(False),
    "uadd.sat": _saturating("SADD", False), "usub.sat": _saturating("SSUB", False),
    "sadd.sat": _saturating("SADD", True), "ssub.sat": _saturating("SSUB", True),
    "uadd.with.overflow": _with_overflow("SADD", False),
    "usub.with.overflow": _with_overflow("SSUB", False),
    "umul.with.overflow": _with_overflow("SMUL", False),
    "sadd.with.overflow": _with_overflow("SADD", True),
    "ssub.with.overflow": _with_overflow("SSUB", True),
    "smul.with.overflow": _with_overflow("SMUL", True),
    "minnum": _float_pair("SMIN"), "maxnum": _float_pair("SMAX"),
    "minimumnum": _float_pair("SMIN"), "maximumnum": _float_pair("SMAX"),
    "fabs": _float_abs, "copysign": _copy_sign, "sqrt": _float_single("SSQRT"),
    "exp": _float_single("SEXP"), "log": _float_single("SLOG"),
    "fmuladd": _multiply_add, "fma": _fused,
    "floor": _rounding("floor"), "ceil": _rounding("ceil"), "trunc": _rounding("trunc"),
    "round": _rounding("away"), "rint": _rounding("even"), "nearbyint": _rounding("even"),
    "roundeven": _rounding("even"),
    "fptosi.sat": _saturating_integer(True), "fptoui.sat": _saturating_integer(False),
    "is.fpclass": _float_class,
}  # fmt: skip
