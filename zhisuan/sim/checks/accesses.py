"""What one queued instruction reads and writes, to the byte.

Comes in: a row of the table, a mode, operand values.  Goes out: segments.  The definition is the
row's own meaning, watched while it runs on a memory of zeros; rows that occur often have a
formula, which tests compare with that.  Nothing is executed for effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from typing import Any, NoReturn

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa.address import NRAM, space_of
from zhisuan.isa.constant_address import plain
from zhisuan.isa.element import bytes_of, kinds_of
from zhisuan.isa.matrix import WRAM_BANKS, WRAM_LINE, quarter
from zhisuan.isa.number import MASK64
from zhisuan.isa.registry import Instruction, Operands, Unit
from zhisuan.isa.table import BY_NAME as BY_ROW_NAME
from zhisuan.isa.transfer import high_half, low_half


@dataclass(frozen=True)
class Access:
    """Bytes read or written: sorted, disjoint segments [start, end), at least one.

    `memory` tells the memories of a chip apart that have the same addresses; `atomic`: nothing
    comes between this access and the others of its instruction.
    """

    writes: bool
    starts: np.ndarray
    ends: np.ndarray
    memory: tuple[int | str, ...] = ()
    atomic: bool = False

    @property
    def low(self) -> int:
        return int(self.starts[0])

    @property
    def high(self) -> int:
        return int(self.ends[-1])

    @property
    def size(self) -> int:
        """Bytes in all segments."""
        return int((self.ends - self.starts).sum())

    def common(self, other: Access) -> tuple[int, int] | None:
        """The first range of bytes that is in both, [start, end), or None."""
        if self.memory != other.memory or self.low >= other.high or other.low >= self.high:
            return None
        few, many = (self, other) if len(self.starts) <= len(other.starts) else (other, self)
        first = np.searchsorted(many.ends, few.starts, "right")  # the first that ends later
        known = np.minimum(first, len(many.starts) - 1)
        meet = (first < len(many.starts)) & (many.starts[known] < few.ends)
        if not meet.any():
            return None
        one = int(np.argmax(meet))
        two = int(known[one])
        start = max(few.starts[one], many.starts[two])
        return int(start), int(min(few.ends[one], many.ends[two]))


Pieces = tuple[Any, Any]
"""Starts and sizes of segments: arrays that broadcast together."""


def access(writes: bool, starts: Any, sizes: Any) -> Access | None:
    """Segments in any order, some of no bytes → an Access, or None where nothing is left."""
    if isinstance(starts, int) and isinstance(sizes, int):  # most accesses are a single segment
        whole = np.array([starts, starts + sizes])
        return Access(writes, whole[:1], whole[1:]) if sizes > 0 else None
    starts, sizes = np.broadcast_arrays(np.asarray(starts, np.int64), np.asarray(sizes, np.int64))
    keep = sizes.reshape(-1) > 0
    starts, sizes = starts.reshape(-1)[keep], sizes.reshape(-1)[keep]
    if not len(starts):
        return None
    if len(starts) == 1:
        return Access(writes, starts, starts + sizes)
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate((starts + sizes)[order])
    apart = starts[1:] > ends[:-1]
    return Access(writes, starts[np.append(True, apart)], ends[np.append(apart, True)])


def accesses(row: Instruction, mode: str, values: tuple[int, ...]) -> tuple[Access, ...]:
    """Reads first, then writes; `values` are signed, in the order of the row's operands."""
    named = {operand.name: value for operand, value in zip(row.operands, values, strict=True)}
    o = Operands(mode, named)
    formula = _formula(row.name, mode)
    if formula is None and (found := watched(row, mode, values)) is not None:
        return found
    reads, writes = (formula or _ranges)(row, o)
    found = [access(False, *piece) for piece in reads] + [access(True, *p) for p in writes]
    return tuple(item for item in found if item is not None)


# -- the definition -------------------------------------------------------------------------


class _Unpredictable(Exception):
    """The meaning asked for something that only a real run can answer."""


class Reach(Enum):
    """Whose memories an instruction writes: its core's, those of all cores of its cluster, or
    those of the cluster that its operand `cluster` names."""

    OWN = 0
    CORES = 1
    CLUSTER = 2


