"""Where the time of a core goes: every cycle charged to one instruction.

Comes in: a trace, its timing, a core.  Goes out: pieces of time, each with what the core was
held up by and the trace row that is charged.  The decoder is followed from the start of a launch
to its end.  Where it works, it is charged itself; where it waits for units in SYNC, at a full
queue or at the end, the instruction is charged that the unit it waits for was executing in that
cycle.  So the pieces add up to the duration of the launches, and shortening what is charged
most shortens the run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.isa.registry import Queue, Unit
from zhisuan.report.intervals import Lane, previous
from zhisuan.sim.schedule import CAUSES
from zhisuan.sim.timing import Timing
from zhisuan.sim.trace import Trace

UNIT_KINDS = tuple(unit.name.lower() for unit in Unit)
HELD = ("operands", "in order", "window")
KINDS = (
    *UNIT_KINDS, "operands", "dram", "sram", "noc", "instruction fetch", "cache", "tlb", "barrier",
    "launch", "idle",
)  # fmt: skip
"""What a core is held up by: a unit that works, or a cause of waiting."""


@dataclass(frozen=True)
class Pieces:
    """Cycles, what they went to (a position in KINDS), and the row charged, -1 for none."""

    cycles: np.ndarray
    kind: np.ndarray
    row: np.ndarray


@dataclass(frozen=True)
class _Core:
    """The rows of a core and their columns; `kinds` as in `Workload.kind`."""

    rows: np.ndarray
    launch: np.ndarray
    kinds: np.ndarray
    mask: np.ndarray
    start: np.ndarray
    end: np.ndarray
    done: np.ndarray


class _Found:
    """Pieces in any order."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, cycles: np.ndarray, kind: str | np.ndarray, row: np.ndarray) -> None:
        numbers = np.full(len(cycles), KINDS.index(kind)) if isinstance(kind, str) else kind
        kept = cycles > 0
        self.parts.append((cycles[kept], numbers[kept], row[kept]))

    def pieces(self) -> Pieces:
        columns = [np.concatenate(column) for column in zip(*self.parts, strict=True)]
        return Pieces(*(column.astype(np.int64) for column in columns))


def blame(
    trace: Trace, timing: Timing, rows: np.ndarray, kinds: np.ndarray, mask: np.ndarray,
    lanes: tuple[Lane, ...],
) -> Pieces:  # fmt: skip
    """Charge every cycle of the core that `rows` and `lanes` are of.

    `kinds` and `mask` are the columns of `Workload`, of all rows.
    """
    core = _Core(
        rows, trace.launch[rows], kinds[rows], mask[rows],
        timing.start[rows], timing.end[rows], timing.done[rows],
    )  # fmt: skip
    found = _Found()
    decoder = lanes[0]
    begin, end = decoder.edges[:-1], decoder.edges[1:]
    number = np.full(len(trace) + 1, -1)
    number[rows] = np.arange(len(rows))
    own = number[decoder.row]
    for state, cause in enumerate(CAUSES):
        here = decoder.state == state
        if cause == "busy":
            found.add(decoder.length[here], "scalar", decoder.row[here])
        elif cause in ("sync", "queue full", "drain", "barrier"):
            launch = np.searchsorted(timing.launch_end, begin[here], "right")
            _charge_units(found, core, lanes, cause, begin[here], end[here], own[here], launch,
                          timing)  # fmt: skip
        else:
            found.add(decoder.length[here], cause if cause in KINDS else "operands",
                      decoder.row[here])  # fmt: skip
    return found.pieces()


def _charge_units(
    found: _Found, core: _Core, lanes: tuple[Lane, ...], cause: str, begin: np.ndarray,
    end: np.ndarray, own: np.ndarray, launch: np.ndarray, timing: Timing,
) -> None:  # fmt: skip
    """Charge stretches in which the decoder waits for units; `own`: its rows, in the core."""
    if not len(begin):
        return
    if cause == "queue full":
        waited_for = _before_in_queue(core, timing)[own]
    else:
        last = np.searchsorted(core.launch, launch, "right") if cause == "drain" else own
        masks = np.full(len(begin), 7) if cause == "drain" else core.mask[own]
        waited_for = _last_done(core, last, masks, launch)
    known = waited_for >= 0
    until = np.where(known, core.done[waited_for] if len(core.rows) else end, begin)
    until = np.clip(until, begin, end)
    if cause == "queue full":
        until = np.where(known, end, begin)
    rest = "barrier" if cause == "barrier" else "operands"
    charged = np.where(own >= 0, core.rows[own] if len(core.rows) else -1, -1)
    found.add(end - until, rest, charged)
    for unit in (u for u in Unit if u.queue is not None):
        here = known & (core.kinds[waited_for] == unit.value) & (until > begin)
        if here.any():
            rows = waited_for[here]
            _charge(found, core, lanes, unit, begin[here], until[here], rows)


