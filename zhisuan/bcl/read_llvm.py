"""LLVM IR text → `ir.Module`.

In: the text clang emits (LLVM 22 syntax) and the source, for error positions.  Out: our IR with
source positions, kernel parameter kinds and annotations.  Reads every fact once, here; changes
nothing.  A construct that no later stage can take is an error at its source line.
"""

from __future__ import annotations

import re

from zhisuan.base.errors import SourcePos, ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.debug_info import DebugInfo
from zhisuan.bcl.debug_notes import ProgramNotes
from zhisuan.bcl.debug_variables import Variables
from zhisuan.bcl.llvm_line import FLAGS, Line, bare
from zhisuan.bcl.llvm_operations import read_operation
from zhisuan.isa.registry import SYNC_ALL

_IGNORED_CALLS = ("llvm.dbg.", "llvm.experimental.noalias.scope")
_LINKED_SPACES = ((" protected ", "wram"), (" hidden ", "ldram"), (", align 256", "sram"))


_ALIAS = re.compile(r'(@(?:"[^"]*"|[-\w.$]+)) = .*?\balias [^@]*?, ptr (@(?:"[^"]*"|[-\w.$]+))')


class Reader:
    """Reads one module; `read_module` is the way in."""

    def __init__(
        self, text: str, sources: dict[str, str], notes: ProgramNotes | None = None
    ) -> None:
        self.lines = text.split("\n")
        self.debug = DebugInfo(self.lines, sources)
        self.variables = None if notes is None else Variables(self.debug, notes)
        self.types: dict[str, str] = {}
        self.resolved: dict[str, ir.Type] = {}
        self.aliases: dict[str, str] = {}
        self.module = ir.Module()
        self.place: SourcePos | None = None

    def unreadable(self, text: str, expected: str, found: str) -> ZhisuanError:
        return ZhisuanError(
            "cannot read this construct of the compiled source",
            where=self.place,
            expected=expected,
            found=f"{found!r} in: {text.strip()[:160]}",
        )

    def unsupported(self, what: str, hint: str | None = None) -> ZhisuanError:
        return ZhisuanError(what, where=self.place, hint=hint)

    def aliased(self, symbol: str) -> str:
        return self.aliases.get(symbol, symbol)

    def named_type(self, token: str) -> ir.Type:
        if token not in self.resolved:
            body = self.types[token]
            if body == "opaque":
                self.resolved[token] = ir.VOID
            else:
                self.resolved[token] = Line(self, body).type()
        return self.resolved[token]

    def read(self) -> ir.Module:
        for line in self.lines:
            if line.startswith("%") and " = type " in line:
                name, body = line.split(" = type ", 1)
                self.types[name] = body
            elif line.startswith("@") and (match := _ALIAS.match(line)):
                self.aliases[bare(match[1])] = bare(match[2])
        index = 0
        while index < len(self.lines):
            line = self.lines[index]
            if line.startswith("@") and not _ALIAS.match(line):
                self._global(line)
            elif line.startswith("declare "):
                self.module.declared.add(bare(re.findall(r'@(?:"[^"]*"|[-\w.$]+)', line)[0]))
            elif line.startswith("define "):
                end = self.lines.index("}", index)
                self._function(line, self.lines[index + 1 : end])
                index = end
            index += 1
        return self.module

    def _global(self, text: str) -> None:
        self.place = self.debug.global_place(text)
        line = Line(self, text)
        name = bare(line.next())
        line.expect("=")
        words = []
        while line.peek() not in ("global", "constant"):
            if line.peek() in ("alias", "ifunc"):
                raise self.unsupported(f"'{name}' is an alias, which has no meaning here")
            words.append(line.next())
            if line.peek() == "(":
                line.skip_group()
        if words and words[0] in ("private", "internal"):
            self.module.private.add(name)
        external = "external" in words or "extern_weak" in words
        constant = line.next() == "constant"
        kind = line.type()
        initial = None if external else line.value(kind)
        if external and ir.size_of(kind) == 0:  # no annotation: linkage tells, see bang.h
            space = next((to for word, to in _LINKED_SPACES if word in text), "nram")
            self.module.annotations[name] = {space}
        if name == "llvm.global.annotations":
            self._annotations(initial)
            return
        if "llvm.metadata" in text:
            self.module.globals[name] = ir.Global(name, kind, initial, True, 1)
            return
        align = re.search(r", align (\d+)", text)
        if self.variables is not None:
            self.variables.enter_static(name, text)
        self.module.globals[name] = ir.Global(
            name, kind, initial, constant,
            int(align[1]) if align else ir.alignment(kind), self.place,
            self.debug.global_name(text) or name, "externally_initialized" in words,
        )  # fmt: skip

    def _annotations(self, initial: ir.Value | None) -> None:
        assert isinstance(initial, ir.Group)
        for entry in initial.parts:
            assert isinstance(entry, ir.Group)
            target, note = entry.parts[0], entry.parts[1]
            assert isinstance(target, ir.Address) and isinstance(note, ir.Address)
            self.module.annotations.setdefault(target.symbol, set()).add(self._text(note.symbol))

    def _text(self, symbol: str) -> str:
        initial = self.module.globals[symbol].initial
        assert isinstance(initial, ir.Group)
        return bytes(part.bits for part in initial.parts).rstrip(b"\0").decode()  # type: ignore[attr-defined]

    def _function(self, head: str, body: list[str]) -> None:
        subprogram = re.search(r"!dbg (!\d+)", head)
        info = self.debug.function(subprogram[1]) if subprogram else None
        self.place = info.place if info else None
        line = Line(self, head)
        words = []
        while not line.at_type():
            words.append(line.next())
            if words[-1] == "section" or line.peek() == "(":
                line.skip_group()
        returns = line.type()
        name = bare(line.next())
        if self.variables is not None and subprogram is not None:
            self.place = self.variables.enter(name, subprogram[1], self.place)
        line.expect("(")
        parameters: list[ir.Parameter] = []
        while not line.accept(")"):
            if line.peek() == "...":
                raise self.unsupported("functions with variable arguments are not supported")
            kind = line.type()
            line.skip_attributes()
            label = bare(line.next()) if line.peek().startswith("%") else str(len(parameters))
            parameters.append(ir.Parameter(label, kind))
            line.accept(",")
        function = ir.Function(name, returns, parameters)
        function.source_name = info.name.replace("_Float16", "half") if info else name
        function.place = self.place
        if info and len(info.parameter_kinds) == len(parameters):
            for parameter, kind_name in zip(parameters, info.parameter_kinds, strict=True):
                parameter.kind = kind_name
        self.module.functions[name] = function
        if "internal" in words:
            self.module.private.add(name)
        if any(word.startswith(("weak", "linkonce")) for word in words):
            self.module.weak.add(name)
        self._body(function, body)

    def _body(self, function: ir.Function, body: list[str]) -> None:
        unnamed = sum(1 for parameter in function.parameters if parameter.name.isdigit())
        block = ir.Block(str(unnamed))
        spaces: dict[str, str] = {}
        known = self.variables and self.variables.notes.functions.get(function.name)
        index = number = 0
        while index < len(body):
            text = body[index]
            index += 1
            if text.startswith("    #dbg"):
                if builtin := self.debug.of_builtin(text):
                    function.passed[builtin[0]] = builtin[1]
                if known and self.variables and (note := self.variables.note(Line(self, text))):
                    known.notes.setdefault(block.label, []).append((number + 1, note))
                continue
            if not text or text[0] == ";":
                continue
            if text[0] != " ":
                if block.body:
                    function.blocks.append(block)
                block = ir.Block(text.split(";")[0].rstrip().rstrip(":").strip('"'))
                continue
            if text.lstrip().startswith("switch ") and "]" not in text:
                while "]" not in text.rsplit("[", 1)[-1]:
                    text += " " + body[index].strip()
                    index += 1
            self.place = self._place(text) or self.place
            item = self._instruction(text, spaces)
            if item is not None:
                number += 1
                item.number = number
                block.body.append(item)
        function.blocks.append(block)
        if known:
            known.last = {block.label: block.terminator.number for block in function.blocks}
        for parameter in function.parameters:
            parameter.space = spaces.get(f"{parameter.name}.addr", "")

    def _place(self, text: str) -> SourcePos | None:
        return (self.variables.placed if self.variables else self.debug.location)(text)

    def _instruction(self, text: str, spaces: dict[str, str]) -> ir.Instruction | None:
        metadata = text.find(", !")
        line = Line(self, text if metadata < 0 else text[:metadata])
        name = ""
        if line.peek(1) == "=":
            name = bare(line.next())
            line.next()
        flags = line.skip_words(FLAGS)
        if "call" in flags:
            item = self._call(line, spaces)
        else:
            op = line.next()
            flags |= line.skip_words(FLAGS)
            item = read_operation(op, line)
        if item is None:
            return None
        item.name = name
        item.place = self.place
        item.nonnegative = "nneg" in flags
        item.keeps_sign = item.op == "trunc" and "nsw" in flags
        return item

    def _call(self, line: Line, spaces: dict[str, str]) -> ir.Instruction | None:
        line.skip_words(FLAGS)
        while not line.at_type():
            word = line.next()
            if word == "align":
                line.next()
            elif line.peek() == "(":
                line.skip_group()
        returns = line.type()
        if line.peek() == "(":
            line.skip_group()
        if line.peek() == "asm":
            return self._assembly(line, returns)
        callee = line.value(ir.PTR)
        if isinstance(callee, ir.Address) and callee.symbol.startswith(_IGNORED_CALLS):
            return None
        line.expect("(")
        arguments = []
        while not line.accept(")"):
            arguments.append(line.typed_value())
            line.accept(",")
        if isinstance(callee, ir.Address):
            if callee.symbol.startswith(("llvm.var.annotation", "llvm.ptr.annotation")):
                return self._annotated(callee.symbol, arguments, spaces)
            return ir.Instruction("call", returns, operands=arguments, word=callee.symbol)
        return ir.Instruction("call", returns, operands=[*arguments, callee])

    def _assembly(self, line: Line, returns: ir.Type) -> ir.Instruction | None:
        """Empty assembly hides a value from clang's optimiser, "sync;" waits for all queues.

        Any other is an error.
        """
        while not line.peek().startswith('"'):
            line.next()
        text, _, constraints = line.next(), line.next(), line.next().strip('"').split(",")
        values = []
        line.expect("(")
        while not line.accept(")"):
            values.append(line.typed_value())
            line.accept(",")
        inputs = [c for c in constraints if c[:1] not in ("", "=", "~")]
        tied = [v for c, v in zip(inputs, values, strict=False) if c.isdigit()]
        whole = isinstance(returns, ir.Void) or (len(tied) == 1 and tied[0].type == returns)
        statements = {part.strip() for part in re.split(r";|\\0[9Aa]", text.strip('"'))} - {""}
        if statements - {"sync"} or not whole:
            raise self.unsupported(
                "this inline assembly is not supported", hint='the only statement here is "sync;"'
            )
        if statements:
            waited = ir.Number(ir.I64, SYNC_ALL)
            return ir.Instruction("call", ir.VOID, operands=[waited], word="__dlp_SYNC")
        if isinstance(returns, ir.Void):
            return None
        return ir.Instruction("freeze", returns, operands=tied)

    def _annotated(
        self, intrinsic: str, arguments: list[ir.Value], spaces: dict[str, str]
    ) -> ir.Instruction | None:
        target, note = arguments[0], arguments[1]
        if isinstance(target, ir.Local) and isinstance(note, ir.Address):
            spaces[target.name] = self._text(note.symbol)
        if intrinsic.startswith("llvm.ptr"):
            return ir.Instruction("freeze", ir.PTR, operands=[target])
        return None


def read_module(text: str, sources: dict[str, str], notes: ProgramNotes | None = None) -> ir.Module:
    """The module in LLVM IR `text`; `sources` maps file names to their text, for excerpts.

    With `notes`, what `-g` wants to know is added to them.
    """
    return Reader(text, sources, notes).read()
