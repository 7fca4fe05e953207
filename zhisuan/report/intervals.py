"""What every unit did in every cycle: an unbroken sequence of intervals per unit.

In: a trace and its timing.  Out: per unit the lengths of its intervals and, for each, the
state (working, or waiting for which cause) and the trace row it belongs to.  It schedules
nothing: it only lays out what `sim.timing` found, and its sums per launch, unit and cause are
those of `Timing.cycles`, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zhisuan.base.errors import VerifyError
from zhisuan.isa.registry import Queue, Unit
from zhisuan.sim.caches import STALLS
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.timing import Timing
from zhisuan.sim.trace import Trace
from zhisuan.sim.workload import BARRIER_KIND, SCALAR_KIND, SYNC_KIND, Workload, measure


@dataclass(frozen=True)
class Lane:
    """One unit's time, all int64[n] but `state`.

    length: cycles; state uint8[n]: index into the causes; row: the trace row that worked or
    was waited for, -1 for none; merged: how many intervals an interval stands for.
    """

    unit: str
    length: np.ndarray
    state: np.ndarray
    row: np.ndarray
    merged: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """int64[n + 1]: first cycle of each interval, then the end."""
        return np.concatenate([[0], np.cumsum(self.length)])


class _Pieces:
    """Intervals of one lane in any order; empty ones are dropped."""

    def __init__(self, causes: tuple[str, ...]) -> None:
        self.causes = causes
        self.parts: list[np.ndarray] = []

    def add(self, start: np.ndarray, end: np.ndarray, cause: str, row: np.ndarray | int) -> None:
        """[start, end) in the state `cause`, element by element."""
        state = np.full(len(start), self.causes.index(cause))
        part = np.stack([start, end, state, np.broadcast_to(row, start.shape)])
        self.parts.append(part[:, end > start])

    def lane(self, unit: str, total: int) -> Lane:
        """All pieces in order; they must leave no gap and meet nowhere."""
        start, end, state, row = (
            np.concatenate(self.parts, axis=1) if self.parts else np.zeros((4, 0), np.int64)
        )
        order = np.argsort(start, kind="stable")
        start, end, state, row = start[order], end[order], state[order], row[order]
        if not np.array_equal(np.append(start, total), np.insert(end, 0, 0)):
            raise VerifyError(f"the intervals of unit '{unit}' do not cover the run")
        return Lane(unit, end - start, state.astype(np.uint8), row, np.ones_like(start))


def busiest_core(timing: Timing) -> int:
    """The core, by its place in `timing.cores`, whose units worked most."""
    busy = timing.core_cycles[..., timing.causes.index("busy")].sum(axis=(0, 2))
    return int(np.argmax(busy))


def core_shown(timing: Timing) -> str:
    """Which core of a chip of several the lanes are of, in words; else nothing."""
    if len(timing.cores) == 1:
        return ""
    cluster, core = timing.cores[busiest_core(timing)]
    name = "memory core" if core == MEMORY_CORE else f"core {core}"
    return (
        f"Of {len(timing.cores)} cores the timeline shows the busiest: cluster {cluster}, {name}."
    )


def lanes_of(trace: Trace, timing: Timing, place: int | None = None) -> tuple[Lane, ...]:
    """One lane per unit of a core, the busiest by default, in the order of `timing.units`."""
    place = busiest_core(timing) if place is None else place
    cluster, core = timing.cores[place]
    rows = np.flatnonzero((trace.cluster == cluster) & (trace.core == core))
    trace, timing = _of_core(trace, timing, place, rows)
    work = measure(trace, timing.machine)
    decoder = _Decoder(trace, timing, work)
    others = [unit for unit in Unit if unit is not Unit.SCALAR]
    lanes = decoder.lane(), *(_unit_lane(unit, trace, timing, work, decoder) for unit in others)
    whole = np.append(rows, -1)
    return tuple(replace(lane, row=whole[lane.row]) for lane in lanes)


def _of_core(trace: Trace, timing: Timing, place: int, rows: np.ndarray) -> tuple[Trace, Timing]:
    """What remains of a run when only the rows of one core are kept."""
    columns = ("launch", "cluster", "core", "task", "pc", "opcode", "mode")
    kept = {name: getattr(trace, name)[rows] for name in columns}
    times = ("queued", "start", "end", "done", "held_by")
    own = {name: getattr(timing, name)[rows] for name in times}
    own["stalls"] = timing.stalls[:, rows]
    cycles = timing.core_cycles[:, place : place + 1]
    return (
        replace(trace, a=np.ascontiguousarray(trace.a[:, rows]), **kept),
        replace(timing, core_cycles=cycles, **own),
    )


_WAITS = ("sync", "barrier", "queue full")


class _Decoder:
    """When the decoder held each row, and when and why it waited."""

    def __init__(self, trace: Trace, timing: Timing, work: Workload) -> None:
        self.timing = timing
        takes_part = np.isin(np.arange(len(timing.launch_start)), trace.launch)
        self.ready = timing.launch_start + timing.machine.launch.overhead * takes_part
        in_decoder = np.isin(work.kind, (SCALAR_KIND, SYNC_KIND, BARRIER_KIND))
        end = np.where(in_decoder, timing.end, timing.queued)
        start = previous(end, trace.launch, self.ready)
        self._cut(start, end, work)
        self.final = self.ready.copy()
        np.maximum.at(self.final, trace.launch, end)
        self.over = self.final.copy()
        np.maximum.at(self.over, trace.launch, timing.done)

    def _cut(self, start: np.ndarray, end: np.ndarray, work: Workload) -> None:
        """Cut each row's time: waiting for code, decoding, other stalls, waiting for others."""
        fetch, *others = self.timing.stalls
        lengths = np.stack([fetch, work.decode, *others])
        edges = start + np.concatenate([np.zeros_like(start)[None], lengths.cumsum(axis=0)])
        waits = {SCALAR_KIND: "sync", SYNC_KIND: "sync", BARRIER_KIND: "barrier"}
        names = np.array([waits.get(kind, "queue full") for kind in range(BARRIER_KIND + 1)])
        fixed = [STALLS[0], "busy", *STALLS[1:]]
        causes = np.stack([np.full(len(start), name, "U20") for name in fixed])
        self.row = np.repeat(np.arange(len(start)), len(fixed) + 1)
        self.start = edges.T.reshape(-1)
        self.end = np.concatenate([edges[1:], end[None]]).T.reshape(-1)
        self.cause = np.concatenate([causes, names[work.kind][None]]).T.reshape(-1)
        kept = self.end > self.start
        for name in ("row", "start", "end", "cause"):
            setattr(self, name, getattr(self, name)[kept])

    def lane(self) -> Lane:
        pieces = _Pieces(self.timing.causes)
        pieces.add(self.timing.launch_start, self.ready, "launch", -1)
        for cause in ("busy", *_WAITS, *STALLS):
            where = self.cause == cause
            pieces.add(self.start[where], self.end[where], cause, self.row[where])
        pieces.add(self.final, self.over, "drain", -1)
        pieces.add(self.over, self.timing.launch_end, "idle", -1)
        return pieces.lane("scalar", self.timing.total)

    def explain(self, pieces: _Pieces, start: np.ndarray, end: np.ndarray, row: np.ndarray) -> None:
        """Add [start, end), in which an instruction was on its way to its queue, by cause.

        The intervals are in order and do not overlap.  They are cut where the decoder begins
        or ends to wait.
        """
        waits = self.cause != "busy"
        begins, ends, names = self.start[waits], self.end[waits], self.cause[waits]
        marks = np.unique(np.concatenate([start, end, begins, ends]))
        left, right = marks[:-1], marks[1:]
        owner = np.searchsorted(start, left, "right") - 1
        inside = (owner >= 0) & (left < end[owner]) if len(start) else np.zeros(len(left), bool)
        left, right, owner = left[inside], right[inside], owner[inside]
        place = np.searchsorted(begins, left, "right") - 1
        waiting = (place >= 0) & (left < ends[place]) if len(begins) else np.zeros(len(left), bool)
        causes = np.full(len(left), "decode", "U20")
        causes[waiting] = names[place[waiting]]
        for cause in ("decode", *_WAITS, *STALLS):
            where = causes == cause
            pieces.add(left[where], right[where], cause, row[owner[where]])


