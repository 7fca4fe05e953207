"""Built-ins whose operands certainly lie in the wrong memory: an error at compile time.

In: a call of a built-in and what the function says of its pointers.  Out: nothing, or the error.
A pointer counts only when it surely comes from one array, one stack variable or one parameter of
a kernel; the machine checks all others as it runs.
"""

from __future__ import annotations

from functools import cache as remember

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.header import Builtin, is_transfer
from zhisuan.bcl.layout import Layout
from zhisuan.isa.registry import Instruction, touched
from zhisuan.isa.table import BY_NAME

_PASS_ON = ("getelementptr", "freeze", "bitcast", "addrspacecast")


class Origins:
    """Where the pointers of one function come from."""

    def __init__(self, function: ir.Function, layout: Layout, is_kernel: bool) -> None:
        self.layout = layout
        self.names = {item.name: item.source_name for item in layout.arrays}
        self.definitions = {item.name: item for b in function.blocks for item in b.body}
        self.parameters = {p.name: p.space or "gdram" for p in function.parameters if is_kernel}

    def of(self, value: ir.Value) -> tuple[str, str] | None:
        """The memory that a pointer surely points into, and what it comes from."""
        found = self._all_of(value, set())
        return next(iter(found)) if len(found) == 1 else None

    def _all_of(self, value: ir.Value, seen: set[str]) -> set[tuple[str, str] | None]:
        """Of a pointer that goes around a loop, those of all that enters it."""
        item = self.definitions.get(value.name) if isinstance(value, ir.Local) else None
        if item is None or item.op not in ("phi", *_PASS_ON):
            return {self._source(value)}
        if item.name in seen:
            return set()
        seen.add(item.name)
        passed = item.operands if item.op == "phi" else item.operands[:1]
        return {origin for operand in passed for origin in self._all_of(operand, seen)}

    def _source(self, value: ir.Value) -> tuple[str, str] | None:
        if isinstance(value, ir.Address):
            space = self.layout.spaces.get(value.symbol)
            return None if space is None else (space, f"'{self.names.get(value.symbol, 'data')}'")
        if not isinstance(value, ir.Local):
            return None
        if value.name in self.parameters:
            return self.parameters[value.name], f"'{value.name}', a parameter of the kernel,"
        item = self.definitions.get(value.name)
        if item is not None and item.op == "alloca":
            return "nram", "a variable on the stack"
        return None


@remember
def _operands(name: str) -> tuple[list[str], list[str]]:
    return touched(BY_NAME[name])


def check(item: ir.Instruction, builtin: Builtin, origins: Origins) -> None:
    """Refuse the call `item` when one of its operands cannot be reached."""
    row = builtin.row
    if not row.is_queued:
        return
    written, read = _operands(row.name)
    taken = [operand.name for operand in row.operands]
    for name, value in zip(taken, item.operands, strict=False):
        if name in written:
            _check_operand(item, row, name, value, origins, writes=True)
        elif name in read:
            _check_operand(item, row, name, value, origins, writes=False)


def _check_operand(
    item: ir.Instruction,
    row: Instruction,
    name: str,
    value: ir.Value,
    origins: Origins,
    writes: bool,
) -> None:
    if not isinstance(value.type, ir.Pointer):
        return
    spaces = [space.name for space in (row.writes if writes else row.reads)]
    found = origins.of(value)
    if found is None or not spaces or found[0] in spaces:
        return
    if is_transfer(row):
        side = "destination" if writes else "source"
        what = f"the direction of this copy does not match its {side}"
    else:
        what = f"this built-in cannot {'write' if writes else 'read'} such a memory"
    raise ZhisuanError(
        what,
        where=item.place,
        expected=f"an address in {' or '.join(spaces)} for '{name}' of {row.mnemonic}",
        found=f"{found[1]} lies in {found[0]}",
    )
