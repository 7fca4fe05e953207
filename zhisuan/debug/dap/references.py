"""The numbers by which a client names frames and variables until the launch moves on.

Comes in: frames, values.  Goes out: numbers, and what they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.values import Value


@dataclass(frozen=True)
class FrameOf:
    index: int
    frame: int


@dataclass(frozen=True)
class ScopeOf:
    """`name` is one of the scopes that a frame has."""

    frame: FrameOf
    name: str


@dataclass(frozen=True)
class PartsOf:
    """The members or elements of a value; `path` is the expression for it, if there is one."""

    frame: FrameOf
    value: Value
    path: str


class References:
    def __init__(self) -> None:
        self._items: list[Any] = []

    def clear(self) -> None:
        """The launch moved: no number means anything any more."""
        self._items = []

    def add(self, item: FrameOf | ScopeOf | PartsOf) -> int:
        self._items.append(item)
        return len(self._items)

    def find(self, number: Any) -> Any:
        if not isinstance(number, int) or not 0 < number <= len(self._items):
            raise ZhisuanError(f"there is no {number} any more", hint="ask for the stack again")
        return self._items[number - 1]

    def frame(self, number: Any) -> FrameOf:
        found = self.find(number)
        if not isinstance(found, FrameOf):
            raise ZhisuanError(f"{number} is no frame")
        return found
