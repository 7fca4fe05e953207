"""The course's exercise core: its exact answers, up to the decoding of the instructions.

The exercises count moves as bytes / bandwidth and computation as MACs / 256, at full
utilisation, without latency.  Here real programs run; what they cost beyond the answer is one
cycle per decoded instruction, which the exercises leave out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sim_programs import ROUND

from zhisuan.arch.machine import Dram, Launch, Machine, Nram, Scalar, Wram
from zhisuan.isa.address import GDRAM, NRAM, WRAM
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.matrix import pack_weights
from zhisuan.isa.program import Kernel, Program
from zhisuan.isa.table import BY_NAME
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import UNITS, Timing, replay
from zhisuan.sim.trace import TraceBuilder

EXERCISE: Machine = replace(
    ROUND,
    name="exercise",
    dram=Dram(64_000_000_000, 1 << 30, 4, read_latency=0, write_latency=0, segment_cycles=1),
    nram=Nram(128 << 10, 0),
    wram=Wram(256 << 10),
    matrix=replace(ROUND.matrix, elements=1, lanes_f16=256, lanes_f32=256, latency=0),
    scalar=Scalar(0, 0, 0, 0, 0, 0, 0, 0, 0),
    launch=Launch(0),
)
"""256 FP32 MAC per cycle as one element of 256 lanes, so that every shape uses them all."""

INPUT, WEIGHTS, OUTPUT = GDRAM.base, GDRAM.base + (1 << 21), GDRAM.base + (1 << 22)
Emit = Callable[..., None]


class Layer:
    """A fully connected layer on [rows, 256] inputs, a tile of rows at a time."""

    def __init__(self, rows: int, outputs: int, tile: int) -> None:
        self.rows, self.outputs, self.tile = rows, outputs, tile
        self.words: list[int] = []
        self.free = 0
        draw = np.random.default_rng(0)
        self.x = draw.integers(-3, 4, (rows, 256)).astype(np.float32)
        self.w = draw.integers(-3, 4, (256, outputs)).astype(np.float32)
        self.packed = pack_weights(self.w)

    def emit(self, name: str, *values: int) -> None:
        """An instruction; a queued one gets its operand values through registers."""
        row = BY_NAME[name]
        registers = []
        for value in values if row.is_queued else ():
            registers.append(self.free % 60)
            self.free += 1
            self._load(registers[-1], value)
        fields = tuple(registers) if row.is_queued else values
        self.words.append(encode(Encodable(row, row.modes[self._mode(name)], fields)))

    @staticmethod
    def _mode(name: str) -> int:
        return BY_NAME[name].modes.index("f32.f32") if name == "CONV" else 0

    def _load(self, register: int, value: int) -> None:
        self.emit("SLOAD#", register, (value & 0xFFFF_FFFF))
        self.emit("SHIGH#", register, value >> 32)

    def load_weights(self) -> None:
        # the layer's 256 x outputs weights; WRAM's padding for 64 banks is not transferred
        self.emit("MLOAD", WRAM.base, 256 * self.outputs * 4, WEIGHTS)

    def source(self, number: int) -> int:
        return NRAM.base + number % 2 * self.tile * 256 * 4

    def target(self, number: int) -> int:
        return NRAM.base + (1 << 16) + number % 2 * self.tile * self.outputs * 4

    def load(self, number: int) -> None:
        size = self.tile * 256 * 4
        self.emit("VLOAD", self.source(number), size, INPUT + number * size)

    def compute(self, number: int) -> None:
        self.emit("CONV", self.target(number), self.source(number), WRAM.base,
                  self.tile << 16 | 1 | 1 << 32 | 1 << 48, 256 | self.outputs << 32,
                  1 | 1 << 16 | 1 << 32 | 1 << 48, 0)  # fmt: skip

    def store(self, number: int) -> None:
        size = self.tile * self.outputs * 4
        self.emit("VSTORE", OUTPUT + number * size, size, self.target(number))

    def run(self) -> Timing:
        self.emit("HALT")
        memory = Memory(EXERCISE)
        memory.reserve(OUTPUT + (1 << 20))
        memory.write(INPUT, self.x)
        memory.write(WEIGHTS, self.packed)
        program = Program("fc", np.array(self.words, np.uint64), {"k": Kernel("k", 0)})
        trace = TraceBuilder()
        execute(program, "k", [], memory, trace, label="fc")
        if self.outputs >= 64:
            y = memory.read(OUTPUT, np.float32, self.rows * self.outputs)
            assert np.array_equal(y.reshape(self.rows, self.outputs), self.x @ self.w)
        return replay(trace.build(), EXERCISE)


def busy(timing: Timing, unit: str) -> int:
    return int(timing.cycles[0, UNITS.index(unit), 0])


@pytest.mark.parametrize(
    ("rows", "outputs", "io", "mfu"),
    [(1, 1, 32 + 1, 1), (32, 128, 2560 + 256, 4096)],
    ids=["33.1 ns", "6912 ns"],
)
def test_one_layer_without_overlap(rows: int, outputs: int, io: int, mfu: int) -> None:
    layer = Layer(rows, outputs, rows)
    layer.load(0)
    layer.load_weights()
    layer.emit("SYNC", 2)
    layer.compute(0)
    layer.emit("SYNC", 1)
    layer.store(0)
    timing = layer.run()
    assert (busy(timing, "io"), busy(timing, "mfu")) == (io, mfu)
    # the first load, CONV and store are each decoded while nothing else runs
    assert timing.total == io + mfu + 3


def test_32_tiles_one_after_the_other() -> None:
    layer = Layer(1024, 128, 32)
    layer.load_weights()
    for number in range(32):
        layer.load(number)
        layer.emit("SYNC", 2)
        layer.compute(number)
        layer.emit("SYNC", 1)
        layer.store(number)
        layer.emit("SYNC", 2)
    timing = layer.run()
    assert busy(timing, "io") + busy(timing, "mfu") == 157_696  # 157.7 us
    # the weights, and per tile load, CONV and store, decoded while nothing else runs; the
    # first load is decoded while the weights travel
    assert timing.total == 157_696 + 1 + 32 * 3 - 1


def test_32_tiles_double_buffered() -> None:
    layer = Layer(1024, 128, 32)
    layer.load_weights()
    layer.load(0)
    for number in range(33):
        layer.emit("SYNC", 7)
        if number < 32:
            layer.compute(number)
        if number < 31:
            layer.load(number + 1)
        if number > 0:
            layer.store(number - 1)
    timing = layer.run()
    assert busy(timing, "mfu") == 32 * 4096
    assert 2048 + 512 + 32 * 4096 + 256 == 133_888  # 133.9 us
    # the weights, each CONV and the last store are decoded while nothing else runs
    assert timing.total == 133_888 + 1 + 32 + 1
