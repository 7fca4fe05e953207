"""Branches, phis, calls, returns, function entry → machine blocks.

A phi is a register that every predecessor writes at its end; the copies of one edge happen at
once and are put into an order that keeps that meaning.
"""

from __future__ import annotations

import re

from zhisuan.base.errors import did_you_mean
from zhisuan.bcl import header, ir
from zhisuan.bcl.code import (
    ARGUMENT_REGISTERS,
    CALLER_SAVED,
    DRAM,
    PRIVATE,
    Op,
    Slot,
    Symbol,
    make,
)
from zhisuan.bcl.extend import is_sign_extended, zero_extended
from zhisuan.bcl.layout import Variables
from zhisuan.bcl.select_memory import counted_loop
from zhisuan.bcl.selector import NATIVE, Selector, fits
from zhisuan.isa import address
from zhisuan.isa.number import ALL
from zhisuan.isa.registry import LINK_REGISTER, STACK_POINTER

_ABORT, _UNREACHABLE = 2, 3
_LINEAR_CASES = 4
_CLOBBERED = (*CALLER_SAVED, LINK_REGISTER)


# -- entry --------------------------------------------------------------------------------


def enter(s: Selector) -> None:
    """Give every parameter its registers."""
    if s.code.is_kernel:
        _enter_kernel(s)
        return
    position = 0
    for parameter in s.function.parameters:
        registers = []
        for _ in range(s.count_parts(parameter.type)):
            registers.append(_incoming(s, position))
            position += 1
        s.values[parameter.name] = registers
        kind = parameter.type
        if isinstance(kind, ir.Int) and kind.bits < 64 and kind.bits not in NATIVE:
            s.values[parameter.name] = [zero_extended(s, registers[0], kind.bits)]


def _incoming(s: Selector, position: int) -> int:
    if position < len(ARGUMENT_REGISTERS):
        return s.op("SMOVE", "", ARGUMENT_REGISTERS[position])
    slot = Slot("in", position - len(ARGUMENT_REGISTERS))
    return s.load("i64", STACK_POINTER, slot, PRIVATE)


def _enter_kernel(s: Selector) -> None:
    if s.layout.variables is not None:
        _set_variables(s, s.layout.variables)
    if not s.function.parameters:
        return
    base = s.op("SLOAD#", "", imm=address.PARAM.base)
    s.code.kept.add(base)
    for position, parameter in enumerate(s.function.parameters):
        mode = kernel_parameter_mode(s, parameter)
        offset = position * address.PARAM_SLOT
        register = s.load(mode, base, offset, PRIVATE)
        s.values[parameter.name] = [register]
        again = make("SLOAD", mode, [register, base], offset, memory=PRIVATE)
        s.code.again[register] = [again]


def _set_variables(s: Selector, variables: Variables) -> None:
    """Give the task's variables their first values."""
    start, image = s.constant(variables.start), s.constant(variables.image)
    zeros = s.constant(variables.start + variables.image_bytes)

    def copy(at: int) -> None:
        word = s.load("i64", s.op("SADD", "i64", image, at), 0, PRIVATE)
        s.store("i64", word, s.op("SADD", "i64", start, at), 0, DRAM)

    def clear(at: int) -> None:
        s.store("i64", s.constant(0), s.op("SADD", "i64", zeros, at), 0, DRAM)

    if variables.image_bytes:
        counted_loop(s, s.constant(variables.image_bytes), 8, copy)
    if variables.zero_bytes:
        counted_loop(s, s.constant(variables.zero_bytes), 8, clear)


def kernel_parameter_mode(s: Selector, parameter: ir.Parameter) -> str:
    """The scalar mode that loads a kernel's parameter; other types are an error."""
    mode = {"ptr": "i64", "struct": "i64"}.get(parameter.kind, parameter.kind)
    if mode == "f64":
        s.float_mode(ir.Float("double"))
    if not mode and isinstance(parameter.type, ir.Pointer):
        mode = "i64"
    if mode not in ALL:
        raise s.error(
            f"parameter '{parameter.name}' of kernel '{s.function.source_name}' has a type that"
            " a launch cannot pass",
            "use a pointer, a number, or a structure of more than 16 bytes",
        )
    return mode


