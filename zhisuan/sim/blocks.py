"""What transfers ask of the DRAM: for every row of a trace, blocks of physical addresses.

Comes in: the transfers of a trace.  Goes out: `Blocks`, three-dimensional blocks of bytes, each
read or written.  Physical addresses put the DRAM as programs see it first, then the private DRAM
of every core, then the arguments and constants, so that different bytes have different places.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.address import GDRAM, LDRAM, PARAM
from zhisuan.isa.registry import Instruction, Operands
from zhisuan.isa.transfer import high_half, low_half
from zhisuan.sim.memory import LDRAM_BYTES


@dataclass
class Blocks:
    """Row r moves block i, from first[r] to first[r + 1]; all int64.

    A block is n1 times n segments of `size` bytes; the strides are bytes.  Segments that follow
    each other without a gap are one; `write` is 1 where the DRAM is written.
    """

    first: np.ndarray
    write: np.ndarray
    address: np.ndarray
    size: np.ndarray
    n: np.ndarray
    stride: np.ndarray
    n1: np.ndarray
    outer: np.ndarray


COLUMNS = tuple(field.name for field in fields(Blocks))[1:]


def no_blocks(rows: int) -> Blocks:
    nothing = np.zeros(0, np.int64)
    return Blocks(np.zeros(rows + 1, np.int64), *(nothing for _ in COLUMNS))


class BlockCollector:
    """Gathers the blocks of groups of rows in any order; `place` numbers each row's core."""

    def __init__(self, machine: Machine, place: np.ndarray) -> None:
        self.machine, self.place = machine, place
        self._parts: list[tuple[np.ndarray, ...]] = []

    def add(self, row: Instruction, o: Operands, rows: np.ndarray) -> None:
        """Enter the rows of one instruction of the IO queue: what it touches off chip."""
        if hasattr(o, "n1"):
            self._enter(rows, 1, o.dst, o.size, o.n, o.dst_stride, o.n1, low_half(o.outer))
            self._enter(rows, 0, o.src, o.size, o.n, o.src_stride, o.n1, high_half(o.outer))
            return
        for touch in row.touches(o):
            self._enter(rows, int(touch.writes), touch.base, touch.span, 1, 0, 1, 0)

    def _enter(self, rows: np.ndarray, write: int, *block: Any) -> None:
        address, size, n, stride, n1, outer = (
            np.array(np.broadcast_to(column, rows.shape), np.int64) for column in block
        )
        off_chip = address >= PARAM.base
        rows, address, size, n, stride, n1, outer = (
            column[off_chip] for column in (rows, address, size, n, stride, n1, outer)
        )
        address = physical(self.machine, self.place[rows], address)
        n1[(size <= 0) | (n <= 0) | (n1 <= 0)] = 0
        joined = _joined(*_joined(address, size, n, stride, n1, outer))
        self._parts.append((rows, np.full(rows.shape, write, np.int64), *joined))

    def finish(self, count: int) -> Blocks:
        """All blocks in the order of the rows, of which there are `count`."""
        if not self._parts:
            return no_blocks(count)
        rows, *columns = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.lexsort((columns[0], rows))  # reads before writes
        counts = np.bincount(rows, minlength=count)
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Blocks(first, *(np.ascontiguousarray(column[order]) for column in columns))


def physical(machine: Machine, place: np.ndarray, address: np.ndarray) -> np.ndarray:
    """Where bytes that programs see at `address` lie in DRAM; `place` numbers the core."""
    own = machine.dram.size + place * LDRAM_BYTES
    kinds = [address >= GDRAM.base, address >= LDRAM.base]
    places = [address - GDRAM.base, own + address - LDRAM.base]
    return np.select(kinds, places, _private_end(machine) + address - PARAM.base)


def chip_end(machine: Machine) -> int:
    """The first physical address that no program can name."""
    return _private_end(machine) + LDRAM.base - PARAM.base


def _private_end(machine: Machine) -> int:
    chip = machine.chip
    return machine.dram.size + chip.clusters * (chip.cores_per_cluster + 1) * LDRAM_BYTES


def _joined(
    address: np.ndarray, size: np.ndarray, n: np.ndarray, stride: np.ndarray, n1: np.ndarray,
    outer: np.ndarray,
) -> list[np.ndarray]:  # fmt: skip
    """The same blocks with inner segments that lie side by side, or are alone, made one."""
    join = ((n == 1) | (np.abs(stride) == size)) & (n1 > 0)
    back = np.where(join & (stride < 0), stride * (n - 1), 0)
    return [
        address + back, np.where(join, size * n, size), np.where(join, n1, n),
        np.where(join, outer, stride), np.where(join, 1, n1), np.where(join, 0, outer),
    ]  # fmt: skip
