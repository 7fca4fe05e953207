"""Random programs over every instruction and mode of the table, for comparing executors.

Comes in: a seed.  Goes out: a program, registers and memory contents.  Operands are chosen by
their names so that most instructions work on valid ranges, and some fault.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np

from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine, Nram, Sram, Wram
from zhisuan.isa.address import CONST, GDRAM, LDRAM, NRAM, PARAM, SRAM, WRAM, Space
from zhisuan.isa.element import BITS, bytes_of, kinds_of
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.program import Kernel, Program
from zhisuan.isa.registry import Instruction, Kind, Unit, touched
from zhisuan.isa.table import ROWS
from zhisuan.sim import native_core, reference
from zhisuan.sim.fault import Fault
from zhisuan.sim.memory import Memory

NRAM_BYTES, WRAM_BYTES, GDRAM_BYTES = 1 << 14, 1 << 16, 1 << 13
LIMIT = 300
SIZES = (0, 1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 32, 33, 64, 67, 101, 128, 257, 300, 521)
ADDRESSES = {row.name: {name for names in touched(row) for name in names} for row in ROWS}
"""Of every row, the operands where its byte ranges start."""
EDGES = (
    0, 1, 2, 7, 8, 31, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF,
    0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, (1 << 64) - 1,
    (1 << 64) - 2, 0x3C00, 0xBC00, 0x7C00, 0xFC00, 0x7E00, 0x7C01, 0x0001, 0x8001, 0x7BFF,
    0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC0_0001, 0x7F80_0001,
    0x0000_0001, 0x8000_0001, 0x7F7F_FFFF, 0x4F00_0000, 0x5F00_0000, 0x4B00_0001, 0x477F_F000,
)  # fmt: skip
"""Integers and the bits of floats where behaviour changes."""


def small_machine(**changes: object) -> Machine:
    """The default machine with little memory, so that tests are quick."""
    machine = load("dlp-s")
    return replace(
        machine, nram=Nram(NRAM_BYTES, 1 << 10), wram=Wram(WRAM_BYTES),
        sram=Sram(GDRAM_BYTES, 0, 64, 3), **changes,  # type: ignore[arg-type]
    )  # fmt: skip


MACHINE = small_machine()


@dataclass(frozen=True)
class Case:
    """A program with the registers it starts with; `seed` also fills the memory."""

    seed: int
    program: Program
    registers: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """All that a run leaves behind."""

    fault: str
    pc: int
    registers: tuple[int, ...]
    rows: bytes
    memory: tuple[bytes, ...]


def filled_memory(seed: int) -> Memory:
    """Memory of halves, floats and random bytes, special values among them."""
    memory = Memory(MACHINE)
    memory.reserve(GDRAM.base + GDRAM_BYTES)
    memory.load_constants(None, b"")
    draw = np.random.default_rng(seed)
    style = seed % 3
    for space in (NRAM, WRAM, SRAM, LDRAM, GDRAM, PARAM):
        target = memory.bytes_of(space)[: 1 << 16]
        if style == 0:
            target[:] = draw.integers(0, 256, len(target), np.uint8)
            continue
        kind = np.float16 if style == 1 else np.float32
        values = draw.normal(0, 4, len(target) // kind().itemsize).astype(kind)
        specials = np.array([0, -0.0, np.inf, -np.inf, np.nan, 6e4, 6e-8, -1], kind)
        places = draw.random(len(values)) < 0.02
        values[places] = draw.choice(specials, places.sum())
        target[:] = values.view(np.uint8)
    return memory


def run(case: Case, executor: str, features: tuple[str, ...] | None = None) -> Outcome:
    """Execute a case on fresh memory; a fault is part of the outcome."""
    memory = filled_memory(case.seed)
    registers = list(case.registers)
    fault, pc, rows = "", -1, b""
    try:
        if executor == "reference":
            chunks = reference.run(case.program, 0, registers, memory, LIMIT)
        else:
            chunks = native_core.run(case.program, 0, registers, memory, LIMIT, features)
        rows = b"".join(chunk.tobytes() for chunk in chunks)
    except Fault as stop:
        fault, pc = str(stop.error), stop.pc
        return Outcome(fault, pc, (), b"", ())  # a faulty run leaves nothing to compare
    contents = (NRAM, WRAM, SRAM, LDRAM, GDRAM, PARAM, CONST)
    memories = tuple(memory.bytes_of(space).tobytes() for space in contents)
    return Outcome(fault, pc, tuple(registers), rows, memories)


def case_with(row: Instruction, mode: str, seed: int, length: int = 8) -> Case:
    """A program that has `row` in `mode` every other instruction, random ones between."""
    return _Writer(seed).write(row, mode, length)


class _Writer:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.registers = [self._number() for _ in range(64)]
        self.registers[63] = NRAM.base + NRAM_BYTES
        self.next = 0

    def write(self, row: Instruction, mode: str, length: int) -> Case:
        items = []
        for position in range(length):
            chosen, chosen_mode = row, mode
            if position % 2:
                chosen = self.random.choice(ROWS)
                chosen_mode = self.random.choice(chosen.modes)
            if position % 2 and chosen.name in ("TRAP#", "JUMPR", "CALLR"):
                continue
            items.append(self._instruction(chosen, chosen_mode))
        words = [encode(item) for item in items] + [encode(Encodable(_HALT, "", ()))]
        program = Program("fuzz", np.array(words, np.uint64), {"k": Kernel("k", 0)})
        return Case(self.seed, program, tuple(self.registers))

    def _number(self) -> int:
        if self.random.random() < 0.6:
            return self.random.choice(EDGES)
        return self.random.getrandbits(self.random.choice((8, 16, 32, 64)))

    def _instruction(self, row: Instruction, mode: str) -> Encodable:
        values = self._operands(row, mode)
        fields = []
        for operand in row.operands:
            if not operand.is_register:
                fields.append(values[operand.name])
            elif operand.kind is Kind.DEST:
                fields.append(self.random.randrange(52, 62))
            elif operand.name in values:
                fields.append(self._register(values[operand.name]))
            else:
                fields.append(self.random.randrange(64))
        return Encodable(row, mode, tuple(fields))

    def _register(self, value: int) -> int:
        """A register that starts with `value`; they are reused from 0 when 50 are in use."""
        number = self.next % 50
        self.next += 1
        self.registers[number] = value & ((1 << 64) - 1)
        return number

    def _operands(self, row: Instruction, mode: str) -> dict[str, int]:
        """Values of the operands that must make sense together; others are left to chance."""
        values: dict[str, int] = {}
        for operand in row.operands:
            if not operand.is_register:
                values[operand.name] = self._immediate(row, operand.kind)
            elif row.is_queued and operand.name in ADDRESSES[row.name]:
                values[operand.name] = self._address(row, operand.name, mode)
            elif row.is_queued:
                values[operand.name] = self._extent(row, operand.name)
        if row.name in ("SLOAD", "SSTORE"):
            base = self._space_start(row.writes if row.name == "SSTORE" else row.reads)
            values["base"] = base + self.random.randrange(64) - values["offset"]
        if row.name in ("JUMPR", "CALLR"):
            values["a"] = self.random.randrange(-1, 10)
        if row.name == "CONV":
            values |= self._convolution(mode)
        if row.name.startswith("VP"):
            values |= self._pool(mode)
        return values

    def _immediate(self, row: Instruction, kind: Kind) -> int:
        if kind is Kind.TARGET:
            return self.random.choice((0, 0, 0, 0, 1, 1, 1, 2, 2, -2))
        if row.name == "SGET#":
            return self.random.choice((*range(16), *range(16), 16, -1))
        if row.name == "SYNC#":
            return self.random.randrange(8)
        if "addr" in ADDRESSES[row.name]:
            return self._rarely(GDRAM_BYTES - 64) or self._rarely(-8) or self.random.randrange(4096)
        bits = row.immediate_bits
        value = self._number() & ((1 << bits) - 1)
        return value - (1 << bits) if value >> (bits - 1) else value

    def _space_start(self, spaces: tuple[Space, ...]) -> int:
        here = [space for space in spaces if space in (NRAM, WRAM, SRAM, LDRAM, GDRAM)]
        return self.random.choice(here).base + 256

    def _address(self, row: Instruction, name: str, mode: str) -> int:
        """Mostly valid and aligned; few places, so that ranges often overlap."""
        if self.random.random() < 0.01:
            return self.random.choice((0, 8, NRAM.base + NRAM_BYTES - 4, self._number()))
        spaces = row.writes if name == "dst" else row.reads
        if len(spaces) > 1 and row.unit is Unit.MFU:
            spaces = (WRAM,) if name == "weight" else (NRAM,)
        is_atomic = GDRAM in row.reads and GDRAM in row.writes and NRAM in row.reads
        if is_atomic:
            spaces = (GDRAM,) if name == "src" else (NRAM,)
        offset = self.random.choice((0, 0, 4, 16, 64, 1024, 2048, 4096, 4100, 6000))
        if (row.unit in (Unit.IO, Unit.MOVE) and not is_atomic) or self.random.random() < 0.02:
            offset += self.random.randrange(8)
        return self._space_start(spaces) + offset

    def _extent(self, row: Instruction, name: str) -> int:
        """Counts, sizes and strides."""
        pick, between = self.random.choice, self.random.randrange
        if self.random.random() < 0.005 or name in ("s", "value", "seed", "mul"):
            return self._number()
        if name == "bits":
            return self._rarely(63) or self._rarely(-1) or pick((0, 1, 7, 8, 31, 40, 62))
        if row.unit is Unit.MFU:  # m · n elements of a matrix
            return pick(SIZES[:15])
        if row.name == "VLUT":
            return pick((0, 1, 1, 2)) if name == "n" else self._rarely(300) or 4096
        if name == "size" and row.unit is Unit.VFU:  # rows and columns
            low = between(-1, 2) if self.random.random() < 0.1 else pick(SIZES[:12])
            return self._packed(low, pick((0, 1, 3, 8, 17)))
        if name == "id":
            return pick((0, 1))
        if name == "cluster":
            return pick((0, 0, 0, 1))
        if name == "outer":
            return self._packed(between(-64, 200), between(-64, 200))
        if row.name.endswith("3"):
            return pick({"size": SIZES, "n": SIZES[:8], "n1": (0, 1, 1, 2, 3)}.get(name, _STRIDES))
        if name == "pitch":
            return pick((0, 4, 64, 256, 320, 1000, -64))
        return pick(SIZES)

    def _rarely(self, value: int) -> int:
        """`value` now and then, else 0."""
        return value if self.random.random() < 0.03 else 0

    @staticmethod
    def _packed(low: int, high: int) -> int:
        return (low & 0xFFFF_FFFF) | (high & 0xFFFF_FFFF) << 32

    def _convolution(self, mode: str) -> dict[str, int]:
        pick = self.random.choice
        out_h, out_w = pick((0, 1, 1, 2, 3)), pick((1, 1, 2, 3, 5, 7, 13))
        kernel_h, kernel_w = pick((0, 1, 1, 2, 3, 3)), pick((0, 1, 1, 2, 3, 3))
        stride_h, stride_w, dilation_h, dilation_w = (pick((0, 1, 1, 1, 2)) for _ in range(4))
        ci, co = pick((0, 1, 2, 3, 5, 16)), pick((0, 1, 2, 15, 16, 17, 33, 48, 64, 65, 70, 130))
        source, destination = kinds_of(mode)
        columns = (out_w - 1) * stride_w + max(kernel_w - 1, 0) * dilation_w + 1
        in_pitch = bytes_of(source, columns * ci) + pick((0, 0, 0, 16, -4))
        out_pitch = bytes_of(destination, out_w * co) + pick((0, 0, 0, 16, -4))
        if self.random.random() < 0.02:
            co = -co
        return {
            "geometry": out_h | out_w << 16 | kernel_h << 32 | kernel_w << 48,
            "steps": stride_h | stride_w << 16 | dilation_h << 32 | dilation_w << 48,
            "channels": self._packed(ci, co),
            "pitches": self._packed(in_pitch, out_pitch),
        }

    def _pool(self, mode: str) -> dict[str, int]:
        pick = self.random.choice
        out_h, out_w = pick((0, 1, 1, 2, 3)), pick((1, 1, 2, 3, 5))
        window_h, window_w = 0 if self._rarely(1) else pick((1, 2, 3, 3)), pick((1, 1, 2, 3, 3))
        stride_h, stride_w, dilation_h, dilation_w = (pick((0, 1, 1, 2, 3)) for _ in range(4))
        m = pick((0, 1, 2, 3, 16, 17, 33, 64))
        source, destination = _widths(mode)
        columns = (out_w - 1) * stride_w + (window_w - 1) * dilation_w + 1
        in_pitch = columns * m * source + pick((0, 0, 0, 16, -4))
        out_pitch = out_w * m * destination + pick((0, 0, 0, 16, -4))
        return {
            "geometry": out_h | out_w << 16 | window_h << 32 | window_w << 48,
            "steps": stride_h | stride_w << 16 | dilation_h << 32 | dilation_w << 48,
            "m": m,
            "pitches": self._packed(in_pitch, out_pitch),
        }


def _widths(mode: str) -> tuple[int, int]:
    """Bytes of the source and the destination elements of a mode."""
    source, destination = kinds_of(mode)
    return BITS[source] // 8, BITS[destination] // 8


_STRIDES = (0, 1, 2, 3, 5, 64, 128, -3, -32)
_HALT = next(row for row in ROWS if row.name == "HALT")
