"""Rules of the machine class that are certainly broken: an error at compile time.

In: a TRAP that stands for a rule, where it stands, and where arrays lie.  Out: nothing, or the
error.  The headers refuse what clang knows; here it is known, too, at which addresses arrays lie.
"""

from __future__ import annotations

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.layout import ARITHMETIC, Layout
from zhisuan.isa import rules

_DEPTH = 20
_CASE_STEPS = 3
"""Blocks between a switch and a copy: those that look at the copy's rules."""
_SAME = ("ptrtoint", "inttoptr", "zext", "freeze", "bitcast")
_TRUTHS = {"eq": int.__eq__, "ne": int.__ne__, "ult": int.__lt__, "ugt": int.__gt__,
           "ule": int.__le__, "uge": int.__ge__}  # fmt: skip


class Numbers:
    """What the values of one function are, where that shows once arrays have their places."""

    def __init__(self, function: ir.Function, layout: Layout) -> None:
        self.layout = layout
        self.definitions = {item.name: item for b in function.blocks for item in b.body}
        self.before: dict[str, list[ir.Block]] = {}
        for block in function.blocks:
            for label in block.successors():
                self.before.setdefault(label, []).append(block)

    def is_case(self, label: str, steps: int = _CASE_STEPS) -> bool:
        """Whether every way to a block comes from a `switch`, a few blocks before at most."""
        before = self.before.get(label, [])
        ways = (b.terminator.op == "switch" or (steps and self.is_case(b.label, steps - 1))
                for b in before)  # fmt: skip
        return bool(before) and all(ways)

    def surely_enters(self, label: str) -> bool:
        """Whether the only way to a block is a branch that is always taken."""
        before = self.before.get(label, [])
        if len(before) != 1 or before[0].terminator.op != "condbr":
            return False
        branch = before[0].terminator
        taken = self.of(branch.operands[0])
        return taken is not None and branch.labels[0 if taken else 1] == label

    def of(self, value: ir.Value, depth: int = _DEPTH) -> int | None:
        """The number, in the two's complement of its width; None where it is not known."""
        if not isinstance(value, ir.Local):
            return self.layout.number(value)
        item = self.definitions.get(value.name)
        if item is None or not depth:
            return None
        operands = [self.of(operand, depth - 1) for operand in item.operands]
        if item.op == "getelementptr":
            offset = ir.constant_offset(item.kind, item.operands[1:])
            return None if operands[0] is None or offset is None else operands[0] + offset
        if None in operands:
            return None
        if item.op == "icmp":
            truth = _TRUTHS.get(item.word)
            return None if truth is None else int(truth(*operands))
        return self._made(item, operands)

    def _made(self, item: ir.Instruction, operands: list[int | None]) -> int | None:
        if item.op in _SAME:
            return operands[0]
        if item.op not in ARITHMETIC or not isinstance(item.type, ir.Int):
            return None
        return ARITHMETIC[item.op](*operands) & ((1 << item.type.bits) - 1)


def check(item: ir.Instruction, label: str, numbers: Numbers) -> None:
    """Refuse `item`, a TRAP in the block `label`, if it is surely reached and breaks a rule."""
    code = item.operands[0]
    rule = rules.TEXTS.get(code.bits) if isinstance(code, ir.Number) else None
    if rule is not None and numbers.surely_enters(label):
        raise ZhisuanError(rule, where=item.place)
