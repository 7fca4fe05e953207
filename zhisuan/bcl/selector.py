"""The state of instruction selection for one function: values, constants, emission.

In: an IR function.  Out: `code.Code`.  The rules for each operation are in the `select_*`
modules; this one gives them registers for operands and takes the instructions they emit.

A value of up to 64 bits lies in one register.  i8, i16, i32, i64, half, float: only the low
bits of its width count, whatever is above.  Other widths below 64: zero-extended.  Wider ones:
a register for every 64 bits, lowest first, the last one zero-extended.  Aggregates: the
registers of each leaf.
"""

from __future__ import annotations

from zhisuan.base.errors import SourcePos, ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.check_rules import Numbers
from zhisuan.bcl.check_spaces import Origins
from zhisuan.bcl.code import ANY, DRAM, PRIVATE, Code, CodeBlock, Immediate, Op, Slot, Symbol, make
from zhisuan.bcl.layout import Layout
from zhisuan.bcl.provenance import Provenance
from zhisuan.isa.number import FLOATS, INTEGERS
from zhisuan.isa.registry import STACK_POINTER
from zhisuan.isa.table import BY_NAME

NATIVE = (8, 16, 32, 64)
FLOAT_MODE = {"half": "f16", "float": "f32"}
_NOT_REPEATABLE = ("SLOAD", "SMOVE", "SGET#", "SDIV", "SREM")
_COMPARISONS = ("SEQ", "SNE", "SLT", "SLE", "SGT", "SGE")


def fits(value: int, row: str) -> bool:
    """Whether the immediate form `row` can hold `value`."""
    bits = BY_NAME[row].immediate_bits
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)


