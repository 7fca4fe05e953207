"""Small assembly programs and round-numbered machines for the tests of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zhisuan.arch.load import load
from zhisuan.arch.machine import (
    Dram,
    Launch,
    Machine,
    Move,
    Queues,
    Scalar,
    Vector,
)
from zhisuan.isa.address import GDRAM
from zhisuan.isa.asm import assemble
from zhisuan.isa.program import Program
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import Trace, TraceBuilder

GDRAM_BYTES = 1 << 16

ROUND = replace(
    load("dlp-s"),
    name="round",
    channels=None,
    llc=None,
    tlb=None,
    icache=None,
    dram=Dram(64_000_000_000, 1 << 30, 64, read_latency=20, write_latency=10, segment_cycles=1),
    vector=Vector(bytes_per_cycle=64, latency=5, divide_passes=8, transcendental_passes=8),
    matrix=replace(load("dlp-s").matrix, elements=64, lanes_f16=16, lanes_f32=4, latency=7),
    move=Move(bytes_per_cycle=64, latency=3, segment_cycles=1),
    queues=Queues(compute=8, io=8, move=8, window=8),
    scalar=Scalar(1, 1, 1, 1, 1, 1, 1, 1, 1),
    launch=Launch(overhead=100),
)
"""One cycle per 64 bytes everywhere and per scalar instruction; small distinct latencies."""


def with_queues(**entries: int) -> Machine:
    """ROUND with other queue depths or window."""
    return replace(ROUND, queues=replace(ROUND.queues, **entries))


def memory_for(machine: Machine) -> Memory:
    """Fresh memory with GDRAM_BYTES of GDRAM."""
    memory = Memory(machine)
    memory.reserve(GDRAM.base + GDRAM_BYTES)
    return memory


def program_of(text: str) -> Program:
    """A program with one kernel, or those that the text declares."""
    return assemble(text, "test.dlps")


def run_text(
    text: str,
    machine: Machine = ROUND,
    args: Sequence[int | float] = (),
    *,
    executor: str = "native",
    memory: Memory | None = None,
    limit: int = 10_000,
) -> tuple[Memory, Trace]:
    """Run the first kernel of an assembly text once."""
    program = program_of(text)
    memory = memory or memory_for(machine)
    builder = TraceBuilder()
    kernel = next(iter(program.kernels))
    execute(program, kernel, args, memory, builder, label="test", executor=executor, limit=limit)
    return memory, builder.build()
