"""Addresses that move with an innermost loop → pointers that are moved on in each turn.

In: an IR function.  Out: the same function in which address computations of the form
base + scale · i + offset, for a variable i that a loop counts, start before the loop and take one
addition for each turn and group of equal base and scale.

    loop: q = gep float, a, i; …; load q     →   p0 = gep float, a, i0
                                                 loop: p = phi p0, p1; …; load p; p1 = p + 4

A loop stays as it is where that saves nothing.  Never removes the variable that is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.bcl import ir
from zhisuan.bcl.affine import COSTS, MASK, Affine, element, terms_of
from zhisuan.bcl.loops import Loop, innermost

_MOST = 12
"""Pointers that one loop may move: each takes a register."""


@dataclass
class _Group:
    """Addresses that differ by constants, each with its distance from the first of them."""

    at: Affine
    members: list[tuple[ir.Instruction, int]] = field(default_factory=list)


def reduce_addresses(function: ir.Function) -> None:
    """Rewrite every innermost loop of `function` that gains by it."""
    for loop in list(innermost(function)):
        groups = _worthwhile(loop, _groups(loop))
        for number, group in enumerate(groups):
            _Rewriter(loop, f"{loop.header.label}.moved{number}").rewrite(group)


# -- choice -------------------------------------------------------------------------------


def _groups(loop: Loop) -> list[_Group]:
    """Addresses that loads, stores and calls of the loop use, those that move with it."""
    found: dict[object, _Group] = {}
    used = _used_by_others(loop)
    for item in loop.inside.values():
        if item.op != "getelementptr" or item.name not in used:
            continue
        at = element(loop, item, 8)
        if at is None or not at.variable or not at.scale or not _can_move(loop, at):
            continue
        key = at.variable, at.scale, at.factor, frozenset(at.terms), len(at.terms)
        group = found.setdefault(key, _Group(at))
        group.members.append((item, ir.signed(at.offset - group.at.offset, 64)))
    return list(found.values())


def _used_by_others(loop: Loop) -> set[str]:
    """What instructions other than address computations read."""
    return {
        operand.name
        for block in loop.blocks
        for item in block.body
        if item.op != "getelementptr"
        for operand in item.operands
        if isinstance(operand, ir.Local)
    }


def _can_move(loop: Loop, at: Affine) -> bool:
    pointers = [times for value, times in at.terms if value.type == ir.PTR]
    _, step = loop.counted[at.variable]
    return pointers == [1] and (at.factor is None or isinstance(step, ir.Number))


def _worthwhile(loop: Loop, groups: list[_Group]) -> list[_Group]:
    """The groups that together save the most cycles in a turn."""
    groups = groups[:_MOST]
    best = _saved(loop, groups)
    for group in list(groups):
        fewer = [other for other in groups if other is not group]
        if (saved := _saved(loop, fewer)) >= best:
            groups, best = fewer, saved
    return groups


def _saved(loop: Loop, groups: list[_Group]) -> int:
    """Half cycles of what nobody needs any more, less those of moving the pointers on."""
    gone = {item.name for group in groups for item, _ in group.members}
    items = [item for block in loop.blocks for item in block.body]
    while True:
        needed = {
            operand.name
            for item in items
            if item.name not in gone
            for operand in item.operands
            if isinstance(operand, ir.Local)
        }
        more = {
            item.name
            for item in items
            if item.name not in gone and item.name not in needed
            and item.op in (*COSTS, "getelementptr")
        }  # fmt: skip
        if not more:
            break
        gone |= more
    return sum(_price(loop, block, gone) for block in loop.blocks) - 2 * len(groups)


def _price(loop: Loop, block: ir.Block, gone: set[str]) -> int:
    """Half cycles of what is gone from a block; of others than the first and last, half."""
    scaled, kept, total = set(), set(), 0
    for item in block.body:
        if item.op == "getelementptr":
            terms = [(str(index), step) for index, step in terms_of(item)]
            (scaled if item.name in gone else kept).update(terms)
            total += len(terms) * (item.name in gone)
        elif item.name in gone:
            total += COSTS.get(item.op, 0)
    total += sum(_scaling(step) for _, step in scaled - kept)
    return total * (2 if block in (loop.header, loop.latch) else 1)


def _scaling(step: int) -> int:
    if step == 1:
        return 0
    return COSTS["shl" if step & (step - 1) == 0 else "mul"]


# -- rewriting ----------------------------------------------------------------------------


class _Rewriter:
    """Makes the pointer of one group; `name` begins the names of what is made."""

    def __init__(self, loop: Loop, name: str) -> None:
        self.loop = loop
        self.name = name
        self.made = 0

    def rewrite(self, group: _Group) -> None:
        loop, at = self.loop, group.at
        first, step = loop.counted[at.variable]
        start = self._start(at, first)
        stride = self._product(step, at.scale, at.factor)
        here, following = ir.Local(ir.PTR, f"{self.name}.here"), f"{self.name}.next"
        moved = ir.Local(ir.PTR, following)
        labels = [loop.before.label, loop.latch.label]
        phi = ir.Instruction("phi", ir.PTR, here.name, [start, moved], labels=labels)
        loop.header.body.insert(0, phi)
        step_on = _element_of(here, stride, following)
        step_on.place = loop.latch.terminator.place
        loop.latch.body.insert(-1, step_on)
        for item, offset in group.members:
            item.kind, item.operands = ir.I8, [here, ir.Number(ir.I64, offset & MASK)]

    def _start(self, at: Affine, first: ir.Value) -> ir.Value:
        """The address before the first turn, made in front of the loop."""
        (pointer,) = (value for value, _ in at.terms if value.type == ir.PTR)
        parts = [self._product(value, times) for value, times in at.terms if value is not pointer]
        parts += [self._product(first, at.scale, at.factor), ir.Number(ir.I64, at.offset)]
        for part in parts:
            if not isinstance(part, ir.Number) or part.bits:
                item = _element_of(pointer, part, "")
                pointer = self._add(item)
        return pointer

    def _product(self, value: ir.Value, times: int, factor: ir.Value | None = None) -> ir.Value:
        if isinstance(value, ir.Number):
            number = value.bits * times & MASK
            if factor is None or not number:
                return _number(number)
            return self._product(factor, number)
        if times & (times - 1) == 0 and times > 1:
            places = _number(times.bit_length() - 1)
            value = self._add(ir.Instruction("shl", ir.I64, operands=[value, places]))
        elif times != 1:
            value = self._add(ir.Instruction("mul", ir.I64, operands=[value, _number(times)]))
        if factor is None:
            return value
        return self._add(ir.Instruction("mul", ir.I64, operands=[value, factor]))

    def _add(self, item: ir.Instruction) -> ir.Local:
        """Put an instruction in front of the loop."""
        self.made += 1
        item.name = f"{self.name}.{self.made}"
        item.place = self.loop.before.terminator.place
        self.loop.before.body.insert(-1, item)
        return ir.Local(item.type, item.name)


def _number(bits: int) -> ir.Number:
    return ir.Number(ir.I64, bits & MASK)


def _element_of(pointer: ir.Value, index: ir.Value, name: str) -> ir.Instruction:
    return ir.Instruction("getelementptr", ir.PTR, name, [pointer, index], kind=ir.I8)