# -- branches -----------------------------------------------------------------------------


def jump(s: Selector, item: ir.Instruction) -> None:
    _write_phis(s, item.labels[0])
    s.do("JUMP", "", [], item.labels[0])


def branch(s: Selector, item: ir.Instruction) -> None:
    then, other = item.labels
    if then == other:
        s.do("JUMP", "", [], then)
        return
    s.do("CB", "", [s.reg(item.operands[0])], then)
    s.do("JUMP", "", [], other)


def switch(s: Selector, item: ir.Instruction) -> None:
    width = s.width(item.operands[0].type)
    if width > 64:
        raise s.error("a switch over integers wider than 64 bits is not supported")
    register = s.reg(item.operands[0])
    cases = []
    for value, label in zip(item.operands[1:], item.labels[1:], strict=True):
        assert isinstance(value, ir.Number)
        number = ir.signed(value.bits, width) if width in NATIVE else value.bits
        cases.append((number, label))
    _search(s, register, f"i{width}" if width in NATIVE else "u64", sorted(cases), item.labels[0])


def _search(
    s: Selector, register: int, mode: str, cases: list[tuple[int, str]], default: str
) -> None:
    if len(cases) > _LINEAR_CASES:
        middle = len(cases) // 2
        below, above = s.new_label("below"), s.new_label("above")
        _branch_on(s, "SLT", register, mode, cases[middle][0], below)
        s.do("JUMP", "", [], above)
        for label, half in ((below, cases[:middle]), (above, cases[middle:])):
            s.start(label)
            _search(s, register, mode, half, default)
        return
    for number, label in cases:
        _branch_on(s, "SEQ", register, mode, number, label)
        rest = s.new_label("case")
        s.do("JUMP", "", [], rest)
        s.start(rest)
    s.do("JUMP", "", [], default)


def _branch_on(s: Selector, row: str, register: int, mode: str, number: int, label: str) -> None:
    if fits(number, row + "#"):
        flag = s.op(row + "#", mode, register, imm=number)
    else:
        flag = s.op(row, mode, register, s.constant(number))
    s.do("CB", "", [flag], label)


def _write_phis(s: Selector, target: str) -> None:
    """The parallel copies of the edge from here to `target`."""
    here = s.labels["current"]
    copies: list[tuple[int, int]] = []
    constants: list[tuple[int, int | Symbol]] = []
    for phi in s.function.block(target).phis:
        value = phi.operands[phi.labels.index(here)]
        registers = s.values[phi.name]
        if isinstance(value, ir.Local):
            sources = s.parts(value)
            _check_extension(s, phi, registers, value, sources)
            copies += list(zip(registers, sources, strict=True))
        else:
            constants += list(zip(registers, s.words(value), strict=True))
    _copy_at_once(s, copies)
    for register, word in constants:
        s.do("SLOAD#", "", [register], word)


def _check_extension(
    s: Selector, phi: ir.Instruction, registers: list[int], value: ir.Local, sources: list[int]
) -> None:
    """Note a phi that was taken to be sign-extended and gets a value that is not."""
    if not isinstance(phi.type, ir.Int) or phi.type.bits not in NATIVE:
        return
    source = s.definitions.get(value.name)
    is_kept = source is not None and source.keeps_sign
    is_assumed = registers[0] in s.extended
    if is_assumed and not is_kept and not is_sign_extended(s, sources[0], phi.type.bits):
        s.wrongly_extended.add(phi.name)


