"""What a call of a built-in passes down, at -O0: clang leaves it in memory, here it arrives.

In: a module as read.  Out: the same module, in which the parameters of inlined built-ins are the
values that were passed, and what these decide (the direction of a copy, a size) is decided.
Variables of the program are left alone, whatever they hold; optimised code has nothing to fold.

    store i32 0, ptr %dir.addr.i; %d = load i32, ptr %dir.addr.i; switch i32 %d [0 → a, 1 → b]
    →  br a
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from zhisuan.bcl import flow, ir

_CONSTANT = "llvm.is.constant."
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_BINARY: dict[str, Callable[[int, int], int]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_,
    "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
_DIVISIONS = ("sdiv", "udiv", "srem", "urem")
_SHIFTS = ("shl", "lshr", "ashr")


def fold(module: ir.Module) -> None:
    """Rewrite the functions that built-ins are inlined into."""
    for function in module.functions.values():
        if function.passed:
            _Folder(function).run()


class _Folder:
    """`values`: what the name of a folded instruction stands for."""

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.values: dict[str, ir.Value] = {}

    def run(self) -> None:
        self._to_the_end()
        if self._say_what_is_no_constant():
            self._to_the_end()
        self._drop_unread()

    def _to_the_end(self) -> None:
        while self._forward() | self._fold_all():
            flow.drop_unreachable(self.function)

    def _items(self) -> list[ir.Instruction]:
        return [item for block in self.function.blocks for item in block.body]

    # -- memory ---------------------------------------------------------------------------

    def _users(self) -> dict[str, list[ir.Instruction]]:
        """The instructions that use each variable of a built-in."""
        found: dict[str, list[ir.Instruction]] = {name: [] for name in self.function.passed}
        for item in self._items():
            for operand in item.operands:
                if isinstance(operand, ir.Local) and operand.name in found:
                    found[operand.name].append(item)
        return found

    def _forward(self) -> bool:
        """Loads of a variable that is stored to once are what was stored."""
        changed = False
        for name, users in self._users().items():
            stores = [item for item in users if item.op == "store" and _is_to(item, name)]
            loads = [item for item in users if item.op == "load"]
            if len(stores) != 1 or len(loads) + 1 != len(users):
                continue
            value = stores[0].operands[0]
            if not (self.function.passed[name] or isinstance(value, ir.Number | ir.Address)):
                continue
            for load in loads:
                if load.type == value.type and load.name not in self.values:
                    self.values[load.name] = value
                    changed = True
        return changed

    def _drop_unread(self) -> None:
        """Variables of built-ins that are only written need no memory."""
        unread = {
            name
            for name, users in self._users().items()
            if all(item.op == "store" and _is_to(item, name) for item in users)
        }
        for block in self.function.blocks:
            block.body = [
                item
                for item in block.body
                if not (item.op == "alloca" and item.name in unread)
                and not (item.op == "store" and any(_is_to(item, name) for name in unread))
            ]

    # -- values ---------------------------------------------------------------------------

    def _value(self, value: ir.Value) -> ir.Value:
        while isinstance(value, ir.Local) and value.name in self.values:
            value = self.values[value.name]
        return value

    def _fold_all(self) -> bool:
        changed = False
        for block in self.function.blocks:
            kept = []
            for item in block.body:
                item.operands = [self._value(operand) for operand in item.operands]
                if item.name in self.values:
                    changed = True
                    continue
                kept.append(item)
                value = _folded(item)
                if value is not None:
                    self.values[item.name] = value
                    changed = True
                changed |= self._decide(block, item)
            block.body = kept
        return changed

    def _decide(self, block: ir.Block, item: ir.Instruction) -> bool:
        """A branch on a number goes one way."""
        if item.op not in ("condbr", "switch") or not isinstance(item.operands[0], ir.Number):
            return False
        number = item.operands[0].bits
        if item.op == "condbr":
            target = item.labels[0 if number & 1 else 1]
        else:
            cases = [value.bits for value in item.operands[1:] if isinstance(value, ir.Number)]
            known = dict(zip(cases, item.labels[1:], strict=True))
            target = known.get(number, item.labels[0])
        for label in set(item.labels) - {target}:
            for phi in self.function.block(label).phis:
                _forget_edge(phi, block.label)
        for phi in self.function.block(target).phis:  # several cases, now one edge
            while phi.labels.count(block.label) > 1:
                _forget_edge(phi, block.label, once=True)
        item.op, item.operands, item.labels = "br", [], [target]
        return True

    def _say_what_is_no_constant(self) -> bool:
        asked = [item for item in self._items() if item.word.startswith(_CONSTANT)]
        for item in asked:
            self.values[item.name] = ir.Number(ir.I1, 0)
        return bool(asked)


def _is_to(item: ir.Instruction, name: str) -> bool:
    target = item.operands[1]
    return isinstance(target, ir.Local) and target.name == name


def _forget_edge(phi: ir.Instruction, label: str, once: bool = False) -> None:
    pairs = list(zip(phi.operands, phi.labels, strict=True))
    gone = [pair for pair in pairs if pair[1] == label]
    for pair in gone[:1] if once else gone:
        pairs.remove(pair)
    phi.operands, phi.labels = [value for value, _ in pairs], [at for _, at in pairs]


def _folded(item: ir.Instruction) -> ir.Value | None:
    """What an instruction gives, if it is known now."""
    first = item.operands[0] if item.operands else None
    if item.op == "call" and item.word.startswith(_CONSTANT):
        return ir.Number(ir.I1, 1) if isinstance(first, ir.Number) else None
    if item.op == "phi" and isinstance(first, ir.Number):
        return first if all(value == first for value in item.operands) else None
    if item.op == "select" and isinstance(first, ir.Number):
        return item.operands[1 if first.bits & 1 else 2]
    numbers = [value.bits for value in item.operands if isinstance(value, ir.Number)]
    kind = first.type if first is not None else ir.VOID
    if len(numbers) != len(item.operands) or not isinstance(kind, ir.Int):
        return None
    result = _computed(item, numbers, kind.bits)
    if result is None or not isinstance(item.type, ir.Int):
        return None
    return ir.Number(item.type, result & ((1 << item.type.bits) - 1))


def _computed(item: ir.Instruction, numbers: list[int], bits: int) -> int | None:
    signed = [ir.signed(number, bits) for number in numbers]
    if item.op in _BINARY:
        return _BINARY[item.op](numbers[0], numbers[1])
    if item.op in ("zext", "trunc"):
        return numbers[0]
    if item.op in ("sext", "freeze"):
        return signed[0]
    if item.op == "icmp":
        pair = signed if item.word[0] == "s" else numbers
        return int(_COMPARE[item.word[-2:]](pair[0], pair[1]))
    if item.op in _DIVISIONS and numbers[1]:
        a, b = signed if item.op[0] == "s" else numbers
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if item.op.endswith("div") else a - b * quotient
    if item.op in _SHIFTS and numbers[1] < bits:
        if item.op == "shl":
            return numbers[0] << numbers[1]
        return (signed if item.op == "ashr" else numbers)[0] >> numbers[1]
    return None