def previous(column: np.ndarray, launch: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Each row's predecessor's value; `first[launch]` for the first row of a launch."""
    shifted = np.empty_like(column)
    shifted[1:] = column[:-1]
    if len(launch):
        begins = np.append(True, launch[1:] != launch[:-1])
        shifted[begins] = first[launch[begins]]
    return shifted


def _unit_lane(unit: Unit, trace: Trace, timing: Timing, work: Workload, decoder: _Decoder) -> Lane:
    pieces = _Pieces(timing.causes)
    rows = np.flatnonzero(work.kind == unit.value)
    launch = trace.launch[rows]
    queued, start, end = timing.queued[rows], timing.start[rows], timing.end[rows]
    free = previous(end, launch, decoder.ready)
    pieces.add(timing.launch_start, decoder.ready, "launch", -1)
    decoder.explain(pieces, free, np.maximum(free, np.minimum(queued, start)), rows)
    reached = np.maximum(free, queued)
    in_order = np.clip(_predecessor_start(unit, trace, timing, work, decoder)[rows], reached, start)
    held = _operands_until(rows, in_order, trace.launch, timing, work)
    pieces.add(reached, in_order, "in order", rows)
    if unit.queue is Queue.COMPUTE:
        pieces.add(in_order, held, "operands", rows)
        pieces.add(held, start, "window", rows)
    for index, cause in enumerate(timing.causes):
        shared = timing.held_by[rows] == index
        pieces.add(reached[shared], start[shared], cause, rows[shared])
    pieces.add(start, end, "busy", rows)
    _finish(pieces, launch, timing.done[rows], end, timing, decoder.ready)
    return pieces.lane(unit.name.lower(), timing.total)


def _finish(
    pieces: _Pieces,
    launch: np.ndarray,
    done: np.ndarray,
    end: np.ndarray,
    timing: Timing,
    ready: np.ndarray,
) -> None:
    """After the last instruction of a launch: results on their way, then nothing to do."""
    last_end, last_done = ready.copy(), ready.copy()
    np.maximum.at(last_end, launch, end)
    np.maximum.at(last_done, launch, done)
    pieces.add(last_end, last_done, "drain", -1)
    pieces.add(last_done, timing.launch_end, "idle", -1)


def _predecessor_start(
    unit: Unit, trace: Trace, timing: Timing, work: Workload, decoder: _Decoder
) -> np.ndarray:
    """int64[all rows], set for the unit's queue: when the row before it in the queue started."""
    kinds = [other.value for other in Unit if other.queue is unit.queue]
    rows = np.flatnonzero(np.isin(work.kind, kinds))
    result = np.zeros(len(trace), np.int64)
    result[rows] = previous(timing.start[rows], trace.launch[rows], decoder.ready)
    return result


def _operands_until(
    rows: np.ndarray, in_order: np.ndarray, launch: np.ndarray, timing: Timing, work: Workload
) -> np.ndarray:
    """Until when the address interlock held each row; from there on only the full window did.

    Only where the launch's account has both can a row have waited for both; there its
    conflicts with unfinished instructions are looked up.
    """
    start = timing.start[rows]
    held = start.copy()
    unit = int(work.kind[rows[0]]) if len(rows) else 0
    windowed = timing.cycles[:, unit, timing.causes.index("window")] > 0
    compute = np.flatnonzero(np.isin(work.kind, [u.value for u in Unit if u.queue is _COMPUTE]))
    for i in np.flatnonzero((start > in_order) & windowed[launch[rows]]):
        first = np.searchsorted(launch[compute], launch[rows[i]])
        before = compute[first : np.searchsorted(compute, rows[i])]
        unfinished = before[timing.done[before] > in_order[i]]
        conflicts = [timing.done[b] for b in unfinished if _conflict(work, rows[i], b)]
        held[i] = np.clip(max(conflicts, default=0), in_order[i], start[i])
    return held


_COMPUTE = Queue.COMPUTE


def _conflict(work: Workload, row: int, other: int) -> bool:
    """Whether two rows touch a byte in common that one of them writes."""
    low = np.maximum(work.low[:, row, None], work.low[None, :, other])
    high = np.minimum(work.high[:, row, None], work.high[None, :, other])
    written = work.writes[:, row, None] | work.writes[None, :, other]
    return bool(((low < high) & written).any())


def thinned(lane: Lane, limit: int, states: int) -> Lane:
    """The lane in at most about `limit` intervals.

    Intervals shorter than a quantum that follow each other within one are replaced by one
    interval per state: the sums per state stay exact, positions move by less than a quantum.
    """
    quantum = 1
    result = lane
    while len(result.length) > limit:
        quantum *= 4
        result = _merge(lane, quantum, states)
    return result


def _merge(lane: Lane, quantum: int, states: int) -> Lane:
    bucket = lane.edges[:-1] // quantum
    long = lane.length >= quantum
    new = np.ones(len(bucket), bool)
    new[1:] = long[1:] | long[:-1] | (bucket[1:] != bucket[:-1])
    key = (np.cumsum(new) - 1) * states + lane.state
    size = int(key[-1] // states + 1) * states
    length = np.bincount(key, lane.length, minlength=size).astype(np.int64)
    merged = np.bincount(key, lane.merged, minlength=size).astype(np.int64)
    row = np.full(size, -1, np.int64)
    row[key[::-1]] = lane.row[::-1]  # the first row of a group stands for it
    kept = np.flatnonzero(length)
    state = (kept % states).astype(np.uint8)
    return Lane(lane.unit, length[kept], state, row[kept], merged[kept])


def columns(lane: Lane, first: int, last: int, width: int, states: int) -> np.ndarray:
    """float64[width, states]: the share of every state below each of `width` equal columns
    of the cycles [first, last); each column adds up to 1."""
    edges = lane.edges
    marks = np.linspace(first, last, width + 1)
    shares = np.zeros((width, states))
    for state in range(states):
        spent = np.concatenate([[0], np.cumsum(np.where(lane.state == state, lane.length, 0))])
        shares[:, state] = np.diff(np.interp(marks, edges, spent))
    return shares / max((last - first) / width, 1e-12)
