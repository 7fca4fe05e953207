"""The native core against the reference where chance seldom goes: pairs of extreme values,
shapes that take other code, thresholds of the elementary functions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sim_fuzzer import EDGES
from sim_programs import ROUND, memory_for

from zhisuan.base.dtype import BY_NAME as BY_DTYPE
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.number import FLOATS, bits_of, signed64
from zhisuan.isa.program import Kernel, Program
from zhisuan.isa.registry import Instruction, Unit
from zhisuan.isa.table import BY_NAME, ROWS
from zhisuan.sim import native_core, reference
from zhisuan.sim.memory import Memory

A, B, D = NRAM.base, NRAM.base + (1 << 16), NRAM.base + (1 << 17)
SPECIAL = {
    "f16": np.array([0, -0.0, 1, -1, 65504, -65504, 6e-8, -6e-8, np.inf, -np.inf, np.nan,
                     6.1e-5, 0.333, 2048, 2049], np.float16),
    "f32": np.array([0, -0.0, 1, -1, 3.4e38, -3.4e38, 1e-45, -1e-45, np.inf, -np.inf, np.nan,
                     1.2e-38, 0.333, 1e-30, 16777217, 65519.99, 65520], np.float32),
}  # fmt: skip


for _name in ("i8", "u8", "i16", "u16", "i32", "u32"):
    _limits = np.iinfo(BY_DTYPE[_name].numpy)
    _some = (0, 1, 2, 7, _limits.max - 1, _limits.max, _limits.min, _limits.min + 1)
    SPECIAL[_name] = np.array(_some, BY_DTYPE[_name].numpy)


def special(mode: str) -> np.ndarray:
    """Values at the edges of the type that a mode reads."""
    return SPECIAL[mode.split(".")[0]]


def programs_of(*instructions: Encodable) -> Program:
    items = [*instructions, Encodable(BY_NAME["HALT"], "", ())]
    return Program("edge", np.array([encode(i) for i in items], np.uint64), {"k": Kernel("k", 0)})


def assert_agree(program: Program, registers: list[int], memory: Memory) -> None:
    """Both executors, from the same state: the same registers and the same on-chip memory."""
    before = {space: memory.bytes_of(space).copy() for space in (NRAM, WRAM)}
    results = []
    for run in (reference.run, native_core.run):
        for space, contents in before.items():
            memory.bytes_of(space)[:] = contents
        state = list(registers)
        run(program, 0, state, memory, 1000)
        results.append((state, memory.bytes_of(NRAM).tobytes(), memory.bytes_of(WRAM).tobytes()))
    assert results[0] == results[1]


def names(row: Instruction) -> list[str]:
    return [operand.name for operand in row.operands]


PAIRS = [row for row in ROWS if row.unit is Unit.VFU and names(row) == ["dst", "n", "a", "b"]]
WITH_SCALAR = [row for row in ROWS if row.unit is Unit.VFU and names(row) == ["dst", "n", "a", "s"]]
SCALAR_PAIRS = [row for row in ROWS if names(row) == ["d", "a", "b"]]


@pytest.mark.parametrize("row", PAIRS, ids=lambda row: row.name)
def test_every_pair_of_special_values(row: Instruction) -> None:
    for mode in row.modes:
        x, y = (side.ravel() for side in np.meshgrid(special(mode), special(mode)))
        memory = memory_for(ROUND)
        memory.write(A, x)
        memory.write(B, y)
        program = programs_of(Encodable(row, mode, (0, 1, 2, 3)))
        assert_agree(program, [D, len(x), A, B] + [0] * 60, memory)


@pytest.mark.parametrize("row", WITH_SCALAR, ids=lambda row: row.name)
def test_special_values_with_a_scalar(row: Instruction) -> None:
    for mode in row.modes:
        for scalar in special(mode):
            memory = memory_for(ROUND)
            memory.write(A, special(mode))
            program = programs_of(Encodable(row, mode, (0, 1, 2, 3)))
            registers = [D, len(special(mode)), A, bits_of(scalar, mode.split(".")[0])] + [0] * 60
            assert_agree(program, registers, memory)


def extremes(mode: str) -> list[int]:
    if mode in FLOATS:
        return [bits_of(value, mode) for value in SPECIAL[mode]]
    width = int(mode[1:])
    values = (0, 1, -1, 2, 7, width - 1, width, (1 << width - 1) - 1, -(1 << width - 1))
    return [bits_of(value, mode) for value in values]


@pytest.mark.parametrize("row", SCALAR_PAIRS, ids=lambda row: row.name)
def test_scalar_extremes(row: Instruction) -> None:
    """Every pair of a mode's extreme values; results in registers 32 to 61, 30 at a time."""
    memory = memory_for(ROUND)
    divides = row.mnemonic in ("SDIV", "SREM")
    for mode in row.modes:
        values = extremes(mode)
        indices = range(len(values))
        pairs = [(i, j) for i, j in itertools.product(indices, indices)
                 if values[j] or not divides or mode in FLOATS]  # fmt: skip
        if row.immediate is not None:  # j is the value itself
            narrow = {k: signed64(v) for k, v in enumerate(values) if abs(signed64(v)) < 1 << 35}
            pairs = [(i, narrow[j]) for i, j in pairs if j in narrow]
        for start in range(0, len(pairs), 30):
            part = pairs[start : start + 30]
            items = [Encodable(row, mode, (32 + k, i, j)) for k, (i, j) in enumerate(part)]
            registers = values + [0] * (64 - len(values))
            assert_agree(programs_of(*items), registers, memory)


