"""What a register holds already is not loaded or computed again.

In: a function over machine registers, with its spill slots.  Out: the same with fewer
instructions: values are numbered forward through all blocks, reads of copies become reads of what
was copied, and what nobody reads any more goes, stores into spill slots included.

    SSTORE $4, [slot]; …; SLOAD $5, [slot]; SADD $6, $5, $7   →   …; SADD $6, $4, $7

Never touches memory other than spill slots and parameters, and moves nothing.  For `-g` it can say
where the values are that a place does not get any more.
"""

from __future__ import annotations

from zhisuan.bcl.code import PRIVATE, Code, CodeBlock, Op, Slot
from zhisuan.bcl.liveness import members
from zhisuan.isa import address
from zhisuan.isa.registry import REGISTERS, STACK_POINTER
from zhisuan.isa.table import BY_NAME

_OPAQUE = frozenset(("SHIGH#", "CALL", "CALLR"))
_COUNTER = 12
"""The special register that changes: how many instructions were executed."""
State = dict[int, int]
"""Place (a register, or REGISTERS + a spill slot) → the number of the value it holds, the place
that has held it longest first."""


Elsewhere = dict[Op, dict[int, int | None]]
"""Before an instruction: place that no longer gets its value → place that has it, None if none."""


def reuse(code: Code, is_followed: bool = False) -> Elsewhere:
    """Rewrite `code` in place; if somebody follows values, say which are elsewhere now."""
    numbering = _Numbering(code)
    entering = _solve(code, numbering)
    for block in code.blocks:
        _rewrite(block, numbering, dict(entering[block.label]))
    unread = _unread(code)
    found = _elsewhere(code, numbering, entering, unread) if is_followed else {}
    for block in code.blocks:
        block.ops = [op for op in block.ops if op not in unread]
    return found


def _slot(code: Code, op: Op) -> int | None:
    """The place of the spill slot that `op` loads or stores."""
    is_spill = isinstance(op.imm, Slot) and op.imm.area == "local" and op.imm.index in code.spills
    return REGISTERS + op.imm.index if is_spill and op.name in ("SLOAD", "SSTORE") else None  # type: ignore[union-attr]


