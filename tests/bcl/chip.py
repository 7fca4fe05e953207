"""Compile a kernel and run it once on the simulated chip, NumPy arrays in and out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM
from zhisuan.isa.disasm import disassemble
from zhisuan.runtime.device import Device
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import Trace, TraceBuilder


def run(
    source: str,
    *arguments: np.ndarray | float,
    optimize: int = 2,
    kernel: str | None = None,
    arch: int = 372,
    machine: str = "dlp-s",
    dims: tuple[int, int, int] = (1, 1, 1),
    task_type: str = "BLOCK",
    checks: Sequence[str] | None = None,
    executor: str = "native",
) -> None:
    """Run the kernel of `source` called `kernel`, or its only one.

    Arrays lie in DRAM and are updated in place.
    """
    defines = {} if arch == 372 else {"__BANG_ARCH__": arch}
    program = bcl.compile(source, "kernel.bcl", optimize=optimize, defines=defines).program
    entry = program.kernels[kernel or next(iter(program.kernels))]
    assert kernel or len(program.kernels) == 1
    device = Device(load(machine), executor, checks)
    values: list[int | float] = []
    held, at = [], 0
    for number, argument in enumerate(arguments):
        if isinstance(argument, np.ndarray):
            place = GDRAM.base + at
            values.append(place)
            held.append(Allocation(f"argument {number}", place, argument.nbytes, filled=True))
            at += (argument.nbytes + 255) & ~127
        else:
            values.append(argument)
    device.reserve(at + 128)
    memory = device.memory
    for argument, place in zip(arguments, values, strict=True):
        if isinstance(argument, np.ndarray):
            memory.write(int(place), argument.reshape(-1))
    names = [parameter.name for parameter in entry.parameters]
    with device.checking(held):
        device.launch(program, entry.name, dict(zip(names, values, strict=True)), "test", dims,
                      task_type)  # fmt: skip
    for argument, place in zip(arguments, values, strict=True):
        if isinstance(argument, np.ndarray):
            argument[...] = memory.read(int(place), argument.dtype, argument.size).reshape(
                argument.shape
            )


def run_traced(source: str, n: int) -> Trace:
    """The trace of kernel(half p[256], int n), p full of zeros."""
    program = bcl.compile(source, "kernel.bcl").program
    memory = Memory(load("dlp-s"))
    memory.reserve(GDRAM.base + 512)
    builder = TraceBuilder()
    execute(program, "k", [GDRAM.base, n], memory, builder, label="test")
    return builder.build()


def instructions(source: str) -> list[str]:
    """The instructions of a program, without operands' spacing, labels and directives."""
    text = disassemble(bcl.compile(source, "kernel.bcl").program)
    lines = [line.split(";")[0] for line in text.splitlines() if line.startswith("        ")]
    return [" ".join(line.split()) for line in lines]


def mnemonics(source: str, names: tuple[str, ...]) -> list[str]:
    """Those instructions whose mnemonic is in `names`, in order; SYNC with its mask."""
    found = []
    for line in instructions(source):
        name = line.split()[0].split(".")[0]
        if name in names:
            found.append(line if name == "SYNC" else name)
    return found
