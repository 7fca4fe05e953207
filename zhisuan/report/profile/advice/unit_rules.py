"""Rules on the computing units and the queues.

In: `Facts`, `Bounds`.  Out: advice, or none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zhisuan.isa.registry import Unit
from zhisuan.report.profile.advice.advice import LEAST_GAIN, Advice
from zhisuan.report.profile.advice.bounds import Bounds, with_endless_queues
from zhisuan.report.profile.advice.facts import Facts, largest
from zhisuan.report.profile.advice.words import at_lines, share, size
from zhisuan.report.profile.work_done import executed_macs

WAITING = 0.15
SHORT = 8
"""Cycles of a vector instruction: shorter ones cost more to start than to execute."""
MANY = 16
"""Instructions from which a line's are many."""
USE = 0.6
"""Part of the multipliers with work from which a mapping is good."""
VFU, MFU = Unit.VFU.value, Unit.MFU.value


def short_vectors(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Vector instructions on few elements: decoding them and waiting for results takes longer."""
    profile = facts.profile
    waits = facts.by_line("vfu", "operands", "scalar", units=(VFU,))
    rows = facts.rows(VFU)
    lines = profile.line_of_row[rows]
    cycles = profile.work.occupancy[rows]
    short = []
    for line in largest(waits):
        mine = cycles[lines == line]
        if len(mine) >= MANY * len(facts.places) and mine.mean() < SHORT:
            short.append(line)
    if not short:
        return
    mine = np.isin(lines, short)
    busy = cycles[mine].sum() / facts.whole
    around = facts.by_line("vfu", "operands", "scalar")[short].sum()
    if around < WAITING or busy > around / 2:
        return
    bytes_each = cycles[mine].mean() * profile.report.machine.vector.bytes_per_cycle
    yield Advice(
        "short vectors",
        f"{share(around)} of the time goes to vector instructions {at_lines(profile, short)} on "
        f"{size(bytes_each)} each: they execute in {cycles[mine].mean():.1f} cycles, and starting "
        "them takes longer.",
        "Work on more elements at once: several rows or tiles in one instruction.",
        tuple(short),
        float(around),
        bounds.without_share(float(around - busy)),
    )


def idle_multipliers(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """A matrix unit at work, many of whose multipliers have none."""
    profile = facts.profile
    rows = facts.rows(MFU)
    waits = facts.by_line("mfu")
    if waits.sum() < WAITING or not len(rows):
        return
    macs = executed_macs(profile.report, profile.work)[rows]
    slots, lines = profile.work.mac_slots[rows], profile.line_of_row[rows]
    poor = [
        line
        for line in largest(waits)
        if macs[lines == line].sum() < USE * slots[lines == line].sum()
    ]
    if not poor:
        return
    mine = np.isin(lines, poor)
    use = float(macs[mine].sum() / max(slots[mine].sum(), 1))
    part = float(waits[poor].sum())
    matrix = profile.report.machine.matrix
    yield Advice(
        "idle multipliers",
        f"{share(part)} of the time the matrix unit works {at_lines(profile, poor)}, and "
        f"{share(1 - use)} of its multipliers have nothing to multiply.",
        f"Give it outputs in multiples of its {matrix.elements} elements, and inner lengths that "
        "fill their lanes: put pixels or rows side by side, or let taps and channels share lanes.",
        tuple(poor),
        part,
        bounds.without_share(part * (1 - use)),
    )


def full_queues(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """A full queue keeps the decoder from what other units could begin."""
    profile = facts.profile
    timing = profile.report.timing
    causes = timing.core_cycles[:, facts.places, 0].sum(axis=(0, 1))
    part = float(causes[timing.causes.index("queue full")]) / facts.whole
    if part < WAITING or bounds.retimed(with_endless_queues) < LEAST_GAIN:
        return
    charges = profile.charges
    here = charges.of("scalar") & (charges.kind == timing.causes.index("queue full"))
    here &= np.isin(charges.place, facts.places)
    stuck = np.bincount(
        profile.table.of_charge[here], charges.cycles[here], len(profile.table.lines)
    )
    lines = largest(stuck)
    yield Advice(
        "full queue",
        f"{share(part)} of the time the decoder waits for room in a queue "
        f"{at_lines(profile, lines)}, and cannot hand anything to the other units.",
        "Issue transfers of the next step before the long run of vector or matrix instructions, or "
        "do that work in fewer, longer instructions.",
        lines,
        part,
        bounds.overlapped(),
    )


RULES = (short_vectors, idle_multipliers, full_queues)
