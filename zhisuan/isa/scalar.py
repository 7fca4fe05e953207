"""Scalar instructions: arithmetic, logic, comparison, conversion, scalar loads and stores.

Run on the scalar ALU inside decode.  A meaning returns the new contents of its destination
register.  Opcodes 0x001-0x07F; the immediate form of an instruction is its opcode + 0x80.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa import elementary, rules
from zhisuan.isa.number import ALL, FLOATS, INTEGERS, bits_of, signed64, value_of
from zhisuan.isa.registry import Core, Operands, Unit, instruction

IMMEDIATE_FORM = 0x80


def _binary(name: str, opcode: int, modes: tuple[str, ...], cost: str, doc: str, compute) -> None:  # type: ignore[no-untyped-def]
    """Enter `name $d,$a,$b` and, for integers, `name $d,$a,#b`; compute(x, y, mode) → value."""

    def with_register(core: Core, o: Operands) -> int:
        with np.errstate(all="ignore"):
            return compute(core, value_of(o.a, o.mode), value_of(o.b, o.mode), o.mode)

    def with_immediate(core: Core, o: Operands) -> int:
        value = value_of(bits_of(o.b, o.mode), o.mode)
        return compute(core, value_of(o.a, o.mode), value, o.mode)

    with_register.__doc__ = doc
    with_immediate.__doc__ = doc + " The second operand is an immediate."
    instruction(name, opcode, Unit.SCALAR, "d:d a b", modes=modes, cost=cost)(with_register)
    integers = tuple(mode for mode in modes if mode in INTEGERS)
    instruction(
        name + "#", opcode + IMMEDIATE_FORM, Unit.SCALAR, "d:d a #b", modes=integers, cost=cost
    )(with_immediate)


def _wrapping(operator):  # type: ignore[no-untyped-def]
    """Integers wrap around at the width of the mode; floats round to the mode."""
    return lambda core, x, y, mode: bits_of(operator(x, y), mode)


def _truncated_quotient(x: int, y: int) -> int:
    quotient = abs(x) // abs(y)
    return -quotient if (x < 0) != (y < 0) else quotient


def _divide(core: Core, x, y, mode: str) -> int:  # type: ignore[no-untyped-def]
    if mode in FLOATS:
        return bits_of(x / y, mode)
    if y == 0:
        core.trap("integer division by zero")
        return 0
    return bits_of(_truncated_quotient(x, y), mode)


def _remainder(core: Core, x: int, y: int, mode: str) -> int:
    if y == 0:
        core.trap("integer remainder by zero")
        return 0
    return bits_of(x - y * _truncated_quotient(x, y), mode)


def _shift_left(core: Core, x: int, y: int, mode: str) -> int:
    return bits_of(x << (y & (BY_NAME[mode].bits - 1)), mode)


def _shift_right(core: Core, x: int, y: int, mode: str) -> int:
    return bits_of(x >> (y & (BY_NAME[mode].bits - 1)), mode)


def _smaller(x, y):  # type: ignore[no-untyped-def]
    return x if x < y or y != y else y


def _larger(x, y):  # type: ignore[no-untyped-def]
    return x if x > y or y != y else y


_binary("SADD", 0x01, ALL, "alu", "d = a + b.", _wrapping(lambda x, y: x + y))
_binary("SSUB", 0x02, ALL, "alu", "d = a - b.", _wrapping(lambda x, y: x - y))
_binary("SMUL", 0x03, ALL, "multiply", "d = a * b, low half.", _wrapping(lambda x, y: x * y))
_binary("SDIV", 0x04, ALL, "divide", "d = a / b; integers truncate toward zero.", _divide)
_binary("SREM", 0x05, INTEGERS, "divide", "d = a - b * (a / b), sign of a.", _remainder)
_binary("SMIN", 0x06, ALL, "alu", "d = the smaller of a and b; a number beats NaN.",
        _wrapping(_smaller))  # fmt: skip
_binary("SMAX", 0x07, ALL, "alu", "d = the larger of a and b; a number beats NaN.",
        _wrapping(_larger))  # fmt: skip
_binary("SAND", 0x08, INTEGERS, "alu", "d = a and b, bit by bit.", _wrapping(lambda x, y: x & y))
_binary("SOR", 0x09, INTEGERS, "alu", "d = a or b, bit by bit.", _wrapping(lambda x, y: x | y))
_binary("SXOR", 0x0A, INTEGERS, "alu", "d = a xor b, bit by bit.", _wrapping(lambda x, y: x ^ y))
_binary("SSHL", 0x0B, INTEGERS, "alu", "d = a << b; b counts modulo the width.", _shift_left)
_binary("SSHR", 0x0C, INTEGERS, "alu",
        "d = a >> b; arithmetic for signed modes, logical for unsigned.", _shift_right)  # fmt: skip


def _compare(operator):  # type: ignore[no-untyped-def]
    return lambda core, x, y, mode: int(bool(operator(x, y)))


_binary("SEQ", 0x10, ALL, "alu", "d = 1 if a == b, else 0; false on NaN.",
        _compare(lambda x, y: x == y))  # fmt: skip
_binary("SNE", 0x11, ALL, "alu", "d = 1 if a != b, else 0; true on NaN.",
        _compare(lambda x, y: x != y))  # fmt: skip
_binary("SLT", 0x12, ALL, "alu", "d = 1 if a < b, else 0; false on NaN.",
        _compare(lambda x, y: x < y))  # fmt: skip
_binary("SLE", 0x13, ALL, "alu", "d = 1 if a <= b, else 0; false on NaN.",
        _compare(lambda x, y: x <= y))  # fmt: skip
_binary("SGT", 0x14, ALL, "alu", "d = 1 if a > b, else 0; false on NaN.",
        _compare(lambda x, y: x > y))  # fmt: skip
_binary("SGE", 0x15, ALL, "alu", "d = 1 if a >= b, else 0; false on NaN.",
        _compare(lambda x, y: x >= y))  # fmt: skip


@instruction("SMOVE", 0x18, Unit.SCALAR, "d:d a", cost="alu")
def smove(core: Core, o: Operands) -> int:
    """d = a, all 64 bits."""
    return o.a


@instruction("SSEL", 0x19, Unit.SCALAR, "d:d p a b", cost="alu")
def ssel(core: Core, o: Operands) -> int:
    """d = a if the lowest bit of p is set, else b; all 64 bits."""
    return o.a if o.p & 1 else o.b


@instruction("SLOAD#", 0x9C, Unit.SCALAR, "d:d #imm", cost="alu")
def sload_immediate(core: Core, o: Operands) -> int:
    """d = the signed constant."""
    return bits_of(o.imm, "i64")


@instruction("SHIGH#", 0x9D, Unit.SCALAR, "d:d #imm", cost="alu")
def shigh(core: Core, o: Operands) -> int:
    """Replace the upper 32 bits of d by the constant; the lower 32 stay.

    The destination is also read: it must be the register a preceding SLOAD filled.
    """
    return (o.d & 0xFFFF_FFFF) | ((o.imm & 0xFFFF_FFFF) << 32)


@instruction("SGET#", 0x9E, Unit.SCALAR, "d:d #index", cost="alu")
def sget(core: Core, o: Operands) -> int:
    """d = special register `index`.

    0 taskId, 1 taskIdX, 2 taskIdY, 3 taskIdZ, 4 taskDim, 5 taskDimX, 6 taskDimY, 7 taskDimZ,
    8 clusterId, 9 clusterDim, 10 coreId, 11 coreDim, 12 instructions executed so far,
    13 number of the job, 14 memory cores in each of its clusters, 15 whether this is one.
    """
    return core.special(o.index)


_CONVERSIONS = (
    *(f"i64.{to}" for to in INTEGERS),  # wrap to a narrower integer, canonical again
    "i64.f16", "i64.f32", "u64.f16", "u64.f32", "f16.f32", "f32.f16",
    *(f"{source}.{to}" for source in FLOATS for to in INTEGERS),
)  # fmt: skip


@instruction("SCVT", 0x1F, Unit.SCALAR, "d:d a", modes=_CONVERSIONS, cost="convert")
def scvt(core: Core, o: Operands) -> int:
    """d = a converted.

    Integers wrap; integer to float rounds to nearest even (to f16 through f32 is not allowed:
    one rounding); float to integer truncates toward zero and saturates, NaN gives 0.
    """
    source, to = o.mode.split(".")
    value = value_of(o.a, source)
    if to in FLOATS and source not in FLOATS:
        return bits_of(elementary.round_integer(int(value), to), to)
    if to in FLOATS:
        with np.errstate(all="ignore"):
            return bits_of(value, to)
    if source in FLOATS:
        return bits_of(_saturate(float(value), to), to)
    return bits_of(value, to)


def _saturate(value: float, to: str) -> int:
    limits = np.iinfo(BY_NAME[to].numpy)
    if value != value:
        return 0
    if value <= limits.min:
        return int(limits.min)
    if value >= limits.max:
        return int(limits.max)
    return int(value)


def _count(name: str, opcode: int, doc: str, compute) -> None:  # type: ignore[no-untyped-def]
    def meaning(core: Core, o: Operands) -> int:
        bits = BY_NAME[o.mode].bits
        return compute(int(value_of(o.a, o.mode)), bits)

    meaning.__doc__ = doc
    unsigned = ("u64", "u32", "u16", "u8")
    instruction(name, opcode, Unit.SCALAR, "d:d a", modes=unsigned, cost="alu")(meaning)


_count("SCLZ", 0x20, "d = leading zero bits of a; the width when a is 0.",
       lambda x, bits: bits - x.bit_length())  # fmt: skip
_count("SCTZ", 0x21, "d = trailing zero bits of a; the width when a is 0.",
       lambda x, bits: (x & -x).bit_length() - 1 if x else bits)  # fmt: skip
_count("SPOP", 0x22, "d = number of one bits in a.", lambda x, bits: x.bit_count())


@instruction("SMULH", 0x23, Unit.SCALAR, "d:d a b", modes=("i64", "u64"), cost="multiply")
def smulh(core: Core, o: Operands) -> int:
    """d = upper 64 bits of the 128-bit product a * b."""
    return bits_of((int(value_of(o.a, o.mode)) * int(value_of(o.b, o.mode))) >> 64, "u64")


@instruction("SSQRT", 0x24, Unit.SCALAR, "d:d a", modes=FLOATS, cost="divide")
def ssqrt(core: Core, o: Operands) -> int:
    """d = square root of a, correctly rounded."""
    with np.errstate(all="ignore"):
        return bits_of(np.sqrt(value_of(o.a, o.mode)), o.mode)


@instruction("SEXP", 0x25, Unit.SCALAR, "d:d a", modes=FLOATS, cost="transcendental")
def sexp(core: Core, o: Operands) -> int:
    """d = e to the power a, by the polynomial of `isa.elementary`."""
    with np.errstate(all="ignore"):
        return bits_of(elementary.exp(np.float32(value_of(o.a, o.mode))).item(), o.mode)


@instruction("SLOG", 0x26, Unit.SCALAR, "d:d a", modes=FLOATS, cost="transcendental")
def slog(core: Core, o: Operands) -> int:
    """d = natural logarithm of a, by the polynomial of `isa.elementary`."""
    with np.errstate(all="ignore"):
        return bits_of(elementary.log(np.float32(value_of(o.a, o.mode))).item(), o.mode)


@instruction("SLOAD", 0xA8, Unit.SCALAR, "d:d base #offset", modes=ALL, cost="load")
def sload(core: Core, o: Operands) -> int:
    """d = the element at base + offset, any memory but WRAM."""
    value = core.read((o.base + o.offset) & ((1 << 64) - 1), BY_NAME[o.mode].numpy, 1)
    if o.mode in FLOATS:
        return int(value.view(np.uint16 if o.mode == "f16" else np.uint32)[0])
    return bits_of(int(value[0]), o.mode)


@instruction("SSTORE", 0xA9, Unit.SCALAR, "value base #offset", modes=ALL, cost="store")
def sstore(core: Core, o: Operands) -> None:
    """Store the low bits of value at base + offset, any memory but WRAM."""
    dtype = BY_NAME[o.mode]
    low = o.value & ((1 << dtype.bits) - 1)
    raw = np.frombuffer(low.to_bytes(dtype.size, "little"), dtype.numpy)
    core.write((o.base + o.offset) & ((1 << 64) - 1), raw)


@instruction("JUMP", 0xB0, Unit.SCALAR, "@target", cost="branch")
def jump(core: Core, o: Operands) -> None:
    """Continue at the target."""
    core.pc += o.target


@instruction("CB", 0xB1, Unit.SCALAR, "@target pred", cost="branch")
def cb(core: Core, o: Operands) -> None:
    """Continue at the target if the lowest bit of pred is set."""
    if o.pred & 1:
        core.pc += o.target


@instruction("CBZ", 0xB2, Unit.SCALAR, "@target pred", cost="branch")
def cbz(core: Core, o: Operands) -> None:
    """Continue at the target if the lowest bit of pred is clear."""
    if not o.pred & 1:
        core.pc += o.target


@instruction("CALL", 0xB3, Unit.SCALAR, "d:link @target", cost="branch")
def call(core: Core, o: Operands) -> int:
    """link = index of the next instruction; continue at the target."""
    link = core.pc
    core.pc += o.target
    return link


@instruction("CALLR", 0x34, Unit.SCALAR, "d:link a", cost="branch")
def callr(core: Core, o: Operands) -> int:
    """link = index of the next instruction; continue at the instruction whose index is a."""
    link = core.pc
    core.pc = signed64(o.a)
    return link


@instruction("JUMPR", 0x35, Unit.SCALAR, "a", cost="branch")
def jumpr(core: Core, o: Operands) -> None:
    """Continue at the instruction whose index is a (return from a call)."""
    core.pc = signed64(o.a)


@instruction("SYNC", 0xB8, Unit.SCALAR, "#queues", cost="sync")
def sync(core: Core, o: Operands) -> None:
    """Wait until the queues in the mask have drained: 1 compute, 2 IO-DMA, 4 Move-DMA."""


@instruction("HALT", 0x3F, Unit.SCALAR, "", cost="branch")
def halt(core: Core, o: Operands) -> None:
    """End of the kernel; all queues drain.  Inside a locked section it is a fault."""
    if core.held is not None:
        core.trap("the task ends inside a locked section")
    core.halted = True


_TRAPS = {1: "assertion failed", 2: "abort", 3: "unreachable code", **rules.TEXTS}


@instruction("TRAP", 0xBE, Unit.SCALAR, "#code", cost="branch")
def trap(core: Core, o: Operands) -> None:
    """Stop with an error: 1 assertion failed, 2 abort, 3 unreachable code, from 16 on a rule.

    The rules, by their codes, are those of `isa.rules`.
    """
    core.trap(_TRAPS.get(o.code, "trap"))
