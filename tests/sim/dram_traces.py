"""Traces of nothing but transfers, without a program, and DRAMs to time them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sim_programs import ROUND

from zhisuan.arch.machine import Channels, Chip, Machine
from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.isa.table import BY_NAME
from zhisuan.sim.trace import ROW, Launch, Stretch, Trace, TraceBuilder

CHANNELS = Channels(
    count=4, interleave_bytes=256, turn_bytes=1024, banks=4, row_bytes=1024,
    precharge_ps=10_000, activate_ps=10_000, row_cycle_ps=40_000, activate_interval_ps=4_000,
    write_recovery_ps=12_000, read_to_write_ps=2_000, write_to_read_ps=8_000, write_batch=16,
    refresh_ps=0, refresh_interval_ps=1_000_000,
)  # fmt: skip
"""Round numbers: at 64 bytes a cycle and 1 GHz a channel takes 4 cycles for a burst of 64."""
ROWS_APART = 4 * 4 * 1024
"""From a byte to the same byte of the next row in the same bank of the same channel."""

Values = dict[str, int]


def channelled(cores: int = 1, bytes_per_second: int = 64_000_000_000, **changes: int) -> Machine:
    """ROUND cores on such channels."""
    return replace(
        ROUND,
        chip=Chip(1, cores),
        channels=replace(CHANNELS, **changes),
        dram=replace(ROUND.dram, bytes_per_second=bytes_per_second),
    )


def load(at: int, size: int) -> tuple[str, Values]:
    return "VLOAD", {"dst": NRAM.base, "size": size, "src": GDRAM.base + at}


def store(at: int, size: int) -> tuple[str, Values]:
    return "VSTORE", {"dst": GDRAM.base + at, "size": size, "src": NRAM.base}


def strided(name: str, at: int, size: int, stride: int, n: int) -> tuple[str, Values]:
    """`n` segments of `size` bytes, `stride` apart in DRAM, side by side in NRAM."""
    here, there = (NRAM.base, size), (GDRAM.base + at, stride)
    (dst, dst_stride), (src, src_stride) = (here, there) if name == "VLOAD3" else (there, here)
    return name, {"dst": dst, "size": size, "src": src, "dst_stride": dst_stride,
                  "src_stride": src_stride, "n": n, "outer": 0, "n1": 1}  # fmt: skip


def trace_of(*cores: Sequence[tuple[str, Values]]) -> Trace:
    """A launch in which core i issues cores[i]."""
    builder = TraceBuilder()
    stretches = [Stretch([_rows(issued)], 0, i, i) for i, issued in enumerate(cores)]
    launch = Launch("test", "test", "main", 0, (len(cores), 1, 1), "BLOCK")
    builder.add_tasks(launch, stretches)
    return builder.build()


def _rows(issued: Sequence[tuple[str, Values]]) -> np.ndarray:
    rows = np.zeros(len(issued), ROW)
    for i, (name, values) in enumerate(issued):
        row = BY_NAME[name]
        rows[i]["opcode"] = row.opcode
        for position, operand in enumerate(row.operands):
            rows[i]["a"][position] = values[operand.name]
    return rows