def _before_in_queue(core: _Core, timing: Timing) -> np.ndarray:
    """For each row the one whose start makes room for it in its queue, or -1."""
    result = np.full(len(core.rows), -1)
    queues = timing.machine.queues
    depths = {Queue.COMPUTE: queues.compute, Queue.IO: queues.io, Queue.MOVE: queues.move}
    for queue, depth in depths.items():
        depth = max(depth, 1)
        kinds = [unit.value for unit in Unit if unit.queue is queue]
        here = np.flatnonzero(np.isin(core.kinds, kinds))
        if len(here) > depth:
            same = core.launch[here[depth:]] == core.launch[here[:-depth]]
            result[here[depth:]] = np.where(same, here[:-depth], -1)
    return result


def _last_done(
    core: _Core, before: np.ndarray, masks: np.ndarray, launch: np.ndarray
) -> np.ndarray:
    """Of the rows before `before` in their launch, in the queues of `masks`, the one whose result
    is there last; -1 if there is none."""
    best = np.full(len(before), -1)
    moment = np.full(len(before), -1, np.int64)
    for unit in (u for u in Unit if u.queue is not None):
        here = np.flatnonzero(core.kinds == unit.value)
        if not len(here):
            continue
        latest = _running_latest(core, here)
        place = np.searchsorted(here, before) - 1
        fits = (place >= 0) & ((masks & unit.queue.value) != 0)  # type: ignore[union-attr]
        row = latest[np.maximum(place, 0)]
        fits &= core.launch[row] == launch
        later = fits & (core.done[row] > moment)
        best, moment = np.where(later, row, best), np.where(later, core.done[row], moment)
    return best


def _running_latest(core: _Core, here: np.ndarray) -> np.ndarray:
    """Of each row and those before it in its launch, the one that is done last."""
    first = previous(core.done[here], core.launch[here], np.full(core.launch.max() + 1, -1))
    done = core.done[here]
    if (done >= first).all():  # most units finish in order
        return here
    result, best = here.copy(), 0
    for i in range(1, len(here)):
        new = core.launch[here[i]] != core.launch[here[best]] or done[i] >= done[best]
        best = i if new else best
        result[i] = here[best]
    return result


def _charge(
    found: _Found, core: _Core, lanes: tuple[Lane, ...], unit: Unit, begin: np.ndarray,
    end: np.ndarray, rows: np.ndarray,
) -> None:  # fmt: skip
    """Charge [begin, end), in which the core waits for `rows` of `unit`: what executes; after the
    end of the row, its latency."""
    over = np.clip(core.end[rows], begin, end)
    found.add(end - over, unit.name.lower(), core.rows[rows])
    begin, end, states, charged = _overlay(lanes[unit.value], begin, over)
    busy = states == 0
    found.add((end - begin)[busy], unit.name.lower(), charged[busy])
    other = {Unit.VFU: Unit.MFU, Unit.MFU: Unit.VFU}.get(unit)
    held = np.isin(states, [CAUSES.index(cause) for cause in HELD])
    if other is not None and held.any():
        left, right, state, row = _overlay(lanes[other.value], begin[held], end[held])
        works = state == 0
        found.add((right - left)[works], other.name.lower(), row[works])
        owner = np.searchsorted(begin[held], left[~works], "right") - 1
        found.add((right - left)[~works], "operands", charged[held][owner])
        busy = busy | held
    for state in np.unique(states[~busy]):
        here = ~busy & (states == state)
        cause = CAUSES[state]
        found.add((end - begin)[here], cause if cause in KINDS else "operands", charged[here])


def _overlay(
    lane: Lane, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The intervals of a lane within [begin, end): begin, end, state, row of each."""
    edges = lane.edges
    first = np.searchsorted(edges, begin, "right") - 1
    last = np.searchsorted(edges, end, "left")
    counts = np.where(end > begin, last - first, 0)
    owner = np.repeat(np.arange(len(begin)), counts)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    which = first[owner] + offset
    left = np.maximum(edges[which], begin[owner])
    right = np.minimum(edges[which + 1], end[owner])
    return left, right, lane.state[which].astype(np.int64), lane.row[which]
