"""What memory a pointer can point into, as far as the function itself shows.

In: a function.  Out: for each pointer, whether an access through it is PRIVATE to the scalar
side, in DRAM, or may be ANYwhere on chip.  Unknown counts as ANY.
"""

from __future__ import annotations

from zhisuan.bcl import ir
from zhisuan.bcl.code import ANY, DRAM, PRIVATE
from zhisuan.bcl.layout import Layout

_PASS_ON = ("getelementptr", "freeze", "bitcast", "addrspacecast")
_HARMLESS_CALLS = ("llvm.memcpy", "llvm.memmove", "llvm.memset", "llvm.lifetime")
_GLOBAL_CLASS = {"const": PRIVATE, "ldram": DRAM, "nram": ANY, "wram": ANY, "sram": ANY}


class Provenance:
    """A root is DRAM, ANY, PRIVATE, or the name of a stack variable written as `%name`."""

    def __init__(self, function: ir.Function, layout: Layout, is_kernel: bool) -> None:
        self.layout = layout
        self.roots: dict[str, frozenset[str]] = {}
        self.shared: set[str] = set()  # stack variables whose address leaves the function
        for parameter in function.parameters:
            in_dram = is_kernel and parameter.space in ("", "ldram")
            self.roots[parameter.name] = frozenset([DRAM if in_dram else ANY])
        items = [item for block in function.blocks for item in block.body]
        changed = True
        while changed:
            changed = False
            for item in items:
                found = self._result(item)
                if item.name and found != self.roots.get(item.name, frozenset()):
                    self.roots[item.name] = found
                    changed = True
        for item in items:
            self._note_escapes(item)

    def _result(self, item: ir.Instruction) -> frozenset[str]:
        if item.op == "alloca":
            return frozenset([f"%{item.name}"])
        if not isinstance(item.type, ir.Pointer):
            return frozenset()
        if item.op in _PASS_ON:
            return self._of(item.operands[0])
        if item.op in ("select", "phi"):
            chosen = item.operands[1:] if item.op == "select" else item.operands
            return frozenset().union(*map(self._of, chosen))
        return frozenset([ANY])

    def _of(self, value: ir.Value) -> frozenset[str]:
        if isinstance(value, ir.Local):
            return self.roots.get(value.name, frozenset())
        if isinstance(value, ir.Address):
            space = self.layout.spaces.get(value.symbol, "const")
            return frozenset([_GLOBAL_CLASS[space]])
        return frozenset([ANY])

    def _note_escapes(self, item: ir.Instruction) -> None:
        if item.op in ("load", "icmp", *_PASS_ON, "select", "phi"):
            return
        if item.op == "call" and item.word.startswith(_HARMLESS_CALLS):
            return
        leaving = item.operands[:1] if item.op == "store" else item.operands
        for operand in leaving:
            self.shared |= {root for root in self._of(operand) if root.startswith("%")}

    def memory_class(self, pointer: ir.Value) -> str:
        roots = self._of(pointer)
        if not roots or ANY in roots or roots & self.shared:
            return ANY
        return DRAM if DRAM in roots else PRIVATE
