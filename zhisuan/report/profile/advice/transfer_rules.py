"""Rules on transfers: overlap, size, segments, DRAM's bandwidth.

In: `Facts`, `Bounds`.  Out: advice, or none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zhisuan.isa.registry import SYNC_ALL, Queue, Unit
from zhisuan.report import quantities as q
from zhisuan.report.profile.advice.advice import Advice
from zhisuan.report.profile.advice.bounds import (
    Bounds,
    without_dram_limit,
    without_segments,
)
from zhisuan.report.profile.advice.facts import COMPUTE, TRANSFERS, Facts, largest
from zhisuan.report.profile.advice.words import at_lines, share, size
from zhisuan.sim.workload import BARRIER_KIND, SYNC_KIND

WAITING = 0.15
"""Part of the time from which a rule speaks."""
WORKING = 0.1
"""Part of the time that units must compute for overlap to be of use."""
OVERLAPPED = 0.5
"""Part of the transfers beside which the program computes from which it counts as overlapped."""
SATURATED = 0.75
"""Of the DRAM's bandwidth."""
FEW = 3
"""Transfers of a core at a line from which it is taken for a loop over tiles."""
LATENCY_BOUND = 0.5
WASTED = 1.5
ROOM = 0.5
"""Part of NRAM that may be in use for a larger tile to be worth speaking of."""


