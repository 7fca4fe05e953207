"""Instruction selection: an IR function → machine code over virtual registers.

In: a function, the layout of globals, the names of functions with bodies.  Out: `code.Code`,
dead code removed, every block ending in explicit branches.  The one table below names the rule
of every IR operation.

Phis are read before all their values are selected.  They are taken to be sign-extended; where a
value turns out not to be, the function is selected again without that assumption.
"""

from __future__ import annotations

from collections.abc import Callable

from zhisuan.bcl import (
    check_rules,
    check_spaces,
    flow,
    header,
    ir,
    select_control,
    select_float,
    select_integer,
    select_intrinsic,
    select_memory,
)
from zhisuan.bcl.code import Code, Op, drop_unused, make
from zhisuan.bcl.debug_notes import FunctionNotes
from zhisuan.bcl.debug_watch import Watch, Watcher
from zhisuan.bcl.layout import Layout
from zhisuan.bcl.selector import NATIVE, Selector
from zhisuan.isa.registry import Kind


def select(
    function: ir.Function, layout: Layout, is_kernel: bool, known: set[str],
    notes: FunctionNotes | None = None,
) -> tuple[Code, list[Watch]]:  # fmt: skip
    """Machine code of `function`; `known` are the functions that can be called.

    With it what the `notes` say of the values of variables.
    """
    depths = flow.prepare(function)
    narrow: set[str] = set()
    while True:
        watcher = Watcher(notes)
        s = _select_assuming(function, layout, is_kernel, known, depths, narrow, watcher)
        if not s.wrongly_extended:
            break
        narrow |= s.wrongly_extended
    drop_unused(s.code)
    return s.code, watcher.watches


def _select_assuming(
    function: ir.Function, layout: Layout, is_kernel: bool, known: set[str],
    depths: dict[str, int], narrow: set[str], watcher: Watcher,
) -> Selector:  # fmt: skip
    """Select with every integer phi but those of `narrow` taken to be sign-extended."""
    s = Selector(function, layout, is_kernel)
    for block in function.blocks:
        for item in block.body:
            if item.name:
                s.definitions[item.name] = item
    _refuse_types(s)
    s.place = function.place
    s.start("", 0)
    select_control.enter(s)
    for block in function.blocks:  # phis are written before they are reached
        for phi in block.phis:
            s.place = phi.place
            _define_phi(s, phi, narrow)
    s.do("JUMP", "", [], function.blocks[0].label)
    for block in function.blocks:
        _select_block(s, block, depths.get(block.label, 0), known, watcher)
    entry = s.code.blocks[0]
    for op in s.entry_ops:
        op.place = function.place
    entry.ops[-1:-1] = s.entry_ops
    return s


def _define_phi(s: Selector, phi: ir.Instruction, narrow: set[str]) -> None:
    registers = [s.code.new_register() for _ in range(s.count_parts(phi.type))]
    s.define(phi, *registers)
    if not isinstance(phi.type, ir.Int) or len(registers) != 1:
        return
    if phi.type.bits not in NATIVE:
        s.extended[registers[0]] = (False, phi.type.bits)
    elif phi.name not in narrow:
        s.extended[registers[0]] = (True, phi.type.bits)


def _refuse_types(s: Selector) -> None:
    """Find values that have no register where they are computed, not where they meet."""
    for block in s.function.blocks:
        for item in block.body:
            s.place = item.place
            if item.op != "phi":
                for kind in (item.type, *(operand.type for operand in item.operands)):
                    if isinstance(kind, ir.Float | ir.Vector):
                        s.float_mode(kind)


def _select_block(
    s: Selector, block: ir.Block, depth: int, known: set[str], watcher: Watcher
) -> None:
    s.start(block.label, depth)
    s.labels["current"] = block.label
    watcher.enter(block.label)
    for item in block.body:
        s.place = item.place or s.place
        watcher.reach(s, item)
        if item.op == "call":
            _call(s, item, known)
        elif item.op != "phi":
            _RULES[item.op](s, item)


def _call(s: Selector, item: ir.Instruction, known: set[str]) -> None:
    builtin = header.builtins().get(item.word)
    if builtin is not None:
        if not (header.is_transfer(builtin.row) and s.numbers.is_case(s.labels["current"])):
            check_spaces.check(item, builtin, s.origins)
        if builtin.row.name == "TRAP":
            check_rules.check(item, s.labels["current"], s.numbers)
        _builtin(s, item, builtin)
    elif item.word.startswith("llvm."):
        select_intrinsic.lower(s, item)
    else:
        select_control.call(s, item, known)


