"""Register allocation: graph colouring over the 62 registers a function may use.

In: machine code over virtual registers.  Out: the same over machine registers, moves between
equal registers gone, spilled values in stack slots or made again.  Chaitin and Briggs: build the
interference graph, coalesce, spill where more is live than there are registers (`pressure`),
simplify, colour optimistically; what finds no colour is spilled too and the round repeats.  The
result is checked (`check_registers`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl.check_registers import check
from zhisuan.bcl.code import (
    ALLOCATABLE,
    CALLEE_SAVED,
    FRAME_POINTER,
    Code,
    Op,
    Slot,
    drop_unused,
)
from zhisuan.bcl.liveness import backward, bits, drop_unreachable, live_out, members
from zhisuan.bcl.pressure import to_spill
from zhisuan.bcl.remake import note_short_chains
from zhisuan.bcl.spill import Spiller
from zhisuan.isa.registry import REGISTERS

_ROUNDS = 40
_NEVER = float("inf")
_LOAD, _STORE, _MAKE = 3, 1, 1  # relative costs of a reload, a spill, a constant made again


def _making(op: Op) -> int:
    return _LOAD if op.name == "SLOAD" else _MAKE


class _Graph:
    """Interference: neighbours of each register as bit sets, moves, and spill costs."""

    def __init__(self, code: Code, unspillable: set[int]) -> None:
        self.neighbours: dict[int, int] = {}
        self.cost: dict[int, float] = {}
        self.moves: list[tuple[int, int, float]] = []
        out = live_out(code)
        for block in code.blocks:
            weight = 10.0 ** min(block.depth, 8)
            for _, op, live in backward(block, out[block.label]):
                self._price(code, op, weight)
                self._add(op, live, weight)
        self._make_symmetric()
        for register in self.neighbours.keys() & unspillable:
            self.cost[register] = _NEVER

    def _price(self, code: Code, op: Op, weight: float) -> None:
        """What spilling each register of `op` would cost here: cycles, roughly."""
        for register in op.defs():
            store = _STORE if register not in code.again else 0
            self.cost[register] = self.cost.get(register, 0) + weight * store
        for register in op.uses():
            again = code.again.get(register)
            load = _LOAD if again is None else sum(map(_making, again))
            self.cost[register] = self.cost.get(register, 0) + weight * load

    def _add(self, op: Op, live: int, weight: float) -> None:
        written = op.defs()
        for register in (*written, *op.uses()):
            if register >= REGISTERS:
                self.neighbours.setdefault(register, 0)
        others = live
        if op.is_move:
            others &= ~(1 << op.regs[1])
            self.moves.append((op.regs[0], op.regs[1], weight))
        together = bits(written)
        for register in written:
            meets = (others | together) & ~(1 << register)
            self.neighbours[register] = self.neighbours.get(register, 0) | meets

    def _make_symmetric(self) -> None:
        for register, meets in list(self.neighbours.items()):
            for other in members(meets):
                self.neighbours[other] = self.neighbours.get(other, 0) | 1 << register

    def degree(self, register: int) -> int:
        return self.neighbours[register].bit_count()

    def merge(self, kept: int, gone: int) -> None:
        """`gone` becomes another name of `kept`."""
        meets = self.neighbours.pop(gone)
        self.neighbours[kept] |= meets
        for other in members(meets):
            if other in self.neighbours:
                self.neighbours[other] = self.neighbours[other] & ~(1 << gone) | 1 << kept
        self.cost[kept] = self.cost.get(kept, 0) + self.cost.pop(gone, 0)


def _coalesce(graph: _Graph, code: Code) -> dict[int, int]:
    """Merge registers joined by moves that are never needed at once: a value that goes around a
    loop is spilled into one slot, not into two with a copy between them."""
    names: dict[int, int] = {}

    def name(register: int) -> int:
        while register in names:
            register = names[register]
        return register

    for to, source, _ in sorted(graph.moves, key=lambda move: -move[2]):
        a, b = name(to), name(source)
        if a == b or a < REGISTERS or b < REGISTERS or a in code.again or b in code.again:
            continue
        if graph.neighbours[a] >> b & 1 or _NEVER in (graph.cost.get(a), graph.cost.get(b)):
            continue
        graph.merge(a, b)
        names[b] = a
    return {register: name(register) for register in names}


def _simplify(graph: _Graph, colours: int) -> list[int]:
    """Virtual registers in the order of removal; the last one is coloured first."""
    rest = {register for register in graph.neighbours if register >= REGISTERS}
    degree = {register: graph.degree(register) for register in rest}
    easy = [register for register in sorted(rest) if degree[register] < colours]
    stack = []
    while rest:
        if easy:
            chosen = easy.pop()
            if chosen not in rest:
                continue
        else:
            chosen = min(rest, key=lambda r: (graph.cost[r] / (degree[r] + 1), r))
        rest.remove(chosen)
        stack.append(chosen)
        for other in members(graph.neighbours[chosen]):
            if other in rest:
                degree[other] -= 1
                if degree[other] == colours - 1:
                    easy.append(other)
    return stack


def _colour(
    graph: _Graph, order: list[int], registers: tuple[int, ...]
) -> tuple[dict[int, int], list[int]]:
    """Colours, and the registers that found none."""
    partners: dict[int, list[int]] = {}
    for to, source, _ in graph.moves:
        partners.setdefault(to, []).append(source)
        partners.setdefault(source, []).append(to)
    colours: dict[int, int] = {}
    failed = []
    possible = bits(list(registers))
    for register in reversed(order):
        taken = graph.neighbours[register] & possible
        for other in members(graph.neighbours[register] >> REGISTERS << REGISTERS):
            if other in colours:
                taken |= 1 << colours[other]
        wanted = [colours.get(p, p) for p in partners.get(register, ())]
        choices = (*(w for w in wanted if w in registers), *registers)
        free = next((colour for colour in choices if not taken >> colour & 1), None)
        if free is None:
            failed.append(register)
        else:
            colours[register] = free
    return colours, failed


def _rename(code: Code, names: dict[int, int]) -> None:
    for block in code.blocks:
        for op in block.ops:
            op.regs = [names.get(register, register) for register in op.regs]


@dataclass
class Homes:
    """Where allocation put virtual registers: merged with others, in slots, in machine registers.

    A slot of None is a value made again where it is used.
    """

    merged: dict[int, int] = field(default_factory=dict)
    slots: dict[int, int | None] = field(default_factory=dict)
    colours: dict[int, int] = field(default_factory=dict)

    def of(self, register: int) -> int | Slot | None:
        """A machine register, a stack slot, or None for what has no home."""
        while register not in self.slots and register in self.merged:
            register = self.merged[register]
        if register in self.slots:
            slot = self.slots[register]
            return None if slot is None else Slot("local", slot)
        return self.colours.get(register)


def allocate(code: Code, registers: tuple[int, ...] = ALLOCATABLE) -> Homes:
    """Assign machine registers in place; with fewer `registers` more values are spilled."""
    drop_unreachable(code)
    if code.moves_stack:
        registers = tuple(register for register in registers if register != FRAME_POINTER)
    note_short_chains(code)
    spiller = Spiller(code, len(registers))
    homes = Homes(slots=spiller.homes)
    colours: dict[int, int] = {}
    for _ in range(_ROUNDS):
        graph = _Graph(code, spiller.unspillable)
        names = _coalesce(graph, code)
        _rename(code, names)
        homes.merged |= names
        failed = to_spill(code, graph.cost, registers)
        if not failed:
            colours, failed = _colour(graph, _simplify(graph, len(registers)), registers)
        if not failed:
            break
        spiller.spill(failed)
        drop_unused(code)
    else:
        raise ZhisuanError(f"function '{code.name}' needs more registers than there are")
    check(code, colours)
    _rename(code, colours)
    for block in code.blocks:
        block.ops = [op for op in block.ops if not (op.is_move and op.regs[0] == op.regs[1])]
    used = {register for block in code.blocks for op in block.ops for register in op.regs}
    used |= {FRAME_POINTER} if code.moves_stack else set()
    code.saved = () if code.is_kernel else tuple(r for r in CALLEE_SAVED if r in used)
    homes.colours = colours
    return homes
