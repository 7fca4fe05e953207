"""Rules on many cores: idle ones, uneven work, barriers, what they share.

In: `Facts`, `Bounds`.  Out: advice, or none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zhisuan.isa.registry import Unit
from zhisuan.report.profile.advice.advice import Advice
from zhisuan.report.profile.advice.bounds import Bounds, with_wide_sram, without_dram_limit
from zhisuan.report.profile.advice.facts import Facts, largest
from zhisuan.report.profile.advice.words import at_lines, share
from zhisuan.report.profile.profile import Profile
from zhisuan.sim.tasks import MEMORY_CORE

WAITING = 0.15
REPEATED = 0.25
"""Part of DRAM's traffic that is the same bytes again."""


def idle_cores(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """A chip most of which has no task."""
    profile = facts.profile
    cores = profile.report.machine.cores
    used = len(facts.places)
    if used >= cores or _is_memory_core(profile, facts.places[0]):
        return
    starved = max(facts.share("dram") / max(1 - facts.share("launch"), 1e-3), 0.0)
    gain = min(cores / used, bounds.retimed(without_dram_limit) if starved > WAITING else 1e9)
    launch = facts.share("launch")
    yield Advice(
        "idle cores",
        f"{used} of {cores} cores have a task.",
        f"Launch {cores} tasks or more, and let each take its part (taskId, taskDim).",
        (),
        1 - used / cores,
        1 / (launch + (1 - launch) / gain),
    )


def _is_memory_core(profile: Profile, place: int) -> bool:
    return profile.report.timing.cores[place][1] == MEMORY_CORE


def uneven_tasks(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Cores that are done long before the last one."""
    part = facts.share("idle")
    if part < WAITING or len(facts.places) < 2:
        return
    profile = facts.profile
    last = _busiest(facts)
    cluster, core = profile.report.timing.cores[last]
    yield Advice(
        "uneven tasks",
        f"{share(part)} of the time a core has nothing left to do while others still work; cluster "
        f"{cluster} core {core} works longest.",
        "Share the work evenly: more and smaller tasks, or let task t take every taskDim-th piece.",
        (),
        part,
        bounds.balanced(),
    )


def _busiest(facts: Facts) -> int:
    timing = facts.profile.report.timing
    idle = timing.core_cycles[:, facts.places, 0, timing.causes.index("idle")].sum(axis=0)
    return int(facts.places[int(np.argmin(idle))])


def barriers(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Cores that wait for others at barriers."""
    waits = facts.by_line("barrier")
    if waits.sum() < WAITING:
        return
    profile = facts.profile
    lines = largest(waits)
    meanwhile = _meanwhile(facts)
    yield Advice(
        "barrier",
        f"{share(waits.sum())} of the time cores wait for others at a barrier "
        f"{at_lines(profile, lines)}{meanwhile}.",
        "Give the cores equal work between barriers, use fewer of them, or let the memory core "
        "load the next piece while the cores compute this one.",
        lines,
        float(waits.sum()),
        bounds.without_share(float(waits.sum())),
    )


def _meanwhile(facts: Facts) -> str:
    """What the core that waits least at barriers does most."""
    profile, charges = facts.profile, facts.profile.charges
    timing = profile.report.timing
    waiting = timing.core_cycles[:, profile.active, 0, timing.causes.index("barrier")].sum(axis=0)
    slowest = int(profile.active[int(np.argmin(waiting))])
    here = charges.of("time") & (charges.place == slowest)
    names = charges.kind_names()
    here &= ~np.isin(names, ("barrier", "launch", "idle"))
    spent = np.bincount(
        profile.table.of_charge[here], charges.cycles[here], len(profile.table.lines)
    )
    (line, *_) = largest(spent) or (-1,)
    if line < 0:
        return ""
    cluster, core = timing.cores[slowest]
    name = "the memory core" if core == MEMORY_CORE else f"core {core}"
    where = profile.table.lines[line].where
    return f"; {name} of cluster {cluster} waits least and spends most of its time at {where}"


def shared_memory(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Transfers that wait for the cluster's SRAM, or for links between clusters."""
    waits = facts.by_line("sram", "noc")
    if waits.sum() < WAITING:
        return
    lines = largest(waits)
    yield Advice(
        "shared memory",
        f"{share(waits.sum())} of the time transfers {at_lines(facts.profile, lines)} wait because "
        "the cluster's SRAM or a link between clusters serves others.",
        "Send what all cores need once (__memcpy_multicast), and let cores take their turns.",
        lines,
        float(waits.sum()),
        bounds.retimed(with_wide_sram),
    )


def shared_loads(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """The same bytes of GDRAM, loaded by every core for itself."""
    profile, moved = facts.profile, facts.profile.moved
    waits = facts.share("io", "dram", units=(Unit.IO.value,))
    if waits < WAITING or len(facts.places) < 2 or not profile.report.machine.sram.size:
        return
    rows = facts.rows(Unit.IO.value)
    rows = rows[(moved.high[rows] > moved.low[rows]) & (profile.line_of_row[rows] >= 0)]
    lines = profile.line_of_row[rows]
    again = np.zeros(len(profile.table.lines))
    for line in np.unique(lines).tolist():
        mine = rows[lines == line]
        again[line] = moved.dram[mine].sum() * _by_several(facts, mine)
    traffic = moved.dram.sum()
    if again.sum() < REPEATED * traffic:
        return
    named = largest(again)
    mine = rows[np.isin(lines, named)]
    cores = len(np.unique(profile.work.place[mine]))
    part = float(again.sum() / traffic)
    yield Advice(
        "shared loads",
        f"{cores} cores load the same data {at_lines(profile, named)}, each for itself: "
        f"{share(part)} of DRAM's traffic.",
        "Load it once for a cluster: the memory core brings it to SRAM and hands it out with "
        "__memcpy_multicast, or cores read it from SRAM.",
        named,
        waits,
        bounds.with_less_traffic(1 - part),
    )


def _by_several(facts: Facts, rows: np.ndarray) -> float:
    """Of what transfers read, the part that another core of the launch reads too and that would
    be saved if only one did."""
    moved, places = facts.profile.moved, facts.profile.work.place
    launch = facts.profile.report.trace.launch
    read, saved = int((moved.high[rows] - moved.low[rows]).sum()), 0
    for number in np.unique(launch[rows]).tolist():
        mine = rows[launch[rows] == number]
        cores = [mine[places[mine] == place] for place in np.unique(places[mine])]
        saved += sum(_distinct(facts, own) for own in cores) - _distinct(facts, mine)
    return saved / max(read, 1)


def _distinct(facts: Facts, rows: np.ndarray) -> int:
    """Bytes of GDRAM that transfers read, each counted once."""
    moved = facts.profile.moved
    order = np.argsort(moved.low[rows], kind="stable")
    low, high = moved.low[rows][order], np.maximum.accumulate(moved.high[rows][order])
    before = np.append(low[:1], high[:-1])
    return int(np.maximum(high - np.maximum(low, before), 0).sum())


RULES = (idle_cores, uneven_tasks, barriers, shared_memory, shared_loads)
