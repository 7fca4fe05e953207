"""Emitted functions and what is known of their variables → `isa.debug_table.DebugTable`.

In: for each function its machine code as emitted, its frame, the locations of its variables.
Out: the table: functions with their frames, scopes by the places of their words, variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zhisuan.base.errors import SourcePos
from zhisuan.bcl import ir
from zhisuan.bcl.code import FRAME_POINTER, Code, Op
from zhisuan.bcl.debug_flow import Locations
from zhisuan.bcl.debug_moves import Located
from zhisuan.bcl.debug_notes import ProgramNotes, ScopedPos, SourceScope, Tracked
from zhisuan.bcl.emit import Emitter, FrameLayout, file_and_line
from zhisuan.bcl.layout import Layout
from zhisuan.isa.debug_table import (
    DebugTable,
    Frame,
    Function,
    Location,
    Memory,
    Place,
    Range,
    Scope,
    Variable,
)
from zhisuan.isa.registry import STACK_POINTER


@dataclass
class _Emitted:
    """A function as it was emitted: its words are [start, start + len(ops))."""

    code: Code
    function: ir.Function
    start: int
    ops: Sequence[Op]
    frame: FrameLayout
    fixed: Locations
    moving: dict[Op, Locations]

    @property
    def end(self) -> int:
        return self.start + len(self.ops)


@dataclass
class _Part:
    """A scope while its words and variables are collected."""

    scope: SourceScope
    pcs: list[int] = field(default_factory=list)
    inner: list[_Part] = field(default_factory=list)


class DebugBuilder:
    """Collects functions; `table` gives the result."""

    def __init__(self, notes: ProgramNotes, layout: Layout) -> None:
        self.notes = notes
        self.layout = layout
        self.emitted: list[_Emitted] = []

    def add(self, code: Code, function: ir.Function, located: Located, emitter: Emitter) -> None:
        """Emit a function, and keep what is known of it."""
        start = emitter.add(code, function)
        ops = emitter.ops[start:]
        self.emitted.append(
            _Emitted(code, function, start, ops, located.frame, located.fixed, located.moving)
        )

    def table(self, files: list[str]) -> DebugTable:
        """The table of all functions; files that only it names are added to `files`."""
        self.files = files
        count = self.emitted[-1].end
        functions = tuple(self._function(item) for item in self.emitted)
        return DebugTable(tuple(self.notes.types), functions, tuple(self._statics("", 0, count)))

    def _place(self, place: SourcePos | None) -> Place:
        return file_and_line(place, self.files)

    # -- functions ------------------------------------------------------------------------

    def _function(self, item: _Emitted) -> Function:
        known = self.notes.functions.get(item.code.name)
        name = known.name if known else item.function.source_name or item.code.name
        root = known.scope if known else SourceScope("", item.function.place)
        body = next((pc for pc, op in enumerate(item.ops, item.start) if _is_body(op)), item.start)
        return Function(
            name, item.start, item.end, body, self._place(item.function.place),
            item.code.is_kernel, self._scopes(item, root), tuple(frames(item.code, item.frame,
            item.ops, item.start)),
        )  # fmt: skip

    def _scopes(self, item: _Emitted, root: SourceScope) -> Scope:
        parts = {root: _Part(root)}
        at = root
        for pc, op in enumerate(item.ops, item.start):
            scope = op.place.scope if isinstance(op.place, ScopedPos) else None
            if scope is not None and _outermost(scope) is root:
                at = scope
            here: SourceScope | None = at
            while here is not None:
                _part(parts, here).pcs.append(pc)
                here = here.parent
        variables: dict[SourceScope, list[Variable]] = {}
        for tracked, variable in self._variables(item):
            variables.setdefault(tracked.scope, []).append(variable)
        for found in variables.values():
            found.sort(key=lambda v: (v.argument == 0, v.argument, v.place))
        return self._scope(parts[root], variables, item)

    def _scope(
        self, part: _Part, variables: dict[SourceScope, list[Variable]], item: _Emitted
    ) -> Scope:
        scope = part.scope
        found = [*variables.get(scope, ()), *self._statics(scope.node, item.start, item.end)]
        return Scope(
            self._place(scope.place),
            tuple(_runs(part.pcs)),
            scope.function,
            self._place(scope.call),
            tuple(found),
            tuple(self._scope(inner, variables, item) for inner in part.inner),
        )

    # -- variables ------------------------------------------------------------------------

    def _statics(self, node: str, start: int, end: int) -> list[Variable]:
        """Variables with an address of their own in the scope `node`."""
        addresses = self.layout.addresses
        return [
            Variable(static.name, static.type, self._place(static.place), 0,
                     (Range(start, end, Memory(addresses[symbol])),))
            for symbol, static in self.notes.statics.items()
            if static.node == node and symbol in addresses
        ]  # fmt: skip

    def _variables(self, item: _Emitted) -> list[tuple[Tracked, Variable]]:
        ranges: dict[Tracked, list[Range]] = {
            tracked: [Range(item.start, item.end, where)] for tracked, where in item.fixed.items()
        }
        opened: dict[Tracked, tuple[int, Location]] = {}
        now: Locations = {}
        for pc, op in enumerate(item.ops, item.start):
            following = item.moving.get(op, now)
            if following is now:
                continue
            for tracked in {**now, **following}:
                where = following.get(tracked)
                if now.get(tracked) == where:
                    continue
                _close(ranges, opened, tracked, pc)
                if where is not None:
                    opened[tracked] = pc, where
            now = following
        for tracked in list(opened):
            _close(ranges, opened, tracked, item.end)
        known = self.notes.functions.get(item.code.name)
        return [
            (t, Variable(t.name, t.type, self._place(t.place), t.argument,
                         tuple(ranges.get(t, ()))))
            for t in (known.listed if known else ())
        ]  # fmt: skip


def _close(
    ranges: dict[Tracked, list[Range]],
    opened: dict[Tracked, tuple[int, Location]],
    tracked: Tracked,
    end: int,
) -> None:
    if tracked in opened:
        start, where = opened.pop(tracked)
        ranges.setdefault(tracked, []).append(Range(start, end, where))


def _is_body(op: Op) -> bool:
    """Whether a word is of a statement: what only sets a function up has no column."""
    return op.place is not None and op.place.column > 0


def _outermost(scope: SourceScope) -> SourceScope:
    while scope.parent is not None:
        scope = scope.parent
    return scope


def _part(parts: dict[SourceScope, _Part], scope: SourceScope) -> _Part:
    if scope not in parts:
        parts[scope] = _Part(scope)
        assert scope.parent is not None
        _part(parts, scope.parent).inner.append(parts[scope])
    return parts[scope]


def _runs(pcs: Sequence[int]) -> list[tuple[int, int]]:
    """[3, 4, 5, 9] → [(3, 6), (9, 10)]"""
    found: list[tuple[int, int]] = []
    for pc in pcs:
        if found and found[-1][1] == pc:
            found[-1] = found[-1][0], pc + 1
        else:
            found.append((pc, pc + 1))
    return found


def frames(code: Code, frame: FrameLayout, ops: Sequence[Op], start: int) -> list[Frame]:
    """How the frame is found at each word: through the prologue, the body, each epilogue."""
    rows = [Frame(start, STACK_POINTER, 0)]
    pc = start
    saved = tuple((register, at - frame.size) for register, at in frame.saved.items())
    if frame.size:
        pc += 1
        rows.append(Frame(pc, STACK_POINTER, frame.size))
        for count in range(1, len(saved) + 1):
            rows.append(Frame(pc + count, STACK_POINTER, frame.size, saved[:count]))
        pc += len(saved)
    if code.moves_stack:
        rows.append(Frame(pc + 1, FRAME_POINTER, frame.size, saved))
    body = rows[-1]
    if code.is_kernel or len(rows) == 1:
        return rows
    for pc, op in enumerate(ops, start):
        if op.name != "JUMPR":  # the way back to the caller
            continue
        if code.moves_stack:
            restored = pc - 1 - len(saved)
            rows.append(Frame(restored, STACK_POINTER, frame.size, saved))
        rows.append(Frame(pc, STACK_POINTER, 0))
        if pc + 1 < start + len(ops):
            rows.append(Frame(pc + 1, body.register, body.offset, body.saved))
    return rows
