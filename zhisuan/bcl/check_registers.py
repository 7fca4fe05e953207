"""The register allocator's verifier: every read finds the value that was meant.

In: machine code over virtual registers and their colours.  It follows, forward through the
blocks, which virtual registers each machine register holds; an instruction that reads a
register whose machine register holds something else is a bug of ours.  Shares no code with the
allocator.
"""

from __future__ import annotations

from zhisuan.base.errors import VerifyError
from zhisuan.bcl.code import Code, Op
from zhisuan.isa.registry import REGISTERS

State = dict[int, frozenset[int]]


def _step(code: Code, op: Op, state: State, colours: dict[int, int], report: bool) -> None:
    for register in op.uses():
        if register < REGISTERS:
            continue
        held = state.get(colours[register], frozenset())
        if report and register not in held:
            raise VerifyError(
                f"register allocation of '{code.name}' lost a value",
                where=op.place,
                expected=f"virtual register {register} in ${colours[register]}",
                found=f"{sorted(held) or 'nothing'} there, read by: {op}",
            )
    if op.is_move:
        to, source = op.regs
        moved = state.get(colours.get(source, source), frozenset()) | {source}
        for machine, held in list(state.items()):
            state[machine] = held - {to}
        state[colours.get(to, to)] = moved | {to}
        return
    for register in op.defs():
        for machine, held in list(state.items()):
            if register in held:
                state[machine] = held - {register}
        state[colours.get(register, register)] = frozenset([register])


def _meet(a: State, b: State) -> State:
    return {machine: a[machine] & b[machine] for machine in a.keys() & b.keys()}


def check(code: Code, colours: dict[int, int]) -> None:
    """Raise VerifyError if some instruction would read a wrong register."""
    named = {block.label: block for block in code.blocks}
    entering: dict[str, State] = {code.blocks[0].label: {}}
    work = [code.blocks[0].label]
    while work:
        label = work.pop()
        state = dict(entering[label])
        for op in named[label].ops:
            _step(code, op, state, colours, report=False)
        for successor in named[label].successors():
            known = entering.get(successor)
            merged = state if known is None else _meet(known, state)
            if known is None or merged != known:
                entering[successor] = merged
                work.append(successor)
    for label, state in entering.items():
        state = dict(state)
        for op in named[label].ops:
            _step(code, op, state, colours, report=True)
