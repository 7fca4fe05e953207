"""Which values to spill where more are live than there are registers.

In: machine code over virtual registers, and what spilling each of them would cost.  Out: cheap
ones that together bring every place down to the number of registers: those that cost least for
each crowded place they leave.  Never changes the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zhisuan.bcl.code import CALLEE_SAVED, Code, CodeBlock
from zhisuan.bcl.liveness import backward, bits, live_out, members
from zhisuan.isa.registry import REGISTERS

_NEVER = float("inf")


@dataclass(slots=True)
class _Place:
    """A place in the code where `excess` of the values in `live` must go."""

    live: int
    excess: int


def to_spill(code: Code, cost: Mapping[int, float], registers: tuple[int, ...]) -> list[int]:
    """The values to spill; none where there is room for all."""
    places: list[_Place] = []
    out = live_out(code)
    for block in code.blocks:
        places += _crowded(block, out[block.label], registers)
    at: dict[int, list[_Place]] = {}
    for place in places:
        for register in members(place.live >> REGISTERS):
            at.setdefault(register + REGISTERS, []).append(place)
    chosen = []
    for register in sorted(at, key=lambda r: (cost.get(r, _NEVER) / len(at[r]), r)):
        if cost.get(register, _NEVER) == _NEVER:
            break
        if any(place.excess > 0 for place in at[register]):
            chosen.append(register)
            for place in at[register]:
                place.excess -= 1
    return _needed(chosen, at)


def _needed(chosen: list[int], at: Mapping[int, list[_Place]]) -> list[int]:
    """Without those that the choice of later ones made superfluous."""
    kept = []
    for register in reversed(chosen):
        if all(place.excess < 0 for place in at[register]):
            for place in at[register]:
                place.excess += 1
        else:
            kept.append(register)
    return kept


def _crowded(block: CodeBlock, live: int, registers: tuple[int, ...]) -> list[_Place]:
    """The places of a block with too many values, each the worst of its surroundings."""
    over_calls = len(set(registers) & set(CALLEE_SAVED))
    places: list[_Place] = []
    calls = []
    for _, op, after in backward(block, live):
        if op.is_call:
            held = after & ~bits(op.defs())
            calls.append(_Place(held, held.bit_count() - over_calls))
        held = after | bits(op.defs())
        places.append(_Place(held, held.bit_count() - len(registers)))
    excess = [0, *(place.excess for place in places), 0]
    around = zip(places, excess[:-2], excess[2:], strict=True)
    worst = [place for place, before, after in around if before < place.excess >= after]
    return [place for place in (*worst, *calls) if place.excess > 0]
