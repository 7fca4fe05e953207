"""Where a key stands in a TOML text: for messages that point at the line.

Comes in: the text of a machine or sweep file.  Goes out: its tables, and places in it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from zhisuan.base.errors import SourcePos, ZhisuanError

_HEADER = re.compile(r"\s*\[\s*([\w.\-]+)\s*\]")
_KEY = re.compile(r"\s*([\w.\-]+)\s*=")


@dataclass(frozen=True)
class FileText:
    """A TOML file's text, and what messages call the file."""

    file: str
    text: str

    def at(self, line: int, column: int) -> SourcePos:
        """The place in a line (both count from 1); only the file where there is no such line."""
        lines = self.text.split("\n")
        if not 1 <= line <= len(lines):
            return SourcePos(self.file)
        return SourcePos(self.file, line, column, lines[line - 1])

    def tables(self, kind: str, hint: str) -> dict[str, Any]:
        """The file's tables; text that is not TOML is an error about "the `kind` file"."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            reason, _, place = str(error).partition(" (at ")
            numbers = [int(number) for number in re.findall(r"\d+", place)]
            raise ZhisuanError(
                f"the {kind} file is not valid TOML",
                where=self.at(*numbers) if len(numbers) == 2 else self.file,
                found=reason,
                hint=hint,
            ) from error

    def place(self, section: str, key: str = "") -> SourcePos:
        """Where `key` of [section] is set, else the section's header, else the file."""
        header = SourcePos(self.file)
        here = ""
        for number, line in enumerate(self.text.split("\n"), 1):
            if found := _HEADER.match(line):
                here = found.group(1)
                if here == section and not key:
                    return self.at(number, found.start(1) + 1)
                if here == section:
                    header = self.at(number, found.start(1) + 1)
            elif found := _KEY.match(line):
                written = found.group(1)
                dotted = f"{here}.{written}" if here else written
                if dotted == (f"{section}.{key}" if section and key else section or key):
                    return self.at(number, found.start(1) + 1)
        return header
