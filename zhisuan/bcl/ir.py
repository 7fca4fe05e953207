"""The compiler's typed IR: what `read_llvm` makes of clang's output and `select` consumes.

SSA functions of basic blocks over integers of any width, half, float and pointers (plain 64-bit
addresses).  Holds no LLVM object and knows nothing about the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.base.errors import SourcePos


@dataclass(frozen=True)
class Type:
    """Base of all types."""


@dataclass(frozen=True)
class Void(Type):
    def __str__(self) -> str:
        return "void"


@dataclass(frozen=True)
class Int(Type):
    bits: int

    def __str__(self) -> str:
        return f"i{self.bits}"


@dataclass(frozen=True)
class Float(Type):
    """A float type by its LLVM name; only `half` and `float` have instructions."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Pointer(Type):
    def __str__(self) -> str:
        return "ptr"


@dataclass(frozen=True)
class Array(Type):
    count: int
    element: Type

    def __str__(self) -> str:
        return f"[{self.count} x {self.element}]"


@dataclass(frozen=True)
class Struct(Type):
    fields: tuple[Type, ...]
    packed: bool = False

    def __str__(self) -> str:
        return "{ " + ", ".join(map(str, self.fields)) + " }"


@dataclass(frozen=True)
class Vector(Type):
    """A short SIMD vector: readable, but no instruction takes one."""

    count: int
    element: Type

    def __str__(self) -> str:
        return f"<{self.count} x {self.element}>"


VOID, PTR = Void(), Pointer()
HALF, FLOAT = Float("half"), Float("float")
I1, I8, I32, I64 = Int(1), Int(8), Int(32), Int(64)
_FLOAT_BYTES = {"half": 2, "bfloat": 2, "float": 4, "double": 8, "x86_fp80": 16, "fp128": 16}


def alignment(kind: Type) -> int:
    """ABI alignment of a type in bytes."""
    if isinstance(kind, Int):
        size = -(-kind.bits // 8)
        return min(16, 1 << (size - 1).bit_length())
    if isinstance(kind, Float):
        return _FLOAT_BYTES[kind.name]
    if isinstance(kind, Array):
        return alignment(kind.element)
    if isinstance(kind, Vector):
        return max(1, size_of(kind))
    if isinstance(kind, Struct):
        return 1 if kind.packed else max((alignment(f) for f in kind.fields), default=1)
    return 8


def size_of(kind: Type) -> int:
    """Bytes between consecutive elements of this type in an array."""
    if isinstance(kind, Int):
        return round_up(-(-kind.bits // 8), alignment(kind))
    if isinstance(kind, Float):
        return _FLOAT_BYTES[kind.name]
    if isinstance(kind, Array | Vector):
        return kind.count * size_of(kind.element)
    if isinstance(kind, Struct):
        end = field_offset(kind, len(kind.fields))
        return round_up(end, alignment(kind))
    return 0 if isinstance(kind, Void) else 8


def field_offset(kind: Struct, index: int) -> int:
    """Byte offset of field `index`; one past the last gives the unpadded end."""
    offset = 0
    for position, member in enumerate(kind.fields):
        if not kind.packed:
            offset = round_up(offset, alignment(member))
        if position == index:
            return offset
        offset += size_of(member)
    return offset


def round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def leaves(kind: Type) -> list[Type]:
    """The first-class values a type flattens into, in memory order."""
    if isinstance(kind, Array | Vector):
        return leaves(kind.element) * kind.count
    if isinstance(kind, Struct):
        return [leaf for member in kind.fields for leaf in leaves(member)]
    return [] if isinstance(kind, Void) else [kind]


def leaf_offsets(kind: Type, base: int = 0) -> list[tuple[Type, int]]:
    """Every leaf of a type with its byte offset."""
    if isinstance(kind, Array | Vector):
        size = size_of(kind.element)
        return [x for i in range(kind.count) for x in leaf_offsets(kind.element, base + i * size)]
    if isinstance(kind, Struct):
        found = []
        for index, member in enumerate(kind.fields):
            found += leaf_offsets(member, base + field_offset(kind, index))
        return found
    return [] if isinstance(kind, Void) else [(kind, base)]


@dataclass(frozen=True)
class Value:
    """An operand."""

    type: Type


@dataclass(frozen=True)
class Local(Value):
    """The result of an instruction, or a parameter."""

    name: str

    def __str__(self) -> str:
        return f"{self.type} %{self.name}"


@dataclass(frozen=True)
class Number(Value):
    """An integer (two's complement in its width), a float's bits, or a null pointer."""

    bits: int

    def __str__(self) -> str:
        return f"{self.type} {self.bits}"


@dataclass(frozen=True)
class Address(Value):
    """The address of a global or a function, plus bytes."""

    symbol: str
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.type} @{self.symbol}+{self.offset}"


@dataclass(frozen=True)
class Expression(Value):
    """A number made of addresses, known when everything has its place: `sub`, `and`, `trunc`…"""

    op: str
    operands: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.type} {self.op}({', '.join(map(str, self.operands))})"


@dataclass(frozen=True)
class Undefined(Value):
    """undef or poison: any bits will do."""

    def __str__(self) -> str:
        return f"{self.type} undef"


@dataclass(frozen=True)
class Group(Value):
    """An aggregate constant."""

    parts: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.type} {{{', '.join(map(str, self.parts))}}}"


