"""Pieces of memory that somebody asked for: what a kernel may touch.

Comes in: from a device or a plan, or with a program.  Goes out: questions answered about addresses.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zhisuan.sim.memory import hexadecimal


@dataclass(frozen=True)
class Allocation:
    """Bytes [address, address + size), used from launch `first` to launch `last`.

    `filled`: the host has written all of it before the first launch.  `declared` is the place in
    the source, where there is one.
    """

    name: str
    address: int
    size: int
    first: int = 0
    last: int = 1 << 60
    filled: bool = False
    declared: str = ""

    @property
    def end(self) -> int:
        return self.address + self.size

    def __str__(self) -> str:
        first, end = hexadecimal(self.address), hexadecimal(self.end)
        source = f", declared at {self.declared}" if self.declared else ""
        return f"'{self.name}', {self.size} bytes from {first} up to {end}{source}"


class Table:
    """Allocations that exist at the same time, by address."""

    def __init__(self, allocations: Iterable[Allocation]) -> None:
        self.items: Sequence[Allocation] = sorted(allocations, key=lambda a: a.address)
        self._first = [item.address for item in self.items]
        self._last = [item.end for item in self.items]
        self._starts = np.array([item.address for item in self.items], np.int64)
        self._ends = np.array([item.end for item in self.items], np.int64)

    def holds(self, start: int, end: int) -> bool:
        """Whether [start, end) lies in a single allocation."""
        holder = bisect_right(self._first, start) - 1
        return holder >= 0 and end <= self._last[holder]

    def outside(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Indices of the segments that do not lie in a single allocation."""
        if not self.items:
            return np.arange(len(starts))
        holder = np.searchsorted(self._starts, starts, "right") - 1
        return np.flatnonzero((holder < 0) | (ends > self._ends[holder]))

    def nearest(self, address: int) -> Allocation | None:
        """The one that holds `address`, else the one that ends before it, else the first."""
        before = [item for item in self.items if item.address <= address]
        return before[-1] if before else next(iter(self.items), None)
