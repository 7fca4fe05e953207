"""LLVM debug metadata → source positions, kernel names and parameter kinds.

In: the lines of an LLVM IR module.  Out: answers about `!dbg` attachments.  A position inside
the built-in header is replaced by the place in the user's file that called it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from zhisuan.base.errors import SourcePos
from zhisuan.bcl.driver import INCLUDE

_NODE = re.compile(r"^(!\d+) = (?:distinct )?(.*)$")
_FIELD = re.compile(r'(\w+): (!\d+|"[^"]*"|[-\w|]+)')
_DECLARE = re.compile(r" *#dbg_declare\(ptr %([-\w.$]+), (!\d+), !DIExpression\(\), ")
_ENCODINGS = {
    "DW_ATE_signed": "i",
    "DW_ATE_signed_char": "i",
    "DW_ATE_unsigned": "u",
    "DW_ATE_unsigned_char": "u",
    "DW_ATE_boolean": "u",
    "DW_ATE_UTF": "u",
    "DW_ATE_float": "f",
}
BY_ADDRESS = 128
"""Bits beyond which a structure is passed by its address."""
HEADERS = str(INCLUDE)
GENERATED = "dlp_instructions.h"


@dataclass(frozen=True)
class FunctionInfo:
    name: str
    place: SourcePos | None
    parameter_kinds: tuple[str, ...]


class DebugInfo:
    """`sources` maps file names to text, for the excerpts of error messages."""

    def __init__(self, lines: list[str], sources: dict[str, str]) -> None:
        self.nodes: dict[str, str] = {}
        self.sources = {name: text.split("\n") for name, text in sources.items()}
        self.places: dict[str, SourcePos | None] = {}
        self.read: dict[str, dict[str, str]] = {}
        for line in lines:
            if line.startswith("!") and (match := _NODE.match(line)):
                self.nodes[match[1]] = match[2]

    def fields(self, node: str) -> dict[str, str]:
        if node not in self.read:
            self.read[node] = dict(_FIELD.findall(self.nodes.get(node, "")))
        return self.read[node]

    def location(self, text: str) -> SourcePos | None:
        """The place of an instruction, or None when it has none (or line 0)."""
        match = re.search(r"!dbg (!\d+)", text)
        if match is None:
            return None
        if match[1] not in self.places:
            self.places[match[1]] = self._location(match[1])
        return self.places[match[1]]

    def _location(self, node: str) -> SourcePos | None:
        fields = self.fields(node)
        file = self.file_of(fields.get("scope", ""))
        ours = file.startswith(HEADERS) or file.endswith(GENERATED)
        if ours and "inlinedAt" in fields:
            return self._location(fields["inlinedAt"])
        return self.position(file, int(fields.get("line", 0)), int(fields.get("column", 0)))

    def file_of(self, scope: str) -> str:
        for _ in range(100):
            fields = self.fields(scope)
            if "file" in fields:
                return self.fields(fields["file"]).get("filename", '""').strip('"')
            if "scope" not in fields:
                break
            scope = fields["scope"]
        return ""

    def position(self, file: str, line: int, column: int = 0) -> SourcePos | None:
        if not file or not line:
            return None
        known = self.sources.get(file, [])
        text = known[line - 1] if line <= len(known) else ""
        return SourcePos(file, line, column, text)

    def function(self, node: str) -> FunctionInfo:
        fields = self.fields(node)
        place = self.position(self.file_of(node), int(fields.get("line", 0)))
        types = self.fields(fields.get("type", "")).get("types", "")
        members = re.findall(r"!\d+|null", self.nodes.get(types, ""))[1:]
        kinds = tuple(self.kind(member) for member in members)
        return FunctionInfo(fields.get("name", '""').strip('"'), place, kinds)

    def of_builtin(self, record: str) -> tuple[str, bool] | None:
        """The stack variable that a `#dbg_declare` says our headers declare, and whether it is a
        parameter."""
        found = _DECLARE.match(record)
        if found is None:
            return None
        file = self.file_of(self.fields(found[2]).get("scope", ""))
        is_ours = file.startswith(HEADERS) or file.endswith(GENERATED)
        return (found[1], "arg" in self.fields(found[2])) if is_ours else None

    def kind(self, node: str) -> str:
        """`ptr`, `struct`, or a number's type; empty for what cannot be a kernel argument."""
        text = self.nodes.get(node, "")
        fields = self.fields(node)
        if "DW_TAG_pointer_type" in text or "DW_TAG_reference_type" in text:
            return "ptr"
        if text.startswith("!DIBasicType"):
            letter = _ENCODINGS.get(fields.get("encoding", ""), "")
            return f"{letter}{fields.get('size', '')}" if letter else ""
        if "DW_TAG_enumeration_type" in text:
            return (
                f"u{fields['size']}" if "baseType" not in fields else self.kind(fields["baseType"])
            )
        if "DW_TAG_structure_type" in text and int(fields.get("size", 0)) > BY_ADDRESS:
            return "struct"
        if text.startswith("!DIDerivedType") and "baseType" in fields:
            return self.kind(fields["baseType"])
        return ""

    def _variable(self, text: str) -> dict[str, str]:
        match = re.search(r"!dbg (!\d+)", text)
        return self.fields(self.fields(match[1]).get("var", "")) if match else {}

    def global_place(self, text: str) -> SourcePos | None:
        fields = self._variable(text)
        if "file" not in fields:
            return None
        file = self.fields(fields["file"]).get("filename", '""').strip('"')
        return self.position(file, int(fields.get("line", 0)))

    def global_name(self, text: str) -> str:
        return self._variable(text).get("name", "").strip('"')
