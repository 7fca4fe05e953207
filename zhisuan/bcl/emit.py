"""Machine code over machine registers → a Program: frames, branches, constants, line table.

In: allocated functions, the layout of globals, kernel parameters.  Out: `isa.program.Program`.

Frame, from the stack pointer up: outgoing arguments, local slots, saved registers; incoming stack
arguments lie above it.  A frame is a multiple of 64 bytes, so the stack stays 64-byte aligned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.base.errors import SourcePos, ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.code import (
    FRAME_POINTER,
    STACK_ALIGNMENT,
    Code,
    CodeBlock,
    Immediate,
    Op,
    Slot,
    Symbol,
    make,
)
from zhisuan.bcl.layout import Layout
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.program import Array, Kernel, Parameter, Program
from zhisuan.isa.registry import LINK_REGISTER, STACK_POINTER
from zhisuan.isa.table import BY_NAME

_SLOAD_BITS = BY_NAME["SLOAD#"].immediate_bits


@dataclass
class FrameLayout:
    """Where each area of a function's frame starts, in bytes from the stack pointer."""

    slots: list[int]
    saved: dict[int, int]
    size: int
    out_bytes: int  # of outgoing arguments, a multiple of the stack's alignment

    def offset(self, slot: Slot) -> int:
        if slot.area == "out":
            return 8 * slot.index + slot.offset
        if slot.area == "end":
            return self.out_bytes
        if slot.area == "in":
            return self.size + 8 * slot.index + slot.offset
        return self.slots[slot.index] + slot.offset


def frame_of(code: Code) -> FrameLayout:
    at = 8 * code.out_arguments
    slots = []
    for size, align in code.slots:
        at = ir.round_up(at, align)
        slots.append(at)
        at += size
    saved = {}
    at = ir.round_up(at, 8)
    keeps_link = code.makes_calls and not code.is_kernel
    for register in (*code.saved, *((LINK_REGISTER,) if keeps_link else ())):
        saved[register] = at
        at += 8
    out_bytes = ir.round_up(8 * code.out_arguments, STACK_ALIGNMENT)
    return FrameLayout(slots, saved, ir.round_up(at, STACK_ALIGNMENT), out_bytes)


def _prologue(code: Code, frame: FrameLayout, place: SourcePos | None) -> list[Op]:
    ops = []
    if frame.size:
        ops.append(make("SSUB#", "i64", [STACK_POINTER, STACK_POINTER], frame.size, place))
    for register, at in frame.saved.items():
        ops.append(make("SSTORE", "i64", [register, STACK_POINTER], at, place))
    if code.moves_stack:
        ops.append(make("SMOVE", "", [FRAME_POINTER, STACK_POINTER], None, place))
    return ops


def _epilogue(code: Code, frame: FrameLayout, place: SourcePos | None) -> list[Op]:
    ops = []
    if code.moves_stack:
        ops.append(make("SMOVE", "", [STACK_POINTER, FRAME_POINTER], None, place))
    for register, at in frame.saved.items():
        ops.append(make("SLOAD", "i64", [register, STACK_POINTER], at, place))
    if frame.size:
        ops.append(make("SADD#", "i64", [STACK_POINTER, STACK_POINTER], frame.size, place))
    return ops


def _wide_constant(op: Op) -> list[Op]:
    """SLOAD #c with c beyond its field → SLOAD #low half; SHIGH #high half."""
    assert isinstance(op.imm, int)
    value = op.imm
    if -(1 << (_SLOAD_BITS - 1)) <= value < 1 << (_SLOAD_BITS - 1):
        return [op]
    low, high = value & 0xFFFF_FFFF, value >> 32 & 0xFFFF_FFFF
    op.imm = low
    return [op, make("SHIGH#", "", [op.regs[0]], high - (high >> 31 << 32), op.place)]


def lower_frame(code: Code, place: SourcePos | None) -> list[CodeBlock]:
    """The function's blocks with stack offsets, prologue, epilogues and wide constants made."""
    frame = frame_of(code)
    blocks = [CodeBlock(block.label, [], block.depth) for block in code.blocks]
    blocks[0].ops += _prologue(code, frame, place)
    for block, source in zip(blocks, code.blocks, strict=True):
        for op in source.ops:
            if isinstance(op.imm, Slot):
                if code.moves_stack and op.imm.area in ("local", "in"):
                    op.regs = [FRAME_POINTER if r == STACK_POINTER else r for r in op.regs]
                op.imm = frame.offset(op.imm)
            if op.name == "JUMPR" and not code.is_kernel:
                block.ops += _epilogue(code, frame, op.place)
            if op.name == "SLOAD#" and isinstance(op.imm, int):
                block.ops += _wide_constant(op)
            else:
                block.ops.append(op)
    return blocks


def _thread_jumps(blocks: list[CodeBlock]) -> list[CodeBlock]:
    """Send branches to blocks that only jump on to where those jump; drop what is unreachable."""
    onward = {b.label: str(b.ops[0].imm) for b in blocks if b.ops[0].name == "JUMP"}
    for block in blocks:
        for op in block.ops:
            if op.name in ("JUMP", "CB", "CBZ"):
                seen = set()
                while op.imm in onward and op.imm not in seen:
                    seen.add(op.imm)
                    op.imm = onward[str(op.imm)]
    reached = {blocks[0].label}
    pending = [blocks[0]]
    named = {block.label: block for block in blocks}
    while pending:
        for label in pending.pop().successors():
            if label not in reached:
                reached.add(label)
                pending.append(named[label])
    return [block for block in blocks if block.label in reached]