class _Watcher:
    """A core whose memory is all zeros, and which remembers what was touched."""

    pc = 0
    halted = False
    held: int | None = None
    noted: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.touched: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
        self.reach = Reach.OWN

    def read(self, address: int, dtype: Any, count: int) -> np.ndarray:
        kind = np.dtype(dtype)
        size = count * kind.itemsize
        if not 0 <= size <= NRAM.window:
            raise _Unpredictable("a length that no memory has")
        self.touched[False].append((address & MASK64, size))
        return np.zeros(count, kind)

    def write(self, address: int, values: np.ndarray) -> None:
        self.touched[True].append((address & MASK64, values.nbytes))

    def cast(self, address: int, values: np.ndarray) -> None:
        self.reach = Reach.CORES
        self.write(address, values)

    def send(self, cluster: int, address: int, values: np.ndarray) -> None:
        self.reach = Reach.CLUSTER
        self.write(address, values)

    def trap(self, reason: str) -> NoReturn:
        raise _Unpredictable(reason)

    def special(self, index: int) -> NoReturn:
        raise _Unpredictable(f"special register {index}")

    def print(self, text: str) -> None:
        """What a row prints touches no memory."""


@cache
def reach(name: str, mode: str) -> Reach:
    """Found by running the row once on small operands."""
    row = BY_ROW_NAME[name]
    watcher = _Watcher()
    if row.unit in (Unit.IO, Unit.MOVE):
        row.meaning(watcher, Operands(mode, {operand.name: 1 for operand in row.operands}))
    return watcher.reach


@lru_cache(maxsize=256)
def watched(row: Instruction, mode: str, values: tuple[int, ...]) -> tuple[Access, ...] | None:
    """What the meaning of a row touches, found by running it on zeros; None where it refuses
    the operands, or zeros."""
    watcher = _Watcher()
    named = {
        operand.name: value & MASK64 if operand.is_register else value
        for operand, value in zip(row.operands, values, strict=True)
    }
    try:
        row.meaning(watcher, Operands(mode, named))
    except _Unpredictable:
        return None
    operands = Operands(mode, {o.name: v for o, v in zip(row.operands, values, strict=True)})
    found = [
        (access(writes, *np.array(group, np.int64).T), atomic)
        for writes, ranges in watcher.touched.items()
        for group, atomic in _by_operand(row, operands, writes, ranges)
    ]
    return tuple(replace(item, atomic=atomic) for item, atomic in found if item is not None)


def _by_operand(
    row: Instruction, o: Operands, writes: bool, ranges: list[tuple[int, int]]
) -> list[tuple[list[tuple[int, int]], bool]]:
    """Ranges apart by the operand they belong to, as far as the row tells, and by memory; and
    whether they are atomic."""
    touches = [touch for touch in row.touches(o) if touch.writes is writes]
    hulls = [(touch.base, touch.base + touch.span) for touch in touches]
    groups: dict[tuple[Any, int], list[tuple[int, int]]] = {}
    for start, size in ranges:
        inside = (i for i, (low, high) in enumerate(hulls) if low <= start and start + size <= high)
        groups.setdefault((space_of(start), next(inside, -1)), []).append((start, size))
    return [(group, at >= 0 and bool(touches[at].atomic)) for (_, at), group in groups.items()]


# -- formulas -------------------------------------------------------------------------------

Formula = Callable[[Instruction, Operands], tuple[list[Pieces], list[Pieces]]]
_VECTORS = {"dst", "n", "a", "b", "s", "seg", "scale", "shift", "m", "value"}
_BLOCK = {"n1", "outer", "dst_stride", "src_stride"}


@cache
def elementwise(name: str, mode: str) -> bool:
    """Whether a row's operands are whole vectors: n elements in, n elements out."""
    row = BY_ROW_NAME[name]
    names = {operand.name for operand in row.operands}
    if row.unit is not Unit.VFU or "n" not in names or not names <= _VECTORS:
        return False
    ones = dict.fromkeys(names, 1)
    (one,) = (touch.span for touch in row.touches(Operands(mode, ones)) if touch.writes)
    (nine,) = (touch.span for touch in row.touches(Operands(mode, ones | {"n": 9})) if touch.writes)
    return bool(nine == 9 * one)


