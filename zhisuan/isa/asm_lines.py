"""One line of `.dlps` text → tokens, and a cursor that reads them with errors that point.

Comes in: a line and where it is.  Goes out: tokens in order.  It knows nothing of
instructions or directives.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from zhisuan.base.errors import SourcePos, ZhisuanError

_TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<comment>//.*) | (?P<string>"(?:[^"\\]|\\.)*") | (?P<register>\$\w*)
    | (?P<number>\#(?:[^\s,()"/]|/(?!/))*) | (?P<word>(?:[\w.+\-~@<>?]|/(?!/))+)
    | (?P<mark>[,():=])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """kind: string, register, number, word or mark; column counts from 1."""

    kind: str
    text: str
    column: int


class Cursor:
    """Reads the tokens of one line from left to right."""

    def __init__(self, file: str, line: int, text: str) -> None:
        self.file = file
        self.line = line
        self.text = text
        self.next = 0
        self.tokens = self._scan()

    def _scan(self) -> list[Token]:
        tokens = []
        position = 0
        while position < len(self.text):
            found = _TOKEN.match(self.text, position)
            if found is None:
                raise self.error(
                    "this character does not belong here",
                    position + 1,
                    found=repr(self.text[position]),
                    hint="comments start with //" if self.text[position] in ";*/" else None,
                )
            kind = str(found.lastgroup)
            if kind not in ("blank", "comment"):
                tokens.append(Token(kind, found.group(), position + 1))
            position = found.end()
        return tokens

    def error(
        self,
        what: str,
        column: int,
        *,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> ZhisuanError:
        """An error that points at `column` of this line."""
        where = SourcePos(self.file, self.line, column, self.text)
        return ZhisuanError(what, where=where, expected=expected, found=found, hint=hint)

    @property
    def column(self) -> int:
        """Column of the next token, or of the end of the line."""
        if self.next < len(self.tokens):
            return self.tokens[self.next].column
        return len(self.text.rstrip()) + 1

    def peek(self, ahead: int = 0) -> Token | None:
        at = self.next + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def take(self, expected: str, *kinds: str) -> Token:
        """The next token, which must be of one of `kinds` (any, when none is given)."""
        token = self.peek()
        if token is None or (kinds and token.kind not in kinds):
            raise self.error(
                "the line ends too early" if token is None else "this does not belong here",
                self.column,
                expected=expected,
                found=token.text if token else "end of line",
            )
        self.next += 1
        return token

    def take_if(self, mark: str) -> bool:
        """Whether the next token is this mark; if so, step over it."""
        token = self.peek()
        if token is None or token.kind != "mark" or token.text != mark:
            return False
        self.next += 1
        return True

    def expect(self, mark: str) -> None:
        """Step over this mark; anything else is an error."""
        if not self.take_if(mark):
            token = self.peek()
            raise self.error("punctuation is missing", self.column, expected=f"'{mark}'",
                             found=token.text if token else "end of line")  # fmt: skip

    def name(self, expected: str) -> str:
        """A name: a bare word, or a JSON string for anything else."""
        token = self.take(expected, "word", "string")
        if token.kind == "word":
            return token.text
        try:
            return json.loads(token.text)
        except ValueError:
            raise self.error("this is not a JSON string", token.column, expected=expected,
                             found=token.text) from None  # fmt: skip

    def integer(self, expected: str) -> int:
        """A whole number, zero or more, decimal or 0x."""
        token = self.take(expected, "word")
        try:
            return int(token.text, 0)
        except ValueError:
            raise self.error("this is not a whole number", token.column, expected=expected,
                             found=token.text) from None  # fmt: skip

    def end(self) -> None:
        """Nothing may follow."""
        token = self.peek()
        if token is not None:
            raise self.error("this does not belong here", token.column,
                             expected="end of line", found=token.text)  # fmt: skip