def _copy_at_once(s: Selector, copies: list[tuple[int, int]]) -> None:
    """{a ← b, b ← a} becomes t ← a, a ← b, b ← t."""
    waiting = {to: source for to, source in copies if to != source}
    while waiting:
        sources = list(waiting.values())
        ready = [to for to in waiting if to not in sources]
        if not ready:
            to = next(iter(waiting))
            spare = s.op("SMOVE", "", to)
            waiting = {at: spare if source == to else source for at, source in waiting.items()}
            continue
        for to in ready:
            s.do("SMOVE", "", [to, waiting.pop(to)])


def unreachable(s: Selector, item: ir.Instruction) -> None:
    s.do("TRAP", "", [], _UNREACHABLE)


def abort(s: Selector, item: ir.Instruction) -> None:
    s.do("TRAP", "", [], _ABORT)
    s.start(s.new_label("after"))


# -- calls and returns --------------------------------------------------------------------


def leave(s: Selector, item: ir.Instruction) -> None:
    if s.code.is_kernel:
        s.do("HALT", "", [])
        return
    registers = s.parts(item.operands[0]) if item.operands else []
    for to, source in zip(ARGUMENT_REGISTERS, _checked_results(s, registers), strict=False):
        s.do("SMOVE", "", [to, source])
    op = make("JUMPR", "", [LINK_REGISTER])
    op.reads = ARGUMENT_REGISTERS[: len(registers)]
    s.emit(op)


def _checked_results(s: Selector, registers: list[int]) -> list[int]:
    if len(registers) > len(ARGUMENT_REGISTERS):
        raise s.error("a function cannot return more than 16 scalars in registers")
    return registers


def call(s: Selector, item: ir.Instruction, known: set[str]) -> None:
    """A call of a function with a body, or through a pointer."""
    operands = item.operands
    if item.word and item.word not in known:
        raise _no_body(s, item.word)
    target = 0 if item.word else s.reg(operands[-1])
    arguments = operands if item.word else operands[:-1]
    registers = [register for value in arguments for register in s.parts(value)]
    in_registers = registers[: len(ARGUMENT_REGISTERS)]
    rest = registers[len(ARGUMENT_REGISTERS) :]
    for index, register in enumerate(rest):
        s.store("i64", register, STACK_POINTER, Slot("out", index), PRIVATE)
    s.code.out_arguments = max(s.code.out_arguments, len(rest))
    for to, source in zip(ARGUMENT_REGISTERS, in_registers, strict=False):
        s.do("SMOVE", "", [to, source])
    results = s.count_parts(item.type)
    _checked_results(s, [0] * results)
    _emit_call(s, Symbol(item.word) if item.word else None, target, len(in_registers))
    found = [s.op("SMOVE", "", ARGUMENT_REGISTERS[i]) for i in range(results)]
    if isinstance(item.type, ir.Int) and item.type.bits < 64 and item.type.bits not in NATIVE:
        found = [zero_extended(s, found[0], item.type.bits)]
    s.define(item, *found)


def _emit_call(s: Selector, symbol: Symbol | None, target: int, arguments: int) -> None:
    s.code.makes_calls = True
    if symbol is not None:
        op: Op = make("CALL", "", [LINK_REGISTER], symbol)
    else:
        op = make("CALLR", "", [LINK_REGISTER, target])
    op.reads = ARGUMENT_REGISTERS[:arguments]
    op.writes = _CLOBBERED
    s.emit(op)


def _no_body(s: Selector, symbol: str):  # type: ignore[no-untyped-def]
    """The error for a function nobody defines."""
    refused = "__dlp_refuse_"
    if symbol.startswith(refused):
        return s.error(symbol.removeprefix(refused).replace("_", " "))
    if re.match(r"_Z(n|d)[wa]|_Zd[la]", symbol):
        return s.error("kernels have no heap", "an array of fixed size, or memory of the host")
    match = re.match(r"_Z(\d+)", symbol)
    name = symbol[match.end() : match.end() + int(match[1])] if match else symbol
    hint = did_you_mean(name, header.builtins()) if name.startswith("__") else None
    return s.error(f"function '{name}' has no body that a kernel could call", hint)
