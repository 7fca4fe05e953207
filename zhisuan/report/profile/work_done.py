"""How much work units did: multiply-accumulates and vector operations, by launch.

Comes in: a `RunReport`, its workload.  Goes out: figures for a roofline.  MACs are what the
instructions ask for, padding of lanes not among them; a vector operation is a lane of 32 bits
for a cycle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Unit
from zhisuan.report.model import Figures, RunReport, layer_figures, total_figures
from zhisuan.report.roofline import Roof
from zhisuan.sim.matrix_energy import product
from zhisuan.sim.workload import Workload

MATRIX = Roof(axis="executed MACs per byte of DRAM traffic")
VECTOR = Roof("vector unit", "op", "vector operations per byte of DRAM traffic")
LANE_BITS = 32


def executed_macs(report: RunReport, work: Workload) -> np.ndarray:
    """int64[rows]: of matrix instructions."""
    found = np.zeros(len(report.trace), np.int64)
    for row, mode, rows in report.trace.groups():
        if row.unit is Unit.MFU:
            done = product(row, report.trace.operands(row, mode, rows))
            found[rows] = done.macs if done is not None else work.mac_slots[rows]
    return found


def vector_lanes(machine: Machine) -> int:
    """Lanes of 32 bits of a vector unit."""
    return machine.vector.bytes_per_cycle * 8 // LANE_BITS


def vector_operations(report: RunReport, work: Workload) -> np.ndarray:
    """int64[rows]: lanes of the vector unit times cycles."""
    mine = work.kind == Unit.VFU.value
    return np.where(mine, work.occupancy, 0) * vector_lanes(report.machine)


def figures(report: RunReport, done: np.ndarray, peak: int) -> tuple[list[Figures], Figures]:
    """Layers and the whole run, with `done` (of rows) as their work and a peak per cycle."""
    by_launch = np.bincount(report.trace.launch, done, len(report.trace.launches)).astype(np.int64)

    def of(entry: Figures, launches: list[int]) -> Figures:
        work = int(by_launch[launches].sum())
        return replace(
            entry,
            macs=work,
            rate=work / entry.seconds if entry.seconds else 0.0,
            intensity=work / entry.dram_bytes if entry.dram_bytes else 0.0,
            utilisation=work / (entry.cycles * peak) if entry.cycles else 0.0,
        )

    layers = zip(layer_figures(report), report.layers, strict=True)
    whole = replace(total_figures(report), label="the whole run")
    return (
        [of(entry, list(layer.launches)) for entry, layer in layers],
        of(whole, list(range(len(by_launch)))),
    )
