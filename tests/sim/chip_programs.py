"""Small chips and launches on them for the tests of many cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sim_programs import ROUND, program_of

from zhisuan.arch.machine import Chip, Machine, Noc, Sram
from zhisuan.isa.address import GDRAM
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.run import CHECKS, check
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.schedule import Schedule
from zhisuan.sim.tasks import Dims
from zhisuan.sim.timing import Timing, replay
from zhisuan.sim.trace import Trace, TraceBuilder

GDRAM_BYTES = 1 << 20
MACHINE_CHECKS = tuple(name for name in CHECKS if name != "initcheck")
"""Programs about the machine move memory as they find it, all zeros."""
SAME_BYTES = ("memcheck", "synccheck")
"""For programs whose tasks write the same values to the same bytes, or lock for themselves."""


def chip(clusters: int, cores: int, topology: str = "ring", sram: int = 1 << 14) -> Machine:
    """ROUND cores in clusters; SRAM ports of 64 bytes a cycle, links of 32, 5 cycles a hop."""
    return replace(
        ROUND,
        chip=Chip(clusters, cores),
        sram=Sram(sram, 1 << 10 if sram else 0, bytes_per_cycle=64, latency=4),
        noc=Noc(topology, link_bytes_per_cycle=32, hop_latency=5),
    )


def launch(
    text: str,
    machine: Machine,
    dims: Dims,
    task_type: str = "BLOCK",
    args: Sequence[int | float] = (),
    executor: str = "native",
    filled: np.ndarray | None = None,
    threads: int | None = None,
    schedule: int | None = None,
    checks: Sequence[str] = MACHINE_CHECKS,
) -> tuple[Memory, Trace]:
    """Run and judge the kernel of an assembly text once; `filled` lies at the start of GDRAM."""
    memory, builder = Memory(machine), TraceBuilder()
    memory.reserve(GDRAM.base + GDRAM_BYTES)
    if filled is not None:
        memory.write(GDRAM.base, filled)
    program, journal = program_of(text), Journal() if checks else None
    execute(program, "main", args, memory, builder, label="test", executor=executor,
            dims=dims, task_type=task_type, limit=100_000, threads=threads,
            schedule=schedule, journal=journal)  # fmt: skip
    trace = builder.build()
    if journal is not None:
        check(trace, {program.name: program}, [journal], None, checks,
              machine=machine).raise_if_any()  # fmt: skip
    return memory, trace


def timed(trace: Trace, machine: Machine) -> Timing:
    """Replay with both walks, which must agree, and account for every cycle of every core."""
    timing, again = replay(trace, machine), replay(trace, machine, executor="reference")
    for name in Schedule.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(timing, name), getattr(again, name), name)
    assert (timing.core_cycles >= 0).all()
    sums = timing.core_cycles.sum(axis=3)
    assert (sums == timing.launch_cycles()[:, None, None]).all()
    return timing


def spent(timing: Timing, cause: str) -> int:
    """Cycles of all units of all cores in one cause."""
    return int(timing.core_cycles[..., timing.causes.index(cause)].sum())
