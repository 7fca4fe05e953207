"""Loads, stores, addresses, stack variables and block copies → scalar instructions."""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.code import STACK_ALIGNMENT, Slot
from zhisuan.bcl.extend import sign_extended, zero_extended
from zhisuan.bcl.layout import SPECIALS
from zhisuan.bcl.selector import NATIVE, Selector, fits
from zhisuan.isa.registry import STACK_POINTER

INLINE_BYTES = 128
"""Copies and fills up to this size are straight-line code; longer ones are loops."""


def _chunks(size: int, unit: int = 8) -> list[tuple[int, int]]:
    """Offsets and sizes (powers of two up to `unit`) that make up `size` bytes."""
    found, at = [], 0
    while at < size:
        while unit > size - at:
            unit //= 2
        found.append((at, unit))
        at += unit
    return found


def load(s: Selector, item: ir.Instruction) -> None:
    special = _special(s, item.operands[0])
    if special is not None:
        s.define(item, s.op("SGET#", "", imm=special))
        return
    _refuse_weights(s, item.operands[0], "read")
    memory = s.memory_class(item.operands[0])
    s.count_parts(item.type)
    base, offset = s.address(item.operands[0])
    registers: list[int] = []
    for kind, at in ir.leaf_offsets(item.type):
        registers += _load_leaf(s, kind, base, s.shifted(offset, at), memory)
    s.define(item, *registers)


def _refuse_weights(s: Selector, pointer: ir.Value, does: str) -> None:
    """Scalar code reaches every memory but WRAM."""
    origin = s.origins.of(pointer)
    if origin is not None and origin[0] == "wram":
        raise s.error(
            f"scalar code cannot {does} {origin[1]}, which lies in wram",
            "copy it to an __nram__ array first"
            if does == "read"
            else "copy it from an __nram__ array",
        )


def _special(s: Selector, pointer: ir.Value) -> int | None:
    return SPECIALS.get(pointer.symbol) if isinstance(pointer, ir.Address) else None


