"""A run as the report sees it, and every derived figure in one place.

In: the trace, its timing, and which launches belong to which layer.  Out: figures per layer
and for the whole run, as numbers.  It never formats and never draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from zhisuan.arch.area import area
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import VerifyError
from zhisuan.isa.registry import Queue, Unit
from zhisuan.report.counters import counts
from zhisuan.report.peak import Peak, peak
from zhisuan.sim.energy import energy
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.timing import CAUSES, UNITS, Timing
from zhisuan.sim.trace import Trace

if TYPE_CHECKING:
    from zhisuan.isa.program import Program

BUSY = CAUSES[0]
COMPUTE = [unit.value for unit in Unit if unit.queue is Queue.COMPUTE]


@dataclass(frozen=True)
class Layer:
    """One layer of the network: its name, its launches (indices), its multiply-accumulates.

    `macs` counts what the graph asks for, not what the kernels execute: padding and widened
    filters do not raise it.
    """

    label: str
    launches: tuple[int, ...]
    macs: int


@dataclass(frozen=True)
class RunReport:
    """All that the tables and the page show.

    `pictures` are PNG bytes by caption, in the order shown; `host_seconds` names the parts of
    the host's time; `programs` gives source lines for the timeline, by program name.
    """

    title: str
    machine: Machine
    timing: Timing
    trace: Trace
    layers: tuple[Layer, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    host_seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    programs: Mapping[str, Program] = field(default_factory=dict)

    @cached_property
    def peak(self) -> Peak:
        """What the chip could multiply at most, in the run's element type."""
        return peak(self.trace, self.machine)


@dataclass(frozen=True)
class Figures:
    """Derived figures of one layer, or of the whole run.

    Cycles are machine cycles; `by_cause[unit][cause]` accounts for all of them in every unit,
    added up over the `units[unit]` of them on the chip.  `utilisation` is graph MACs over what
    the matrix units of the chip could do in those cycles (`RunReport.peak`), 0..1.
    `intensity` is graph MACs per DRAM byte, `rate` graph MACs per second.
    """

    label: str
    cycles: int
    seconds: float
    macs: int
    utilisation: float
    dram_read: int
    dram_written: int
    by_cause: Mapping[str, Mapping[str, int]]
    intensity: float
    rate: float
    units: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(UNITS, 1))

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1e3

    @property
    def dram_bytes(self) -> int:
        return self.dram_read + self.dram_written

    def busy_share(self, unit: str) -> float:
        """Part of the cycles in which `unit` worked, 0..1; of all cores that have one."""
        return _ratio(self.by_cause[unit].get(BUSY, 0), self.cycles * self.units[unit])

    @property
    def busiest(self) -> str:
        """The unit that worked most: what a better schedule of this layer would be bound by."""
        return max(UNITS, key=lambda unit: self.by_cause[unit].get(BUSY, 0))

    @property
    def main_stall(self) -> tuple[str, float]:
        """Why the busiest unit mostly waited: (cause, part of the cycles); ("", 0) if never."""
        waits = {c: n for c, n in self.by_cause[self.busiest].items() if c != BUSY and n}
        if not waits:
            return "", 0.0
        cause = max(waits, key=lambda name: waits[name])
        return cause, _ratio(waits[cause], self.cycles * self.units[self.busiest])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def layer_figures(report: RunReport) -> list[Figures]:
    """One entry per layer, in order; their cycles add up to the total of the run."""
    _check_launches(report)
    return [
        _figures(report, layer.label, list(layer.launches), layer.macs) for layer in report.layers
    ]


def total_figures(report: RunReport) -> Figures:
    """The whole run as one entry."""
    launches = [launch for layer in report.layers for launch in layer.launches]
    macs = sum(layer.macs for layer in report.layers)
    return _figures(report, "whole network", launches, macs)


