"""Whether a kernel may wait in a loop for what another task writes.

Comes in: a program's words and a kernel's entry.  Goes out: yes or no, from the instructions that
the kernel can reach.  Nothing is executed.  Waiting takes a branch in a loop that depends on a
scalar load, and not of arguments or constants, which nobody writes.  The tasks of a kernel without
such a branch may be simulated at the same time, each from barrier to barrier.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from zhisuan.isa.address import CONST, PARAM
from zhisuan.isa.encoding import Encodable
from zhisuan.isa.registry import REGISTERS, STACK_POINTER, Kind
from zhisuan.sim.reachable import reachable, targets

_BRANCHES = ("CB", "CBZ", "CALLR", "JUMPR")
_CALLS = ("CALL", "CALLR")
_ALL = (1 << REGISTERS) - 1


class _Known(NamedTuple):
    """What holds before an instruction, registers as bits: those that certainly hold an address
    of arguments or constants, and those that may depend on memory that others write."""

    fixed: int
    loaded: int

    def meet(self, other: _Known) -> _Known:
        return _Known(self.fixed & other.fixed, self.loaded | other.loaded)


@functools.lru_cache(maxsize=256)
def may_wait(words: bytes, entry: int) -> bool:
    """Whether the kernel at word `entry` (uint64 words as bytes) may wait for another task.

    A kernel that calls functions counts as a loop as a whole.
    """
    code = reachable(words, entry)
    jumps = [(pc, target) for pc, item in code.items() for target in targets(pc, item)]
    loops = [(target, pc) for pc, target in jumps if target <= pc]
    if any(item.row.name in _CALLS for item in code.values()):
        loops.append((min(code), max(code)))
    branches = [
        pc
        for pc, item in code.items()
        if item.row.name in _BRANCHES and any(first <= pc <= last for first, last in loops)
    ]
    known = _flow(code, entry) if branches else {}
    return any(_sources(code[pc]) & known[pc].loaded for pc in branches if pc in known)


def _flow(code: Mapping[int, Encodable], entry: int) -> dict[int, _Known]:
    """What is known before each instruction, whichever way leads there."""
    known = {entry: _Known(0, 0)}
    ahead = [entry]
    spills_loaded = False
    while ahead:
        pc = ahead.pop()
        item, before = code[pc], known[pc]
        if item.row.cost == "store" and _sources(item) & before.loaded and not spills_loaded:
            spills_loaded = True  # from now on a load from the stack may give it back
            ahead = list(known)
        after = _after(item, before, spills_loaded)
        following = targets(pc, item)
        if item.row.name in _CALLS:
            after = _Known(0, _ALL)  # of functions nothing is known
        if item.row.name == "CALLR":
            following = list(code)
        if item.row.name not in ("HALT", "TRAP", "JUMP", "JUMPR"):
            following.append(pc + 1)
        for to in following:
            if to not in code:
                continue
            joined = known[to].meet(after) if to in known else after
            if known.get(to) != joined:
                known[to] = joined
                ahead.append(to)
    return known


def _after(item: Encodable, before: _Known, spills_loaded: bool) -> _Known:
    written = _registers(item, destinations=True)
    if not written:
        return before
    name, values = item.row.name, item.values
    fixed = name == "SLOAD#" and (values[1] in PARAM or values[1] in CONST)
    fixed |= name in ("SMOVE", "SADD#") and bool(before.fixed >> values[1] & 1)
    loaded = bool(_sources(item) & before.loaded)
    if item.row.cost == "load":
        base = _sources(item)
        on_stack = base == 1 << STACK_POINTER
        loaded = spills_loaded if on_stack else not base & before.fixed
    return _Known(
        before.fixed | written if fixed else before.fixed & ~written,
        before.loaded | written if loaded else before.loaded & ~written,
    )


def _sources(item: Encodable) -> int:
    keeps_half = item.row.name == "SHIGH#"
    return _registers(item, destinations=False) | keeps_half * _registers(item, destinations=True)


def _registers(item: Encodable, *, destinations: bool) -> int:
    """The registers that an instruction writes, or those it reads, as bits."""
    fields = zip(item.row.operands, item.values, strict=True)
    numbers = [v for o, v in fields if o.is_register and (o.kind is Kind.DEST) is destinations]
    return sum({1 << number for number in numbers})
