"""Races in a trace: accesses of different queues that no SYNC puts in order.

Comes in: a trace.  Goes out: the pairs of instructions that touch a byte in common, one of them
writing, where the earlier one's queue was not waited for in between.  Within a queue there are
no races: compute instructions interlock by address, DMA engines work in order.  Scalar loads
and stores leave no addresses in a trace and are not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.isa.matrix import quarter, weight_bytes
from zhisuan.isa.registry import Operands, Queue
from zhisuan.isa.table import BY_OPCODE
from zhisuan.isa.transfer import high_half, low_half
from zhisuan.sim.trace import SCALAR_RUN, SYNC_OPCODE, Trace


@dataclass(frozen=True)
class Access:
    """Bytes that one instruction reads or writes: sorted, disjoint segments [start, end)."""

    row: int
    name: str
    writes: bool
    starts: np.ndarray
    ends: np.ndarray

    def meets(self, other: Access) -> bool:
        """Whether any byte is in both."""
        if self.starts[0] >= other.ends[-1] or other.starts[0] >= self.ends[-1]:
            return False
        few, many = sorted((self, other), key=lambda access: len(access.starts))
        first = np.searchsorted(many.ends, few.starts, "right")  # the first that ends later
        inside = first < len(many.starts)
        return bool(np.any(many.starts[first[inside]] < few.ends[inside]))


@dataclass(frozen=True)
class Race:
    """Two rows of the trace, the earlier one first, and how to name them in a message."""

    launch: str
    earlier: int
    later: int
    story: str


def races(trace: Trace) -> list[Race]:
    """Every pair of conflicting rows without a SYNC between them."""
    found = []
    for number, launch in enumerate(trace.launches):
        pending: dict[Queue, list[Access]] = {queue: [] for queue in Queue}
        rows = trace.rows_of(number)
        for row in range(rows.start, rows.stop):
            opcode = int(trace.opcode[row])
            if opcode == SYNC_OPCODE:
                for queue in Queue:
                    if queue.value & int(trace.a[0, row]):
                        pending[queue].clear()
            elif opcode != SCALAR_RUN:
                own = BY_OPCODE[opcode].unit.queue
                assert own is not None
                new = accesses(trace, row)
                for queue in Queue:
                    if queue is not own:
                        found += _conflicts(launch.label, pending[queue], new)
                pending[own] += new
    return found


def _conflicts(label: str, old: list[Access], new: list[Access]) -> list[Race]:
    return [
        Race(label, a.row, b.row, f"{_did(a)} before {_did(b)} of launch {label}")
        for b in new
        for a in old
        if (a.writes or b.writes) and a.meets(b)
    ]


def _did(access: Access) -> str:
    return f"{'write' if access.writes else 'read'} of {access.name}, row {access.row}"


def accesses(trace: Trace, row: int) -> list[Access]:
    """What a row of the trace touches, to the byte."""
    instruction = BY_OPCODE[int(trace.opcode[row])]
    mode = instruction.modes[int(trace.mode[row])]
    values = {op.name: int(trace.a[i, row]) for i, op in enumerate(instruction.operands)}
    o = Operands(mode, values)
    touches = instruction.touches(o)
    exact = _segments(instruction.name, o, mode) or [
        (np.array([touch.base]), int(touch.span)) for touch in touches
    ]
    assert len(exact) == len(touches)
    result = []
    for touch, (starts, size) in zip(touches, exact, strict=True):
        if not len(starts) or size <= 0:
            continue
        low, high = _merged(np.asarray(starts).reshape(-1), size)
        assert (low[0], high[-1]) == (touch.base, touch.base + touch.span), instruction.name
        result.append(Access(row, f"{instruction.name} ({mode})", touch.writes, low, high))
    return result


def _segments(name: str, o: Operands, mode: str) -> list[tuple[np.ndarray, int]] | None:
    """Starts and common size of the segments of each touch; None where one range says all."""
    if "n1" in vars(o):
        inner, outer = np.arange(o.n), np.arange(o.n1)[:, None]
        dst = o.dst + inner * o.dst_stride + outer * low_half(o.outer)
        src = o.src + inner * o.src_stride + outer * high_half(o.outer)
        return [(dst, o.size), (src, o.size)]
    if name == "CONV":
        return _convolution_segments(o, mode)
    if name in ("VCSUM", "VCSSQ"):
        rows = o.a + np.arange(low_half(o.size)) * o.pitch
        width = high_half(o.size) * o.m * (2 if mode == "f16" else 4)
        return [(np.array([o.dst]), o.m * 4), (rows, width), (np.array([o.shift]), o.m * 4)]
    return None


def _convolution_segments(o: Operands, mode: str) -> list[tuple[np.ndarray, int]]:
    source, destination = (2 if kind == "f16" else 4 for kind in mode.split(".")[:2])
    out_h, out_w, kernel_h, kernel_w = (quarter(o.geometry, i) for i in range(4))
    stride_h, stride_w, dilation_h, dilation_w = (quarter(o.steps, i) for i in range(4))
    ci, co = low_half(o.channels), high_half(o.channels)
    taps = kernel_h * kernel_w * ci
    rows = np.arange(out_h)[:, None] * stride_h + np.arange(kernel_h) * dilation_h
    columns = (out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
    return [
        (o.dst + np.arange(out_h) * high_half(o.pitches), out_w * co * destination),
        (o.src + rows * low_half(o.pitches), columns * ci * source),
        (np.array([o.weight]), weight_bytes(taps, co, source)),
    ]


def _merged(starts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Segments of one size, sorted, those that touch made one."""
    starts = np.unique(starts)
    gap = np.diff(starts) > size
    first = np.concatenate([[True], gap])
    last = np.concatenate([gap, [True]])
    return starts[first], starts[last] + size
