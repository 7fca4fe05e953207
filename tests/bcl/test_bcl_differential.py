"""Random C functions give the same bits on the DLP as compiled for the host."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest
from c_programs import FLOATS, TYPES, functions
from hypothesis import HealthCheck, given, settings

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.base import clang
from zhisuan.bcl.code import CALLEE_SAVED, CALLER_SAVED
from zhisuan.isa.address import GDRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.memory import Memory
from zhisuan.sim.trace import TraceBuilder

FUNCTIONS = 10
CHECKS = [HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large]
EDGES = (0, 1, -1, 127, -128, 255, 32767, -32768, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 12345)
FLOAT_EDGES = (0.0, -0.0, 1.0, -1.5, 3.14159, 100.25, 60000.0, 1e-7, float("inf"), float("nan"))


def cases() -> np.ndarray:
    """[cases, types] int64: register contents for every parameter type."""
    random = np.random.default_rng(7)
    rows = []
    for _ in range(12):
        row = []
        for kind in TYPES:
            if kind in FLOATS:
                code = "<e" if kind == "f16" else "<f"
                value = FLOAT_EDGES[random.integers(len(FLOAT_EDGES))]
                row.append(int.from_bytes(struct.pack(code, value), "little"))
            else:
                row.append(EDGES[random.integers(len(EDGES))])
        rows.append(row)
    return np.array(rows, np.int64)


def on_host(source: str, inputs: np.ndarray, outputs: int) -> np.ndarray:
    library = ctypes.CDLL(str(clang.build_shared({"program.c": source})))
    found = np.zeros((len(inputs), outputs), np.int64)
    library.run(
        inputs.ctypes.data_as(ctypes.c_void_p), found.ctypes.data_as(ctypes.c_void_p), len(inputs)
    )
    return found


def on_dlp(
    source: str, inputs: np.ndarray, outputs: int, optimize: int, registers: int
) -> np.ndarray:
    compiled = bcl.compile(source, "program.bcl", optimize=optimize)
    half = registers // 2
    few = (*CALLER_SAVED[:half], *CALLEE_SAVED[: registers - half])
    program = bcl.from_llvm(compiled.llvm, "program", registers=few)
    memory = Memory(load("dlp-s"))
    target = GDRAM.base + ((inputs.nbytes + 4095) & ~4095)
    memory.reserve(target + 8 * outputs * len(inputs))
    memory.write(GDRAM.base, inputs.reshape(-1))
    arguments = [GDRAM.base, target, len(inputs)]
    execute(program, "run", arguments, memory, TraceBuilder(), label="run")
    return memory.read(target, np.int64, outputs * len(inputs)).reshape(len(inputs), outputs)


@pytest.mark.parametrize(("optimize", "registers"), [(0, 62), (1, 8), (2, 12), (2, 62)])
@settings(max_examples=6, suppress_health_check=CHECKS)
@given(source=functions(FUNCTIONS))
def test_random_functions_agree_with_the_host(source: str, optimize: int, registers: int) -> None:
    inputs = cases()
    expected = on_host(source, inputs, FUNCTIONS)
    found = on_dlp(source, inputs, FUNCTIONS, optimize, registers)
    different = np.argwhere(found != expected)
    assert not len(different), f"case, function: {different[:5].tolist()}\n{source}"
