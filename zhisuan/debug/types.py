"""Types of a program, and those that the user names: `half`, `float*`, `int[4][8]`.

Comes in: a program's debug table, if it has one.  Goes out: numbers of types, which the table's own
dataclasses describe.
"""

from __future__ import annotations

from zhisuan.isa.debug_table import (
    SCALAR_BYTES,
    VOID,
    Alias,
    Array,
    DebugTable,
    Enum,
    Pointer,
    Scalar,
    Struct,
    Type,
)

NAMES = {
    "char": "i8", "signed char": "i8", "unsigned char": "u8", "short": "i16",
    "unsigned short": "u16", "int": "i32", "unsigned": "u32", "unsigned int": "u32", "long": "i64",
    "unsigned long": "u64", "long long": "i64", "unsigned long long": "u64", "half": "f16",
    "bfloat16": "bf16", "float": "f32", "double": "f64", "bool": "bool", "int8_t": "i8",
    "uint8_t": "u8", "int16_t": "i16", "uint16_t": "u16", "int32_t": "i32", "uint32_t": "u32",
    "int64_t": "i64", "uint64_t": "u64", "size_t": "u64", "_Float16": "f16",
    **{kind: kind for kind in SCALAR_BYTES},
}  # fmt: skip
"""What users call scalar types → the kind."""
_USUAL = {kind: name for name, kind in reversed(NAMES.items())}


class Types:
    def __init__(self, table: DebugTable | None) -> None:
        self._items = list(table.types) if table is not None else []
        self._numbers: dict[Type, int] = {}
        for number, item in enumerate(self._items):
            self._numbers.setdefault(item, number)
        self._table = DebugTable(tuple(self._items))

    def add(self, item: Type) -> int:
        """The number of a type, which may be new."""
        if item not in self._numbers:
            self._numbers[item] = len(self._items)
            self._items.append(item)
            self._table = DebugTable(tuple(self._items))
        return self._numbers[item]

    def scalar(self, kind: str) -> int:
        return self.add(Scalar(_USUAL[kind], kind))

    def pointer(self, to: int) -> int:
        return self.add(Pointer(to))

    def array(self, of: int, counts: tuple[int, ...]) -> int:
        return self.add(Array(of, counts)) if counts else of

    def named(self, name: str) -> int | None:
        """The type of this name without `*` and `[]`; None where there is none."""
        if name == "void":
            return VOID
        for number, item in enumerate(self._items):
            if isinstance(item, Struct | Enum | Alias | Scalar) and item.name == name:
                return number
        return self.scalar(NAMES[name]) if name in NAMES else None

    def name_of(self, number: int) -> str:
        return self._table.name_of(number)

    def plain(self, number: int) -> Type | None:
        return self._table.plain(number)

    def size_of(self, number: int) -> int:
        return self._table.size_of(number)

    def kind_of(self, number: int) -> str | None:
        """Of a scalar or an enumeration; pointers are u64; None for all others."""
        item = self.plain(number)
        if isinstance(item, Scalar | Enum):
            return item.kind
        return "u64" if isinstance(item, Pointer) else None