def double_buffer(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Transfers and computing take turns, though they could go on at the same time."""
    profile = facts.profile
    rows = facts.rows(*TRANSFERS)
    alone = rows[~beside_computing(facts, rows)]
    lines = profile.line_of_row[alone]
    waits = facts.by_line("io", "move", "dram", "sram", "noc", units=TRANSFERS)
    taken = np.bincount(lines[lines >= 0], minlength=len(waits)) >= FEW * len(facts.places)
    waits = np.where(taken, waits, 0)
    if waits.sum() < WAITING or facts.busy(*COMPUTE) < WORKING:
        return
    if len(alone) < (1 - OVERLAPPED) * len(rows):
        return
    named = largest(waits)
    yield Advice(
        "double buffer",
        f"{share(waits.sum())} of the time the core waits for transfers "
        f"{at_lines(profile, named)} and computes nothing meanwhile.",
        "Double-buffer: use two halves of the tile in turns, start the load of the next tile with "
        "__memcpy_async before computing this one, and store the last one meanwhile; one __sync "
        "at the end of each step.",
        named,
        float(waits.sum()),
        min(bounds.overlapped(), bounds.without_share(float(waits.sum()))),
    )


def beside_computing(facts: Facts, rows: np.ndarray) -> np.ndarray:
    """bool[rows]: whether a core may compute while a transfer is under way: there is a computing
    instruction before it that was not waited for, or after it before it is waited for."""
    work, trace = facts.profile.work, facts.profile.report.trace
    waits = np.isin(work.kind, (SYNC_KIND, BARRIER_KIND))
    waits |= work.mask == SYNC_ALL  # the end of a task
    number = np.arange(len(work.kind))
    computes = np.isin(work.kind, COMPUTE)
    stretch = np.zeros(len(number), np.int64)
    stretch[work.stretches.first] = number[work.stretches.first]
    stretch = np.maximum.accumulate(stretch)
    found = np.zeros(len(rows), bool)
    for queue in (Queue.IO, Queue.MOVE):
        kinds = [unit.value for unit in Unit if unit.queue is queue]
        mine = np.isin(work.kind[rows], kinds)
        at = rows[mine]
        computed = _before(computes, number)[at]
        waited = _before(waits & ((work.mask & Queue.COMPUTE.value) != 0), number)[at]
        before = (computed > waited) & (computed >= stretch[at])
        next_compute = _after(computes, number)[at]
        next_wait = _after(waits & ((work.mask & queue.value) != 0), number)[at]
        after = (next_compute < next_wait) & (next_compute < len(trace))
        after &= stretch[np.minimum(next_compute, len(trace) - 1)] == stretch[at]
        found[mine] = before | after
    return found


def _before(marks: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The last marked row before each, -1 if none."""
    return np.maximum.accumulate(np.where(marks, number, -1))


def _after(marks: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The first marked row after each, the number of all rows if none."""
    return np.minimum.accumulate(np.where(marks, number, len(number))[::-1])[::-1]


def larger_tiles(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Transfers so small that DRAM's latency is most of their time."""
    profile = facts.profile
    waits = facts.by_line("io", "dram", units=(Unit.IO.value,))
    if waits.sum() < WAITING:
        return
    timing = profile.report.timing
    rows = facts.rows(Unit.IO.value)
    rows = rows[~profile.moved.atomic[rows]]
    lines = profile.line_of_row[rows]
    least = FEW * len(facts.places)
    named = [line for line in largest(waits) if (lines == line).sum() >= least]
    short = []
    for line in named:
        mine = rows[lines == line]
        busy = (timing.end[mine] - timing.start[mine]).sum()
        latency = (timing.done[mine] - timing.end[mine]).sum()
        if latency > LATENCY_BOUND * (busy + latency):
            short.append(line)
    if not short:
        return
    mine = rows[np.isin(lines, short)]
    each = profile.moved.asked[mine].mean()
    part = float(waits[short].sum())
    yield Advice(
        "larger tiles",
        f"{share(part)} of the time goes to transfers {at_lines(profile, short)} that move only "
        f"{size(each)} each: most of it is the latency of DRAM, not its bandwidth.",
        f"Move more at once. {_room(facts)}",
        tuple(short),
        part,
        bounds.amortised(),
    )


def _room(facts: Facts) -> str:
    profile = facts.profile
    fullest = max(
        (profile.memories.of(0, place).most for place in facts.places.tolist()), default=0
    )
    usable = profile.report.machine.nram_usable
    if fullest > ROOM * usable:
        return "Tiles may share a transfer where they lie side by side."
    return f"NRAM holds {size(fullest)} at most, of {size(usable)}: the tile can grow."


def small_segments(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Strided transfers whose segments cost more than their bytes."""
    profile, machine = facts.profile, facts.profile.report.machine
    waits = facts.by_line("io", "dram", "move", units=TRANSFERS)
    rows = facts.rows(*TRANSFERS)
    rows = rows[profile.moved.segments[rows] > 1]
    lines = profile.line_of_row[rows]
    found = []
    for line in largest(waits):
        mine = rows[lines == line]
        if not len(mine) or waits[line] < WORKING:
            continue
        asked = profile.moved.asked[mine]
        on_chip = profile.work.kind[mine[0]] == Unit.MOVE.value
        way = "none" if on_chip else "read"
        best = machine.transfer_cycles(way, asked, 1)
        if profile.work.occupancy[mine].sum() > WASTED * best.sum():
            found.append(line)
    if not found:
        return
    mine = rows[np.isin(lines, found)]
    segment = profile.moved.asked[mine].sum() / profile.moved.segments[mine].sum()
    part = float(waits[found].sum())
    wasted = ""
    if profile.moved.dram[mine].sum() > WASTED * profile.moved.asked[mine].sum():
        wasted = f"; DRAM moves {size(machine.dram.access_bytes)} for each"
    yield Advice(
        "small segments",
        f"{share(part)} of the time goes to strided transfers {at_lines(profile, found)} in "
        f"segments of {size(segment)}{wasted}.",
        "Lay the data out so that what is used together lies together, or load whole rows and pick "
        "on the chip.",
        tuple(found),
        part,
        min(bounds.retimed(without_segments), bounds.without_share(part)),
    )


def dram_is_the_limit(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """DRAM moves nearly all that it can, or cores wait for each other at it."""
    profile, machine = facts.profile, facts.profile.report.machine
    seconds = profile.total / machine.clock_hz
    rate = float(profile.moved.dram.sum() / seconds) / machine.dram.bytes_per_second
    waits = facts.share("dram", units=(Unit.IO.value,))
    if rate < SATURATED and waits < WAITING:
        return
    lines = largest(profile.sum_by_line(profile.moved.dram))
    what = f"DRAM moves {share(rate)} of what it can, most of it {at_lines(profile, lines)}"
    if waits >= WAITING:
        what += f"; {share(waits)} of the time transfers wait while it serves other cores"
    yield Advice(
        "DRAM bandwidth",
        f"{what}.",
        "Only less traffic helps: keep data on the chip between steps, load what cores share once "
        "(SRAM, multicast), use smaller element types.",
        lines,
        facts.share("io", "dram", units=(Unit.IO.value,)),
        bounds.retimed(without_dram_limit),
    )


def many_atomics(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Atomic operations on memory off the chip, one after the other."""
    profile = facts.profile
    rows = facts.rows(Unit.IO.value)
    lines = profile.line_of_row[rows[profile.moved.atomic[rows]]]
    waits = facts.by_line("io", "dram", units=(Unit.IO.value,))
    counts = np.bincount(lines[lines >= 0], minlength=len(waits))
    waits = np.where(counts >= FEW * len(facts.places), waits, 0)
    if waits.sum() < WAITING:
        return
    named = largest(waits)
    each = counts[list(named)].sum() / len(facts.places)
    yield Advice(
        "atomics",
        f"{share(waits.sum())} of the time goes to atomic operations {at_lines(profile, named)}, "
        f"{q.count(each)} on a core, each of which goes to DRAM and back.",
        "Add up in NRAM first, and change memory once per core with one atomic on a vector.",
        named,
        float(waits.sum()),
        bounds.without_share(float(waits.sum())),
    )


RULES = (double_buffer, larger_tiles, small_segments, dram_is_the_limit, many_atomics)