def signed(value: int, bits: int) -> int:
    """The two's complement number in the low `bits` of `value`."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def constant_offset(element: Type, indices: list[Value]) -> int | None:
    """Bytes a GEP adds when all its indices are constants, else None."""
    offset, kind = 0, element
    for position, index in enumerate(indices):
        if not isinstance(index, Number):
            return None
        number = signed(index.bits, index.type.bits if isinstance(index.type, Int) else 64)
        if position == 0:
            offset += number * size_of(kind)
        elif isinstance(kind, Struct):
            offset += field_offset(kind, number)
            kind = kind.fields[number]
        elif isinstance(kind, Array | Vector):
            offset += number * size_of(kind.element)
            kind = kind.element
    return offset


@dataclass
class Instruction:
    """One operation.  `word` is a predicate or a callee's name; `kind` a GEP's or alloca's
    element type; `labels` the blocks of a phi, branch or switch; `path` aggregate indices.
    `number` counts the instructions of a function as read; 0 is one that a pass made.
    """

    op: str
    type: Type
    name: str = ""
    operands: list[Value] = field(default_factory=list)
    word: str = ""
    kind: Type = VOID
    labels: list[str] = field(default_factory=list)
    path: tuple[int, ...] = ()
    nonnegative: bool = False  # zext whose operand is known not to be negative
    keeps_sign: bool = False  # trunc of a number that is the same when sign-extended again
    place: SourcePos | None = None
    number: int = 0

    def __str__(self) -> str:
        words = [self.op, self.word, *map(str, self.operands), *self.labels]
        result = f"%{self.name} = " if self.name else ""
        return result + " ".join(word for word in words if word)


TERMINATORS = ("br", "condbr", "switch", "ret", "unreachable")


@dataclass
class Block:
    label: str
    body: list[Instruction] = field(default_factory=list)

    @property
    def terminator(self) -> Instruction:
        return self.body[-1]

    @property
    def phis(self) -> list[Instruction]:
        return [item for item in self.body if item.op == "phi"]

    def successors(self) -> list[str]:
        return list(dict.fromkeys(self.terminator.labels))


@dataclass
class Parameter:
    name: str
    type: Type
    kind: str = ""  # source-level type of a kernel's parameter: ptr, i32, u8, f16, …
    space: str = ""  # memory named by a qualifier, when there is one


@dataclass
class Function:
    name: str
    returns: Type
    parameters: list[Parameter]
    blocks: list[Block] = field(default_factory=list)
    source_name: str = ""
    place: SourcePos | None = None
    passed: dict[str, bool] = field(default_factory=dict)
    """Stack variables of built-ins that are inlined here; whether each is a parameter."""

    def block(self, label: str) -> Block:
        return next(block for block in self.blocks if block.label == label)


@dataclass
class Global:
    name: str
    type: Type
    initial: Value | None
    constant: bool
    align: int
    place: SourcePos | None = None
    source_name: str = ""
    shared: bool = False  # __mlu_device__: one for all cores, kept from launch to launch


@dataclass
class Module:
    globals: dict[str, Global] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)  # names that no other module can mean
    weak: set[str] = field(default_factory=set)  # functions that another module may replace
    annotations: dict[str, set[str]] = field(default_factory=dict)

    def is_kernel(self, name: str) -> bool:
        return "dlp_kernel" in self.annotations.get(name, ())