class _Numbering:
    """Numbers of values: equal expressions over equal values have the same one."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.numbers: dict[object, int] = {}
        self.parameters = self.number(("SLOAD#", "", address.PARAM.base))

    def number(self, what: object) -> int:
        return self.numbers.setdefault(what, len(self.numbers))

    def held(self, state: State, place: int, label: str) -> int:
        """The value in a place; one of its own where paths disagree."""
        if place not in state:
            state[place] = self.number(("entering", label, place))
        return state[place]

    def result(self, op: Op, state: State, label: str) -> int | None:
        """The value that `op` gives, if it gives one value that could be known before."""
        slot = _slot(self.code, op)
        if op.name == "SSTORE":
            return None if slot is None else self.held(state, op.regs[0], label)
        if slot is not None:
            return self.held(state, slot, label)
        if op.is_move and op.regs[1] != STACK_POINTER:
            return self.held(state, op.regs[1], label)
        flags = op.dest_flags()
        if op.has_effect or op.name in _OPAQUE or not flags or not flags[0] or any(flags[1:]):
            return None
        if op.name == "SGET#" and op.imm == _COUNTER:
            return None
        if STACK_POINTER in op.regs and (op.name == "SLOAD" or self.code.moves_stack):
            return None
        sources = [r if r == STACK_POINTER else self.held(state, r, label) for r in op.regs[1:]]
        if op.name == "SLOAD" and (op.memory != PRIVATE or sources != [self.parameters]):
            return None
        return self.number((op.name, op.mode, op.imm, *sources))

    def step(self, op: Op, state: State, label: str) -> None:
        """What places hold after `op`."""
        value = self.result(op, state, label)
        if value is None:
            for register in op.defs():
                state.pop(register, None)
                state[register] = self.number((id(op), register))
            return
        place = op.regs[0] if op.name != "SSTORE" else _slot(self.code, op)
        assert place is not None
        if state.get(place) != value:
            state.pop(place, None)
            state[place] = value


def _solve(code: Code, numbering: _Numbering) -> dict[str, State]:
    """What places surely hold at the start of every block, on whatever path it is reached."""
    named = {block.label: block for block in code.blocks}
    entering: dict[str, State] = {code.blocks[0].label: {}}
    work = [code.blocks[0].label]
    while work:
        label = work.pop()
        state = dict(entering[label])
        for op in named[label].ops:
            numbering.step(op, state, label)
        for successor in named[label].successors():
            known = entering.get(successor)
            if known is None:
                met = dict(state)
            else:
                met = {place: v for place, v in known.items() if state.get(place) == v}
                if len(met) == len(known):
                    continue
            entering[successor] = met
            work.append(successor)
    return entering


def _holder(state: State, value: int) -> int | None:
    """The register that has held a value longest."""
    return next((p for p, v in state.items() if v == value and p < REGISTERS), None)


def _rewrite(block: CodeBlock, numbering: _Numbering, state: State) -> None:
    ops = []
    for op in block.ops:
        for position, is_dest in enumerate(op.dest_flags()):
            register = op.regs[position]
            if not is_dest and register != STACK_POINTER and op.name not in _OPAQUE:
                known = _holder(state, numbering.held(state, register, block.label))
                op.replace(position, register if known is None else known)
        value = numbering.result(op, state, block.label)
        if op.name == "SSTORE":
            if value is None or state.get(_slot(numbering.code, op) or 0) != value:
                ops.append(op)
        elif value is None:
            ops.append(op)
        elif state.get(op.regs[0]) != value:
            holder = _holder(state, value)
            if holder is not None and not op.is_move:
                _become_move(op, holder)
            ops.append(op)
        numbering.step(op, state, block.label)
    block.ops = ops


def _become_move(op: Op, source: int) -> None:
    op.row, op.mode, op.regs = BY_NAME["SMOVE"], "", [op.regs[0], source]
    op.imm, op.memory = None, ""


def _unread(code: Code) -> set[Op]:
    """Instructions, stores into spill slots among them, whose results nobody reads."""
    out = _read_after(code)
    found = set()
    for block in code.blocks:
        live = out[block.label]
        for op in reversed(block.ops):
            reads, writes = _places(code, op)
            is_spill = op.name == "SSTORE" and writes
            if (op.has_effect and not is_spill) or live & writes:
                live = live & ~writes | reads
            else:
                found.add(op)
    return found


def _places(code: Code, op: Op) -> tuple[int, int]:
    """The places that `op` reads and writes, as bits."""
    reads = writes = 0
    for register in op.uses():
        reads |= 1 << register
    for register in op.defs():
        writes |= 1 << register
    slot = _slot(code, op)
    if slot is not None and op.name == "SSTORE":
        writes |= 1 << slot
    elif slot is not None:
        reads |= 1 << slot
    return reads, writes


def _read_after(code: Code) -> dict[str, int]:
    """The places at the end of every block that are read later."""
    through: dict[str, tuple[int, int]] = {}
    for block in code.blocks:
        read = written = 0
        for op in block.ops:
            reads, writes = _places(code, op)
            read |= reads & ~written
            written |= writes
        through[block.label] = read, written
    into = {label: read for label, (read, _) in through.items()}
    out = dict.fromkeys(into, 0)
    changed = True
    while changed:
        changed = False
        for block in reversed(code.blocks):
            live = 0
            for successor in block.successors():
                live |= into[successor]
            read, written = through[block.label]
            entering = read | live & ~written
            out[block.label] = live
            changed |= entering != into[block.label]
            into[block.label] = entering
    return out


def _elsewhere(
    code: Code, numbering: _Numbering, entering: dict[str, State], unread: set[Op]
) -> Elsewhere:
    """Follow which places the `unread` instructions would have written."""
    found: Elsewhere = {}
    stale = dict.fromkeys(entering, 0)
    work = [block.label for block in code.blocks]
    named = {block.label: block for block in code.blocks}
    while work:
        label = work.pop(0)
        state, now = dict(entering[label]), stale[label]
        for op in named[label].ops:
            if op not in unread:
                found[op] = {place: _other(state, place, now) for place in members(now)}
            _, writes = _places(code, op)
            now = now | writes if op in unread else now & ~writes
            numbering.step(op, state, label)
        for successor in named[label].successors():
            if now & ~stale[successor]:
                stale[successor] |= now
                work.append(successor)
    return {op: places for op, places in found.items() if places}


def _other(state: State, place: int, stale: int) -> int | None:
    """A place that has the value which `place` would have."""
    value = state.get(place)
    return next((p for p, v in state.items() if v == value and not stale >> p & 1), None)
