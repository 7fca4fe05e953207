"""How each LLVM instruction is written: one function per form, one table of them.

In: a line whose opcode and flags have been read.  Out: the `ir.Instruction`.
"""

from __future__ import annotations

from collections.abc import Callable

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.llvm_line import CASTS, FLAGS, Line, bare, words

BINARY = words("""
    add sub mul sdiv udiv srem urem shl lshr ashr and or xor fadd fsub fmul fdiv frem
""")


def _compare(op: str) -> Callable[[Line], ir.Instruction]:
    def read(line: Line) -> ir.Instruction:
        predicate = line.next()
        first = line.typed_value()
        line.expect(",")
        second = line.value(first.type)
        kind = first.type
        result = ir.Vector(kind.count, ir.I1) if isinstance(kind, ir.Vector) else ir.I1
        return ir.Instruction(op, result, operands=[first, second], word=predicate)

    return read


def _single(op: str) -> Callable[[Line], ir.Instruction]:
    def read(line: Line) -> ir.Instruction:
        operand = line.typed_value()
        return ir.Instruction(op, operand.type, operands=[operand])

    return read


def _load(line: Line) -> ir.Instruction:
    if line.accept("atomic"):
        raise line.context.unsupported("atomic memory operations are not supported")
    line.skip_words(FLAGS)
    kind = line.type()
    line.expect(",")
    return ir.Instruction("load", kind, operands=[line.typed_value()])


def _store(line: Line) -> ir.Instruction:
    if line.accept("atomic"):
        raise line.context.unsupported("atomic memory operations are not supported")
    line.skip_words(FLAGS)
    value = line.typed_value()
    line.expect(",")
    return ir.Instruction("store", ir.VOID, operands=[value, line.typed_value()])


def _element(line: Line) -> ir.Instruction:
    if line.accept("inrange"):
        line.skip_group()
    kind = line.type()
    operands = []
    while line.accept(","):
        operands.append(line.typed_value())
    return ir.Instruction("getelementptr", ir.PTR, operands=operands, kind=kind)


def _phi(line: Line) -> ir.Instruction:
    kind = line.type()
    item = ir.Instruction("phi", kind)
    while line.accept("["):
        item.operands.append(line.value(kind))
        line.expect(",")
        item.labels.append(bare(line.next()))
        line.expect("]")
        line.accept(",")
    return item


def _branch(line: Line) -> ir.Instruction:
    if line.accept("label"):
        return ir.Instruction("br", ir.VOID, labels=[bare(line.next())])
    condition = line.typed_value()
    labels = []
    while line.accept(","):
        line.expect("label")
        labels.append(bare(line.next()))
    return ir.Instruction("condbr", ir.VOID, operands=[condition], labels=labels)


def _switch(line: Line) -> ir.Instruction:
    item = ir.Instruction("switch", ir.VOID, operands=[line.typed_value()])
    line.expect(",")
    line.expect("label")
    item.labels.append(bare(line.next()))
    line.expect("[")
    while not line.accept("]"):
        item.operands.append(line.typed_value())
        line.expect(",")
        line.expect("label")
        item.labels.append(bare(line.next()))
    return item


def _return(line: Line) -> ir.Instruction:
    if line.accept("void"):
        return ir.Instruction("ret", ir.VOID)
    return ir.Instruction("ret", ir.VOID, operands=[line.typed_value()])


def _select(line: Line) -> ir.Instruction:
    operands = [line.typed_value()]
    while line.accept(","):
        operands.append(line.typed_value())
    return ir.Instruction("select", operands[1].type, operands=operands)


def _alloca(line: Line) -> ir.Instruction:
    kind = line.type()
    item = ir.Instruction("alloca", ir.PTR, kind=kind)
    item.path = (ir.alignment(kind),)
    while line.accept(","):
        if line.accept("align"):
            item.path = (int(line.next()),)
        elif line.at_type():
            count = line.typed_value()
            if isinstance(count, ir.Number):
                item.kind = ir.Array(count.bits, kind)
            else:
                item.operands = [count]
    return item


def _of_vector(op: str) -> Callable[[Line], ir.Instruction]:
    """extractelement, insertelement, shufflevector: values of whatever types they say."""

    def read(line: Line) -> ir.Instruction:
        operands = [line.typed_value()]
        while line.accept(","):
            operands.append(line.typed_value())
        kind = operands[0].type
        assert isinstance(kind, ir.Vector)
        if op == "extractelement":
            kind = kind.element
        elif op == "shufflevector":
            mask = operands[2].type
            assert isinstance(mask, ir.Vector)
            kind = ir.Vector(mask.count, kind.element)
        return ir.Instruction(op, kind, operands=operands)

    return read


def _path(line: Line) -> tuple[int, ...]:
    path = []
    while line.accept(","):
        path.append(int(line.next()))
    return tuple(path)


def _extract(line: Line) -> ir.Instruction:
    operand = line.typed_value()
    path = _path(line)
    kind = operand.type
    for index in path:
        kind = kind.fields[index] if isinstance(kind, ir.Struct) else kind.element  # type: ignore[attr-defined]
    return ir.Instruction("extractvalue", kind, operands=[operand], path=path)


def _insert(line: Line) -> ir.Instruction:
    operand = line.typed_value()
    line.expect(",")
    inserted = line.typed_value()
    return ir.Instruction(
        "insertvalue", operand.type, operands=[operand, inserted], path=_path(line)
    )


OPERATIONS: dict[str, Callable[[Line], ir.Instruction]] = {
    "icmp": _compare("icmp"),
    "fcmp": _compare("fcmp"),
    "fneg": _single("fneg"),
    "freeze": _single("freeze"),
    "load": _load,
    "store": _store,
    "getelementptr": _element,
    "phi": _phi,
    "br": _branch,
    "switch": _switch,
    "ret": _return,
    "unreachable": lambda line: ir.Instruction("unreachable", ir.VOID),
    "select": _select,
    "alloca": _alloca,
    "extractvalue": _extract,
    "insertvalue": _insert,
    "extractelement": _of_vector("extractelement"),
    "insertelement": _of_vector("insertelement"),
    "shufflevector": _of_vector("shufflevector"),
}


def read_operation(op: str, line: Line) -> ir.Instruction:
    """The instruction `op` whose operands follow on `line`."""
    if op in BINARY:
        first = line.typed_value()
        line.expect(",")
        return ir.Instruction(op, first.type, operands=[first, line.value(first.type)])
    if op in CASTS:
        operand = line.typed_value()
        line.expect("to")
        return ir.Instruction(op, line.type(), operands=[operand])
    handler = OPERATIONS.get(op)
    if handler is None:
        raise _unknown(op, line)
    return handler(line)


def _unknown(op: str, line: Line) -> ZhisuanError:
    if op in ("atomicrmw", "cmpxchg", "fence"):
        return line.context.unsupported("atomic memory operations are not supported")
    return line.context.unsupported(f"the LLVM instruction '{op}' is not supported")
