"""LLVM debug metadata and records → scopes, variables and notes (`debug_notes`).

In: the metadata of a module, and `#dbg_…` lines between its instructions.  Out: the scope of
each place, the variables of functions and files, what each record says.  What is inlined from
the built-in header belongs to the place in the user's file that called it.
"""

from __future__ import annotations

import re

from zhisuan.base.errors import SourcePos
from zhisuan.bcl import ir
from zhisuan.bcl.debug_info import GENERATED, HEADERS, DebugInfo
from zhisuan.bcl.debug_notes import (
    FunctionNotes,
    Note,
    ProgramNotes,
    ScopedPos,
    SourceScope,
    StaticVariable,
    Tracked,
)
from zhisuan.bcl.debug_types import DebugTypes
from zhisuan.bcl.llvm_line import Line

_EXPRESSION = re.compile(r"!DIExpression\(([^)]*)\)")
_LAST = re.compile(r"(!\d+), (?:!DIExpression\([^)]*\)), (!\d+)\)")
_ARITHMETIC = {"plus": "add", "mul": "mul", "and": "and", "or": "or", "xor": "xor", "shl": "shl",
               "shr": "shr", "shra": "sra"}  # fmt: skip
_MASK = (1 << 64) - 1


class Variables:
    """Scopes, variables and notes of one module."""

    def __init__(self, info: DebugInfo, notes: ProgramNotes) -> None:
        self.info = info
        self.notes = notes
        self.types = DebugTypes(info, notes.types)
        self.module = f"{len(notes.functions)}:"  # tells the nodes of modules apart
        self.scopes: dict[tuple[str, str], SourceScope | None] = {}
        self.tracked: dict[tuple[str, SourceScope], Tracked] = {}
        self.current: FunctionNotes | None = None

    # -- scopes ---------------------------------------------------------------------------

    def placed(self, text: str) -> SourcePos | None:
        """The place of an instruction, with its scope."""
        match = re.search(r"!dbg (!\d+)", text)
        place = self.info.location(text)
        if match is None or place is None:
            return place
        return self._scoped(place, self._users(match[1]))

    def _users(self, location: str) -> str:
        """The location in the user's file that what is inlined from our headers stands for."""
        fields = self.info.fields(location)
        while "inlinedAt" in fields and self._is_ours(fields.get("scope", "")):
            location = fields["inlinedAt"]
            fields = self.info.fields(location)
        return location

    def _is_ours(self, scope: str) -> bool:
        file = self.info.file_of(scope)
        return file.startswith(HEADERS) or file.endswith(GENERATED)

    @staticmethod
    def _with(place: SourcePos, scope: SourceScope | None) -> ScopedPos:
        return ScopedPos(place.file, place.line, place.column, place.text, scope)

    def _scoped(self, place: SourcePos, location: str) -> SourcePos:
        return self._with(place, self.scope_of(location))

    def scope_of(self, location: str) -> SourceScope | None:
        """The scope instance that a DILocation lies in."""
        fields = self.info.fields(location)
        return self._scope(fields.get("scope", ""), fields.get("inlinedAt", ""))

    def _scope(self, node: str, inlined: str) -> SourceScope | None:
        if (node, inlined) not in self.scopes:
            self.scopes[node, inlined] = self._new_scope(node, inlined)
            if inlined and self.info.nodes.get(node, "").startswith("!DISubprogram"):
                self._list(node, inlined)
        return self.scopes[node, inlined]

    def _new_scope(self, node: str, inlined: str) -> SourceScope | None:
        text, fields = self.info.nodes.get(node, ""), self.info.fields(node)
        if text.startswith("!DILexicalBlockFile"):  # the same block, text of another file
            return self._scope(fields["scope"], inlined)
        place = self.info.position(self.info.file_of(node), int(fields.get("line", 0)))
        key = self.module + node
        if text.startswith("!DILexicalBlock"):
            return SourceScope(key, place, self._scope(fields["scope"], inlined))
        if not inlined:
            return SourceScope(key, place)
        location = self._users(inlined)
        call = self.info.fields(location)
        file, line = self.info.file_of(call.get("scope", "")), int(call.get("line", 0))
        return SourceScope(key, place, self.scope_of(location), self._full_name(node),
                           self.info.position(file, line))  # fmt: skip

    def enter(self, symbol: str, node: str, place: SourcePos | None) -> SourcePos | None:
        """Begin a function by its DISubprogram; returns its place with its scope."""
        scope = self._scope(node, "")
        if scope is None:
            return place
        self.current = FunctionNotes(self._full_name(node), scope)
        self.notes.functions[symbol] = self.current
        self._list(node, "")
        return None if place is None else self._with(place, scope)

    def _full_name(self, node: str) -> str:
        """A function's name with the classes and namespaces around it."""
        parts: list[str] = []
        while node.startswith("!"):
            text, fields = self.info.nodes.get(node, ""), self.info.fields(node)
            if not text.startswith(("!DISubprogram", "!DICompositeType", "!DINamespace")):
                break
            if text.startswith("!DISubprogram") and parts:  # a class inside a function
                break
            name = fields.get("name", "").strip('"')
            parts += [name] if name else []
            node = fields.get("scope", "")
        return "::".join(reversed(parts))

    # -- variables ------------------------------------------------------------------------

    def enter_static(self, symbol: str, text: str) -> None:
        """The variable of a global's line, when the source has one."""
        match = re.search(r"!dbg (!\d+)", text)
        node = self.info.fields(match[1]).get("var", "") if match else ""
        fields = self.info.fields(node)
        if "name" not in fields:
            return
        scope = fields.get("scope", "")
        local = self.info.nodes.get(scope, "").startswith(("!DISubprogram", "!DILexicalBlock"))
        self.notes.statics[symbol] = StaticVariable(
            fields["name"].strip('"'), self.types.index(fields.get("type", "")),
            self._declared(fields), self.module + self._block(scope) if local else "",
        )  # fmt: skip

    def _block(self, node: str) -> str:
        while self.info.nodes.get(node, "").startswith("!DILexicalBlockFile"):
            node = self.info.fields(node)["scope"]
        return node

    def _declared(self, fields: dict[str, str]) -> SourcePos | None:
        file = self.info.fields(fields.get("file", "")).get("filename", "").strip('"')
        return self.info.position(file, int(fields.get("line", 0)))

    def _list(self, subprogram: str, inlined: str) -> None:
        """Enter the variables that an instance of a function was written with."""
        nodes = self.info.nodes.get(self.info.fields(subprogram).get("retainedNodes", ""), "")
        for node in re.findall(r"!\d+", nodes):
            self._variable(node, inlined)

    def _variable(self, node: str, inlined: str) -> Tracked | None:
        """A variable in the instance of its scope inlined there; None for those of our headers."""
        text, fields = self.info.nodes.get(node, ""), self.info.fields(node)
        if not text.startswith("!DILocalVariable"):
            return None
        if "DIFlagArtificial" in text and "DIFlagObjectPointer" not in text:  # not of the source
            return None
        if inlined and self._is_ours(fields.get("scope", "")):
            return None
        scope = self._scope(fields.get("scope", ""), inlined)
        if scope is None or "name" not in fields:
            return None
        if (node, scope) not in self.tracked:
            self.tracked[node, scope] = Tracked(
                fields["name"].strip('"'), self.types.index(fields.get("type", "")),
                self._declared(fields), int(fields.get("arg", 0)), scope,
            )  # fmt: skip
        if self.current is not None:
            self.current.listed[self.tracked[node, scope]] = None
        return self.tracked[node, scope]

    # -- records --------------------------------------------------------------------------

    def note(self, line: Line) -> Note | None:
        """What a `#dbg_declare` or `#dbg_value` line says."""
        found = _LAST.search(line.text)
        word = line.next()
        if found is None or word not in ("dbg_declare", "dbg_value"):
            return None
        variable = self._variable(found[1], self.info.fields(found[2]).get("inlinedAt", ""))
        if variable is None:
            return None
        expression = _EXPRESSION.search(line.text)
        is_declared = word == "dbg_declare"
        read = read_expression(expression[1] if expression else "", is_declared)
        line.expect("(")
        value = None if line.peek().startswith("!") else line.typed_value()
        if read is None or isinstance(value, ir.Undefined):
            return Note(variable, None)
        steps, piece = read
        return Note(variable, value, steps, piece, is_declared)


