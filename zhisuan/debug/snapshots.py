"""What the memories of a chip held at moments of the past.

Comes in: the memory, when it is asked to remember.  Goes out: the memory as it was.  One full copy
is kept, of the latest snapshot; each earlier one is what pages held that changed after it.
"""

from __future__ import annotations

import numpy as np

from zhisuan.sim.memory import Memory

PAGE = 4096
_Key = tuple[str, int, int]
_Pages = dict[_Key, tuple[np.ndarray, np.ndarray]]
"""Of a memory: the numbers of pages, and what they held."""


class Snapshots:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held: dict[_Key, np.ndarray] = {}
        self._changes: list[_Pages] = []
        """From each snapshot to the one before it."""

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def bytes_kept(self) -> int:
        """Bytes of changes, without the full copy."""
        return sum(pages.nbytes for c in self._changes for _, pages in c.values())

    def take(self) -> None:
        """Remember what memory holds now, as the latest snapshot."""
        changes: _Pages = {}
        for key, array in self._memory.in_use.items():
            held = self._held.get(key)
            if held is None or len(held) < _whole(len(array)):
                held = self._held[key] = _grown(held, len(array))
            changed = _changed_pages(held, array)
            if len(changed):
                pages = held.reshape(-1, PAGE)
                changes[key] = changed, pages[changed].copy()
                _copy_pages(pages, array, changed)
        self._changes.append(changes if self._changes else {})

    def restore(self, number: int) -> None:
        """Let memory be as in snapshot `number`, from now on the latest."""
        while len(self._changes) > number + 1:
            for key, (changed, pages) in self._changes.pop().items():
                self._held[key].reshape(-1, PAGE)[changed] = pages
        for key, array in self._memory.in_use.items():
            held = self._held.get(key)
            if held is None:  # nobody had used it yet: all memory is zero at first
                array[:] = 0
            else:
                known = min(len(held), len(array))
                array[:known] = held[:known]
                array[known:] = 0

    def merge(self, number: int) -> None:
        """Forget snapshot `number`, which is not the latest."""
        later, earlier = self._changes[number + 1], self._changes.pop(number)
        for key, (changed, pages) in later.items():
            if key not in earlier:
                earlier[key] = changed, pages
                continue
            numbers, contents = earlier[key]
            new = ~np.isin(changed, numbers)
            earlier[key] = (
                np.concatenate([numbers, changed[new]]),
                np.concatenate([contents, pages[new]]),
            )
        self._changes[number] = earlier


def _whole(size: int) -> int:
    """Bytes of the pages that hold `size` bytes."""
    return -(-size // PAGE) * PAGE


def _grown(held: np.ndarray | None, size: int) -> np.ndarray:
    grown = np.zeros(_whole(size), np.uint8)
    if held is not None:
        grown[: len(held)] = held
    return grown


def _changed_pages(held: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Numbers of the pages in which `array` differs from what is held of it."""
    whole = len(array) // PAGE
    now = array[: whole * PAGE].view(np.uint64).reshape(whole, PAGE // 8)
    then = held[: whole * PAGE].view(np.uint64).reshape(whole, PAGE // 8)
    changed = np.flatnonzero((now != then).any(axis=1)) if whole else np.zeros(0, np.int64)
    rest = array[whole * PAGE :]
    if len(rest) and not np.array_equal(rest, held[whole * PAGE : len(array)]):
        changed = np.append(changed, whole)
    return changed


def _copy_pages(pages: np.ndarray, array: np.ndarray, numbers: np.ndarray) -> None:
    whole = len(array) // PAGE
    inside = numbers[numbers < whole]
    pages[inside] = array[: whole * PAGE].reshape(whole, PAGE)[inside]
    if len(inside) < len(numbers):
        pages.reshape(-1)[whole * PAGE : len(array)] = array[whole * PAGE :]
