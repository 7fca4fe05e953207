"""Loops without others inside, and what they count.

In: an IR function.  Out: for each such loop its blocks, the one it is entered from, the variables
that grow by the same step in every turn.  Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from zhisuan.bcl import flow, ir


@dataclass
class Loop:
    """A loop without others inside: its blocks, where it is entered from, what it counts."""

    header: ir.Block
    before: ir.Block
    latch: ir.Block
    blocks: list[ir.Block]
    inside: dict[str, ir.Instruction] = field(default_factory=dict)
    counted: dict[str, tuple[ir.Value, ir.Value]] = field(default_factory=dict)  # first, step


def innermost(function: ir.Function) -> Iterator[Loop]:
    graph = {block.label: block.successors() for block in function.blocks}
    named = {block.label: block for block in function.blocks}
    entry = function.blocks[0].label
    order = {label: i for i, label in enumerate(flow.reverse_postorder(graph, entry))}
    before: dict[str, list[str]] = {label: [] for label in order}
    for label in order:
        for successor in graph[label]:
            before[successor].append(label)
    back = [(a, b) for a in order for b in graph[a] if order[b] <= order[a]]
    headers = {header for _, header in back}
    for latch, header in back:
        body = _body(latch, header, before)
        outside = [label for label in before[header] if label not in body]
        is_simple = len(before[header]) == 2 and len(outside) == 1 and body & headers == {header}
        if is_simple and all(set(before[x]) <= body for x in body - {header}):
            blocks = [block for block in function.blocks if block.label in body]
            loop = Loop(named[header], named[outside[0]], named[latch], blocks)
            _note_values(loop)
            yield loop


def _body(latch: str, header: str, before: dict[str, list[str]]) -> set[str]:
    body, pending = {header}, [latch]
    while pending:
        label = pending.pop()
        if label not in body:
            body.add(label)
            pending += before[label]
    return body


def _note_values(loop: Loop) -> None:
    for block in loop.blocks:
        loop.inside |= {item.name: item for item in block.body if item.name}
    for phi in loop.header.phis:
        values = dict(zip(phi.labels, phi.operands, strict=True))
        following = values[loop.latch.label]
        step = _step(loop, phi.name, following) if phi.type == ir.I64 else None
        if step is not None:
            loop.counted[phi.name] = values[loop.before.label], step


def _step(loop: Loop, name: str, following: ir.Value) -> ir.Value | None:
    item = loop.inside.get(following.name) if isinstance(following, ir.Local) else None
    if item is None or item.op != "add":
        return None
    a, b = item.operands
    if isinstance(b, ir.Local) and b.name == name:
        a, b = b, a
    is_counted = isinstance(a, ir.Local) and a.name == name and is_fixed(loop, b)
    return b if is_counted else None


def is_fixed(loop: Loop, value: ir.Value) -> bool:
    if isinstance(value, ir.Local):
        return value.name not in loop.inside
    return isinstance(value, ir.Number | ir.Address)
