"""Where each watched variable is at each instruction, after registers are assigned.

In: machine code with its watches, before and after allocation, and where allocation put each
virtual register.  Out: for every instruction, the locations of variables that move; the code is
not changed.

A register holds a value as long as the value is live, and from its last use on until something
else is written there.  Where ways meet, what they do not agree on is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zhisuan.bcl.allocate import Homes
from zhisuan.bcl.code import Code, CodeBlock, Op, Slot
from zhisuan.bcl.debug_notes import Tracked
from zhisuan.bcl.debug_watch import Held, Known, SlotAddress, Watch
from zhisuan.bcl.liveness import backward, bits, live_out
from zhisuan.isa.address import PARAM
from zhisuan.isa.debug_table import (
    Address,
    Computed,
    Constant,
    Load,
    Location,
    Memory,
    Pieces,
    Register,
    Stack,
)

Locations = dict[Tracked, Location]
Offset = Callable[[Slot], int]
"""A stack slot's bytes from the frame's base."""


_GONE, _AWAITED, _THERE = range(3)


@dataclass(frozen=True)
class _Fact:
    """A watch in force, and whether its registers hold the value yet, now, or no longer."""

    watch: Watch
    held: int


State = dict[Tracked, tuple[_Fact, ...]]
"""The watches in force of each variable: one, or some of its pieces."""


class Follower:
    """Follows one function's watches; made before allocation, asked after it."""

    def __init__(self, code: Code, watches: list[Watch]) -> None:
        self.code = code
        self.watches: dict[str, list[Watch]] = {}
        self.declared: list[Watch] = []
        wanted = 0
        for watch in watches:
            if watch.is_declared and isinstance(watch.base, SlotAddress) and not watch.piece:
                self.declared.append(watch)
                continue
            self.watches.setdefault(watch.label, []).append(watch)
            if isinstance(watch.base, Held):
                wanted |= bits(list(watch.base.registers))
        self.live: dict[int, int] = {}
        self.written: dict[int, int] = {}
        self.again = dict(code.again)
        if wanted:
            self._note_liveness(wanted)

    def _note_liveness(self, wanted: int) -> None:
        out = live_out(self.code)
        for block in self.code.blocks:
            for _, op, after in backward(block, out[block.label]):
                if not op.number:
                    continue
                written = bits(op.defs()) & wanted
                self.written[op.number] = written
                self.live[op.number] = after & wanted & ~written | bits(op.uses()) & wanted

    # -- after allocation -----------------------------------------------------------------

    def places(self, homes: Homes, offset: Offset) -> tuple[Locations, dict[Op, Locations]]:
        """Variables that never move; for each instruction the others.

        Instructions that a later step adds are as those before them.
        """
        self.homes, self.offset = homes, offset
        return self._fixed(), self._moving() if self.watches else {}

    def _moving(self) -> dict[Op, Locations]:
        entering = self._entering()
        found: dict[Op, Locations] = {}
        for block in self.code.blocks:
            last: tuple[State, Locations] = {}, {}

            def keep(op: Op, state: State) -> None:
                nonlocal last
                if state != last[0]:
                    last = dict(state), self._locations(state)
                found[op] = last[1]

            self._walk(block, dict(entering.get(block.label, {})), keep)
        return found

    def _entering(self) -> dict[str, State]:
        """What is known where each block begins."""
        named = {block.label: block for block in self.code.blocks}
        entering: dict[str, State] = {self.code.blocks[0].label: {}}
        work = [self.code.blocks[0].label]
        while work:
            block = named[work.pop()]
            after = self._walk(block, dict(entering[block.label]), lambda op, state: None)
            for label in block.successors():
                known = entering.get(label)
                merged = after if known is None else self._meet(known, after)
                if known is None or merged != known:
                    entering[label] = dict(merged)
                    work.append(label)
        return entering

    def _meet(self, a: State, b: State) -> State:
        """What both ways here agree on."""
        found: State = {}
        for variable in a.keys() & b.keys():
            pairs = [(x, y) for x in a[variable] for y in b[variable] if self._agree(x, y)]
            found[variable] = tuple(_Fact(x.watch, min(x.held, y.held)) for x, y in pairs)
        return found

    def _agree(self, x: _Fact, y: _Fact) -> bool:
        """Two facts of one variable: the same watch, or the same place now."""
        if x.watch is y.watch:
            return True
        if x.watch.piece != y.watch.piece or not x.held == y.held == _THERE:
            return False
        where = self._location(x)
        return where is not None and where == self._location(y)

    def _walk(self, block: CodeBlock, state: State, see: Callable[[Op, State], None]) -> State:
        """The state behind a block; `see` is told the one before each instruction."""
        waiting = list(self.watches.get(block.label, ()))
        for op in block.ops:
            while waiting and waiting[0].number <= op.number:
                _begin(state, waiting.pop(0))
            if op.number:
                self._find_live(state, self.live.get(op.number, 0))
            see(op, state)
            self._forget(state, op)
        for watch in waiting:
            _begin(state, watch)
        return state

    def _find_live(self, state: State, live: int) -> None:
        for variable, facts in state.items():
            if any(f.held == _AWAITED and self._is_live(f.watch, live) for f in facts):
                state[variable] = tuple(
                    _Fact(f.watch, _THERE)
                    if f.held == _AWAITED and self._is_live(f.watch, live)
                    else f
                    for f in facts
                )

    @staticmethod
    def _is_live(watch: Watch, live: int) -> bool:
        base = watch.base
        return isinstance(base, Held) and all(live >> r & 1 for r in base.registers)

    def _forget(self, state: State, op: Op) -> None:
        """An instruction overwrites machine registers, and gives virtual ones new values."""
        machine = set(op.defs())
        written = self.written.get(op.number, 0) if op.number else 0
        for variable, facts in list(state.items()):
            kept = [fact for fact in facts if not self._is_rewritten(fact.watch, written)]
            after = tuple(
                _Fact(f.watch, _GONE) if f.held == _THERE and self._is_in(f.watch, machine) else f
                for f in kept
            )
            if after != facts:
                state[variable] = after

    @staticmethod
    def _is_rewritten(watch: Watch, written: int) -> bool:
        base = watch.base
        return isinstance(base, Held) and any(written >> r & 1 for r in base.registers)

    def _is_in(self, watch: Watch, machine: set[int]) -> bool:
        base = watch.base
        return isinstance(base, Held) and any(self.homes.of(r) in machine for r in base.registers)

    # -- locations ------------------------------------------------------------------------

    def _fixed(self) -> Locations:
        found: Locations = {}
        for watch in self.declared:
            where = self._location(_Fact(watch, _THERE))
            if where is not None:
                found[watch.variable] = where
        return found

    def _locations(self, state: State) -> Locations:
        found: Locations = {}
        for variable, facts in state.items():
            parts = []
            for fact in facts:
                where = self._location(fact)
                if where is not None and fact.watch.piece is None:
                    found[variable] = where
                elif where is not None and fact.watch.piece is not None:
                    parts.append((*fact.watch.piece, where))
            if parts:
                found[variable] = Pieces(tuple(sorted(parts, key=lambda part: part[0])))
        return found

    def _location(self, fact: _Fact) -> Location | None:
        base = fact.watch.base
        if base is None:
            return None
        if isinstance(base, SlotAddress):
            where: Location | None = Address(Stack(self.offset(Slot("local", base.index))))
        elif isinstance(base, Known):
            where = Constant(base.bits)
        elif len(base.registers) == 1:
            where = self._register(base.registers[0], fact.held == _THERE)
        else:
            is_there = fact.held == _THERE
            parts = [self._register(register, is_there) for register in base.registers]
            known = [(8 * i, 8, part) for i, part in enumerate(parts) if part is not None]
            where = Pieces(tuple(known)) if known and not fact.watch.steps else None
        return None if where is None else made(where, fact.watch.steps)

    def _register(self, register: int, is_there: bool) -> Location | None:
        """Where a virtual register's value is; constants and kernel arguments always are."""
        again = self.again.get(register, [])
        if len(again) == 1 and isinstance(again[0].imm, int):
            if again[0].name == "SLOAD#":
                return Constant(again[0].imm % (1 << 64))
            if again[0].name == "SLOAD":  # of a kernel's argument
                return Memory(PARAM.base + again[0].imm)
        home = self.homes.of(register)
        if not is_there or home is None:
            return None
        return Stack(self.offset(home)) if isinstance(home, Slot) else Register(home)


