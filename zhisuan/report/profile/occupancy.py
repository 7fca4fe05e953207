"""How full a memory was over time, and with what.

Comes in: what instructions touched, and when.  Goes out: `Occupancy`.  A byte is occupied from when
it is written until it is read for the last time before it is written anew; what is written and
never read counts while it is written.  Ranges are rounded to lines of 128 bytes where they are
partly written.  What holds the bytes is the array that the program declares there, else the line
that wrote them first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zhisuan.report.profile.touches import MEMORIES, Touches
from zhisuan.sim.timing import Timing

LINE = 128
MOST_PAIRS = 4_000_000
"""(access, piece of memory) pairs of a launch; where there are more, pieces get coarser."""


@dataclass(frozen=True)
class Occupancy:
    """Bytes over time: from `moments[i]` to the next, `held[owner, i]` bytes are held by each of
    `owners` (numbers that `named` gave)."""

    memory: str
    size: int
    owners: np.ndarray
    moments: np.ndarray
    held: np.ndarray

    @property
    def total(self) -> np.ndarray:
        return self.held.sum(axis=0)

    @property
    def peak(self) -> int:
        """Which moment has most."""
        return int(np.argmax(self.total)) if len(self.moments) else 0

    @property
    def most(self) -> int:
        return int(self.total[self.peak]) if len(self.moments) else 0


Named = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
"""(memory, addresses in it, rows that wrote them) → numbers of owners."""


@dataclass(frozen=True)
class _Lives:
    begin: np.ndarray
    end: np.ndarray
    size: np.ndarray
    owner: np.ndarray


def occupancy(
    touches: Touches, timing: Timing, launches: np.ndarray, memory: int, owner: int, named: Named
) -> Occupancy:
    """Of one memory over the whole run; `launches`: the launch of each trace row."""
    mine = touches.of(memory, owner)
    parts = []
    launch = launches[touches.row[mine]]
    for number in np.unique(launch).tolist():
        parts.append(_lives(touches, timing, mine[launch == number], memory, named))
    machine = timing.machine
    size = (machine.nram.size, machine.wram.size, machine.sram.size)[memory]
    name = MEMORIES[memory].name.upper()
    if not parts:
        none = np.zeros(0, np.int64)
        return Occupancy(name, size, none, none, np.zeros((0, 0), np.int64))
    columns = [np.concatenate([getattr(part, key) for part in parts]) for key in _COLUMNS]
    return _steps(name, size, _Lives(*columns))


_COLUMNS = ("begin", "end", "size", "owner")


def _lives(touches: Touches, timing: Timing, mine: np.ndarray, memory: int, named: Named) -> _Lives:
    """When pieces of the memory hold something, in one launch."""
    start, end = timing.start[touches.row[mine]], timing.end[touches.row[mine]]
    order = np.argsort(start, kind="stable")
    mine, start, end = mine[order], start[order], end[order]
    low, high, writes = touches.low[mine], touches.high[mine], touches.writes[mine]
    edges, first, last = _pieces(low, high)
    counts = last - first
    event = np.repeat(np.arange(len(mine)), counts)
    piece = np.arange(len(event)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    order = np.argsort(piece, kind="stable")  # pieces apart, each in the order of time
    event, piece = event[order], piece[order]
    whole = (low[event] <= edges[piece]) & (high[event] >= edges[piece + 1])
    follows = np.append(piece[1:] == piece[:-1], False)[: len(piece)]
    kept = _needed_after(writes[event], whole, follows)
    begins = np.append(True, ~follows[:-1])[: len(piece)]
    filled = _since(begins, writes[event])
    kept &= filled
    until = np.where(follows, np.append(start[event][1:], 0)[: len(event)], end[event])
    until = np.where(kept, until, np.minimum(end[event], np.where(follows, until, end[event])))
    newly = writes[event] & ~np.append(False, kept[:-1] & follows[:-1])[: len(piece)]
    author = _latest(newly)
    shown = filled & (until > start[event])
    writer = touches.row[mine[event[np.maximum(author, 0)]]]
    return _Lives(
        start[event][shown], until[shown], (edges[piece + 1] - edges[piece])[shown],
        named(memory, edges[piece][shown], writer[shown]),
    )  # fmt: skip


def _pieces(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of pieces of the memory, and the pieces [first, last) of every access."""
    grain = LINE
    while True:
        down, up = low // grain * grain, -(-high // grain) * grain
        inner = -(-low // grain) * grain, high // grain * grain
        edges = np.unique(np.concatenate([down, up, *inner]))
        first, last = np.searchsorted(edges, down), np.searchsorted(edges, up)
        if (last - first).sum() <= MOST_PAIRS:
            return edges, first, last
        grain *= 4


def _needed_after(writes: np.ndarray, whole: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """Whether what a piece holds after an access is read later: the next access that reads it or
    writes all of it is a read."""
    decides = ~writes | whole
    count = len(writes)
    index = np.where(decides, np.arange(count), count)
    following = np.minimum.accumulate(index[::-1])[::-1] if count else index
    following = np.append(following[1:], count)[:count]
    ends = np.where(~follows, np.arange(count), count)
    limit = np.minimum.accumulate(ends[::-1])[::-1] if count else ends
    known = following <= limit
    return known & ~writes[np.minimum(following, max(count - 1, 0))] & follows


def _since(begins: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Whether there was a mark at or before each place of its group."""
    return _latest(marks) >= _latest(begins)


def _latest(marks: np.ndarray) -> np.ndarray:
    """The last marked place at or before each, -1 if none."""
    return np.maximum.accumulate(np.where(marks, np.arange(len(marks)), -1))


def _steps(name: str, size: int, lives: _Lives) -> Occupancy:
    owners, which = np.unique(lives.owner, return_inverse=True)
    moments, at = np.unique(np.concatenate([lives.begin, lives.end]), return_inverse=True)
    which = np.tile(which.reshape(-1), 2)
    change = np.concatenate([lives.size, -lives.size])
    steps = np.bincount(
        which * len(moments) + at.reshape(-1), change, len(owners) * len(moments)
    ).reshape(len(owners), len(moments))
    return Occupancy(name, size, owners, moments, np.cumsum(steps, axis=1).astype(np.int64))