def test_conversions_of_extremes() -> None:
    memory = memory_for(ROUND)
    row = BY_NAME["SCVT"]
    for mode in row.modes:
        values = sorted({*EDGES, *extremes(mode.split(".")[0])})
        for start in range(0, len(values), 30):
            part = values[start : start + 30]
            items = [Encodable(row, mode, (32 + k, k)) for k in range(len(part))]
            assert_agree(programs_of(*items), part + [0] * (64 - len(part)), memory)


@pytest.mark.parametrize("name", ["VEXP", "VLOG", "VSIG", "VTANH"])
def test_around_the_thresholds(name: str) -> None:
    ranges = [(-104.1, -103.9), (-88, -87), (88.7, 88.75), (44.3, 44.4), (0.70, 0.71),
              (1.41, 1.42), (1.1e-38, 1.3e-38), (-52, -51.9), (-1e-3, 1e-3)]  # fmt: skip
    x = np.concatenate([np.linspace(low, high, 1500, dtype=np.float32) for low, high in ranges])
    memory = memory_for(ROUND)
    memory.write(A, x)
    program = programs_of(Encodable(BY_NAME[name], "f32", (0, 1, 2)))
    assert_agree(program, [D, len(x), A] + [0] * 61, memory)


@pytest.mark.parametrize("mode", BY_NAME["CONV"].modes)
@pytest.mark.parametrize(
    ("out", "kernel", "channels", "steps", "in_extra", "out_extra"),
    [
        ((3, 13), (2, 2), (3, 70), (1, 1, 1, 1), 0, -8),  # output rows overlap
        ((3, 13), (2, 2), (3, 70), (1, 1, 1, 1), 0, -1 << 12),  # and run backwards
        ((64, 200), (1, 1), (64, 2), (1, 1, 1, 1), None, 0),  # overlapping lines, too many
        ((5, 9), (3, 3), (7, 130), (2, 3, 3, 2), 32, 64),
        ((1, 25), (1, 9), (16, 64), (1, 1, 1, 1), 0, 0),
        ((2, 3), (0, 3), (4, 20), (1, 1, 1, 1), 0, 0),  # no taps: zeros
    ],
)  # fmt: skip
def test_convolution_shapes(
    mode: str,
    out: tuple[int, int],
    kernel: tuple[int, int],
    channels: tuple[int, int],
    steps: tuple[int, int, int, int],
    in_extra: int | None,
    out_extra: int,
) -> None:
    source, destination = (np.float16 if kind == "f16" else np.float32
                           for kind in mode.split(".")[:2])  # fmt: skip
    columns = (out[1] - 1) * steps[1] + (kernel[1] - 1) * steps[3] + 1
    in_pitch = columns * channels[0] * source().itemsize + in_extra if in_extra is not None else 256
    out_pitch = out[1] * channels[1] * destination().itemsize + out_extra
    draw = np.random.default_rng(5)
    memory = memory_for(ROUND)
    for space in (NRAM, WRAM):
        values = draw.normal(0, 1, memory.size_of(space) // source().itemsize)
        memory.write(space.base, values.astype(source))
    packed = [
        out[0] | out[1] << 16 | kernel[0] << 32 | kernel[1] << 48,
        channels[0] | channels[1] << 32,
        sum(step << 16 * i for i, step in enumerate(steps)),
        (in_pitch & 0xFFFF_FFFF) | (out_pitch & 0xFFFF_FFFF) << 32,
    ]
    middle = NRAM.base + (1 << 18)
    program = programs_of(Encodable(BY_NAME["CONV"], mode, (0, 1, 2, 3, 4, 5, 6)))
    assert_agree(program, [middle, A, WRAM.base, *packed] + [0] * 57, memory)


@pytest.mark.parametrize("mode", ["f16.f32.acc", "f32.f32.acc"])
def test_convolution_keeps_the_sign_of_a_zero(mode: str) -> None:
    """-0 plus -0 times 1 is -0; one of the neurons is +0."""
    kind = SPECIAL[mode.split(".")[0]].dtype
    memory = memory_for(ROUND)
    neurons = np.full(8, -0.0, kind)
    neurons[3] = 0.0
    memory.write(A, neurons)
    memory.write(D, np.full(8 * 64, -0.0, np.float32))
    memory.write(WRAM.base, np.ones(64 * 64 // kind.itemsize, kind))
    ones = 1 | 1 << 16 | 1 << 32 | 1 << 48
    pitches = 8 * kind.itemsize | 8 * 64 * 4 << 32
    program = programs_of(Encodable(BY_NAME["CONV"], mode, (0, 1, 2, 3, 4, 5, 6)))
    registers = [D, A, WRAM.base, ones & ~0xFFFF0000 | 8 << 16, 1 | 64 << 32, ones, pitches]
    assert_agree(program, registers + [0] * 57, memory)
    zeros = memory.read(D, np.float32, 8 * 64).reshape(8, 64)
    assert np.signbit(zeros).all(axis=1).tolist() == [True] * 3 + [False] + [True] * 4
