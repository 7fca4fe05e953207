"""Where each watched variable is at each instruction, after registers are assigned.

In: machine code with its watches, before and after allocation, and where allocation put each
virtual register.  Out: for every instruction, the locations of variables that move; the code is
not changed.

A register holds a value as long as the value is live, and from its last use on until something
else is written there.  Where ways meet, what they do not agree on is not known.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zhisuan.bcl.allocate import Homes
from zhisuan.bcl.code import Code, CodeBlock, Op, Slot
from zhisuan.bcl.debug_notes import Tracked
from zhisuan.bcl.debug_watch import Known, SlotAddress, Watch
from zhisuan.bcl.liveness import backward, bits, live_out, members
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
See = Callable[[Op, State, set[Tracked]], None]
"""Told of the state before an instruction, and for which variables it is not as before the last."""


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
            wanted |= bits(list(watch.registers))
        self.live: dict[int, int] = {}
        self.written: dict[int, int] = {}
        self.again = dict(code.again)
        self.of_virtual: dict[int, set[Tracked]] = {}  # variables that are ever there
        self.in_machine: dict[int, set[Tracked]] = {}
        self.known: dict[_Fact, Location | None] = {}
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
        if not self.watches:
            return self._fixed(), {}
        for watch in (watch for found in self.watches.values() for watch in found):
            for register in watch.registers:
                self.of_virtual.setdefault(register, set()).add(watch.variable)
                home = homes.of(register)
                if isinstance(home, int):
                    self.in_machine.setdefault(home, set()).add(watch.variable)
        return self._fixed(), self._moving()

    def _moving(self) -> dict[Op, Locations]:
        entering = self._entering()
        found: dict[Op, Locations] = {}
        for block in self.code.blocks:
            state = dict(entering.get(block.label, {}))
            now = self._locations(state)

            def keep(op: Op, state: State, changed: set[Tracked]) -> None:
                nonlocal now
                if changed:
                    kept = {v: where for v, where in now.items() if v not in changed}
                    now = kept | self._locations({v: state[v] for v in changed})
                found[op] = now

            self._walk(block, state, keep)
        return found

    def _entering(self) -> dict[str, State]:
        """What is known where each block begins."""
        blocks = self.code.blocks
        position = {block.label: index for index, block in enumerate(blocks)}
        entering: dict[str, State] = {blocks[0].label: {}}
        work = [0]  # blocks mostly follow those that lead to them
        while work:
            block = blocks[heapq.heappop(work)]
            after = self._walk(block, dict(entering[block.label]), lambda op, state, changed: None)
            for label in block.successors():
                known = entering.get(label)
                merged = after if known is None else self._meet(known, after)
                if known is None or merged != known:
                    entering[label] = dict(merged)
                    if position[label] not in work:
                        heapq.heappush(work, position[label])
        return entering

    def _meet(self, a: State, b: State) -> State:
        """What both ways here agree on."""
        found: State = {}
        for variable in a.keys() & b.keys():
            if a[variable] == b[variable]:
                found[variable] = a[variable]
                continue
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

    def _walk(self, block: CodeBlock, state: State, see: See) -> State:
        """The state behind a block; `see` is told the one before each instruction."""
        waiting = deque(self.watches.get(block.label, ()))
        awaited = {v for v, facts in state.items() if any(f.held == _AWAITED for f in facts)}
        changed: set[Tracked] = set()
        for op, following, unsaved in _ahead(block.ops):
            while waiting and (following is None or waiting[0].number <= following):
                variable = _begin(state, waiting.popleft())
                awaited.add(variable)
                changed.add(variable)
            if awaited and following is not None:
                live = self.live.get(following, 0)
                changed |= self._find_live(state, awaited, live, unsaved)
            see(op, state, changed)
            changed = self._forget(state, op)
        for watch in waiting:
            _begin(state, watch)
        return state

    def _find_live(
        self, state: State, awaited: set[Tracked], live: int, unsaved: list[Slot]
    ) -> set[Tracked]:
        """Values that are live are where they belong; returns those variables."""

        def is_there(watch: Watch) -> bool:
            homes = (self.homes.of(register) for register in watch.registers)
            return watch.is_among(live) and not any(home in unsaved for home in homes)

        found = set()
        for variable in awaited:
            facts = state[variable]
            after = tuple(
                _Fact(f.watch, _THERE) if f.held == _AWAITED and is_there(f.watch) else f
                for f in facts
            )
            if after != facts:
                state[variable] = after
                found.add(variable)
        awaited -= {v for v in found if not any(f.held == _AWAITED for f in state[v])}
        return found

    def _forget(self, state: State, op: Op) -> set[Tracked]:
        """An instruction overwrites machine registers, and gives virtual ones new values.

        Returns the variables that this changes.
        """
        machine = op.defs()
        written = self.written.get(op.number, 0) if op.number else 0
        met: set[Tracked] = set()
        for register in machine:
            met |= self.in_machine.get(register, met)
        for register in members(written):
            met |= self.of_virtual[register]
        found = set()
        for variable in met & state.keys():
            facts = state[variable]
            after = tuple(
                _Fact(f.watch, _GONE) if f.held == _THERE and self._is_in(f.watch, machine) else f
                for f in facts
                if not any(written >> r & 1 for r in f.watch.registers)
            )
            if after != facts:
                state[variable] = after
                found.add(variable)
        return found

    def _is_in(self, watch: Watch, machine: list[int]) -> bool:
        return any(self.homes.of(register) in machine for register in watch.registers)

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
        if fact not in self.known:
            self.known[fact] = self._find(fact)
        return self.known[fact]

    def _find(self, fact: _Fact) -> Location | None:
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


def _ahead(ops: list[Op]) -> Iterator[tuple[Op, int | None, list[Slot]]]:
    """Each instruction, the number of the next that selection emitted (itself, if it did; None
    behind the last), and the slots that are stored to before that."""
    found: list[tuple[Op, int | None, list[Slot]]] = []
    following: int | None = None
    stored: list[Slot] = []
    for op in reversed(ops):
        if op.number:
            following, stored = op.number, []
        elif op.name == "SSTORE" and isinstance(op.imm, Slot):
            stored = [*stored, op.imm]
        found.append((op, following, stored))
    return reversed(found)


def _begin(state: State, watch: Watch) -> Tracked:
    """A watch takes the place of those of the same bytes; returns its variable."""
    kept: tuple[_Fact, ...] = ()
    if watch.piece is not None:
        kept = tuple(f for f in state.get(watch.variable, ()) if _apart(f.watch, watch.piece))
    state[watch.variable] = (*kept, _Fact(watch, _AWAITED if watch.registers else _THERE))
    return watch.variable


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
