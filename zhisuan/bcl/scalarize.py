"""Short SIMD vectors become their elements: one operation each.

In: a function.  Out: the same function without a value of vector type; memory looks as before.
Never joins elements into the machine's own vector instructions: those have built-ins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zhisuan.bcl import ir

_REDUCTIONS = {
    "add": "add", "mul": "mul", "and": "and", "or": "or", "xor": "xor", "fadd": "fadd",
    "fmul": "fmul", "smax": "sgt", "smin": "slt", "umax": "ugt", "umin": "ult",
}  # fmt: skip


def scalarize(module: ir.Module) -> None:
    """Rewrite the functions in which vectors occur."""
    for function in module.functions.values():
        kinds = [parameter.type for parameter in function.parameters]
        for block in function.blocks:
            for item in block.body:
                kinds += [item.type, *(operand.type for operand in item.operands)]
        if any(isinstance(kind, ir.Vector) for kind in kinds):
            _Scalarizer(function).run()


class _Scalarizer:
    """`elements`: the values that a vector's name stands for."""

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.elements: dict[str, list[ir.Value]] = {}
        self.slots: dict[str, ir.Instruction] = {}
        self.body: list[ir.Instruction] = []
        self.at = ir.Instruction("", ir.VOID)
        self.fresh = 0

    def run(self) -> None:
        self._parameters()
        for block in self.function.blocks:  # names first: phis refer forward
            for item in block.body:
                if isinstance(item.type, ir.Vector):
                    names = (f"{item.name}.{i}" for i in range(item.type.count))
                    kind = item.type.element
                    self.elements[item.name] = [ir.Local(kind, name) for name in names]
        for block in self.function.blocks:
            self.body = []
            for item in block.body:
                self.at = item
                self._rewrite(item)
            block.body = self.body
        self.function.blocks[0].body[:0] = self.slots.values()
        if isinstance(self.function.returns, ir.Vector):
            self.function.returns = _as_struct(self.function.returns)

    def _parameters(self) -> None:
        found: list[ir.Parameter] = []
        for parameter in self.function.parameters:
            kind = parameter.type
            if not isinstance(kind, ir.Vector):
                found.append(parameter)
                continue
            parts = [ir.Parameter(f"{parameter.name}.{i}", kind.element) for i in range(kind.count)]
            self.elements[parameter.name] = [ir.Local(part.type, part.name) for part in parts]
            found += parts
        self.function.parameters = found

    # -- making instructions --------------------------------------------------------------

    def _values(self, value: ir.Value) -> list[ir.Value]:
        """The elements of a vector operand."""
        assert isinstance(value.type, ir.Vector)
        if isinstance(value, ir.Local):
            return self.elements[value.name]
        if isinstance(value, ir.Group):
            return list(value.parts)
        return [ir.Undefined(value.type.element)] * value.type.count

    def _new(self, op: str, kind: ir.Type, operands: list[ir.Value], word: str = "") -> ir.Value:
        self.fresh += 1
        name = f"{self.at.name}.element{self.fresh}"
        self._add(ir.Instruction(op, kind, name, operands, word))
        return ir.Local(kind, name)

    def _add(self, item: ir.Instruction) -> None:
        item.place = self.at.place
        self.body.append(item)

    def _set(self, index: int, value: ir.Value) -> None:
        """Element `index` of the result is `value`."""
        name = f"{self.at.name}.{index}"
        self._add(ir.Instruction("freeze", value.type, name, [value]))

    def _give(self, values: list[ir.Value]) -> None:
        for index, value in enumerate(values):
            self._set(index, value)

    # -- rules ----------------------------------------------------------------------------

    def _rewrite(self, item: ir.Instruction) -> None:
        kinds = [item.type, *(operand.type for operand in item.operands)]
        if not any(isinstance(kind, ir.Vector) for kind in kinds):
            self.body.append(item)
            return
        rule = _RULES.get(item.op)
        if rule is not None:
            rule(self, item)
        else:
            self._each(item)

    def _each(self, item: ir.Instruction) -> None:
        """The same operation on every element; operands that are no vectors serve all."""
        assert isinstance(item.type, ir.Vector)
        for index in range(item.type.count):
            operands = [
                self._values(value)[index] if isinstance(value.type, ir.Vector) else value
                for value in item.operands
            ]
            name = f"{item.name}.{index}"
            self._add(
                replace(item, type=item.type.element, name=name, operands=operands,
                        labels=list(item.labels))
            )  # fmt: skip

    def _load(self, item: ir.Instruction) -> None:
        assert isinstance(item.type, ir.Vector)
        for index in range(item.type.count):
            place = self._element_place(item.operands[0], item.type, index)
            self._add(replace(item, type=item.type.element, name=f"{item.name}.{index}",
                              operands=[place]))  # fmt: skip

    def _store(self, item: ir.Instruction) -> None:
        kind = item.operands[0].type
        assert isinstance(kind, ir.Vector)
        for index, value in enumerate(self._values(item.operands[0])):
            place = self._element_place(item.operands[1], kind, index)
            self._add(replace(item, operands=[value, place]))

    def _element_place(self, base: ir.Value, kind: ir.Vector, index: int) -> ir.Value:
        if index == 0:
            return base
        place = self._new("getelementptr", ir.PTR, [base, ir.Number(ir.I64, index)])
        self.body[-1].kind = kind.element
        return place

    def _extract(self, item: ir.Instruction) -> None:
        values, index = self._values(item.operands[0]), item.operands[1]
        found = values[min(index.bits, len(values) - 1)] if isinstance(index, ir.Number) else None
        if found is None:
            found = values[0]
            for position, value in enumerate(values[1:], 1):
                found = self._new("select", item.type, [self._is(index, position), value, found])
        self._add(ir.Instruction("freeze", item.type, item.name, [found]))

    def _is(self, index: ir.Value, position: int) -> ir.Value:
        return self._new("icmp", ir.I1, [index, ir.Number(index.type, position)], "eq")

    def _insert(self, item: ir.Instruction) -> None:
        vector, value, index = item.operands
        for position, old in enumerate(self._values(vector)):
            if isinstance(index, ir.Number):
                self._set(position, value if index.bits == position else old)
            else:
                new = self._new("select", value.type, [self._is(index, position), value, old])
                self._set(position, new)

    def _shuffle(self, item: ir.Instruction) -> None:
        assert isinstance(item.type, ir.Vector)
        both = self._values(item.operands[0]) + self._values(item.operands[1])
        undefined = ir.Undefined(item.type.element)
        chosen = self._values(item.operands[2])
        self._give([both[i.bits] if isinstance(i, ir.Number) else undefined for i in chosen])

    def _bitcast(self, item: ir.Instruction) -> None:
        """Through memory, which says what a cast of bits means."""
        source, target = item.operands[0].type, item.type
        narrow = isinstance(source, ir.Vector) and source.element == ir.I1
        if narrow and isinstance(target, ir.Int):
            self._pack_bits(item, target)
            return
        size = max(ir.size_of(source), ir.size_of(target))
        name = f"vector.bits.{size}"
        if name not in self.slots:
            room = ir.Instruction("alloca", ir.PTR, name, kind=ir.Array(size, ir.I8), path=(16,))
            self.slots[name] = room
        pointer = ir.Local(ir.PTR, name)
        store = ir.Instruction("store", ir.VOID, "", [item.operands[0], pointer])
        load = ir.Instruction("load", target, item.name, [pointer])
        for step in (store, load):
            step.place = item.place
            self._rewrite(step)

    def _pack_bits(self, item: ir.Instruction, target: ir.Int) -> None:
        total: ir.Value = ir.Number(target, 0)
        for index, value in enumerate(self._values(item.operands[0])):
            wide = self._new("zext", target, [value])
            moved = self._new("shl", target, [wide, ir.Number(target, index)])
            total = self._new("or", target, [total, moved])
        self._add(ir.Instruction("freeze", target, item.name, [total]))

    def _call(self, item: ir.Instruction) -> None:
        if item.word.startswith("llvm.vector.reduce."):
            self._reduce(item, item.word.split(".")[3])
            return
        if item.word.startswith("llvm."):
            self._each(item)
            return
        operands: list[ir.Value] = []
        for value in item.operands:
            is_vector = isinstance(value.type, ir.Vector)
            operands += self._values(value) if is_vector else [value]
        if not isinstance(item.type, ir.Vector):
            self._add(replace(item, operands=operands))
            return
        result = ir.Local(_as_struct(item.type), f"{item.name}.whole")
        self._add(replace(item, type=result.type, name=result.name, operands=operands))
        for index in range(item.type.count):
            part = ir.Instruction("extractvalue", item.type.element, f"{item.name}.{index}",
                                  [result], path=(index,))  # fmt: skip
            self._add(part)

    def _reduce(self, item: ir.Instruction, name: str) -> None:
        values = self._values(item.operands[-1])
        total, rest = values[0], values[1:]
        if len(item.operands) == 2:  # a float sum has a first term
            total, rest = item.operands[0], values
        word = _REDUCTIONS[name]
        for value in rest:
            if name in ("smax", "smin", "umax", "umin"):
                chosen = self._new("icmp", ir.I1, [total, value], word)
                total = self._new("select", item.type, [chosen, total, value])
            else:
                total = self._new(word, item.type, [total, value])
        self._add(ir.Instruction("freeze", item.type, item.name, [total]))

    def _return(self, item: ir.Instruction) -> None:
        kind = item.operands[0].type
        assert isinstance(kind, ir.Vector)
        struct = _as_struct(kind)
        whole: ir.Value = ir.Undefined(struct)
        for index, value in enumerate(self._values(item.operands[0])):
            whole = self._new("insertvalue", struct, [whole, value])
            self.body[-1].path = (index,)
        self._add(ir.Instruction("ret", ir.VOID, operands=[whole]))


def _as_struct(kind: ir.Vector) -> ir.Struct:
    return ir.Struct((kind.element,) * kind.count)


_RULES: dict[str, Callable[[_Scalarizer, ir.Instruction], None]] = {
    "load": _Scalarizer._load,
    "store": _Scalarizer._store,
    "extractelement": _Scalarizer._extract,
    "insertelement": _Scalarizer._insert,
    "shufflevector": _Scalarizer._shuffle,
    "bitcast": _Scalarizer._bitcast,
    "call": _Scalarizer._call,
    "ret": _Scalarizer._return,
}
