"""How much faster a run could be at most, without one of its limits.

Comes in: a `Profile`.  Goes out: factors, 1 for no gain.  Most are found by timing the trace again
on a machine without that limit; a trace can be replayed on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.registry import Unit
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.timing import replay

ENDLESS = 1 << 20
"""Entries of a queue that never fills."""
FASTEST = 1 << 60
"""Bytes per second that take no time."""


def without_dram_limit(machine: Machine) -> Machine:
    """DRAM moves any number of bytes at once; its latency stays."""
    fast = replace(machine.dram, bytes_per_second=FASTEST, segment_cycles=0)
    return replace(machine, dram=fast, channels=None)


def without_segments(machine: Machine) -> Machine:
    """A strided transfer costs its bytes alone."""
    dram, move = machine.dram, machine.move
    return replace(
        machine,
        dram=replace(dram, segment_cycles=0, access_bytes=1),
        move=replace(move, segment_cycles=0),
        channels=None,
    )


def without_data_caches(machine: Machine) -> Machine:
    """Scalar accesses off the chip take no longer than on it."""
    return replace(machine, llc=None, tlb=None)


def without_fetching(machine: Machine) -> Machine:
    return replace(machine, icache=None)


def without_launching(machine: Machine) -> Machine:
    return replace(machine, launch=replace(machine.launch, overhead=0))


def with_endless_queues(machine: Machine) -> Machine:
    queues = replace(machine.queues, compute=ENDLESS, io=ENDLESS, move=ENDLESS, window=ENDLESS)
    return replace(machine, queues=queues)


def with_wide_sram(machine: Machine) -> Machine:
    wide = machine.sram.bytes_per_cycle * ENDLESS
    noc = replace(machine.noc, link_bytes_per_cycle=machine.noc.link_bytes_per_cycle * ENDLESS)
    return replace(machine, sram=replace(machine.sram, bytes_per_cycle=wide), noc=noc)


@dataclass
class Bounds:
    profile: Profile
    _known: dict[str, float] = field(default_factory=dict)

    def retimed(self, change: Callable[[Machine], Machine]) -> float:
        """How much faster the same trace is on a changed machine, at least 1."""
        name = change.__name__
        if name not in self._known:
            report = self.profile.report
            other = replay(report.trace, change(report.machine))
            self._known[name] = max(self.profile.total / max(other.total, 1), 1.0)
        return self._known[name]

    def with_less_traffic(self, part: float) -> float:
        """If DRAM had to move only `part` of what it moves: timed on one faster by as much."""
        report = self.profile.report
        machine = report.machine
        rate = int(machine.dram.bytes_per_second / max(part, 1e-3))
        other = replace(machine, dram=replace(machine.dram, bytes_per_second=rate))
        return max(self.profile.total / max(replay(report.trace, other).total, 1), 1.0)

    def without_share(self, share: float) -> float:
        """If what takes `share` of the time took none."""
        return 1 / max(1 - share, 1e-3)

    def overlapped(self) -> float:
        """If in every launch all units of a core worked at the same time, none waited, and DRAM
        moved what it moves at its full rate."""
        timing = self.profile.report.timing
        busy = timing.core_cycles[..., timing.causes.index("busy")].max(axis=(1, 2))
        moved = timing.dram_read + timing.dram_written
        moving = moved / self.profile.report.machine.dram_bytes_per_cycle
        launching = timing.core_cycles[..., timing.causes.index("launch")].max(axis=(1, 2))
        least = (np.maximum(busy, moving) + launching).sum()
        return self.profile.total / max(float(least), 1.0)

    def amortised(self) -> float:
        """If on every core transfers and computing took turns as they do, but cost nothing beside
        their bytes and their work: no latency, no decoding, only fetching of code."""
        report, work = self.profile.report, self.profile.work
        cycles, causes = report.timing.core_cycles, report.timing.causes
        busy = cycles[..., causes.index("busy")]
        launching = cycles[..., causes.index("launch")]
        own = busy[..., [Unit.VFU.value, Unit.MFU.value, Unit.MOVE.value]].sum(axis=2)
        own = own + cycles[..., Unit.SCALAR.value, causes.index("instruction fetch")]
        moved = np.zeros(own.shape)
        bytes_moved = work.dram_read + work.dram_written
        np.add.at(moved, (report.trace.launch, work.place), bytes_moved)
        least = own + launching[..., 0] + moved / report.machine.dram_bytes_per_cycle
        return self.profile.total / max(float(least.max(axis=1).sum()), 1.0)

    def balanced(self) -> float:
        """If in every launch the cores that take part worked equally long."""
        timing, active = self.profile.report.timing, self.profile.active
        scalar = timing.core_cycles[:, active, 0]
        idle = scalar[..., timing.causes.index("idle")].astype(float)
        length = timing.launch_cycles()
        takes_part = idle < length[:, None]
        mean = np.where(takes_part, length[:, None] - idle, 0).sum(axis=1)
        mean /= np.maximum(takes_part.sum(axis=1), 1)
        return self.profile.total / max(float(mean.sum()), 1.0)
