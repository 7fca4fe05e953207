"""Operations that the machine lacks become calls of the library's functions.

In: a module.  Out: the same module, without division of integers wider than 64 bits, without
float remainder, and, when asked, without double: a double is then the i64 of its bits.
Which function does what stands in the tables here; their bodies are in `library/`.
"""

from __future__ import annotations

from dataclasses import replace

from zhisuan.bcl import ir

DOUBLE = ir.Float("double")
I128 = ir.Int(128)
_SIGN = 1 << 63
_BINARY = {"fadd": "add", "fsub": "sub", "fmul": "mul", "fdiv": "div", "frem": "rem"}
_DIVISION = {"sdiv": "i128_div", "udiv": "u128_div", "srem": "i128_rem", "urem": "u128_rem"}
_RELATIONS = {"eq": "equal", "lt": "less", "le": "less_equal", "gt": "less", "ge": "less_equal"}
_INTRINSICS = {
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "nearbyint": "rint", "roundeven": "rint", "round": "round", "minnum": "min", "maxnum": "max",
    "minimumnum": "min", "maximumnum": "max",
}  # fmt: skip
_EXTREMES = {"smin": "slt", "smax": "sgt", "umin": "ult", "umax": "ugt"}
_CLASSES = 0x3FF


def legalize(module: ir.Module, *, soft_double: bool) -> None:
    """Rewrite every function of `module`, and with `soft_double` every type."""
    for function in module.functions.values():
        _Rewriter(function, soft_double).run()
    if soft_double:
        _Types().module(module)


def _is_double(kind: ir.Type) -> bool:
    return kind == DOUBLE


