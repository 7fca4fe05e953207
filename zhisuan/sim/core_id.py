"""Whether a kernel asks which core it runs on, and so knows of memory cores.

Comes in: a program's words and a kernel's entry.  Goes out: yes or no, from the instructions that
the kernel can reach.  Nothing is executed.
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

    One that does not means compute cores only, so memory cores stay out of its launches.  A call
    through a register may lead anywhere: then the whole program counts.
    """
    items = [_decoded(int(word)) for word in np.frombuffer(words, np.uint64)]
    ahead, seen = [entry], set()
    while ahead:
        pc = ahead.pop()
        if pc in seen or not 0 <= pc < len(items):
            continue
        seen.add(pc)
        item = items[pc]
        if item is None:
            continue
        name = item.row.name
        if name == "SGET#" and item.values[1] == CORE_ID:
            return True
        if name == "CALLR":
            ahead += range(len(items))
        fields = zip(item.row.operands, item.values, strict=True)
        ahead += [pc + 1 + value for operand, value in fields if operand.kind is Kind.TARGET]
        if name not in ("HALT", "TRAP", "JUMP", "JUMPR"):
            ahead.append(pc + 1)
    return False


def _decoded(word: int) -> Encodable | None:
    try:
        return decode(word)
    except ZhisuanError:
        return None