@cache
def _formula(name: str, mode: str) -> Formula | None:
    """The formula that answers for a row, known by its name or by its operands."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    names = {operand.name for operand in BY_ROW_NAME[name].operands}
    if names >= _BLOCK:
        return _block
    transfer = {"dst", "size", "src"} <= names <= {"dst", "size", "src", "cluster"}
    return _ranges if elementwise(name, mode) or transfer else None


def _ranges(row: Instruction, o: Operands) -> tuple[list[Pieces], list[Pieces]]:
    """Whole vectors: the ranges that the interlock watches."""
    touches = row.touches(o)
    reads = [(touch.base, touch.span) for touch in touches if not touch.writes]
    return reads, [(touch.base, touch.span) for touch in touches if touch.writes]


def _block(row: Instruction, o: Operands) -> tuple[list[Pieces], list[Pieces]]:
    """n1 times n segments."""
    inner, outer = np.arange(max(o.n, 0)), np.arange(max(o.n1, 0))[:, None]
    src = o.src + inner * o.src_stride + outer * high_half(o.outer)
    dst = o.dst + inner * o.dst_stride + outer * low_half(o.outer)
    return [(src, o.size)], [(dst, o.size)]


def copied_bytes(
    row: Instruction, mode: str, values: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The addresses that a transfer reads and writes, byte by byte in the order of copying."""
    named = {operand.name: value for operand, value in zip(row.operands, values, strict=True)}
    o = plain(Operands(mode, named))
    once = [(o.src, o.size)], [(o.dst, o.size)]
    reads, writes = _block(row, o) if "n1" in named else once
    within = np.arange(o.size)
    read, write = (np.asarray(piece[0])[..., None] + within for (piece,) in (reads, writes))
    return read.reshape(-1), write.reshape(-1)


def _channel_sums(row: Instruction, o: Operands) -> tuple[list[Pieces], list[Pieces]]:
    """Rows of a tile into sums that are read and written."""
    width = high_half(o.size) * o.m * BY_NAME[o.mode].size
    rows = o.a + np.arange(low_half(o.size)) * o.pitch
    sums = (o.dst, o.m * 4)
    return [(rows, width), (o.shift, o.m * 4), sums], [sums]


def _convolution(row: Instruction, o: Operands) -> tuple[list[Pieces], list[Pieces]]:
    """Rows of neurons under the kernel's rows, the used part of the filter, rows of results."""
    source, destination = kinds_of(o.mode)
    out_h, out_w, kernel_h, kernel_w = (quarter(o.geometry, i) for i in range(4))
    stride_h, stride_w, dilation_h, dilation_w = (quarter(o.steps, i) for i in range(4))
    ci, co = low_half(o.channels), high_half(o.channels)
    if out_h * out_w * co == 0:
        return [], []
    results = (o.dst + np.arange(out_h) * high_half(o.pitches), bytes_of(destination, out_w * co))
    reads = [results] if o.mode.endswith("acc") else []
    taps = kernel_h * kernel_w * ci
    if taps:
        lines = np.arange(out_h)[:, None] * stride_h + np.arange(kernel_h) * dilation_h
        columns = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
        reads.append((o.src + lines * low_half(o.pitches), bytes_of(source, columns * ci)))
        reads.append(_filter(o.weight, bytes_of(source, taps), co))
    return reads, [results]


def _filter(weight: int, size: int, channels: int) -> Pieces:
    """The bytes of a filter that count: `size` of each channel, a channel in each bank."""
    lines = -(-size // WRAM_LINE)
    line = np.arange(lines)[:, None]
    channel = np.arange(channels)
    group, bank = channel // WRAM_BANKS, channel % WRAM_BANKS
    starts = weight + ((group * lines + line) * WRAM_BANKS + bank) * WRAM_LINE
    return starts, np.minimum(size - line * WRAM_LINE, WRAM_LINE)


_BY_NAME: dict[str, Formula] = {
    "CONV": _convolution,
    "VCSUM": _channel_sums,
    "VCSSQ": _channel_sums,
}
