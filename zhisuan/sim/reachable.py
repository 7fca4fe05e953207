"""The instructions that a kernel can reach, and what they tell of it: whether it asks which core it
runs on, and so knows of memory cores; whether its tasks must run in their order.

Comes in: a program's words and a kernel's entry.  Goes out: instructions, yes or no.  Nothing is
executed.
"""

from __future__ import annotations

import functools

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.encoding import Encodable, decode
from zhisuan.isa.registry import Kind
from zhisuan.sim.tasks import CORE_ID


@functools.lru_cache(maxsize=256)
def reads_core_id(words: bytes, entry: int) -> bool:
    """Whether the kernel at word `entry` (uint64 words as bytes) asks which core it runs on.

    One that does not means compute cores only, so memory cores stay out of its launches.
    """
    return any(
        item.row.name == "SGET#" and item.values[1] == CORE_ID
        for item in reachable(words, entry).values()
    )


@functools.lru_cache(maxsize=256)
def is_ordered(words: bytes, entry: int) -> bool:
    """Whether tasks of the kernel at word `entry` may meet in memory without a barrier."""
    return any(item.row.ordered for item in reachable(words, entry).values())


@functools.lru_cache(maxsize=256)
def reachable(words: bytes, entry: int) -> dict[int, Encodable]:
    """The instructions that a kernel can reach, by their index.

    A call through a register may lead anywhere: then the whole program counts.
    """
    items = [_decoded(int(word)) for word in np.frombuffer(words, np.uint64)]
    ahead = [entry]
    found: dict[int, Encodable] = {}
    while ahead:
        pc = ahead.pop()
        if pc in found or not 0 <= pc < len(items):
            continue
        item = items[pc]
        if item is None:
            continue
        found[pc] = item
        if item.row.name == "CALLR":
            ahead += range(len(items))
        ahead += targets(pc, item)
        if item.row.name not in ("HALT", "TRAP", "JUMP", "JUMPR"):
            ahead.append(pc + 1)
    return found


def targets(pc: int, item: Encodable) -> list[int]:
    """Where the instruction at `pc` may branch to."""
    fields = zip(item.row.operands, item.values, strict=True)
    return [pc + 1 + value for operand, value in fields if operand.kind is Kind.TARGET]


def _decoded(word: int) -> Encodable | None:
    try:
        return decode(word)
    except ZhisuanError:
        return None