class Selector:
    """Selection state; `place` is where the operation being lowered stands in the source."""

    def __init__(self, function: ir.Function, layout: Layout, is_kernel: bool) -> None:
        self.function = function
        self.layout = layout
        self.code = Code(function.name, is_kernel)
        self.values: dict[str, list[int]] = {}
        self.local_slots: dict[str, int] = {}
        self.definitions: dict[str, ir.Instruction] = {}
        self.extended: dict[int, tuple[bool, int]] = {}  # register → (signed, bits) it extends
        self.wrongly_extended: set[str] = set()  # phis taken to be sign-extended that are not
        self.computed: dict[tuple[object, ...], int] = {}  # in this block
        self.shared: dict[int | Symbol, int] = {}  # constants made once, in the entry
        self.entry_ops: list[Op] = []
        self.block = CodeBlock("")
        self.labels: dict[str, str] = {}  # IR block → last machine block made for it
        self.place: SourcePos | None = None
        self.fresh_labels = 0
        self.emitted = 0
        self.provenance = Provenance(function, layout, is_kernel)
        self.origins = Origins(function, layout, is_kernel)
        self.numbers = Numbers(function, layout)

    # -- emission -------------------------------------------------------------------------

    def emit(self, op: Op) -> None:
        op.place = self.place
        self.emitted += 1
        op.number = self.emitted
        self.block.ops.append(op)

    def do(self, name: str, mode: str, regs: list[int], imm: Immediate = None) -> None:
        """Emit an instruction that gives no result."""
        self.emit(make(name, mode, regs, imm))

    def op(self, name: str, mode: str, *sources: int, imm: Immediate = None) -> int:
        """The register with an instruction's result: a new one, or that of an equal one before."""
        key = (name, mode, sources, imm)
        if key in self.computed:
            return self.computed[key]
        result = self.code.new_register()
        self.emit(make(name, mode, [result, *sources], imm))
        self._note_extension(result, name, mode, imm)
        if name not in _NOT_REPEATABLE:
            self.computed[key] = result
        return result

    def _note_extension(self, result: int, name: str, mode: str, imm: Immediate) -> None:
        to = mode.split(".")[-1]
        if name.rstrip("#") in _COMPARISONS:
            self.extended[result] = (False, 1)
        elif name == "SAND#" and isinstance(imm, int) and imm >= 0:
            self.extended[result] = (False, max(1, imm.bit_length()))
        elif name in ("SCLZ", "SCTZ", "SPOP"):
            self.extended[result] = (False, 7)
        elif to in INTEGERS:
            self.extended[result] = (to[0] == "i", int(to[1:]))
        elif to in FLOATS:
            self.extended[result] = (False, int(to[1:]))

    def start(self, label: str, depth: int | None = None) -> None:
        """Continue in a new machine block."""
        self.block = CodeBlock(label, depth=self.block.depth if depth is None else depth)
        self.code.blocks.append(self.block)
        self.computed = {}

    def new_label(self, hint: str) -> str:
        self.fresh_labels += 1
        return f"{self.block.label}.{hint}{self.fresh_labels}"

    # -- errors ---------------------------------------------------------------------------

    def error(self, what: str, hint: str | None = None) -> ZhisuanError:
        return ZhisuanError(what, where=self.place or self.function.place, hint=hint)

    # -- types ----------------------------------------------------------------------------

    def width(self, kind: ir.Type) -> int:
        """Bits of an integer or pointer type."""
        if isinstance(kind, ir.Int):
            return kind.bits
        if isinstance(kind, ir.Pointer):
            return 64
        raise self.error(f"an integer is needed here, not '{kind}'")

    def float_mode(self, kind: ir.Type) -> str:
        """The instruction mode of a float type; `double` is an error that says so."""
        mode = FLOAT_MODE.get(kind.name) if isinstance(kind, ir.Float) else None
        if mode:
            return mode
        if kind == ir.Float("double"):
            raise self.error(
                "a kernel cannot take a double: arguments are half or float",
                "write float; inside, double works, in software",
            )
        if isinstance(kind, ir.Vector):
            raise self.error("values of vector type are not supported", "use an array")
        raise self.error(f"values of type '{kind}' are not supported")

    def count_parts(self, kind: ir.Type) -> int:
        """How many registers a value of this type takes."""
        if isinstance(kind, ir.Float):
            self.float_mode(kind)
        elif isinstance(kind, ir.Int):
            return -(-self.width(kind) // 64)
        elif isinstance(kind, ir.Vector):
            raise self.error("values of vector type are not supported", "use an array")
        elif isinstance(kind, ir.Array | ir.Struct):
            return sum(self.count_parts(leaf) for leaf in ir.leaves(kind))
        return 0 if isinstance(kind, ir.Void) else 1

    # -- values ---------------------------------------------------------------------------

    def define(self, item: ir.Instruction, *registers: int) -> None:
        if item.name:
            self.values[item.name] = list(registers)

    def parts(self, value: ir.Value) -> list[int]:
        """The registers that hold a value; constants are made."""
        if isinstance(value, ir.Local):
            if value.name in self.local_slots:
                slot = Slot("local", self.local_slots[value.name])
                return [self.op("SADD#", "i64", STACK_POINTER, imm=slot)]
            return self.values[value.name]
        return [self.constant(word) for word in self.words(value)]

    def reg(self, value: ir.Value) -> int:
        """The one register that holds a value of at most 64 bits."""
        (register,) = self.parts(value)
        return register

    def words(self, value: ir.Value) -> list[int | Symbol]:
        """The register contents of a constant, a word for each part."""
        if isinstance(value, ir.Undefined):
            return [0] * self.count_parts(value.type)
        if isinstance(value, ir.Group):
            return [word for part in value.parts for word in self.words(part)]
        if isinstance(value, ir.Address):
            return [self.address_word(value)]
        if isinstance(value, ir.Expression):
            number = self.layout.number(value)
            if number is None:
                raise self.error("arithmetic on the address of a function is not supported")
            return self._number_words(ir.Number(value.type, number))
        assert isinstance(value, ir.Number)
        return self._number_words(value)

    def _number_words(self, value: ir.Number) -> list[int | Symbol]:
        if not isinstance(value.type, ir.Int):
            self.count_parts(value.type)
            return [value.bits]
        width = self.width(value.type)
        if width > 64:
            return [ir.signed(value.bits >> at, 64) for at in range(0, width, 64)]
        return [ir.signed(value.bits, width) if width in NATIVE else value.bits]

    def address_word(self, value: ir.Address) -> int | Symbol:
        if value.symbol in self.layout.addresses:
            return self.layout.addresses[value.symbol] + value.offset
        return Symbol(value.symbol, value.offset)

    def constant(self, word: int | Symbol) -> int:
        """A register with a constant: made here, or once for all uses inside loops."""
        if self.block.depth == 0:
            return self._constant_here(word)
        if word not in self.shared:
            register = self.code.new_register()
            self.shared[word] = register
            self.entry_ops.append(make("SLOAD#", "", [register], word))
            self.code.again[register] = [make("SLOAD#", "", [register], word)]
            self._note_constant(register, word)
        return self.shared[word]

    def _constant_here(self, word: int | Symbol) -> int:
        register = self.op("SLOAD#", "", imm=word)
        self.code.again[register] = [make("SLOAD#", "", [register], word)]
        self._note_constant(register, word)
        return register

    def _note_constant(self, register: int, word: int | Symbol) -> None:
        if isinstance(word, int):
            bits = word.bit_length() if word >= 0 else (~word).bit_length() + 1
            self.extended[register] = (word < 0, max(1, bits))

    # -- addresses ------------------------------------------------------------------------

    def address(self, value: ir.Value) -> tuple[int, int | Slot]:
        """A pointer as a base register and an offset that a load or store can carry."""
        if isinstance(value, ir.Address) and value.symbol in self.layout.addresses:
            return self.constant(self.layout.addresses[value.symbol]), value.offset
        if not isinstance(value, ir.Local):
            return self.reg(value), 0
        if value.name in self.local_slots:
            return STACK_POINTER, Slot("local", self.local_slots[value.name])
        source = self.definitions.get(value.name)
        if source is not None and source.op == "getelementptr":
            offset = ir.constant_offset(source.kind, source.operands[1:])
            if offset is not None:
                return self._moved(*self.address(source.operands[0]), offset)
        return self.reg(value), 0

    def _moved(self, base: int, offset: int | Slot, more: int) -> tuple[int, int | Slot]:
        if isinstance(offset, Slot):
            return base, Slot(offset.area, offset.index, offset.offset + more)
        if fits(offset + more, "SLOAD"):
            return base, offset + more
        return self.op("SADD#", "i64", base, imm=offset), more

    def shifted(self, offset: int | Slot, more: int) -> int | Slot:
        """An offset `more` bytes further on."""
        if isinstance(offset, Slot):
            return Slot(offset.area, offset.index, offset.offset + more)
        return offset + more

    def memory_class(self, pointer: ir.Value) -> str:
        """What a scalar access through `pointer` may touch: PRIVATE, DRAM or ANY."""
        return self.provenance.memory_class(pointer)

    def load(self, mode: str, base: int, offset: int | Slot, memory: str) -> int:
        result = self.op("SLOAD", mode, base, imm=offset)
        self.block.ops[-1].memory = memory
        return result

    def store(self, mode: str, value: int, base: int, offset: int | Slot, memory: str) -> None:
        self.do("SSTORE", mode, [value, base], offset)
        self.block.ops[-1].memory = memory


__all__ = ["ANY", "DRAM", "NATIVE", "PRIVATE", "Selector", "fits"]
