"""The IR's verifier: names defined once and before use, phis match predecessors, blocks end."""

from __future__ import annotations

from zhisuan.base.errors import VerifyError
from zhisuan.bcl import ir


def verify(module: ir.Module) -> None:
    """Raise VerifyError at the first broken rule."""
    for function in module.functions.values():
        _verify_function(function)


def _verify_function(function: ir.Function) -> None:
    defined = {parameter.name: parameter.type for parameter in function.parameters}
    labels = [block.label for block in function.blocks]
    _demand(len(set(labels)) == len(labels), function, None, "two blocks share a label")
    before: dict[str, set[str]] = {label: set() for label in labels}
    for block in function.blocks:
        _demand(bool(block.body), function, None, f"block {block.label} is empty")
        for item in block.body:
            last = item is block.terminator
            ends = item.op in ir.TERMINATORS
            _demand(last == ends, function, item, "a block must end with its only terminator")
            if item.name:
                _demand(item.name not in defined, function, item, f"%{item.name} defined twice")
                defined[item.name] = item.type
        for label in block.successors():
            _demand(label in before, function, block.terminator, f"no block '{label}'")
            before[label].add(block.label)
    for block in function.blocks:
        for item in block.body:
            _verify_operands(function, item, defined)
            if item.op == "phi":
                same = set(item.labels) == before[block.label]
                _demand(same, function, item, "a phi's labels must be the predecessors")


def _verify_operands(
    function: ir.Function, item: ir.Instruction, defined: dict[str, ir.Type]
) -> None:
    for operand in item.operands:
        if isinstance(operand, ir.Local):
            known = defined.get(operand.name)
            _demand(known is not None, function, item, f"%{operand.name} is not defined")
            _demand(
                known == operand.type, function, item, f"%{operand.name} is {known}: type differs"
            )


def _demand(holds: bool, function: ir.Function, item: ir.Instruction | None, rule: str) -> None:
    if not holds:
        raise VerifyError(
            f"the IR of '{function.name}' is broken: {rule}",
            where=item.place if item else function.place,
            found=str(item) if item else None,
        )
