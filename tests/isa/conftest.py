"""The smallest thing a meaning can run on: 64 KB at the start of each memory, and a record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zhisuan.isa.address import SPACES, space_of
from zhisuan.isa.registry import Operands
from zhisuan.isa.table import BY_NAME

SIZE = 1 << 16


class Trapped(Exception):
    """The instruction trapped."""


class TinyCore:
    """reads, writes: (address, bytes) of every access so far, in order."""

    def __init__(self) -> None:
        self.pc = 0
        self.halted = False
        self.held: int | None = None
        self.noted: tuple[int, ...] = ()
        self.memory = {space.name: np.zeros(SIZE, np.uint8) for space in SPACES}
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []
        self.printed: list[str] = []

    def _bytes(self, address: int, size: int) -> np.ndarray:
        space = space_of(address)
        assert space is not None, f"0x{address:x} is in no memory"
        start = address - space.base
        assert start + size <= SIZE, f"0x{address:x} + {size} is beyond the test's memory"
        return self.memory[space.name][start : start + size]

    def read(self, address: int, dtype: Any, count: int) -> np.ndarray:
        size = count * np.dtype(dtype).itemsize
        self.reads.append((address, size))
        return self._bytes(address, size).view(dtype).copy()

    def write(self, address: int, values: np.ndarray) -> None:
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.writes.append((address, raw.size))
        self._bytes(address, raw.size)[:] = raw

    def cast(self, address: int, values: np.ndarray) -> None:
        """The only core of its cluster."""
        self.write(address, values)

    def send(self, cluster: int, address: int, values: np.ndarray) -> None:
        """The only cluster."""
        self.write(address, values)

    def trap(self, reason: str) -> None:
        raise Trapped(reason)

    def print(self, text: str) -> None:
        self.printed.append(text)

    def special(self, index: int) -> int:
        return 1000 + index

    def run(self, name: str, mode: str = "", **operands: int) -> Any:
        """Call the meaning of row `name`; registers are given by operand name, wrapped."""
        row = BY_NAME[name]
        assert mode in row.modes, f"{name} has no mode {mode}"
        assert set(operands) == {operand.name for operand in row.operands}
        values = {
            operand.name: operands[operand.name] & ((1 << 64) - 1)
            if operand.is_register
            else operands[operand.name]
            for operand in row.operands
        }
        return row.meaning(self, Operands(mode, values))


@pytest.fixture
def core() -> TinyCore:
    return TinyCore()


@pytest.fixture(scope="module")
def shared_core() -> TinyCore:
    """One core for a module's property tests, which keep no state in it."""
    return TinyCore()