def _builtin(s: Selector, item: ir.Instruction, builtin: header.Builtin) -> None:
    """A `__dlp_…` call is its row: register operands in order, the immediate a constant."""
    row = builtin.row
    taken = [operand for operand in row.operands if operand.kind is not Kind.DEST]
    regs: list[int] = []
    imm = None
    for operand, value in zip(taken, item.operands, strict=True):
        if operand.is_register:
            regs.append(s.reg(value))
        elif isinstance(value, ir.Number):
            imm = value.bits
        else:
            raise s.error(f"operand '{operand.name}' of {item.word} must be a constant")
    gives = len(taken) < len(row.operands)
    if gives:
        s.define(item, s.op(row.name, builtin.mode, *regs, imm=imm))
        return
    op: Op = make(row.name, builtin.mode, regs, imm)
    op.ordered = builtin.ordered
    s.emit(op)
    if row.name in ("HALT", "TRAP"):
        s.start(s.new_label("after"))


def _select(s: Selector, item: ir.Instruction) -> None:
    condition = s.reg(item.operands[0])
    if item.type == ir.I1 and _as_logic(s, item, condition):
        return
    chosen = [s.parts(value) for value in item.operands[1:]]
    results = []
    for a, b in zip(*chosen, strict=True):
        result = s.op("SSEL", "", condition, a, b)
        if a in s.extended and s.extended[a] == s.extended.get(b):
            s.extended[result] = s.extended[a]
        results.append(result)
    s.define(item, *results)


def _as_logic(s: Selector, item: ir.Instruction, condition: int) -> bool:
    """c ? x : false → c and x;  c ? true : x → c or x: without a register for the constant."""
    then, other = item.operands[1:]
    if isinstance(other, ir.Number) and not other.bits:
        s.define(item, s.op("SAND", "u64", condition, s.reg(then)))
    elif isinstance(then, ir.Number) and then.bits:
        s.define(item, s.op("SOR", "u64", condition, s.reg(other)))
    else:
        return False
    s.extended[s.reg(ir.Local(item.type, item.name))] = (False, 1)
    return True


def _freeze(s: Selector, item: ir.Instruction) -> None:
    """The value itself; nothing that was promised of it holds any more."""
    registers = s.parts(item.operands[0])
    if isinstance(item.type, ir.Int) and item.type.bits in NATIVE:
        registers = [s.op("SMOVE", "", registers[0])]
    s.define(item, *registers)


def _position(s: Selector, kind: ir.Type, path: tuple[int, ...]) -> tuple[int, ir.Type]:
    """Which part of an aggregate a path names."""
    position = 0
    for index in path:
        members = kind.fields if isinstance(kind, ir.Struct) else [kind.element] * (index + 1)  # type: ignore[attr-defined]
        position += sum(s.count_parts(member) for member in members[:index])
        kind = members[index]
    return position, kind


def _extract(s: Selector, item: ir.Instruction) -> None:
    start, kind = _position(s, item.operands[0].type, item.path)
    registers = s.parts(item.operands[0])
    s.define(item, *registers[start : start + s.count_parts(kind)])


def _insert(s: Selector, item: ir.Instruction) -> None:
    start, kind = _position(s, item.type, item.path)
    registers = list(s.parts(item.operands[0]))
    registers[start : start + s.count_parts(kind)] = s.parts(item.operands[1])
    s.define(item, *registers)


Rule = Callable[[Selector, ir.Instruction], None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(select_integer.ROWS, select_integer.binary),
    **dict.fromkeys(("fadd", "fsub", "fmul", "fdiv", "frem"), select_float.binary),
    **dict.fromkeys(
        ("trunc", "zext", "sext", "bitcast", "ptrtoint", "ptrtoaddr", "inttoptr", "addrspacecast"),
        select_integer.cast,
    ),
    **dict.fromkeys(
        ("fpext", "fptrunc", "sitofp", "uitofp", "fptosi", "fptoui"), select_float.cast
    ),
    "fneg": select_float.negate,
    "icmp": select_integer.compare,
    "fcmp": select_float.compare,
    "load": select_memory.load,
    "store": select_memory.store,
    "alloca": select_memory.stack_variable,
    "getelementptr": select_memory.element_address,
    "select": _select,
    "freeze": _freeze,
    "extractvalue": _extract,
    "insertvalue": _insert,
    "br": select_control.jump,
    "condbr": select_control.branch,
    "switch": select_control.switch,
    "ret": select_control.leave,
    "unreachable": select_control.unreachable,
}
