"""SYNCs wait as late as they may: scalar code that needs no queue runs while the queues drain.

In: a function over machine registers.  Out: the same with every SYNC moved down over computations,
parameters and stack slots to the first instruction that starts or reads something, into the
branches that only its block leads to; where ways join it stays in front.

    SYNC; SLOAD $1, [param]; SMUL $2, $1, $3; VLOAD $4, $2, $5
    → SLOAD $1, [param]; SMUL $2, $1, $3; SYNC; VLOAD $4, $2, $5
"""

from __future__ import annotations

from collections import Counter

from zhisuan.bcl.code import BRANCHES, PRIVATE, Code, CodeBlock, Op, make

_COUNTER = 12
"""The special register that counts instructions."""


def delay_syncs(code: Code) -> None:
    """Move the SYNCs of `code` in place."""
    ways = Counter(label for block in code.blocks for label in set(block.successors()))
    named = {block.label: block for block in code.blocks}
    seen: set[str] = set()
    blocks: list[CodeBlock] = []
    for block in code.blocks:
        seen.add(block.label)
        carried = _sink(block)
        blocks.append(block)
        if carried is not None:
            blocks += _carry(block, carried, named, ways, seen)
    code.blocks = blocks


def _sink(block: CodeBlock) -> Op | None:
    """Move SYNCs down in a block; the one that reaches the branches at its end is taken out."""
    ops: list[Op] = []
    held: Op | None = None
    for op in block.ops:
        if op.name == "SYNC":
            held = op if held is None else _both(held, op)
        elif held is not None and op.name in BRANCHES:
            continue
        elif held is not None and not _is_free(op):
            ops += [_again(held), op]
            held = None
        else:
            ops.append(op)
    if held is not None:
        ops += [op for op in block.ops if op.name in BRANCHES]
    block.ops = ops
    return held


def _both(first: Op, second: Op) -> Op:
    assert isinstance(first.imm, int) and isinstance(second.imm, int)
    return make("SYNC", "", [], first.imm | second.imm, second.place)


def _is_free(op: Op) -> bool:
    """Whether an instruction neither starts anything nor sees what was started."""
    if op.name in ("SLOAD", "SSTORE"):
        return op.memory == PRIVATE
    return not op.has_effect and not (op.name == "SGET#" and op.imm == _COUNTER)


def _carry(
    block: CodeBlock, sync: Op, named: dict[str, CodeBlock], ways: Counter[str], seen: set[str]
) -> list[CodeBlock]:
    """Put a SYNC in front of all that follows a block; returns blocks made for it."""
    followers = list(dict.fromkeys(block.successors()))
    alone = [label for label in followers if ways[label] == 1 and label not in seen]
    joins = [label for label in followers if label not in alone]
    if not alone or any(label in seen for label in joins):
        at = next(i for i, op in enumerate(block.ops) if op.name in BRANCHES)
        block.ops.insert(at, sync)
        return []
    for label in alone:
        named[label].ops.insert(0, _again(sync))
    made = []
    for label in joins:
        middle = CodeBlock(f"{block.label}.sync.{label}", depth=block.depth)
        middle.ops = [_again(sync), make("JUMP", "", [], label, sync.place)]
        made.append(middle)
        for op in block.ops:
            if op.name in BRANCHES and op.imm == label:
                op.imm = middle.label
    return made


def _again(sync: Op) -> Op:
    return make("SYNC", "", [], sync.imm, sync.place)
