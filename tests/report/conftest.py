"""Runs to report on: one with round numbers made by hand, one replayed from a small trace."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from zhisuan.arch.load import load
from zhisuan.isa.table import BY_NAME
from zhisuan.report.model import Layer, RunReport
from zhisuan.sim.caches import STALLS
from zhisuan.sim.timing import CAUSES, EVENTS, UNITS, Timing, replay
from zhisuan.sim.trace import ROW, Trace, TraceBuilder

MACHINE = load("dlp-s")
NRAM, WRAM, DRAM = 0x0100_0000, 0x0200_0000, 0x100_0000_0000


def row(name: str, mode: str = "", pc: int = 0, **operands: int) -> np.ndarray:
    """A trace row of a queued instruction or SYNC."""
    instruction = BY_NAME[name]
    result = np.zeros(1, ROW)
    result["opcode"], result["pc"] = instruction.opcode, pc
    result["mode"] = instruction.modes.index(mode)
    for i, operand in enumerate(instruction.operands):
        result["a"][0, i] = operands.pop(operand.name)
    assert not operands, f"{name} has no operands {list(operands)}"
    return result


def scalar_run(alu: int, pc: int = 0) -> np.ndarray:
    """A trace row of `alu` scalar instructions."""
    result = np.zeros(1, ROW)
    result["a"][0, 0], result["pc"] = alu, pc
    return result


def packed(*quarters: int) -> int:
    return sum(value << (16 * i) for i, value in enumerate(quarters))


def convolution(pc: int, source: int, to: int) -> np.ndarray:
    """8×16 pixels, 3×3 kernel, 16 → 32 channels."""
    return row("CONV", "f16.f32", pc, dst=to, src=source, weight=WRAM,
               geometry=packed(8, 16, 3, 3), channels=16 | 32 << 32,
               steps=packed(1, 1, 1, 1), pitches=18 * 32 | 16 * 128 << 32)  # fmt: skip


def tiles(count: int) -> list[np.ndarray]:
    """A kernel's rows: per tile load, sync, convolve, two vector passes, sync, store."""
    rows = [scalar_run(40), row("MLOAD", dst=WRAM, size=40960, src=DRAM), row("SYNC", queues=2)]
    for tile in range(count):
        a, b = NRAM + (tile % 2) * 0x20000, NRAM + 0x50000 + (tile % 2) * 0x10000
        rows += [
            scalar_run(12, pc=9),
            row("VLOAD", pc=10, dst=a, size=5760, src=DRAM),
            row("SYNC", pc=11, queues=2),
            convolution(12, a, b),
            row("VAFFINE", "f32.f16.relu", pc=13, dst=a, n=4096, a=b, scale=NRAM + 0x70000,
                shift=NRAM + 0x70100, m=32),
            row("VMOVE", pc=14, dst=NRAM + 0x78000, size=512, src=NRAM + 0x7C000),
            row("VAS", "f16", pc=15, dst=a, n=4096, a=a, s=0),
            row("SYNC", pc=16, queues=1),
            row("VSTORE3", pc=17, dst=DRAM, size=1024, src=a, dst_stride=1024, src_stride=1024,
                n=8, outer=0, n1=1),
        ]  # fmt: skip
    return rows


@pytest.fixture(scope="session")
def small_trace() -> Trace:
    """Three launches: 3 tiles, scalar code only, and 40 vector additions that fill the
    queue with convolutions after them."""
    builder = TraceBuilder()
    builder.add("conv <1>", "conv", "conv2d", tiles(3))
    builder.add("parameters", "setup", "setup", [scalar_run(100)])
    adds = [row("VAV", "f32", pc=i, dst=NRAM + 65536 * (i % 11), n=2048, a=NRAM + 65536 * (i % 3),
                b=NRAM + 65536 * ((i + 1) % 11)) for i in range(40)]  # fmt: skip
    mixed = []
    for i in range(6):
        a, b = NRAM + 0x10000 * i, NRAM + 0x60000 + 0x4000 * i
        mixed += [convolution(40, a, b), convolution(41, a, b + 0x30000 if i % 2 else b),
                  row("VAS", "f32", 42, dst=b, n=4096, a=b, s=0)]  # fmt: skip
    builder.add("add", "add", "add", [*adds, *mixed, row("SYNC", queues=7), scalar_run(5)])
    return builder.build()


@pytest.fixture(scope="session")
def png() -> Callable[[int], bytes]:
    """A picture of `side` × `side` pixels of noise."""

    def make(side: int) -> bytes:
        pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def small_report(small_trace: Trace, png: Callable[[int], bytes]) -> RunReport:
    """The small trace, replayed; its convolution does 3 · 128 · 144 · 32 MACs."""
    return RunReport(
        title="a <small> run",
        machine=MACHINE,
        timing=replay(small_trace, MACHINE),
        trace=small_trace,
        layers=(
            Layer("conv <1>", (0,), 3 * 128 * 144 * 32),
            Layer("parameters", (1,), 0),
            Layer("add", (2,), 0),
        ),
        pictures={"photo & more": png(8), "painting": png(8)},
        host_seconds={"simulate values": 1.25, "replay timing": 0.05},
        notes=("a note of <the run>",),
    )


@pytest.fixture
def round_report(small_trace: Trace) -> RunReport:
    """Two layers with hand-made timing: 4,000 and 1,000 cycles."""
    cycles = np.zeros((3, len(UNITS), len(CAUSES)), np.int64)
    for launch, unit, cause, n in (
        (0, "mfu", "busy", 1500), (0, "mfu", "operands", 400), (0, "mfu", "idle", 100),
        (0, "vfu", "busy", 500), (0, "vfu", "in order", 1500), (1, "mfu", "busy", 1000),
        (1, "mfu", "sync", 1000), (2, "io", "busy", 700), (2, "io", "launch", 300),
    ):  # fmt: skip
        cycles[launch, UNITS.index(unit), CAUSES.index(cause)] = n
    ends = np.array([2000, 4000, 5000])
    none = np.full(len(small_trace), -1)
    timing = Timing(
        machine=MACHINE, queued=none, start=none, end=none, done=none, held_by=none,
        launch_start=np.array([0, 2000, 4000]), launch_end=ends, core_cycles=cycles[:, None],
        events=np.zeros((3, len(EVENTS)), np.int64),
        stalls=np.zeros((len(STALLS), len(small_trace)), np.int64),
        dram_read=np.array([64_000, 36_000, 50_000]), dram_written=np.array([0, 20_000, 0]),
        mac_slots=np.zeros(3, np.int64), instructions=np.zeros((3, 5), np.int64),
    )  # fmt: skip
    return RunReport(
        title="round numbers",
        machine=MACHINE,
        timing=timing,
        trace=small_trace,
        layers=(Layer("conv1 3×3, 32→32", (0, 1), 3_072_000), Layer("norm1", (2,), 0)),
        host_seconds={"compile": 0.412, "simulate": 2.5, "time": 0.031},
    )
