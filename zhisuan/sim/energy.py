"""What a run costs: femtojoules by part, counted from the trace.

Comes in: a trace, its timing, and a machine with a [technology].  Goes out: an `Energy`.  Every
coefficient is from arch/technology.toml, scaled to the machine's node; everything is whole
femtojoules, so that the sums are the same on every host.  What is counted:

- MAC, registers, and the matrix unit's share of WRAM and NRAM: `matrix_energy`; lanes that padding
  leaves without work are included.
- vector: every lane for every busy cycle, a floating-point multiplier-adder of 16 bits for
  types of up to two bytes, else of 32.
- fetch: the instruction cache, for every instruction of every unit; scalar: decode and registers.
- NRAM: operands and results of vector instructions, results of the matrix unit, and transfers.
  WRAM and SRAM: transfers.  A broadcast is read once and written in every core of the cluster.
- NoC: the bytes of a transfer between clusters, on every link of its way.
- A memory is read in the width of its port: NRAM of the vector unit's, WRAM in lines.
- DRAM: every byte of the whole access units that move.
- static: the machine's static power, which grows with its area, for as long as the run takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.arch import technology as tech
from zhisuan.arch.area import area
from zhisuan.arch.check import MATRIX_TYPES, WRAM_LINE
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM, SRAM, WRAM
from zhisuan.isa.constant_address import plain
from zhisuan.isa.element import BITS
from zhisuan.isa.registry import Instruction, Operands, Unit
from zhisuan.sim.matrix_energy import Rates, matrix_energy
from zhisuan.sim.network import Network
from zhisuan.sim.shares import MULTICASTS
from zhisuan.sim.timing import Timing
from zhisuan.sim.trace import Trace
from zhisuan.sim.workload import Workload, measure

PARTS = (
    *(f"MAC {kind}" for kind in MATRIX_TYPES),
    "registers", "vector", "fetch", "scalar", "NRAM", "WRAM", "SRAM", "NoC", "DRAM", "static",
)  # fmt: skip
FEMTOJOULES_PER_MICROWATT_SECOND = 10**9


@dataclass(frozen=True)
class Energy:
    """int64 femtojoules [launches, parts], in the order of `parts`."""

    femtojoules: np.ndarray
    parts: tuple[str, ...] = PARTS

    def by_part(self) -> dict[str, int]:
        """Femtojoules of the whole run by part, the parts without any left out."""
        sums = zip(self.parts, self.femtojoules.sum(axis=0), strict=True)
        return {part: int(total) for part, total in sums if total}

    @property
    def total(self) -> int:
        """Femtojoules of the whole run."""
        return int(self.femtojoules.sum())


def energy(trace: Trace, timing: Timing, machine: Machine) -> Energy:
    """Femtojoules of every launch by part; a machine without a [technology] is an error."""
    technology = tech.technology_of(machine, "energy")
    work = measure(trace, machine)
    count = _Count(trace, machine, technology.node_nm, work)
    for row, mode, rows in trace.groups():
        count.group(row, trace.operands(row, mode, rows), rows)
    count.add("DRAM", slice(None), (work.dram_read + work.dram_written)
              * tech.dram_byte(technology.dram))  # fmt: skip
    table = count.table
    instructions = timing.instructions.reshape(len(table), -1).sum(axis=1)
    for part in ("fetch", "scalar"):
        each = tech.operation(f"{part}_instruction", technology.node_nm)
        table[:, PARTS.index(part)] = instructions * each
    square_millimetres = sum(area(machine).values())
    microwatts = round(technology.static_microwatts_per_mm2 * square_millimetres)
    static = microwatts * FEMTOJOULES_PER_MICROWATT_SECOND
    for launch, cycles in enumerate(timing.launch_cycles()):
        table[launch, PARTS.index("static")] = static * int(cycles) // machine.clock_hz
    return Energy(table)


class _Count:
    """Adds femtojoules of trace rows to their launch and part."""

    def __init__(self, trace: Trace, machine: Machine, node_nm: int, work: Workload) -> None:
        self.machine, self.node, self.work, self.launch = machine, node_nm, work, trace.launch
        self.trace = trace
        self.table = np.zeros((len(trace.launches), len(PARTS)), np.int64)
        bank = machine.wram.size // machine.matrix.elements
        memories = {
            NRAM: (machine.nram.size, machine.vector.bytes_per_cycle),
            WRAM: (bank, WRAM_LINE),
            SRAM: (max(machine.sram.size, 1), machine.sram.bytes_per_cycle),
        }
        self.byte = {
            space: tech.memory_byte(size, node_nm, width)
            for space, (size, width) in memories.items()
        }

    def add(self, part: str, rows: np.ndarray | slice, femtojoules: np.ndarray) -> None:
        np.add.at(self.table[:, PARTS.index(part)], self.launch[rows], femtojoules)

    def group(self, row: Instruction, o: Operands, rows: np.ndarray) -> None:
        if row.unit is Unit.MFU:
            self._matrix(row, o, rows)
        elif row.unit is Unit.VFU:
            self._vector(o, rows)
        elif row.is_queued:
            self._transfer(row, o, rows)

    def _matrix(self, row: Instruction, o: Operands, rows: np.ndarray) -> None:
        rates = Rates(self.node, self.byte[NRAM], self.byte[WRAM])
        spent = matrix_energy(self.machine, row, o, self.work.occupancy[rows], rates)
        for part, femtojoules in spent.items():
            self.add(part, rows, femtojoules)
        results = NRAM if NRAM in row.writes else WRAM
        written = self._touched(rows, writes=True)
        self.add(results.name.upper(), rows, written * self.byte[results])

    def _vector(self, o: Operands, rows: np.ndarray) -> None:
        bits = max((BITS[part] for part in o.mode.split(".") if part in BITS), default=32)
        kind = "f16" if bits <= 16 else "f32"
        lanes = self.machine.vector.bytes_per_cycle * 8 // BITS[kind]
        operations = self.work.occupancy[rows] * lanes
        self.add("vector", rows, operations * tech.multiply_add(kind, self.node))
        touched = self._touched(rows, writes=True) + self._touched(rows, writes=False)
        self.add("NRAM", rows, touched * self.byte[NRAM])

    def _touched(self, rows: np.ndarray, *, writes: bool) -> np.ndarray:
        """Bytes that compute rows write, or those that they read."""
        spans = self.work.high[:, rows] - self.work.low[:, rows]
        return np.where(self.work.writes[:, rows] == writes, spans, 0).sum(axis=0)

    def _transfer(self, row: Instruction, o: Operands, rows: np.ndarray) -> None:
        o = plain(o)
        if not hasattr(o, "size"):
            raise ZhisuanError(f"no energy is known for {row.name}",
                               expected="a transfer with an operand 'size'",
                               found=", ".join(op.name for op in row.operands))  # fmt: skip
        moved = o.size * (o.n * o.n1 if hasattr(o, "n1") else 1)
        for space in (NRAM, WRAM, SRAM):
            writers = self._receivers(rows) if row.name in MULTICASTS else 1
            times = (space in row.reads) + (space in row.writes) * writers
            self.add(space.name.upper(), rows, times * moved * self.byte[space])
        if row.name == "CDMA":
            hop = tech.operation("hop", self.node)
            self.add("NoC", rows, o.size * self._hops(o, rows) // 2 * hop)

    def _receivers(self, rows: np.ndarray) -> np.ndarray:
        """Cores that a broadcast of each row reaches: those of the cluster, or a lone one."""
        cores = self.machine.chip.cores_per_cluster
        of_launch = [1 if e.task_type == "BLOCK" else cores for e in self.trace.launches]
        return np.array(of_launch, np.int64)[self.launch[rows]]

    def _hops(self, o: Operands, rows: np.ndarray) -> np.ndarray:
        """Links that a transfer between clusters takes."""
        network = Network(self.machine)
        width = np.array([entry.clusters for entry in self.trace.launches])[self.launch[rows]]
        source = self.trace.cluster[rows].astype(np.int64)
        target = source // width * width + o.cluster
        ways = zip(source.tolist(), target.tolist(), strict=True)
        return np.array([len(network.route(*way)) for way in ways], np.int64)
