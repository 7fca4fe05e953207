"""SYNC placement: program order between queues, with as little waiting as possible.

In: machine code before registers are assigned.  Out: the same with SYNCs.  Inside a queue the
machine keeps the order; between queues, and between a queue and the scalar unit, only SYNC does.
Which queues may hold unfinished ordered work is a forward data-flow problem; an ordered
instruction or a scalar access waits for exactly those it may depend on.  Nothing waits for
unordered (`_async`) transfers: they are the programmer's business, and so is the computing they
need.  They wait for ordered transfers, which are over when a program goes on.
"""

from __future__ import annotations

from zhisuan.bcl.code import ANY, DRAM, Code, Op, make
from zhisuan.isa.registry import SYNC_ALL, Queue

_DRAM_WRITTEN = 8
"""Beside the queues' bits: the IO queue holds a transfer that writes DRAM."""
_TRANSFERS = Queue.IO.value | Queue.MOVE.value


def _needs(op: Op, pending: int) -> int:
    """The queues among `pending` that `op` must wait for."""
    queue = op.row.unit.queue
    if queue is not None:
        return pending & (SYNC_ALL if op.ordered else _TRANSFERS) & ~queue.value
    if op.is_call or op.name == "JUMPR":
        return pending & SYNC_ALL
    if op.memory == ANY:
        return pending & SYNC_ALL
    if op.memory == DRAM and pending & Queue.IO.value:
        reads = op.name == "SLOAD"
        return Queue.IO.value if not reads or pending & _DRAM_WRITTEN else 0
    return 0


def _after(op: Op, pending: int) -> int:
    """What may be unfinished once `op` (and the SYNC it needs) has been decoded."""
    pending = _synced(pending, _needs(op, pending))
    if op.name == "BARRIER":  # drains all queues itself
        return 0
    if op.name == "SYNC":
        assert isinstance(op.imm, int)
        return _synced(pending, op.imm)
    queue = op.row.unit.queue
    if queue is None or not op.ordered:
        return pending
    writes_dram = any(not space.on_chip for space in op.row.writes)
    return pending | queue.value | (_DRAM_WRITTEN if writes_dram else 0)


def _synced(pending: int, mask: int) -> int:
    if mask & Queue.IO.value:
        mask |= _DRAM_WRITTEN
    return pending & ~mask


def _flow(ops: list[Op], pending: int) -> int:
    for op in ops:
        pending = _after(op, pending)
    return pending


def add_syncs(code: Code) -> None:
    """Insert the SYNCs that ordered instructions need."""
    before = {block.label: 0 for block in code.blocks}
    named = {block.label: block for block in code.blocks}
    work = [code.blocks[0].label] + [block.label for block in code.blocks]
    while work:
        block = named[work.pop()]
        after = _flow(block.ops, before[block.label])
        for label in block.successors():
            if before[label] | after != before[label]:
                before[label] |= after
                work.append(label)
    for block in code.blocks:
        block.ops = _with_syncs(block.ops, before[block.label])


def _with_syncs(ops: list[Op], pending: int) -> list[Op]:
    result = []
    for op in ops:
        needed = _needs(op, pending)
        if needed:
            result.append(make("SYNC", "", [], needed, op.place))
        pending = _after(op, pending)
        result.append(op)
    return result