class _Rewriter:
    """Rewrites one function; `body` is what the block at hand becomes."""

    def __init__(self, function: ir.Function, soft_double: bool) -> None:
        self.function = function
        self.soft_double = soft_double
        self.body: list[ir.Instruction] = []
        self.at = ir.Instruction("", ir.VOID)
        self.fresh = 0

    def run(self) -> None:
        for block in self.function.blocks:
            self.body = []
            for item in block.body:
                self.at = item
                if not self._rewritten(item):
                    self.body.append(item)
            block.body = self.body

    def _rewritten(self, item: ir.Instruction) -> bool:
        """Enter what takes the place of `item`; False when it stays."""
        if item.op in _DIVISION and isinstance(item.type, ir.Int) and 64 < item.type.bits <= 128:
            return self._divide(item)
        first = item.operands[0].type if item.operands else ir.VOID
        if item.op == "call" and isinstance(first, ir.Int) and 64 < first.bits <= 128:
            return self._wide_intrinsic(item, first)
        doubles = self.soft_double and (_is_double(item.type) or _is_double(first))
        if item.op == "frem" and item.type == ir.FLOAT:
            return self._give("__dlp_f32_rem", ir.FLOAT, item.operands)
        if item.op in ("sitofp", "uitofp", "fptosi", "fptoui"):
            return self._convert(item) if doubles or self._is_wide(item) else False
        if not doubles:
            return False
        if item.op in _BINARY:
            return self._give(f"__dlp_f64_{_BINARY[item.op]}", DOUBLE, item.operands)
        if item.op == "fcmp":
            return self._compare(item)
        if item.op in ("fpext", "fptrunc"):
            return self._resize(item)
        if item.op == "fneg":
            return self._finish("xor", ir.I64, [first_as_bits(item), ir.Number(ir.I64, _SIGN)])
        if item.op == "call" and item.word.startswith("llvm."):
            return self._intrinsic(item)
        return False

    @staticmethod
    def _is_wide(item: ir.Instruction) -> bool:
        kinds = (item.type, item.operands[0].type)
        return any(isinstance(kind, ir.Int) and kind.bits > 64 for kind in kinds)

    # -- making instructions --------------------------------------------------------------

    def _new(self, op: str, kind: ir.Type, operands: list[ir.Value], word: str = "") -> ir.Local:
        self.fresh += 1
        name = f"{self.at.name}.legal{self.fresh}"
        made = ir.Instruction(op, kind, name, list(operands), word, place=self.at.place)
        self.body.append(made)
        return ir.Local(kind, name)

    def _finish(self, op: str, kind: ir.Type, operands: list[ir.Value], word: str = "") -> bool:
        """The last instruction: it has the name of what it replaces."""
        made = ir.Instruction(op, kind, self.at.name, list(operands), word, place=self.at.place)
        self.body.append(made)
        return True

    def _give(self, function: str, kind: ir.Type, operands: list[ir.Value]) -> bool:
        return self._finish("call", kind, operands, function)

    def _as(self, value: ir.Value, wanted: ir.Int, is_signed: bool) -> ir.Value:
        """An integer widened or cut to another type."""
        assert isinstance(value.type, ir.Int)
        if value.type == wanted:
            return value
        op = "sext" if is_signed else "zext"
        return self._new(op if wanted.bits > value.type.bits else "trunc", wanted, [value])

    # -- rules ----------------------------------------------------------------------------

    def _divide(self, item: ir.Instruction) -> bool:
        is_signed = item.op[0] == "s"
        operands = [self._as(value, I128, is_signed) for value in item.operands]
        word = f"__dlp_{_DIVISION[item.op]}"
        if item.type == I128:
            return self._give(word, I128, operands)
        return self._finish("trunc", item.type, [self._new("call", I128, operands, word)])

    def _wide_intrinsic(self, item: ir.Instruction, kind: ir.Int) -> bool:
        """abs, minima and bit counts of integers wider than 64 bits."""
        name = item.word.removeprefix("llvm.").split(".")[0]
        x = item.operands[0]
        if name in _EXTREMES:
            chosen = self._new("icmp", ir.I1, item.operands, _EXTREMES[name])
            return self._finish("select", kind, [chosen, *item.operands])
        if name == "abs":
            zero = ir.Number(kind, 0)
            minus = self._new("sub", kind, [zero, x])
            return self._finish(
                "select", kind, [self._new("icmp", ir.I1, [x, zero], "slt"), minus, x]
            )
        if ".with.overflow." in item.word:
            return self._with_overflow(item, kind, name)
        if name not in ("ctlz", "cttz", "ctpop", "bswap"):
            return False
        if name == "cttz" and kind.bits < 128:  # of 0, the width
            x = self._new("or", I128, [self._as(x, I128, False), ir.Number(I128, 1 << kind.bits)])
        wide = self._as(x, I128, False)
        result: ir.Value = self._new("call", I128, [wide], f"__dlp_u128_{name}")
        spare = ir.Number(I128, 128 - kind.bits)
        if name in ("ctlz", "bswap") and kind.bits < 128:
            result = self._new("sub" if name == "ctlz" else "lshr", I128, [result, spare])
        return self._finish("freeze" if kind.bits == 128 else "trunc", kind, [result])

    def _with_overflow(self, item: ir.Instruction, kind: ir.Int, name: str) -> bool:
        """The wrapped result and whether it is not the true one."""
        a, b = item.operands
        is_signed, op = name[0] == "s", name[1:]
        result = self._new(op, kind, [a, b])
        if op == "mul":
            over = self._product_overflows(kind, a, b, result, is_signed)
        elif not is_signed:
            over = self._new("icmp", ir.I1, [result, a] if op == "add" else [a, b], "ult")
        else:  # the sign is not that of a, though b could not change it
            changed = self._new("xor", kind, [a, result])
            other = self._new("xor", kind, [b, result] if op == "add" else [a, b])
            both = self._new("and", kind, [changed, other])
            over = self._new("icmp", ir.I1, [both, ir.Number(kind, 0)], "slt")
        whole = self._new("insertvalue", item.type, [ir.Undefined(item.type), result])
        self.body[-1].path = (0,)
        self._finish("insertvalue", item.type, [whole, over])
        self.body[-1].path = (1,)
        return True

    def _product_overflows(
        self, kind: ir.Int, a: ir.Value, b: ir.Value, product: ir.Value, is_signed: bool
    ) -> ir.Value:
        """Dividing gives back the other factor, unless the product was cut."""
        zero, one = ir.Number(kind, 0), ir.Number(kind, 1)
        is_zero = self._new("icmp", ir.I1, [a, zero], "eq")
        divisor = self._new("select", kind, [is_zero, one, a])
        expected = self._new("select", kind, [is_zero, zero, b])
        name = "__dlp_i128_div" if is_signed else "__dlp_u128_div"
        wide = [self._as(value, I128, is_signed) for value in (product, divisor)]
        quotient = self._as(self._new("call", I128, wide, name), kind, is_signed)
        over = self._new("icmp", ir.I1, [quotient, expected], "ne")
        if not is_signed:
            return over
        least = ir.Number(kind, 1 << (kind.bits - 1))
        minus = self._new("icmp", ir.I1, [a, ir.Number(kind, (1 << kind.bits) - 1)], "eq")
        lowest = self._new("icmp", ir.I1, [b, least], "eq")
        return self._new("or", ir.I1, [over, self._new("and", ir.I1, [minus, lowest])])

    def _convert(self, item: ir.Instruction) -> bool:
        to_float = item.op in ("sitofp", "uitofp")
        is_signed = item.op in ("sitofp", "fptosi")
        source, target = item.operands[0], item.type
        whole = source.type if to_float else target
        assert isinstance(whole, ir.Int)
        through = I128 if whole.bits > 64 else ir.I64
        letter = f"{'i' if is_signed else 'u'}{through.bits}"
        real = target if to_float else source.type
        name = {"double": "f64", "float": "f32"}.get(str(real))
        if name is None:  # half reaches no integer beyond 64 bits
            return False
        if to_float:
            wide = self._as(source, through, is_signed)
            return self._give(f"__dlp_{name}_from_{letter}", target, [wide])
        letter = letter if through == ir.I64 else "u128"
        result = self._new("call", through, [source], f"__dlp_{letter}_from_{name}")
        return self._finish("freeze" if whole == through else "trunc", whole, [result])

    def _resize(self, item: ir.Instruction) -> bool:
        value = item.operands[0]
        if item.op == "fptrunc":
            name = {"float": "f32", "half": "f16"}.get(str(item.type))
            return name is not None and self._give(f"__dlp_{name}_from_f64", item.type, [value])
        if value.type == ir.HALF:
            value = self._new("fpext", ir.FLOAT, [value])
        return value.type == ir.FLOAT and self._give("__dlp_f64_from_f32", DOUBLE, [value])

    def _compare(self, item: ir.Instruction) -> bool:
        a, b = item.operands
        return self._finish("icmp", ir.I1, [self._truth(item.word, a, b), _FALSE], "ne")

    def _truth(self, predicate: str, a: ir.Value, b: ir.Value) -> ir.Value:
        """An i32 that is not zero when the predicate holds."""
        if predicate in ("true", "false"):
            return ir.Number(ir.I32, int(predicate == "true"))
        if predicate in ("ord", "uno"):
            found = self._new("call", ir.I32, [a, b], "__dlp_f64_unordered")
            return found if predicate == "uno" else self._not(found)
        relation = predicate[1:]
        if relation == "ne":
            if predicate[0] == "u":
                return self._not(self._truth("oeq", a, b))
            return self._new("or", ir.I32, [self._truth("olt", a, b), self._truth("ogt", a, b)])
        if predicate[0] == "u":
            unordered = self._truth("uno", a, b)
            return self._new("or", ir.I32, [unordered, self._truth("o" + relation, a, b)])
        operands = [b, a] if relation in ("gt", "ge") else [a, b]
        return self._new("call", ir.I32, operands, f"__dlp_f64_{_RELATIONS[relation]}")

    def _not(self, truth: ir.Value) -> ir.Value:
        return self._new("xor", ir.I32, [truth, ir.Number(ir.I32, 1)])

    def _intrinsic(self, item: ir.Instruction) -> bool:
        name = item.word.removeprefix("llvm.").split(".")[0]
        bits = first_as_bits(item)
        if name in _INTRINSICS:
            return self._give(f"__dlp_f64_{_INTRINSICS[name]}", DOUBLE, item.operands)
        if name == "fabs":
            return self._finish("and", ir.I64, [bits, ir.Number(ir.I64, _SIGN - 1)])
        if name == "copysign":
            size = self._new("and", ir.I64, [bits, ir.Number(ir.I64, _SIGN - 1)])
            sign = self._new("and", ir.I64, [_bits(item.operands[1]), ir.Number(ir.I64, _SIGN)])
            return self._finish("or", ir.I64, [size, sign])
        if name == "fmuladd":
            product = self._new("call", DOUBLE, item.operands[:2], "__dlp_f64_mul")
            return self._give("__dlp_f64_add", DOUBLE, [product, item.operands[2]])
        if name == "is":
            return self._classify(item)
        return False

    def _classify(self, item: ir.Instruction) -> bool:
        """is.fpclass through the number of the class, a bit of the mask."""
        found = self._new("call", ir.I32, [item.operands[0]], "__dlp_f64_class")
        mask = item.operands[1]
        assert isinstance(mask, ir.Number)
        hit = self._new("and", ir.I32, [found, ir.Number(ir.I32, mask.bits & _CLASSES)])
        return self._finish("icmp", ir.I1, [hit, _FALSE], "ne")