def _fall_through(blocks: list[CodeBlock]) -> None:
    """Drop jumps to the next block, and turn branches so that the frequent way has one of them.

    CB next, JUMP x → CBZ x;   CB out, JUMP back → CBZ back, JUMP out (back: an earlier block)
    """
    position = {block.label: index for index, block in enumerate(blocks)}
    for index, block in enumerate(blocks):
        ops = block.ops
        if not ops or ops[-1].name != "JUMP":
            continue
        jump, first = ops[-1], ops[-2] if len(ops) >= 2 else ops[-1]
        if position[str(jump.imm)] == index + 1:
            ops.pop()
        elif first.name in ("CB", "CBZ"):
            taken = first.imm
            if position[str(taken)] == index + 1:
                _turn(first, jump.imm)
                ops.pop()
            elif position[str(jump.imm)] <= index < position[str(taken)]:
                _turn(first, jump.imm)
                jump.imm = taken


def _turn(branch: Op, to: Immediate) -> None:
    """Branch to `to` where it did not branch before."""
    branch.row = BY_NAME["CBZ" if branch.name == "CB" else "CB"]
    branch.imm = to


class Emitter:
    """Collects functions and encodes them into one program."""

    def __init__(self, name: str, layout: Layout) -> None:
        self.name = name
        self.layout = layout
        self.ops: list[Op] = []
        self.targets: list[dict[str, int]] = []  # for each op, where its function's labels are
        self.starts: dict[str, int] = {}
        self.labels: dict[int, str] = {}
        self.files: list[str] = []

    def add(self, code: Code, function: ir.Function) -> int:
        """Append a function; returns the index of its first word."""
        blocks = _thread_jumps(lower_frame(code, function.place))
        _fall_through(blocks)
        start = len(self.ops)
        self.starts[code.name] = start
        self.labels[start] = function.source_name or code.name
        where: dict[str, int] = {}
        for block in blocks:
            where[block.label] = len(self.ops)
            self.ops += block.ops
            self.targets += [where] * len(block.ops)
        return start

    def _start(self, function: str, place: SourcePos | None) -> int:
        if function not in self.starts:
            raise ZhisuanError(
                f"function '{function}' has no body that a kernel could call", where=place
            )
        return self.starts[function]

    def _immediate(self, pc: int, op: Op) -> int:
        imm = op.imm
        if isinstance(imm, Symbol):
            target = self._start(imm.name, op.place) + imm.offset
            return target - pc - 1 if op.name == "CALL" else target
        if isinstance(imm, str):
            return self.targets[pc][imm] - pc - 1
        assert isinstance(imm, int), op
        return imm

    def _word(self, pc: int, op: Op) -> int:
        regs = iter(op.regs)
        values = tuple(
            next(regs) if operand.is_register else self._immediate(pc, op)
            for operand in op.row.operands
        )
        return encode(Encodable(op.row, op.mode, values))

    def program(self, kernels: list[tuple[ir.Function, tuple[Parameter, ...]]]) -> Program:
        words = np.array([self._word(pc, op) for pc, op in enumerate(self.ops)], np.uint64)
        files = self.files
        lines = np.zeros((len(self.ops), 2), np.int32)
        for pc, op in enumerate(self.ops):
            lines[pc] = file_and_line(op.place, files)
        places = [op.place for op in self.ops]
        arrays = self._arrays(files)
        const = bytearray(self.layout.const_data)
        for at, target in self.layout.fixups:
            word = self._start(target.symbol, None) + target.offset
            const[at : at + 8] = (word % (1 << 64)).to_bytes(8, "little")
        entries = {
            function.source_name: Kernel(
                function.source_name,
                self.starts[function.name],
                parameters,
                self.layout.nram_bytes,
                self.layout.wram_bytes,
                self.layout.sram_bytes,
            )
            for function, parameters in kernels
        }
        return Program(
            self.name,
            words,
            entries,
            bytes(const),
            arrays=arrays,
            files=tuple(files),
            lines=lines,
            labels=dict(self.labels),
            texts=_texts([*places, *(item.place for item in self.layout.arrays)], files),
            columns=np.array([place.column if place else 0 for place in places], np.int32),
        )

    def _arrays(self, files: list[str]) -> tuple[Array, ...]:
        """The arrays by address; files that only they come from are added to `files`."""
        found = [
            Array(
                item.source_name or item.name,
                self.layout.addresses[item.name],
                ir.size_of(item.type),
                *file_and_line(item.place, files),
            )
            for item in self.layout.arrays
        ]
        return tuple(sorted(found, key=lambda array: array.address))


def _texts(places: list[SourcePos | None], files: list[str]) -> dict[tuple[int, int], str]:
    """The known texts of lines, as a Program has them."""
    known = {(place.file, place.line): place.text for place in places if place and place.text}
    return {(files.index(file), line): text for (file, line), text in known.items()}


def file_and_line(place: SourcePos | None, files: list[str]) -> tuple[int, int]:
    """A place as a Program says it; its file is added to `files`."""
    if place is None or not place.line:
        return -1, 0
    if place.file not in files:
        files.append(place.file)
    return files.index(place.file), place.line
