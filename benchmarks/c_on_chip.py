"""Whole C programs on the chip: `main` called by a kernel, exit and abort as they end.

Comes in: C source.  Goes out: how the program ended on the chip.  Programs are compiled as C,
without the chip's built-ins; their variables lie in LDRAM, the stack in NRAM.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import write_atomically
from zhisuan.bcl import driver
from zhisuan.isa.address import GDRAM
from zhisuan.isa.program import Program
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import TraceBuilder

PAGE = Path(__file__).parents[1] / "docs" / "bcl-conformance.md"
MACHINE = "mlu270"
STACK = 4 << 20
"""Bytes of NRAM, all for the stack: programs for a computer expect more than a kernel's 128 KB."""
LIMIT = 400_000_000
"""Instructions after which a program counts as endless."""
SUPPORT = """
extern int main(int, char **);
extern void __dlp_HALT(void), __dlp_TRAP(long long);
static long *status;
void exit(int code) { *status = 1 + (code & 255); __dlp_HALT(); }
void abort(void) { __dlp_TRAP(2); }
void __assert_fail(const char *what, const char *file, int line, const char *in) { abort(); }
void __chip_result(unsigned long value) { status[1] = value; }
__attribute__((annotate("dlp_kernel"))) void start(long *where) {
  status = where;
  *status = 1 + (main(0, 0) & 255);
}
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code, or the fault; `result` is what it handed over."""

    code: int | None
    fault: str
    result: int


@cache
def machine() -> Machine:
    plain = load(MACHINE)
    return replace(plain, nram=replace(plain.nram, size=STACK, stack=STACK))


@cache
def _support() -> str:
    return driver.to_llvm(
        SUPPORT, "support.c", optimize=1, defines={}, include_dirs=(), language="c"
    )


def translate(source: str, path: Path, optimize: int, flags: tuple[str, ...] = ()) -> str:
    """The LLVM IR of a C program."""
    return driver.to_llvm(
        source, str(path), optimize=optimize, defines={}, include_dirs=(), language="c",
        flags=flags,
    )  # fmt: skip


def passes_on_host(path: Path, optimize: int, flags: tuple[str, ...]) -> bool:
    """Whether the same clang makes a program of `path` that ends well on this computer."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/program"
        words = [
            "-fno-sanitize=all",
            "-w",
            *flags,
            f"-O{optimize}",
            "-o",
            program,
            str(path),
            "-lm",
        ]
        command = [clang.clang_command()[0], "cc", *words]
        if subprocess.run(command, capture_output=True).returncode:
            return False
        try:
            return subprocess.run([program], capture_output=True, timeout=20).returncode == 0
        except subprocess.TimeoutExpired:
            return False


def build(llvm: str, name: str, *more: str) -> Program:
    """The program whose one kernel, `start`, runs the `main` of `llvm`."""
    return bcl.from_llvm(_support(), name, more=[llvm, *more], soft_double=True)


def run(program: Program) -> Ended:
    memory = Memory(machine())
    memory.reserve(GDRAM.base + 4096)
    trace = TraceBuilder()
    fault = ""
    try:
        execute(program, "start", [GDRAM.base], memory, trace, label="program", limit=LIMIT)
    except ZhisuanError as error:
        fault = error.found or error.what
    status, result = memory.read(GDRAM.base, np.uint64, 2)
    return Ended(int(status) - 1 if not fault and status else None, fault, int(result))


def record(title: str, text: str) -> None:
    """Put a section of the page of results in the place of the one with that title."""
    sections = re.split(r"^(?=## )", PAGE.read_text(encoding="utf-8"), flags=re.M)
    kept = [part.strip() for part in sections if not part.startswith(f"## {title}\n")]
    write_atomically(PAGE, "\n\n".join([*kept, f"## {title}\n\n{text.strip()}\n"]).encode())