def read_expression(
    text: str, is_address: bool
) -> tuple[tuple[tuple[str, int], ...], tuple[int, int] | None] | None:
    """A DIExpression's steps and the piece it is of; None when it says what we cannot.

    The steps end with ("load", 0) where the value lies in memory at what they make.
    `is_address`: the expression is applied to the variable's address.
    """
    words = [word.strip().removeprefix("DW_OP_") for word in text.split(",") if word.strip()]
    steps: list[tuple[str, int]] = []
    piece, is_value, at = None, False, 0
    while at < len(words):
        word = words[at]
        if word == "LLVM_fragment":
            piece = int(words[at + 1]) // 8, int(words[at + 2]) // 8
            at += 3
        elif word == "plus_uconst":
            steps.append(("add", int(words[at + 1])))
            at += 2
        elif word in ("constu", "consts") and at + 2 < len(words):
            number, by = int(words[at + 1]), words[at + 2]
            if by not in ("minus", *_ARITHMETIC):
                return None
            steps.append(("add", -number) if by == "minus" else (_ARITHMETIC[by], number))
            at += 3
        elif word == "LLVM_convert" and words[at + 3 : at + 4] == ["LLVM_convert"]:
            steps += _extension(int(words[at + 1]), words[at + 2], int(words[at + 4]))
            at += 6
        elif word == "deref":
            steps.append(("load", 0))
            at += 1
        elif word == "stack_value":
            is_value = True
            at += 1
        else:
            return None
    if is_address:
        steps.append(("load", 0))
    if steps and steps[-1][0] != "load" and not is_value:
        return None
    return tuple(steps), piece


def _extension(bits: int, encoding: str, to: int) -> list[tuple[str, int]]:
    """The steps that make a number of `to` bits of one of fewer; fewer are cut by their size."""
    if to <= bits or bits >= 64:
        return []
    return [("shl", 64 - bits), ("sra" if encoding == "DW_ATE_signed" else "shr", 64 - bits)]
