"""A program: encoded words, the kernels in them, constants, named arrays, and where each word
came from.

`.dlp` on disk: 8 bytes of magic, the length of a JSON header (uint64, little endian), the
header, the constant bytes, the words (uint64, little endian), the CRC-32 of all before it
(uint32, little endian).  Reads back exactly.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan.base.errors import SourcePos, ZhisuanError, did_you_mean
from zhisuan.isa.debug_json import from_plain, to_plain
from zhisuan.isa.debug_table import DebugTable

MAGIC = b"DLP\x00\x01\x00\x00\x00"
CHECK = 4
"""Bytes of the checksum at the end of a `.dlp` file."""


@dataclass(frozen=True)
class Parameter:
    """A kernel argument; kind is `ptr`, `struct` or a number's type of `number.ALL`.

    A structure is passed by the address of a copy in GDRAM.
    """

    name: str
    kind: str

    @property
    def is_pointer(self) -> bool:
        return self.kind in ("ptr", "struct")


@dataclass(frozen=True)
class Kernel:
    """An entry point: first word, parameters in slot order, bytes of on-chip arrays it links."""

    name: str
    entry: int
    parameters: tuple[Parameter, ...] = ()
    nram_bytes: int = 0
    wram_bytes: int = 0
    sram_bytes: int = 0


@dataclass(frozen=True)
class Array:
    """A named piece of a memory that the program gives out itself; its address tells which memory.

    `size` is in bytes; 0 is an arena: all that other arrays and the stack leave free.  `file` and
    `line` say where it is declared, as the rows of `Program.lines` do.
    """

    name: str
    address: int
    size: int
    file: int = -1
    line: int = 0


@dataclass
class Program:
    """words: uint64[n].  const_data is loaded at `address.CONST.base`.

    lines: int32[n, 2], for each word (index into files, line), (-1, 0) where unknown.
    labels: word index → name, for listings only.
    arrays: by address.  A program that names one array of a memory names all of them.
    debug: names, types and places of variables, of programs compiled with `-g`.
    texts: (file, line) → that line of the source; columns: int32[n], from 1, 0 where unknown.
    Both are for messages, and may be empty.
    """

    name: str
    words: np.ndarray
    kernels: dict[str, Kernel]
    const_data: bytes = b""
    files: tuple[str, ...] = ()
    lines: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    labels: dict[int, str] = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()
    debug: DebugTable | None = None
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    columns: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def kernel(self, name: str) -> Kernel:
        """The kernel called `name`; an unknown name is an error."""
        if name not in self.kernels:
            raise ZhisuanError(
                f"program '{self.name}' has no kernel '{name}'",
                expected="one of " + ", ".join(self.kernels),
                hint=did_you_mean(name, self.kernels),
            )
        return self.kernels[name]

    def place(self, pc: int) -> str:
        """`file:line` of a word, or `program+pc` where unknown."""
        if 0 <= pc < len(self.lines) and self.lines[pc, 0] >= 0:
            return f"{self.files[self.lines[pc, 0]]}:{self.lines[pc, 1]}"
        return f"{self.name}+{pc}"

    def quoted(self, pc: int) -> str:
        """The source line of a word with a caret under its column; empty where unknown."""
        if not 0 <= pc < len(self.lines):
            return ""
        file, line = self.lines[pc].tolist()
        column = int(self.columns[pc]) if len(self.columns) else 0
        return SourcePos("", line, column, self.texts.get((file, line), "")).excerpt()

    def declared(self, array: Array) -> str:
        """`file:line` of an array's declaration; empty where unknown."""
        return f"{self.files[array.file]}:{array.line}" if array.file >= 0 else ""

    def to_bytes(self) -> bytes:
        header = {
            "name": self.name,
            "words": len(self.words),
            "const": len(self.const_data),
            "files": list(self.files),
            "lines": self.lines.tolist(),
            "labels": {str(pc): label for pc, label in sorted(self.labels.items())},
            "texts": [[*place, text] for place, text in sorted(self.texts.items())],
            "columns": self.columns.tolist(),
            "arrays": [list(astuple(array)) for array in self.arrays],
            "kernels": [
                {
                    "name": kernel.name,
                    "entry": kernel.entry,
                    "parameters": [[p.name, p.kind] for p in kernel.parameters],
                    "nram_bytes": kernel.nram_bytes,
                    "wram_bytes": kernel.wram_bytes,
                    "sram_bytes": kernel.sram_bytes,
                }
                for kernel in self.kernels.values()
            ],
        }
        if self.debug is not None:
            header["debug"] = to_plain(self.debug)
        text = json.dumps(header, separators=(",", ":")).encode()
        size = len(text).to_bytes(8, "little")
        body = MAGIC + size + text + self.const_data + self.words.astype("<u8").tobytes()
        return body + zlib.crc32(body).to_bytes(CHECK, "little")

    @staticmethod
    def from_bytes(raw: bytes, where: str = "program") -> Program:
        """Parse `.dlp` bytes; anything damaged is an error naming `where`."""
        try:
            return _parse(raw)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise ZhisuanError(
                "not a DLP program, or a damaged one",
                where=where,
                expected=f"a file that starts with {MAGIC[:3]!r}, complete and unchanged",
                found=f"{len(raw)} bytes starting with {raw[:8]!r}",
                hint="write it again with `zhisuan asm` or `--emit`",
            ) from error

    @staticmethod
    def load(path: Path) -> Program:
        """The program in a `.dlp` file; a file that cannot be read or is damaged is an error."""
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            raise ZhisuanError(
                "the program cannot be read", where=str(path), found=error.strerror
            ) from error
        return Program.from_bytes(raw, str(path))


