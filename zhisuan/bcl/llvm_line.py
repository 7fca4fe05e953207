"""One statement of LLVM IR text: tokens, types, values, constant expressions.

In: a line of text.  Out: `ir` types and values, read one after another by whoever knows the
statement's form.  Constant expressions are folded here.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import ir


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(
    r'c"[^"]*"|"[^"]*"|[@%](?:"[^"]*"|[-\w.$]+)|![\w.]*|#\d+|-?\d+\.\d+(?:e[+-]?\d+)?'
    r"|[fs]?0x[HKLMR]?[0-9A-Fa-f]+|-?\d+|[A-Za-z_][\w.]*|\.\.\.|[()\[\]{}<>,=*:|]"
)
_TYPE_WORD = re.compile(r"i\d+$|half$|float$|double$|bfloat$|fp128$|x86_fp80$|ptr$|void$|%")
CASTS = words("""
    trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp ptrtoint ptrtoaddr inttoptr
    bitcast addrspacecast
""")
FLAGS = words("""
    nuw nsw exact disjoint nneg samesign inbounds nusw fast nnan ninf nsz arcp contract afn
    reassoc volatile tail musttail notail call fastcc ccc coldcc
""")
_CONSTANT_WORDS = words("""
    null true false undef poison zeroinitializer getelementptr ptrtoint ptrtoaddr inttoptr
    bitcast addrspacecast trunc add sub mul and or xor shl lshr ashr splat