_FALSE = ir.Number(ir.I32, 0)


def _bits(value: ir.Value) -> ir.Value:
    """A double operand as the integer that it is from now on."""
    return replace(value, type=ir.I64)


def first_as_bits(item: ir.Instruction) -> ir.Value:
    return _bits(item.operands[0])


class _Types:
    """double → i64 in every type."""

    def __init__(self) -> None:
        self.known: dict[ir.Type, ir.Type] = {}

    def type(self, kind: ir.Type) -> ir.Type:
        if kind not in self.known:
            self.known[kind] = self._type(kind)
        return self.known[kind]

    def _type(self, kind: ir.Type) -> ir.Type:
        if _is_double(kind):
            return ir.I64
        if isinstance(kind, ir.Array | ir.Vector):
            return replace(kind, element=self.type(kind.element))
        if isinstance(kind, ir.Struct):
            return replace(kind, fields=tuple(map(self.type, kind.fields)))
        return kind

    def value(self, value: ir.Value) -> ir.Value:
        kind = self.type(value.type)
        if isinstance(value, ir.Group):
            return ir.Group(kind, tuple(map(self.value, value.parts)))
        if isinstance(value, ir.Expression):
            return replace(value, operands=tuple(map(self.value, value.operands)))
        return value if kind is value.type else replace(value, type=kind)

    def module(self, module: ir.Module) -> None:
        for item in module.globals.values():
            item.type = self.type(item.type)
            item.initial = None if item.initial is None else self.value(item.initial)
        for function in module.functions.values():
            function.returns = self.type(function.returns)
            for parameter in function.parameters:
                parameter.type = self.type(parameter.type)
            for block in function.blocks:
                for item in block.body:
                    item.type, item.kind = self.type(item.type), self.type(item.kind)
                    item.operands = [self.value(operand) for operand in item.operands]