def _parse(raw: bytes) -> Program:
    """`.dlp` bytes → Program; whatever is wrong is one of Python's own errors."""
    body = raw[:-CHECK]
    if not body.startswith(MAGIC) or zlib.crc32(body) != int.from_bytes(raw[-CHECK:], "little"):
        raise ValueError("wrong magic or checksum")
    start = 16 + int.from_bytes(body[8:16], "little")
    header: dict[str, Any] = json.loads(body[16:start])
    end = start + header["const"]
    program = Program(
        name=header["name"],
        words=np.frombuffer(body[end:], "<u8").astype(np.uint64),
        kernels={entry["name"]: _parse_kernel(entry) for entry in header["kernels"]},
        const_data=body[start:end],
        files=tuple(header["files"]),
        lines=np.array(header["lines"], np.int32).reshape(-1, 2),
        labels={int(pc): label for pc, label in header["labels"].items()},
        arrays=tuple(Array(*entry) for entry in header["arrays"]),
        debug=from_plain(header["debug"]) if "debug" in header else None,
        texts={(file, line): text for file, line, text in header.get("texts", [])},
        columns=np.array(header.get("columns", []), np.int32),
    )
    _check(program, header)
    return program


def _parse_kernel(entry: dict[str, Any]) -> Kernel:
    return Kernel(
        entry["name"],
        entry["entry"],
        tuple(Parameter(name, kind) for name, kind in entry["parameters"]),
        entry["nram_bytes"],
        entry["wram_bytes"],
        entry["sram_bytes"],
    )


def _check(program: Program, header: dict[str, Any]) -> None:
    """Raise ValueError where the parts of a parsed program do not fit together."""
    count = len(program.words)
    files = np.concatenate([program.lines[:, 0], [array.file for array in program.arrays],
                            [file for file, _ in program.texts]])  # fmt: skip
    fits = (
        count == header["words"]
        and len(program.const_data) == header["const"]
        and len(program.lines) in (0, count)
        and len(program.columns) in (0, count)
        and all(0 <= kernel.entry < count for kernel in program.kernels.values())
        and all(0 <= pc <= count for pc in program.labels)
        and (not len(files) or -1 <= files.min() <= files.max() < len(program.files))
    )
    if not fits:
        raise ValueError("the header does not describe this program")