""")
_SIZES = {"half": "e", "float": "f", "double": "d"}


class Context(Protocol):
    """What a line needs of the module it stands in."""

    def unreadable(self, text: str, expected: str, found: str) -> ZhisuanError: ...
    def unsupported(self, what: str, hint: str | None = None) -> ZhisuanError: ...
    def named_type(self, token: str) -> ir.Type: ...
    def aliased(self, symbol: str) -> str: ...


class Line:
    """A cursor over the tokens of one statement."""

    def __init__(self, context: Context, text: str) -> None:
        self.context = context
        self.text = text
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index] if index < len(self.tokens) else ""

    def next(self) -> str:
        self.at += 1
        return self.peek(-1)

    def accept(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise self.context.unreadable(self.text, f"'{token}'", self.peek())

    def skip_group(self) -> None:
        """Past a parenthesised group that starts here."""
        depth = 0
        while self.at < len(self.tokens):
            token = self.next()
            depth += (token == "(") - (token == ")")
            if depth == 0:
                return

    def skip_words(self, words: frozenset[str]) -> set[str]:
        seen = set()
        while self.peek() in words:
            seen.add(self.next())
        return seen

    def at_type(self) -> bool:
        token = self.peek()
        return bool(_TYPE_WORD.match(token)) or token in ("[", "{", "<")

    def at_value(self) -> bool:
        token = self.peek()
        return (
            token[:1] in ("%", "@", "-", "[", "{", "<")
            or token[:1].isdigit()
            or token[:2] in ('c"', "f0", "s0")
            or token in _CONSTANT_WORDS
        )

    def skip_attributes(self) -> str:
        """Past parameter or return attributes; returns the words of those skipped."""
        words = []
        while self.peek() and not self.at_value() and self.peek() not in (",", ")"):
            word = self.next()
            words.append(word)
            if word == "align":
                self.next()
            elif self.peek() == "(":
                self.skip_group()
        return " ".join(words)

    def type(self) -> ir.Type:
        token = self.next()
        if token == "[":
            count = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect("]")
            return ir.Array(count, element)
        if token == "{":
            return ir.Struct(self._fields("}"))
        if token == "<":
            if self.accept("{"):
                fields = self._fields("}")
                self.expect(">")
                return ir.Struct(fields, packed=True)
            count = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect(">")
            return ir.Vector(count, element)
        if token == "ptr":
            if self.accept("addrspace"):
                self.skip_group()
            return ir.PTR
        if token == "void":
            return ir.VOID
        if token.startswith("%"):
            return self.context.named_type(token)
        if token[0] == "i" and token[1:].isdigit():
            return ir.Int(int(token[1:]))
        if token in ("half", "float", "double", "bfloat", "fp128", "x86_fp80"):
            return ir.Float(token)
        raise self.context.unreadable(self.text, "a type", token)

    def _fields(self, close: str) -> tuple[ir.Type, ...]:
        fields = []
        while not self.accept(close):
            fields.append(self.type())
            self.accept(",")
        return tuple(fields)

    def typed_value(self) -> ir.Value:
        kind = self.type()
        self.skip_attributes()
        return self.value(kind)

    def value(self, kind: ir.Type) -> ir.Value:
        token = self.next()
        if token.startswith("%"):
            return ir.Local(kind, bare(token))
        if token.startswith("@"):
            return ir.Address(kind, self.context.aliased(bare(token)))
        if token in ("null", "false"):
            return ir.Number(kind, 0)
        if token == "true":
            return ir.Number(kind, 1)
        if token in ("undef", "poison"):
            return ir.Undefined(kind)
        if token == "zeroinitializer":
            return _zero(kind)
        if token.startswith('c"'):
            return _text_constant(kind, token[2:-1])
        if token in ("[", "{", "<"):
            return self._group(kind, token)
        if token in _CONSTANT_WORDS:
            return self._constant_expression(kind, token)
        return self._number(kind, token)

    def _number(self, kind: ir.Type, token: str) -> ir.Value:
        if isinstance(kind, ir.Int):
            if token[:1] in "us" and token[1:3] == "0x":
                return ir.Number(kind, int(token[3:], 16))
            if token.lstrip("-").isdigit():
                return ir.Number(kind, int(token) & ((1 << kind.bits) - 1))
        if isinstance(kind, ir.Float):
            return ir.Number(kind, _float_bits(kind.name, token))
        raise self.context.unreadable(self.text, f"a constant of type {kind}", token)

    def _group(self, kind: ir.Type, open_token: str) -> ir.Value:
        close = {"[": "]", "{": "}", "<": ">"}[open_token]
        packed = open_token == "<" and self.accept("{")
        parts = []
        while self.peek() not in (close, "}"):
            parts.append(self.typed_value())
            self.accept(",")
        self.next()
        if packed:
            self.expect(">")
        return ir.Group(kind, tuple(parts))

    def _constant_expression(self, kind: ir.Type, op: str) -> ir.Value:
        self.skip_words(FLAGS)
        while self.peek() != "(":
            self.next()
            if self.peek() == "(" and self.peek(-1) == "inrange":
                self.skip_group()
        self.expect("(")
        if op == "splat":
            part = self.typed_value()
            self.expect(")")
            assert isinstance(kind, ir.Vector)
            return ir.Group(kind, (part,) * kind.count)
        if op == "getelementptr":
            element = self.type()
            operands = []
            while not self.accept(")"):
                self.accept(",")
                operands.append(self.typed_value())
            return self._folded_address(kind, element, operands)
        if op in CASTS:
            inner = self.typed_value()
            self.expect("to")
            self.type()
            self.expect(")")
            return _retyped(inner, kind)
        first = self.typed_value()
        self.expect(",")
        second = self.typed_value()
        self.expect(")")
        return self._folded_arithmetic(kind, op, first, second)

    def _folded_address(
        self, kind: ir.Type, element: ir.Type, operands: list[ir.Value]
    ) -> ir.Value:
        base, indices = operands[0], operands[1:]
        offset = ir.constant_offset(element, indices)
        if offset is not None and isinstance(base, ir.Address):
            return ir.Address(kind, base.symbol, base.offset + offset)
        if offset is not None and isinstance(base, ir.Number):
            return ir.Number(kind, (base.bits + offset) & ((1 << 64) - 1))
        raise self.context.unreadable(self.text, "a constant address", str(base))

    def _folded_arithmetic(
        self, kind: ir.Type, op: str, first: ir.Value, second: ir.Value
    ) -> ir.Value:
        if op in ("add", "sub") and isinstance(first, ir.Address) and isinstance(second, ir.Number):
            step = second.bits if op == "add" else -second.bits
            return ir.Address(kind, first.symbol, ir.signed(first.offset + step, 64))
        same = isinstance(first, ir.Address) and isinstance(second, ir.Address)
        if op == "sub" and same and first.symbol == second.symbol:  # type: ignore[union-attr]
            bits = first.offset - second.offset  # type: ignore[union-attr]
            return ir.Number(kind, bits & ((1 << 64) - 1))
        return ir.Expression(kind, op, (first, second))


def bare(token: str) -> str:
    name = token[1:]
    return name[1:-1] if name.startswith('"') else name


def _retyped(value: ir.Value, kind: ir.Type) -> ir.Value:
    if isinstance(kind, ir.Vector) and kind.count == 1:
        return ir.Group(kind, (_retyped(value, kind.element),))
    is_narrow = isinstance(kind, ir.Int) and kind.bits < 64
    if isinstance(value, ir.Expression) or (is_narrow and isinstance(value, ir.Address)):
        return ir.Expression(kind, "trunc", (value,))
    if isinstance(value, ir.Address):
        return ir.Address(kind, value.symbol, value.offset)
    if isinstance(value, ir.Group) and len(value.parts) == 1:  # a vector of one
        return _retyped(value.parts[0], kind)
    assert isinstance(value, ir.Number)
    return ir.Number(kind, value.bits)


def _zero(kind: ir.Type) -> ir.Value:
    if isinstance(kind, ir.Array | ir.Vector):
        return ir.Group(kind, (_zero(kind.element),) * kind.count)
    if isinstance(kind, ir.Struct):
        return ir.Group(kind, tuple(_zero(member) for member in kind.fields))
    return ir.Number(kind, 0)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return match[1] if match[1] == b"\\" else bytes([int(match[1], 16)])


def _text_constant(kind: ir.Type, escaped: str) -> ir.Value:
    raw = re.sub(rb"\\(\\|[0-9A-Fa-f]{2})", _unescaped, escaped.encode())
    return ir.Group(kind, tuple(ir.Number(ir.I8, byte) for byte in raw))


def _float_bits(name: str, token: str) -> int:
    """The bits of a float constant in its own type; LLVM writes most of them as doubles."""
    if token.startswith("f0x"):
        return int(token[3:], 16)
    if token.startswith(("0xH", "0xR")):
        return int(token[3:], 16)
    if name not in _SIZES:  # refused where it is computed with
        return 0
    if token.startswith("0x"):
        value = struct.unpack("<d", int(token[2:], 16).to_bytes(8, "little"))[0]
        if name == "float" and value != value:  # keep the payload of a NaN
            wide = int(token[2:], 16)
            return wide >> 32 & 0x8000_0000 | 0x7F80_0000 | wide >> 29 & 0x7F_FFFF
    else:
        value = float(token)
    return int.from_bytes(struct.pack("<" + _SIZES[name], value), "little")
