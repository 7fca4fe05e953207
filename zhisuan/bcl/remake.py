"""Values that are cheaper to make again than to keep in memory.

In: machine code before registers are assigned.  Out: `Code.again` also names short chains that
start at a constant or at a kernel's parameter, each step with one register operand and a number.

    SLOAD p, [param]; SEQ# c, p, 0; …; CB x, c   c spilled: a store, and a load before CB
                                                 c made again: SLOAD c, [param]; SEQ# c, c, 0
"""

from __future__ import annotations

from collections import Counter

from zhisuan.bcl.code import Code, Op, make
from zhisuan.isa.registry import STACK_POINTER

_LONGEST = 3


def note_short_chains(code: Code) -> None:
    """Enter every value that costs less code when it is made at each use."""
    ops = [op for block in code.blocks for op in block.ops]
    written = Counter(register for op in ops for register in op.defs())
    read = Counter(register for op in ops for register in op.uses())
    moved = {register for op in ops if op.is_move for register in op.regs}
    for op in ops:
        if not _is_step(op):
            continue
        result, source = op.regs
        start = code.again.get(source)
        if start is None or result in code.again or result in moved or written[result] != 1:
            continue
        length, uses = len(start) + 1, read[result]
        if length <= _LONGEST and length * uses <= length + 1 + uses:
            code.again[result] = _chain(start, source, op)


def _is_step(op: Op) -> bool:
    """A pure instruction `d, a, #number`; those with an effect or of the stack are not."""
    return (
        op.name.endswith("#")
        and not op.has_effect
        and len(op.regs) == 2
        and op.dest_flags() == (True, False)
        and isinstance(op.imm, int)
        and STACK_POINTER not in op.regs
    )


def _chain(start: list[Op], source: int, last: Op) -> list[Op]:
    """The ops that make `source` and then `last`, all of them in the register of the result."""
    result = last.regs[0]
    steps = [*start, last]
    return [
        make(op.name, op.mode, [result if r in (source, result) else r for r in op.regs],
             op.imm, op.place, op.memory)
        for op in steps
    ]  # fmt: skip