def _load_leaf(s: Selector, kind: ir.Type, base: int, offset: int | Slot, memory: str) -> list[int]:
    if isinstance(kind, ir.Float):
        return [s.load(s.float_mode(kind), base, offset, memory)]
    width = s.width(kind)
    if width in NATIVE:
        return [s.load(f"i{width}", base, offset, memory)]
    if width == 1:
        return [s.load("u8", base, offset, memory)]
    words = []
    for start in range(0, width, 64):
        piece = _load_bytes(s, base, s.shifted(offset, start // 8), -(-min(64, width - start) // 8),
                            memory)  # fmt: skip
        s.extended[piece] = (False, min(64, width - start))
        words.append(piece)
    return words


def _load_bytes(s: Selector, base: int, offset: int | Slot, size: int, memory: str) -> int:
    result = None
    for at, unit in _chunks(size):
        piece = s.load(f"u{8 * unit}", base, s.shifted(offset, at), memory)
        if result is None:
            result = piece
        else:
            result = s.op("SOR", "u64", result, s.op("SSHL#", "u64", piece, imm=8 * at))
    assert result is not None
    return result


def store(s: Selector, item: ir.Instruction) -> None:
    value, pointer = item.operands
    _refuse_weights(s, pointer, "write")
    memory = s.memory_class(pointer)
    s.count_parts(value.type)
    registers = iter(s.parts(value))
    base, offset = s.address(pointer)
    for kind, at in ir.leaf_offsets(value.type):
        _store_leaf(s, kind, registers, base, s.shifted(offset, at), memory)


def _store_leaf(s: Selector, kind: ir.Type, registers, base: int, offset: int | Slot,
                memory: str) -> None:  # fmt: skip
    if isinstance(kind, ir.Float):
        s.store(s.float_mode(kind), next(registers), base, offset, memory)
        return
    width = s.width(kind)
    for start in range(0, width, 64):
        register = next(registers)
        for at, unit in _chunks(-(-min(64, width - start) // 8)):
            piece = s.op("SSHR#", "u64", register, imm=8 * at) if at else register
            s.store(f"i{8 * unit}", piece, base, s.shifted(offset, start // 8 + at), memory)


def stack_variable(s: Selector, item: ir.Instruction) -> None:
    if item.operands:
        _array_of_run_time_length(s, item)
        return
    s.local_slots[item.name] = s.code.new_slot(ir.size_of(item.kind), item.path[0])


def _array_of_run_time_length(s: Selector, item: ir.Instruction) -> None:
    """The stack pointer goes down; the array lies above the outgoing arguments."""
    s.code.moves_stack = True
    count = item.operands[0]
    length = zero_extended(s, s.reg(count), s.width(count.type))
    size = _scaled(s, length, ir.size_of(item.kind))
    up = s.op("SADD#", "i64", size, imm=STACK_ALIGNMENT - 1)
    whole = s.op("SAND#", "i64", up, imm=-STACK_ALIGNMENT)
    s.do("SSUB", "i64", [STACK_POINTER, STACK_POINTER, whole])
    s.do("SADD#", "i64", [address := s.code.new_register(), STACK_POINTER], Slot("end", 0))
    s.define(item, address)


def save_stack(s: Selector, item: ir.Instruction) -> None:
    s.do("SMOVE", "", [saved := s.code.new_register(), STACK_POINTER])
    s.define(item, saved)


def restore_stack(s: Selector, item: ir.Instruction) -> None:
    s.do("SMOVE", "", [STACK_POINTER, s.reg(item.operands[0])])


def element_address(s: Selector, item: ir.Instruction) -> None:
    """base + Σ index · size, constant parts added last."""
    base: int | None = None
    offset = 0
    kind = item.kind
    terms: list[tuple[ir.Value, int]] = []
    for position, index in enumerate(item.operands[1:]):
        if position == 0:
            step = ir.size_of(kind)
        elif isinstance(kind, ir.Struct):
            assert isinstance(index, ir.Number)
            offset += ir.field_offset(kind, index.bits)
            kind = kind.fields[index.bits]
            continue
        else:
            kind = kind.element  # type: ignore[attr-defined]
            step = ir.size_of(kind)
        if isinstance(index, ir.Number):
            offset += ir.signed(index.bits, s.width(index.type)) * step
        else:
            terms.append((index, step))
    base = s.reg(item.operands[0])
    for index, step in terms:
        scaled = _scaled(s, sign_extended(s, s.reg(index), s.width(index.type)), step)
        base = s.op("SADD", "i64", base, scaled)
    if offset:
        base = (
            s.op("SADD#", "i64", base, imm=offset)
            if fits(offset, "SADD#")
            else s.op("SADD", "i64", base, s.constant(offset))
        )
    s.define(item, base)


def _scaled(s: Selector, index: int, step: int) -> int:
    if step == 1:
        return index
    if step & (step - 1) == 0 and step:
        return s.op("SSHL#", "i64", index, imm=step.bit_length() - 1)
    return s.op("SMUL#", "i64", index, imm=step)


def copy(s: Selector, item: ir.Instruction) -> None:
    """memcpy and memmove; the latter may overlap."""
    dst, src, length = item.operands[:3]
    to, source = s.memory_class(dst), s.memory_class(src)
    if isinstance(length, ir.Number) and length.bits <= INLINE_BYTES:
        base, offset = s.address(src)
        chunks = _chunks(length.bits)
        pieces = [s.load(f"i{8 * u}", base, s.shifted(offset, at), source) for at, u in chunks]
        base, offset = s.address(dst)
        for (at, unit), piece in zip(chunks, pieces, strict=True):
            s.store(f"i{8 * unit}", piece, base, s.shifted(offset, at), to)
        return
    unit = 8 if isinstance(length, ir.Number) and length.bits % 8 == 0 else 1
    target, origin, count = s.reg(dst), s.reg(src), s.reg(length)
    backward = item.word.startswith("llvm.memmove")

    def move(at: int) -> None:
        piece = s.load(f"i{8 * unit}", s.op("SADD", "i64", origin, at), 0, source)
        s.store(f"i{8 * unit}", piece, s.op("SADD", "i64", target, at), 0, to)

    if not backward:
        counted_loop(s, count, unit, move)
        return
    up, down, done = s.new_label("up"), s.new_label("down"), s.new_label("moved")
    s.do("CB", "", [s.op("SLT", "u64", origin, target)], down)
    s.do("JUMP", "", [], up)
    s.start(up)
    counted_loop(s, count, unit, move)
    s.do("JUMP", "", [], done)
    s.start(down)
    counted_loop(s, count, unit, lambda at: move(
        s.op("SADD#", "i64", s.op("SSUB", "i64", count, at), imm=-unit)))  # fmt: skip
    s.do("JUMP", "", [], done)
    s.start(done)


def fill(s: Selector, item: ir.Instruction) -> None:
    """memset: a byte in every byte."""
    dst, byte, length = item.operands[:3]
    memory = s.memory_class(dst)
    if isinstance(byte, ir.Number):
        word = s.constant(ir.signed(byte.bits * 0x0101_0101_0101_0101, 64))
    else:
        low = s.op("SAND#", "u64", s.reg(byte), imm=255)
        word = s.op("SMUL", "u64", low, s.constant(0x0101_0101_0101_0101))
    if isinstance(length, ir.Number) and length.bits <= INLINE_BYTES:
        base, offset = s.address(dst)
        for at, unit in _chunks(length.bits):
            s.store(f"i{8 * unit}", word, base, s.shifted(offset, at), memory)
        return
    unit = 8 if isinstance(length, ir.Number) and length.bits % 8 == 0 else 1
    target = s.reg(dst)
    counted_loop(
        s,
        s.reg(length),
        unit,
        lambda at: s.store(f"i{8 * unit}", word, s.op("SADD", "i64", target, at), 0, memory),
    )


def counted_loop(s: Selector, count: int, step: int, body) -> None:  # type: ignore[no-untyped-def]
    """for (at = 0; at < count; at += step) body(at)"""
    head, inside, done = s.new_label("head"), s.new_label("body"), s.new_label("done")
    depth = s.block.depth
    at = s.code.new_register()
    s.do("SLOAD#", "", [at], 0)
    s.do("JUMP", "", [], head)
    s.start(head, depth + 1)
    s.do("CBZ", "", [s.op("SLT", "u64", at, count)], done)
    s.do("JUMP", "", [], inside)
    s.start(inside, depth + 1)
    body(at)
    s.do("SADD#", "i64", [at, at], step)
    s.do("JUMP", "", [], head)
    s.start(done, depth)