def _figures(report: RunReport, label: str, launches: list[int], macs: int) -> Figures:
    timing, machine = report.timing, report.machine
    cycles = int(timing.launch_cycles()[launches].sum())
    has_unit = _cores_with(timing)
    by_core = timing.core_cycles[launches].sum(axis=0) * has_unit[:, :, None]
    table = by_core.sum(axis=0)
    read, written = (int(x[launches].sum()) for x in (timing.dram_read, timing.dram_written))
    seconds = cycles / machine.clock_hz
    return Figures(
        label=label,
        cycles=cycles,
        seconds=seconds,
        macs=macs,
        utilisation=_ratio(macs, cycles * report.peak.macs_per_cycle),
        dram_read=read,
        dram_written=written,
        units=dict(zip(UNITS, has_unit.sum(axis=0).tolist(), strict=True)),
        by_cause={
            unit: {cause: int(n) for cause, n in zip(timing.causes, table[row], strict=True) if n}
            for row, unit in enumerate(UNITS)
        },
        intensity=_ratio(macs, read + written),
        rate=_ratio(macs, seconds),
    )


def _cores_with(timing: Timing) -> np.ndarray:
    """bool[cores, units]: a memory core has no units for computing."""
    found = np.ones((len(timing.cores), len(UNITS)), np.bool_)
    for place, (_, core) in enumerate(timing.cores):
        found[place, COMPUTE] = core != MEMORY_CORE
    return found


def _check_launches(report: RunReport) -> None:
    """Every launch belongs to exactly one layer; otherwise the sums would lie."""
    claimed = [launch for layer in report.layers for launch in layer.launches]
    expected = range(len(report.timing.launch_start))
    if sorted(claimed) != list(expected):
        missing = sorted(set(expected) - set(claimed))
        raise VerifyError(
            "the layers do not cover the launches of the trace",
            expected=f"each of launches 0 to {len(expected) - 1} in exactly one layer",
            found=f"{len(claimed)} claims, launches without a layer: {missing[:8]}",
        )


def layers_of_trace(labels: list[str], macs: Mapping[str, int] | None = None) -> tuple[Layer, ...]:
    """Layers from launch labels alone: launches that follow each other with one label."""
    layers: list[Layer] = []
    for launch, label in enumerate(labels):
        if layers and layers[-1].label == label:
            layers[-1] = Layer(label, (*layers[-1].launches, launch), layers[-1].macs)
        else:
            layers.append(Layer(label, (launch,), (macs or {}).get(label, 0)))
    return tuple(layers)


def to_json(report: RunReport) -> dict[str, Any]:
    """Every figure as plain data, for `--json`; ratios 0..1, times in seconds."""
    return {
        "title": report.title,
        "machine": report.machine.name,
        "total": _plain(total_figures(report)),
        "layers": [_plain(figures) for figures in layer_figures(report)],
        "host_seconds": dict(report.host_seconds),
        "events": counts(report.timing),
        **_costs(report),
    }


def _costs(report: RunReport) -> dict[str, Any]:
    """Energy in femtojoules and area in square millimetres, by part, where they are known."""
    if report.machine.technology is None:
        return {}
    spent = energy(report.trace, report.timing, report.machine)
    return {"femtojoules": spent.by_part(), "square_millimetres": area(report.machine)}


def _plain(figures: Figures) -> dict[str, Any]:
    cause, share = figures.main_stall
    return {
        "label": figures.label,
        "cycles": figures.cycles,
        "seconds": figures.seconds,
        "macs": figures.macs,
        "utilisation": figures.utilisation,
        "dram_read": figures.dram_read,
        "dram_written": figures.dram_written,
        "intensity": figures.intensity,
        "macs_per_second": figures.rate,
        "busy": {unit: figures.busy_share(unit) for unit in UNITS},
        "busiest": figures.busiest,
        "main_stall": {"cause": cause, "share": share},
        "by_cause": {unit: dict(causes) for unit, causes in figures.by_cause.items()},
    }
