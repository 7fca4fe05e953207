"""A program: encoded words, the kernels in them, constants, and where each word came from.

`.dlp` on disk: 8 bytes of magic, the length of a JSON header (uint64, little endian), the
header, the constant bytes, the words (uint64, little endian).  Reads back exactly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean

MAGIC = b"DLP\x00\x01\x00\x00\x00"


@dataclass(frozen=True)
class Parameter:
    """A kernel argument; kind is `ptr`, an integer type or a float type of `number.ALL`."""

    name: str
    kind: str


@dataclass(frozen=True)
class Kernel:
    """An entry point: first word, parameters in slot order, bytes of on-chip arrays it links."""

    name: str
    entry: int
    parameters: tuple[Parameter, ...] = ()
    nram_bytes: int = 0
    wram_bytes: int = 0


@dataclass
class Program:
    """words: uint64[n].  const_data is loaded at `address.CONST.base`.

    lines: int32[n, 2], for each word (index into files, line), (-1, 0) where unknown.
    labels: word index → name, for listings only.
    """

    name: str
    words: np.ndarray
    kernels: dict[str, Kernel]
    const_data: bytes = b""
    files: tuple[str, ...] = ()
    lines: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    labels: dict[int, str] = field(default_factory=dict)

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

    def to_bytes(self) -> bytes:
        header = {
            "name": self.name,
            "words": len(self.words),
            "const": len(self.const_data),
            "files": list(self.files),
            "lines": self.lines.tolist(),
            "labels": {str(pc): label for pc, label in sorted(self.labels.items())},
            "kernels": [
                {
                    "name": kernel.name,
                    "entry": kernel.entry,
                    "parameters": [[p.name, p.kind] for p in kernel.parameters],
                    "nram_bytes": kernel.nram_bytes,
                    "wram_bytes": kernel.wram_bytes,
                }
                for kernel in self.kernels.values()
            ],
        }
        text = json.dumps(header, separators=(",", ":")).encode()
        size = len(text).to_bytes(8, "little")
        return MAGIC + size + text + self.const_data + self.words.astype("<u8").tobytes()

    @staticmethod
    def from_bytes(raw: bytes, where: str = "program") -> Program:
        """Parse `.dlp` bytes; anything damaged is an error naming `where`."""
        damaged = ZhisuanError(
            "not a DLP program, or a damaged one",
            where=where,
            expected=f"a file that starts with {MAGIC!r}, complete",
            found=f"{len(raw)} bytes starting with {raw[:8]!r}",
            hint="write it again with `zhisuan asm` or `--emit`",
        )
        if not raw.startswith(MAGIC) or len(raw) < 16:
            raise damaged
        try:
            size = int.from_bytes(raw[8:16], "little")
            header = json.loads(raw[16 : 16 + size])
            start = 16 + size
            const = raw[start : start + header["const"]]
            words = np.frombuffer(raw[start + header["const"] :], "<u8").copy()
            if len(words) != header["words"] or len(const) != header["const"]:
                raise damaged
            kernels = {
                k["name"]: Kernel(
                    k["name"],
                    k["entry"],
                    tuple(Parameter(name, kind) for name, kind in k["parameters"]),
                    k["nram_bytes"],
                    k["wram_bytes"],
                )
                for k in header["kernels"]
            }
            lines = np.array(header["lines"], np.int32).reshape(-1, 2)
            labels = {int(pc): label for pc, label in header["labels"].items()}
            return Program(
                header["name"], words, kernels, const, tuple(header["files"]), lines, labels
            )
        except (ValueError, KeyError, TypeError) as error:
            raise damaged from error

    @staticmethod
    def load(path: Path) -> Program:
        return Program.from_bytes(path.read_bytes(), str(path))
