"""How deep the stack of a kernel grows.

In: a program's words and a kernel's entry.  Out: bytes, or nothing where the code does not tell:
where functions call each other in a circle or through registers, or where an array's length is
known only when it runs.  Executes nothing.
"""

from __future__ import annotations

import functools

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.encoding import Encodable, decode
from zhisuan.isa.registry import STACK_POINTER, Kind
from zhisuan.sim.reachable import targets

_ENDS = ("HALT", "TRAP", "JUMP", "JUMPR")


class _Unknown(Exception):
    """The code does not tell."""


@functools.lru_cache(maxsize=256)
def stack_bytes(words: bytes, entry: int) -> int | None:
    """The stack that the kernel at word `entry` (uint64 words as bytes) needs at most."""
    try:
        return _Walk([int(word) for word in np.frombuffer(words, np.uint64)]).depth(entry, ())
    except (_Unknown, ZhisuanError):
        return None


class _Walk:
    def __init__(self, words: list[int]) -> None:
        self.words = words
        self.known: dict[int, int] = {}

    def depth(self, entry: int, callers: tuple[int, ...]) -> int:
        """The frame of the function at `entry`, and of those it calls."""
        if entry in callers:
            raise _Unknown
        if entry not in self.known:
            frame, deepest = 0, 0
            ahead, seen = [entry], set[int]()
            while ahead:
                pc = ahead.pop()
                if pc in seen or not 0 <= pc < len(self.words):
                    continue
                seen.add(pc)
                item = decode(self.words[pc])
                frame += _taken(item)
                if item.row.name == "CALL":
                    for callee in targets(pc, item):
                        deepest = max(deepest, self.depth(callee, (*callers, entry)))
                elif item.row.name == "CALLR":
                    raise _Unknown
                else:
                    ahead += targets(pc, item)
                if item.row.name not in _ENDS:
                    ahead.append(pc + 1)
            self.known[entry] = frame + deepest
        return self.known[entry]


def _taken(item: Encodable) -> int:
    """Bytes that an instruction takes from the stack; giving back counts as nothing."""
    operands = item.row.operands
    to_stack = any(
        operand.kind is Kind.DEST and value == STACK_POINTER
        for operand, value in zip(operands, item.values, strict=True)
    )
    if not to_stack:
        return 0
    if item.row.name in ("SSUB#", "SADD#") and item.values[1] == STACK_POINTER:
        size = int(item.values[2]) if item.row.name == "SSUB#" else -int(item.values[2])
        return max(size, 0)
    raise _Unknown
