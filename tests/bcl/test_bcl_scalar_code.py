"""How good scalar code is: size, spills, instructions executed and cycles of small kernels.

One table, whose changes are read: `pytest tests/bcl/test_bcl_scalar_code.py --update-golden`.  What
the kernels compute is compared with Python.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM
from zhisuan.isa.encoding import decode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import STACK_POINTER
from zhisuan.runtime.device import Device
from zhisuan.sim.timing import Timing, replay

SOURCE = Path(__file__).parent / "scalar.bcl"
HEAD = """# Size and cycles of scalar code

Kernels of tests/bcl/scalar.bcl at -O2, run on dlp-s. Stack: instructions that reach the stack.
Scalar: scalar instructions executed.

| kernel | instructions | stack | scalar | cycles |
|---|---:|---:|---:|---:|
"""
Values = list[np.ndarray | int]
MASK = (1 << 64) - 1


def numbers(*shape: int, low: int = -1000, high: int = 1000) -> np.ndarray:
    return np.random.default_rng(3).integers(low, high, shape).astype(np.int32)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int32)


def matmul() -> tuple[Values, np.ndarray]:
    a, b = numbers(3, 9, low=-8, high=8), numbers(9, 5, low=-8, high=8)
    given = [np.zeros((3, 5), np.float32), a.astype(np.float32), b.astype(np.float32), 3, 9, 5]
    return given, (a @ b).astype(np.float32)


def stencil() -> tuple[Values, np.ndarray]:
    x, y = numbers(9, 13), zeros(9, 13)
    around = x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1] - 4 * x[1:-1, 1:-1]
    y[1:-1, 1:-1] = np.trunc(around / 8)
    return [zeros(9, 13), x, 9, 13], y


def tree() -> tuple[Values, np.ndarray]:
    keys = numbers(20)
    nodes = np.zeros((20, 4), np.int32)
    for used, key in enumerate(keys):
        at, depth, child = 0, 0, 0
        while used:
            child = 1 if key < nodes[at, 0] else 2
            depth += 1
            if nodes[at, child] < 0:
                nodes[at, child] = used
                break
            at = nodes[at, child]
        nodes[used] = key, -1, -1, depth
    return [zeros(20, 4), keys, 20], nodes


def decimal() -> tuple[Values, np.ndarray]:
    x = np.array([0, 9, 10, 4294967295, 1234567890, 99, 4000000007], np.uint32)
    text = "".join(f"{value:010}" for value in x).encode()
    return [np.zeros(70, np.uint8), x, 7], np.frombuffer(text, np.uint8)


def calendar() -> tuple[Values, np.ndarray]:
    days = np.array([0, 11016, 20000, -1, -700000, 2900000, 59], np.int32)
    start = datetime.date(1970, 1, 1)
    dates = [start + datetime.timedelta(int(day)) for day in days]
    return [zeros(7, 3), days, 7], np.array([[d.year, d.month, d.day] for d in dates], np.int32)


def insertion_sort() -> tuple[Values, np.ndarray]:
    x = numbers(40)
    return [x.copy(), 40], np.sort(x)


def collatz() -> tuple[Values, np.ndarray]:
    def steps(x: int) -> int:
        return 0 if x == 1 else 1 + steps(3 * x + 1 if x % 2 else x // 2)

    return [zeros(9), 9], np.array([steps(i) for i in range(1, 10)], np.int32)


def transform() -> tuple[Values, np.ndarray]:
    data = numbers(3, 16)
    v = data.copy()
    for half in (8, 4, 2, 1):
        for i in range(16):
            if not i & half:
                a, b = v[:, i].copy(), v[:, i + half].copy()
                v[:, i], v[:, i + half] = a + b, (a - b) * (2 * i + 1)
    return [data, 3], v


def crowded() -> tuple[Values, np.ndarray]:
    given = [int(x) for x in np.random.default_rng(3).integers(-(1 << 62), 1 << 62, 72)]
    s = list(given)
    for step in range(3):
        x = s[0] ^ step
        for i in range(20):
            x = _signed(x * 3 + (x >> 7) + given[i])
        s[1] ^= x
        for i in range(72):
            s[i] = _signed(s[i] + (s[(i + 1) % 72] ^ i))
    return [np.zeros(72, np.int64), np.array(given, np.int64), 3], np.array(s, np.int64)


def _signed(x: int) -> int:
    return (x & MASK) - ((x & MASK) >> 63 << 64)


def pairs() -> tuple[Values, np.ndarray]:
    x, y = numbers(12, 2), zeros(12, 2)
    low, high = x.min(1), x.max(1)
    y[1:, 0], y[1:, 1] = low[1:] - high[:-1], high[1:] - low[:-1]
    return [zeros(12, 2), x, 12], y


def calls() -> tuple[Values, np.ndarray]:
    return [zeros(9), 9], np.array([3 ** (i % 7) + i * i for i in range(9)], np.int32)


KERNELS: tuple[Callable[[], tuple[Values, np.ndarray]], ...] = (
    matmul, stencil, tree, decimal, calendar, insertion_sort, collatz, transform, crowded, pairs,
    calls,
)  # fmt: skip


@cache
def program(optimize: int) -> Program:
    text = SOURCE.read_text(encoding="utf-8")
    return bcl.compile(text, "scalar.bcl", optimize=optimize).program


def run(name: str, values: Values, optimize: int = 2) -> Timing:
    """Run a kernel; arrays are updated in place."""
    device = Device(load("dlp-s"))
    at, arguments = GDRAM.base, []
    device.reserve(1 << 16)
    for value in values:
        arguments.append(at if isinstance(value, np.ndarray) else value)
        if isinstance(value, np.ndarray):
            device.memory.write(at, value.reshape(-1))
            at += value.nbytes + 64
    names = [parameter.name for parameter in program(optimize).kernel(name).parameters]
    device.launch(program(optimize), name, dict(zip(names, arguments, strict=True)), name)
    for value, place in zip(values, arguments, strict=True):
        if isinstance(value, np.ndarray):
            found = device.memory.read(int(place), value.dtype, value.size)
            value[...] = found.reshape(value.shape)
    return replay(device.trace.build(), device.machine)


@pytest.mark.parametrize("optimize", [0, 1, 2, 3])
@pytest.mark.parametrize("kernel", KERNELS)
def test_scalar_kernels_compute_what_python_does(
    kernel: Callable[[], tuple[Values, np.ndarray]], optimize: int
) -> None:
    values, expected = kernel()
    run(kernel.__name__, values, optimize)
    np.testing.assert_array_equal(np.asarray(values[0]).ravel(), expected.ravel())


def sizes() -> Iterator[tuple[str, range]]:
    """Every function, and where its instructions are."""
    labels = program(2).labels
    starts = sorted(start for start, name in labels.items() if not name.startswith("."))
    for start, end in zip(starts, [*starts[1:], len(program(2).words)], strict=True):
        yield labels[start], range(start, end)


def stack_accesses(words: range) -> int:
    found = 0
    for pc in words:
        item = decode(int(program(2).words[pc]))
        if item.row.name in ("SLOAD", "SSTORE"):
            base = [operand.name for operand in item.row.operands].index("base")
            found += item.values[base] == STACK_POINTER
    return found


def test_size_and_cycles(golden: Callable[[str, str], None]) -> None:
    where = dict(sizes())
    lines = []
    for kernel in KERNELS:
        name = kernel.__name__
        timing = run(name, kernel()[0])
        size = f"| {name} | {len(where[name])} | {stack_accesses(where[name])}"
        lines.append(f"{size} | {timing.instructions[0, 0]:,} | {timing.total:,} |\n")
    golden("bcl/scalar-code.md", HEAD + "".join(lines))