def _begin(state: State, watch: Watch) -> None:
    """A watch takes the place of those of the same bytes."""
    kept: tuple[_Fact, ...] = ()
    if watch.piece is not None:
        kept = tuple(f for f in state.get(watch.variable, ()) if _apart(f.watch, watch.piece))
    state[watch.variable] = (*kept, _Fact(watch, _AWAITED))


def _apart(watch: Watch, piece: tuple[int, int]) -> bool:
    if watch.piece is None:
        return False
    (start, size), (other, count) = watch.piece, piece
    return start + size <= other or other + count <= start


def made(where: Location, steps: tuple[tuple[str, int], ...]) -> Location:
    """What steps make of the value at `where`: in as few words as possible."""
    for word, number in steps:
        if word == "load":
            where = _loaded(where)
        elif word == "add" and isinstance(where, Address) and isinstance(where.where, Stack):
            where = Address(Stack(where.where.offset + number))
        elif word == "add" and isinstance(where, Constant):
            where = Constant((where.bits + number) % (1 << 64))
        elif isinstance(where, Computed):
            where = Computed(where.where, (*where.steps, (word, number)))
        else:
            where = Computed(where, ((word, number),))
    return where


def _loaded(where: Location) -> Location:
    """What lies in memory at the address that `where` holds."""
    if isinstance(where, Address):
        return where.where
    if isinstance(where, Constant):
        return Memory(where.bits)
    if isinstance(where, Computed) and len(where.steps) == 1 and where.steps[0][0] == "add":
        return Load(where.where, where.steps[0][1])
    return Load(where)
