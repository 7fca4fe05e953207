"""The grammar of expressions: C's, with `a[first:last]`, `*p@count` and `value as half[4][8]`.

Comes in: text, and who knows which names are types.  Goes out: a tree of tuples, operator first.
Nothing is evaluated.

    expression  = either ["as" type]
    either      = choice of || && | ^ & == != < <= > >= << >> + - * / % @ with C's precedence
    unary       = (- ! ~ + * & "sizeof") unary | "(" type ")" unary | postfix
    postfix     = primary { "[" expression [":" expression] "]" | "." name | "->" name }
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from zhisuan.base.errors import ZhisuanError

Tree = tuple[Any, ...]
_TOKEN = re.compile(
    r"\s*(?:(?P<float>\d+\.\d*(?:[eE][-+]?\d+)?f?|\d+[eE][-+]?\d+f?|\.\d+(?:[eE][-+]?\d+)?f?)"
    r"|(?P<int>0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)[uUlL]*"
    r"|(?P<char>'(?:\\.|[^'\\])')"
    r"|(?P<name>\$?[A-Za-z_]\w*(?:::\w+)*|\$\d+)"
    r"|(?P<op>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>=()\[\].:@?,]))"
)
_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="),
           ("<<", ">>"), ("+", "-"), ("*", "/", "%"), ("@",))  # fmt: skip
_WORDS = ("unsigned", "signed", "long", "short", "int", "char", "const", "volatile", "struct")


class Parser:
    """`is_type` knows names of types."""

    def __init__(self, text: str, is_type: Callable[[str], bool]) -> None:
        self._text, self._is_type = text, is_type
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> Tree:
        """The whole text; `name = value` is an assignment."""
        tree = self._expression()
        if self._accept("="):
            tree = ("=", tree, self._expression())
        if self._at < len(self._tokens):
            raise self._wrong("the end")
        return tree

    # -- tokens -------------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][1] if at < len(self._tokens) else ""

    def _accept(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("op", text):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._wrong(f"'{text}'")

    def _wrong(self, expected: str) -> ZhisuanError:
        found = self._peek() or "the end"
        return ZhisuanError(f"'{self._text}' is not understood: {expected} expected at '{found}'")

    # -- grammar ------------------------------------------------------------------------------

    def _expression(self) -> Tree:
        tree = self._binary(0)
        if self._accept("?"):
            first = self._expression()
            self._expect(":")
            tree = ("?", tree, first, self._expression())
        while self._peek() == "as":
            self._at += 1
            tree = ("as", tree, self._type())
        return tree

    def _binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        tree = self._binary(level + 1)
        while self._peek() in _LEVELS[level] and self._tokens[self._at][0] == "op":
            operator = self._peek()
            self._at += 1
            tree = (operator, tree, self._binary(level + 1))
        return tree

    def _unary(self) -> Tree:
        for operator in ("-", "!", "~", "+", "*", "&"):
            if self._accept(operator):
                return (f"unary {operator}", self._unary())
        if self._peek() == "sizeof":
            self._at += 1
            if self._peek() == "(" and self._type_follows(1):
                self._expect("(")
                kind = self._type()
                self._expect(")")
                return ("sizeof type", kind)
            return ("sizeof", self._unary())
        if self._peek() == "(" and self._type_follows(1):
            self._expect("(")
            kind = self._type()
            self._expect(")")
            return ("cast", self._unary(), kind)
        return self._postfix()

    def _postfix(self) -> Tree:
        tree = self._primary()
        while True:
            if self._accept("["):
                first = self._expression()
                if self._accept(":"):
                    tree = ("slice", tree, first, self._expression())
                else:
                    tree = ("index", tree, first)
                self._expect("]")
            elif self._accept("."):
                tree = ("member", tree, self._name())
            elif self._accept("->"):
                tree = ("member", ("unary *", tree), self._name())
            else:
                return tree

    def _primary(self) -> Tree:
        if self._at == len(self._tokens):
            raise self._wrong("a value")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "int":
            return ("number", int(text, 0) if not re.fullmatch(r"0\d+", text) else int(text, 8))
        if kind == "float":
            return ("number", float(text.rstrip("f")))
        if kind == "char":
            return ("number", ord(text[1:-1].encode().decode("unicode_escape")))
        if kind == "name":
            return ("name", text)
        if text == "(":
            tree = self._expression()
            self._expect(")")
            return tree
        self._at -= 1
        raise self._wrong("a value")

    def _name(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "name":
            self._at += 1
            return self._tokens[self._at - 1][1]
        raise self._wrong("a name")

    # -- types --------------------------------------------------------------------------------

    def _type_follows(self, ahead: int) -> bool:
        word = self._peek(ahead)
        return word in _WORDS or (bool(re.match(r"[A-Za-z_]", word)) and self._is_type(word))

    def _type(self) -> Tree:
        """(name, stars, counts)."""
        words = []
        while self._peek() in _WORDS or (not words and self._type_follows(0)):
            word = self._name()
            words += [word] if word not in ("const", "volatile", "struct") else []
        name = " ".join(words)
        stars = 0
        while self._accept("*"):
            stars += 1
        counts = []
        while self._accept("["):
            kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
            if kind != "int":
                raise self._wrong("a number")
            self._at += 1
            counts.append(int(text, 0))
            self._expect("]")
        if not name:
            raise self._wrong("a type")
        return (name, stars, tuple(counts))


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ZhisuanError(f"'{text}' is not understood at '{text[at:].strip()}'")
        kind = match.lastgroup or "op"
        found.append((kind, match[kind]))
        at = match.end()
    return found
