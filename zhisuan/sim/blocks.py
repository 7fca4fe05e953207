"""What transfers ask of the DRAM: for every row of a trace, blocks of physical addresses.

Comes in: the transfers of a trace.  Goes out: `Blocks`, three-dimensional blocks of bytes, each
read or written.  Physical addresses put the DRAM as programs see it first, then the private DRAM
of every core, then the arguments and constants, so that different bytes have different places.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.address import CONST, GDRAM, LDRAM, PARAM
from zhisuan.isa.constant_address import plain
from zhisuan.isa.registry import Instruction, Operands
from zhisuan.isa.transfer import high_half, low_half
from zhisuan.sim.memory import LDRAM_BYTES

OFF_CHIP = (PARAM, CONST, LDRAM, GDRAM)


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
        """Enter the rows of one transfer between DRAM and elsewhere, or within DRAM."""
        o = plain(o)
        for write, spaces in ((0, row.reads), (1, row.writes)):
            if any(space in spaces for space in OFF_CHIP):
                self._add_side(o, rows, write)

    def _add_side(self, o: Operands, rows: np.ndarray, write: int) -> None:
        address = o.dst if write else o.src
        n, stride, n1, outer = 1, 0, 1, 0
        if hasattr(o, "n1"):
            n, n1 = o.n, o.n1
            stride = o.dst_stride if write else o.src_stride
            outer = low_half(o.outer) if write else high_half(o.outer)
        columns = (address, o.size, n, stride, n1, outer)
        address, size, n, stride, n1, outer = (
            np.array(np.broadcast_to(column, rows.shape), np.int64) for column in columns
        )
        address = physical(self.machine, self.place[rows], address)
        n1[(size <= 0) | (n <= 0) | (n1 <= 0)] = 0
        block = [address, size, n, stride, n1, outer]
        for _ in range(2):
            block = _joined(*block)
        self._parts.append((rows, np.full(rows.shape, write, np.int64), *block))

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
    chip = machine.chip
    after = machine.dram.size + chip.clusters * (chip.cores_per_cluster + 1) * LDRAM_BYTES
    kinds = [address >= GDRAM.base, address >= LDRAM.base]
    return np.select(
        kinds, [address - GDRAM.base, own + address - LDRAM.base], after + address - PARAM.base
    )


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
