"""Addresses and integers as a sum: offset + Σ value · times + scale · factor · variable.

In: a value of an innermost loop.  Out: that form of it, where it has one; `variable` is what the
loop counts, the other values are those that it does not change.  All modulo 2^64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from zhisuan.bcl import ir
from zhisuan.bcl.loops import Loop, is_fixed

MASK = (1 << 64) - 1
COSTS = {"add": 1, "sub": 1, "shl": 1, "mul": 3}
"""Operations that keep the form, with their cycles on the usual machine."""
Term = tuple[ir.Value, int]


@dataclass(frozen=True)
class Affine:
    """offset + Σ value · times + scale · factor · variable; `factor` None is 1, mod 2^64."""

    offset: int = 0
    terms: tuple[Term, ...] = ()
    variable: str = ""
    scale: int = 0
    factor: ir.Value | None = None

    def plus(self, other: Affine) -> Affine | None:
        if self.variable and other.variable:
            if (self.variable, self.factor) != (other.variable, other.factor):
                return None
            moving = replace(self, scale=(self.scale + other.scale) & MASK)
        else:
            moving = self if self.variable else other
        offset = (self.offset + other.offset) & MASK
        return replace(moving, offset=offset, terms=(*self.terms, *other.terms))

    def times(self, number: int) -> Affine:
        terms = tuple((value, times * number & MASK) for value, times in self.terms)
        scale, offset = self.scale * number & MASK, self.offset * number & MASK
        return replace(self, offset=offset, terms=terms, scale=scale)

    def by(self, value: ir.Value) -> Affine | None:
        """Times a value that the loop does not change."""
        if self.factor is not None or self.terms:
            return None
        terms = ((value, self.offset),) if self.offset else ()
        return replace(self, offset=0, terms=terms, factor=value if self.variable else None)


def affine(loop: Loop, value: ir.Value, depth: int = 8) -> Affine | None:
    """A 64-bit value by what the loop counts, or None for anything else."""
    if isinstance(value, ir.Number):
        return Affine(ir.signed(value.bits, 64) & MASK) if _is_wide(value) else None
    if not _is_wide(value) or depth == 0:
        return None
    if is_fixed(loop, value):
        return Affine(terms=((value, 1),))
    assert isinstance(value, ir.Local)
    if value.name in loop.counted:
        return Affine(variable=value.name, scale=1)
    item = loop.inside[value.name]
    if item.op == "getelementptr":
        return element(loop, item, depth)
    if item.op not in COSTS:
        return None
    a, b = (affine(loop, operand, depth - 1) for operand in item.operands)
    if a is None or b is None:
        return None
    return _combined(item, a, b)


def _combined(item: ir.Instruction, a: Affine, b: Affine) -> Affine | None:
    second = item.operands[1]
    if item.op == "add":
        return a.plus(b)
    if item.op == "sub":
        return a.plus(b.times(-1))
    if isinstance(second, ir.Number):
        return a.times(second.bits if item.op == "mul" else 1 << (second.bits & 63))
    if item.op == "shl":
        return None
    if not b.variable and b.terms == ((second, 1),):
        return a.by(second)
    first = item.operands[0]
    return b.by(first) if not a.variable and a.terms == ((first, 1),) else None


def _is_wide(value: ir.Value) -> bool:
    return value.type in (ir.I64, ir.PTR)


def element(loop: Loop, item: ir.Instruction, depth: int) -> Affine | None:
    total = affine(loop, item.operands[0], depth - 1)
    for index, step in terms_of(item):
        part = affine(loop, index, depth - 1)
        if total is None or part is None:
            return None
        total = total.plus(part.times(step))
    offset = _fixed_offset(item)
    return None if total is None else total.plus(Affine(offset & MASK))


def _indices(item: ir.Instruction) -> Iterator[tuple[ir.Value, int]]:
    """Every index of a getelementptr with the bytes of one step."""
    kind = item.kind
    for position, index in enumerate(item.operands[1:]):
        if position == 0:
            yield index, ir.size_of(kind)
        elif isinstance(kind, ir.Struct):
            assert isinstance(index, ir.Number)
            yield ir.Number(ir.I64, ir.field_offset(kind, index.bits)), 1
            kind = kind.fields[index.bits]
        else:
            kind = kind.element  # type: ignore[attr-defined]
            yield index, ir.size_of(kind)


def terms_of(item: ir.Instruction) -> list[tuple[ir.Value, int]]:
    return [(index, step) for index, step in _indices(item) if not isinstance(index, ir.Number)]


def _fixed_offset(item: ir.Instruction) -> int:
    numbers = [(i, step) for i, step in _indices(item) if isinstance(i, ir.Number)]
    return sum(ir.signed(i.bits, i.type.bits if isinstance(i.type, ir.Int) else 64) * step
               for i, step in numbers)  # fmt: skip
