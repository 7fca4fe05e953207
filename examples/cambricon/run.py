"""Run a network's program on a machine, and count its instructions.

Comes in: a network of `networks` and its .dlps file.  Goes out: largest error against NumPy,
cycles, instructions by class.  Data are seeded: every run gives the same numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from examples.cambricon.networks import HALF, Case, Network
from zhisuan.arch.machine import Machine
from zhisuan.isa.address import GDRAM
from zhisuan.isa.asm import assemble
from zhisuan.isa.encoding import decode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import Instruction, Unit
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import Trace, TraceBuilder

FOLDER = Path(__file__).parent
DRAM_BYTES = 1 << 18
SEED = 2016

CLASSES = ("transfer", "control", "matrix", "vector", "scalar")
_CONTROL = ("JUMP", "CB", "CBZ", "CALL", "CALLR", "JUMPR", "SYNC", "HALT")
_SCALAR_TRANSFERS = ("SLOAD", "SSTORE", "SMOVE")
_AROUND = ("SLOAD#", "SYNC")
_CLASS_OF_UNIT = {
    Unit.IO: "transfer", Unit.MOVE: "transfer", Unit.MFU: "matrix", Unit.VFU: "vector",
    Unit.SCALAR: "scalar",
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What one run showed.  mix: instructions of the program by class, in order of CLASSES."""

    network: Network
    error: float
    cycles: int
    words: int
    mix: tuple[int, ...]
    queued: int  # instructions executed by the units


def class_of(row: Instruction) -> str:
    """The paper's class of an instruction: SLOAD and its like are transfers."""
    if row.mnemonic in _CONTROL:
        return "control"
    return "transfer" if row.mnemonic in _SCALAR_TRANSFERS else _CLASS_OF_UNIT[row.unit]


def program_of(network: Network) -> Program:
    path = FOLDER / f"{network.name}.dlps"
    return assemble(path.read_text(encoding="utf-8"), path.name)


def mix_of(program: Program, *, core_only: bool = False) -> tuple[int, ...]:
    """Instructions by class; `core_only` leaves out constants loaded into registers and SYNC."""
    rows = [decode(int(word)).row for word in program.words]
    found = Counter(class_of(row) for row in rows if not (core_only and row.name in _AROUND))
    return tuple(found[name] for name in CLASSES)


def instructions_between(program: Program, first: str, last: str) -> int:
    """Words from label `first` up to label `last`."""
    place = {name: pc for pc, name in program.labels.items()}
    return place[last] - place[first]


def traced(
    case: Case, program: Program, machine: Machine, *,
    executor: str = "native", journal: Journal | None = None,
) -> tuple[Memory, Trace]:  # fmt: skip
    """Run a program once on the inputs of a case: the memory it leaves, and its trace."""
    memory = Memory(machine)
    memory.reserve(GDRAM.base + DRAM_BYTES)
    for offset, values in case.inputs.items():
        memory.write(GDRAM.base + offset, values)
    trace = TraceBuilder()
    execute(program, "main", [], memory, trace, label=program.name, executor=executor,
            journal=journal)  # fmt: skip
    return memory, trace.build()


def run(network: Network, machine: Machine, *, executor: str = "native") -> Run:
    """The network's program on `machine` with seeded data, against NumPy."""
    case = network.build(np.random.default_rng(SEED))
    program = program_of(network)
    memory, built = traced(case, program, machine, executor=executor)
    errors = []
    for offset, expected in case.outputs.items():
        kind = HALF if expected.dtype.kind == "f" else expected.dtype
        found = memory.read(GDRAM.base + offset, kind, expected.size).reshape(expected.shape)
        errors.append(np.abs(found.astype(np.float64) - expected).max())
    return Run(
        network, float(max(errors)), replay(built, machine).total, len(program.words),
        mix_of(program), int((built.opcode != 0).sum()),
    )  # fmt: skip
