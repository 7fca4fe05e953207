"""LLVM's debug types → `isa.debug_table` types.

In: metadata nodes.  Out: entries of one table, which grows; a node's index in it.  What has no
counterpart is Opaque.  One table serves all modules of a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from zhisuan.bcl.debug_info import HEADERS, DebugInfo
from zhisuan.isa.debug_table import (
    SCALAR_BYTES,
    VOID,
    Alias,
    Array,
    DebugTable,
    Enum,
    Member,
    Opaque,
    Pointer,
    Qualified,
    Scalar,
    Struct,
    Type,
)

_LETTERS = {"signed": "i", "signed_char": "i", "unsigned": "u", "unsigned_char": "u", "UTF": "u",
            "float": "f"}  # fmt: skip
_NODES = re.compile(r"!\d+|null")
_ENUMERATOR = re.compile(r'name: "([^"]*)", value: (-?\d+)')
_SUBRANGE = re.compile(r"count: (\d+)")


class DebugTypes:
    """The types of one module; `table` is shared by all modules of a program."""

    def __init__(self, info: DebugInfo, table: list[Type]) -> None:
        self.info = info
        self.table = table
        self.known: dict[str, int] = {}

    def index(self, node: str) -> int:
        """The index of a node's type; VOID for none."""
        if not node.startswith("!"):
            return VOID
        if node not in self.known:
            self._enter(node)
        return self.known[node]

    def _enter(self, node: str) -> None:
        text, fields = self.info.nodes.get(node, ""), self.info.fields(node)
        tag = fields.get("tag", "").removeprefix("DW_TAG_")
        if tag in ("restrict_type", "atomic_type"):
            self.known[node] = self.index(fields.get("baseType", ""))
            return
        if tag in ("structure_type", "class_type", "union_type") and "FwdDecl" not in text:
            self.known[node] = self._add(Opaque(""))  # members may lead back here
            self.table[self.known[node]] = self._struct(fields, tag.removesuffix("_type"))
            return
        made = self._type(node, text, fields, tag)
        self.known[node] = self._add(made)

    def _add(self, kind: Type) -> int:
        if not isinstance(kind, Struct | Opaque) and kind in self.table:
            return self.table.index(kind)
        self.table.append(kind)
        return len(self.table) - 1

    def _type(self, node: str, text: str, fields: dict[str, str], tag: str) -> Type:
        name, size = fields.get("name", "").strip('"'), int(fields.get("size", 0)) // 8
        if text.startswith("!DIBasicType"):
            return _scalar(name, size, fields.get("encoding", ""))
        if text.startswith("!DISubroutineType"):
            return Opaque(self._signature(fields))
        base = fields.get("baseType", "")
        simple: dict[str, Callable[[], Type]] = {
            "pointer_type": lambda: Pointer(self.index(base)),
            "reference_type": lambda: Pointer(self.index(base), True),
            "rvalue_reference_type": lambda: Pointer(self.index(base), True),
            "typedef": lambda: Alias(name, self.index(base)),
            "template_alias": lambda: Alias(name, self.index(base)),
            "const_type": lambda: Qualified("const", self.index(base)),
            "volatile_type": lambda: Qualified("volatile", self.index(base)),
            "array_type": lambda: Array(self.index(base), self._counts(fields)),
            "enumeration_type": lambda: self._enum(name, size, fields),
        }
        return simple[tag]() if tag in simple else Opaque(name, size)

    def _elements(self, fields: dict[str, str]) -> list[str]:
        return _NODES.findall(self.info.nodes.get(fields.get("elements", ""), ""))

    def _counts(self, fields: dict[str, str]) -> tuple[int, ...]:
        """A length known at run time only counts as 0."""
        texts = [self.info.nodes.get(node, "") for node in self._elements(fields)]
        found = [_SUBRANGE.search(text) for text in texts]
        return tuple(int(match[1]) if match else 0 for match in found)

    def _enum(self, name: str, size: int, fields: dict[str, str]) -> Type:
        base = self.index(fields.get("baseType", ""))
        while base != VOID and isinstance(kind := self.table[base], Alias | Qualified):
            base = kind.type
        kind = self.table[base] if base != VOID else Scalar("", f"u{8 * size}")
        texts = [self.info.nodes.get(node, "") for node in self._elements(fields)]
        values = [match for text in texts if (match := _ENUMERATOR.search(text))]
        held = kind.kind if isinstance(kind, Scalar) else f"u{8 * size}"
        return Enum(name, held, tuple((match[1], int(match[2])) for match in values))

    def _struct(self, fields: dict[str, str], word: str) -> Type:
        name, size = fields.get("name", "").strip('"'), int(fields.get("size", 0)) // 8
        file = self.info.fields(fields.get("file", "")).get("filename", "").strip('"')
        if name == "bfloat16_t" and file.startswith(HEADERS):
            return Scalar(name, "bf16")
        word = {"structure": "struct"}.get(word, word)
        members = [self._member(node) for node in self._elements(fields)]
        return Struct(word, name, size, tuple(m for m in members if m is not None))

    def _member(self, node: str) -> Member | None:
        """None for functions, static members, types inside."""
        text, fields = self.info.nodes.get(node, ""), self.info.fields(node)
        tag = fields.get("tag", "")
        if tag not in ("DW_TAG_member", "DW_TAG_inheritance") or "StaticMember" in text:
            return None
        name, kind = fields.get("name", "").strip('"'), self.index(fields.get("baseType", ""))
        at = int(fields.get("offset", 0))
        if "DIFlagBitField" in text:
            start = at // 8
            return Member(name, kind, start, int(fields.get("size", 0)), at - 8 * start)
        return Member(name, kind, at // 8)

    def _signature(self, fields: dict[str, str]) -> str:
        nodes = _NODES.findall(self.info.nodes.get(fields.get("types", ""), ""))
        indices = [self.index(node) for node in nodes]  # which adds to the table
        names = [DebugTable(tuple(self.table)).name_of(index) for index in indices]
        return f"{names[0] if names else 'void'} ({', '.join(names[1:])})"


def _scalar(name: str, size: int, encoding: str) -> Type:
    encoding = encoding.removeprefix("DW_ATE_")
    if encoding == "boolean":
        return Scalar(name, "bool")
    kind = "bf16" if name == "__bf16" else f"{_LETTERS.get(encoding, '')}{8 * size}"
    return Scalar(name, kind) if kind in SCALAR_BYTES else Opaque(name, size)
