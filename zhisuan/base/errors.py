"""The one error people see: where it went wrong, what was expected and found, what to try.

Every failure that a user can cause is a `ZhisuanError`; the command line prints it on one
screen and exits with a non-zero status.  Anything else that escapes is a bug of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class SourcePos:
    """A place in a text file; `line` and `column` count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)

    def excerpt(self) -> str:
        """The source line with a caret under the column; empty when the text is unknown."""
        if not self.text:
            return ""
        line = self.text.expandtabs(1).rstrip("\n")
        if not self.column:
            return f"    {line}"
        return f"    {line}\n    {' ' * (self.column - 1)}^"


class ZhisuanError(Exception):
    """A mistake the user can mend.

    `what` is one sentence; `where` a file, line, node or option; `expected` and `found` say
    how they differ; `hint` says what to try.  `str(error)` is the whole message.
    """

    def __init__(
        self,
        what: str,
        *,
        where: SourcePos | str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(self.render())

    def render(self) -> str:
        lines = [f"error: {self.what}"]
        if self.where is not None:
            lines.append(f"  where:    {self.where}")
            if isinstance(self.where, SourcePos) and self.where.excerpt():
                lines.append(self.where.excerpt())
        for label, value in (
            ("expected", self.expected),
            ("found", self.found),
            ("try", self.hint),
        ):
            if value is not None:
                indented = value.replace("\n", "\n            ")
                lines.append(f"  {label + ':':<9} {indented}")
        return "\n".join(lines)


class VerifyError(ZhisuanError):
    """An IR broke its own rules: a bug in a pass or a damaged file."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None when nothing is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A ready hint naming the closest known name, or None."""
    close = nearest(name, known)
    return None if close is None else f"did you mean '{close}'?"
