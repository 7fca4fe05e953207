"""Which registers are live where: sets as bits of Python integers, register r is bit r."""

from __future__ import annotations

from collections.abc import Iterator

from zhisuan.bcl.code import Code, CodeBlock, Op


def bits(registers: list[int]) -> int:
    found = 0
    for register in registers:
        found |= 1 << register
    return found


def members(live: int) -> Iterator[int]:
    """The registers in a set."""
    while live:
        low = live & -live
        yield low.bit_length() - 1
        live ^= low


def drop_unreachable(code: Code) -> None:
    """Remove blocks that no branch reaches."""
    named = {block.label: block for block in code.blocks}
    seen = {code.blocks[0].label}
    pending = list(seen)
    while pending:
        for label in named[pending.pop()].successors():
            if label not in seen:
                seen.add(label)
                pending.append(label)
    code.blocks = [block for block in code.blocks if block.label in seen]


def live_out(code: Code) -> dict[str, int]:
    """Registers live at the end of every block."""
    read: dict[str, int] = {}
    written: dict[str, int] = {}
    for block in code.blocks:
        read[block.label] = written[block.label] = 0
        for op in block.ops:
            read[block.label] |= bits(op.uses()) & ~written[block.label]
            written[block.label] |= bits(op.defs())
    out = {block.label: 0 for block in code.blocks}
    into = dict(read)
    changed = True
    while changed:
        changed = False
        for block in reversed(code.blocks):
            label = block.label
            live = 0
            for successor in block.successors():
                live |= into[successor]
            out[label] = live
            entering = read[label] | live & ~written[label]
            if entering != into[label]:
                into[label] = entering
                changed = True
    return out


def backward(block: CodeBlock, live: int) -> Iterator[tuple[int, Op, int]]:
    """Index, instruction and the registers live after it, last instruction first."""
    for index in range(len(block.ops) - 1, -1, -1):
        op = block.ops[index]
        yield index, op, live
        live = live & ~bits(op.defs()) | bits(op.uses())
