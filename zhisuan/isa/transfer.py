"""Transfers between memories: DRAM ↔ NRAM/WRAM on the IO-DMA queue, on-chip on Move-DMA.

Plain forms move `size` contiguous bytes.  The `…3` forms move a 3-D block: `n1` times `n`
segments of `size` bytes; inner strides in registers, outer ones packed in `outer` as two
signed 32-bit halves (destination low, source high).  Strides are bytes and may be 0 or
negative.  Opcodes 0x100-0x13F.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zhisuan.isa.address import CONST, GDRAM, LDRAM, NRAM, PARAM, WRAM, Space
from zhisuan.isa.number import signed64
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction

BYTE = np.dtype(np.uint8)
MOST_SEGMENTS = 1 << 24
"""Segments of one block: as many as NRAM's window has bytes; more is a mistake."""


def low_half(packed: Any) -> Any:
    """The lower 32 bits of a packed operand as a signed number; ints or int64 arrays."""
    low = packed & 0xFFFF_FFFF
    return low - ((low >> 31) << 32)


def high_half(packed: Any) -> Any:
    """The upper 32 bits of a packed operand as a signed number; ints or int64 arrays."""
    return low_half(packed >> 32)


Put = Callable[[Core, int, np.ndarray], None]
"""How a transfer stores what it read: put(core, address, bytes)."""


def here(core: Core, address: int, values: np.ndarray) -> None:
    """Store in the memories of the core itself."""
    core.write(address, values)


def _move(core: Core, o: Operands, put: Put) -> None:
    """Copy size bytes from src to dst."""
    put(core, o.dst, core.read(o.src, BYTE, o.size))


def _move3(core: Core, o: Operands, put: Put) -> None:
    """Copy n1 × n segments of size bytes, in order: outer loop n1, inner loop n."""
    if not o.size * o.n * o.n1:
        return
    if o.n * o.n1 > MOST_SEGMENTS:
        core.trap(f"a block of more than {MOST_SEGMENTS} segments")
    for j in range(o.n1):
        for i in range(o.n):
            dst = o.dst + j * low_half(o.outer) + i * signed64(o.dst_stride)
            src = o.src + j * high_half(o.outer) + i * signed64(o.src_stride)
            put(core, dst, core.read(src, BYTE, o.size))


def _span(start: Any, size: Any, stride: Any, n: Any, outer: Any, n1: Any) -> tuple[Any, Any]:
    """First byte and length of the box that a 3-D block touches."""
    inner = stride * np.maximum(n - 1, 0)
    second = outer * np.maximum(n1 - 1, 0)
    low = start + np.minimum(inner, 0) + np.minimum(second, 0)
    high = start + np.maximum(inner, 0) + np.maximum(second, 0) + size
    return low, high - low


def _touches(o: Operands) -> tuple[Touch, ...]:
    return Touch(True, o.dst, o.size), Touch(False, o.src, o.size)


def _touches3(o: Operands) -> tuple[Touch, ...]:
    dst = _span(o.dst, o.size, o.dst_stride, o.n, low_half(o.outer), o.n1)
    src = _span(o.src, o.size, o.src_stride, o.n, high_half(o.outer), o.n1)
    return Touch(True, *dst), Touch(False, *src)


def _segments(o: Operands) -> Any:
    return o.n * o.n1


COST = {
    "DRAM": "max(1, {segments} · `dram.segment_cycles`, ceil({segments} · size · `clock.hz` / "
    "`dram.bytes_per_second`)), size rounded up to `dram.access_bytes`",
    "on chip": "max(1, {segments} · `move.segment_cycles`, "
    "{segments} · ceil(size / `move.bytes_per_cycle`))",
}
_COSTS = {
    "read": (COST["DRAM"], "dram.read_latency"),
    "write": (COST["DRAM"], "dram.write_latency"),
    "none": (COST["on chip"], "move.latency"),
    "sram": (COST["on chip"].replace("`move.bytes", "`sram.bytes"), "sram.latency"),
}
"""Cost in words and the key of the latency, by way."""
DRAM = (LDRAM, GDRAM)
DRAM_SOURCE = (*DRAM, PARAM, CONST)


def transfer(
    name: str, opcode: int, unit: Unit, way: str, summary: str, reads: tuple[Space, ...],
    writes: tuple[Space, ...], put: Put = here,
) -> None:  # fmt: skip
    """Enter `name` and `name3`; `way` says what moves: read or write (of DRAM), sram (a core's
    port to it), or none (within the core)."""

    def copy(core: Core, o: Operands) -> None:
        _move(core, o, put)

    def copy3(core: Core, o: Operands) -> None:
        _move3(core, o, put)

    def cycles(machine: Any, o: Operands) -> Any:
        return machine.transfer_cycles(way, o.size, 1 + 0 * o.size)

    def cycles3(machine: Any, o: Operands) -> Any:
        return machine.transfer_cycles(way, o.size, _segments(o))

    cost, latency = _COSTS[way]
    cycles.__doc__ = cost.format(segments="1")
    cycles3.__doc__ = cost.format(segments="n · n1")
    copy.__doc__ = f"{summary} Copies size contiguous bytes."
    copy3.__doc__ = (
        f"{summary} Copies n1 × n segments of size bytes; outer packs both outer strides."
    )
    instruction(name, opcode, unit, "dst size src", cycles=cycles, latency=latency,
                touches=_touches, reads=reads, writes=writes)(copy)  # fmt: skip
    instruction(name + "3", opcode + 0x20, unit,
                "dst size src dst_stride src_stride n outer n1", cycles=cycles3,
                latency=latency, touches=_touches3, reads=reads, writes=writes)(copy3)  # fmt: skip


transfer("VLOAD", 0x100, Unit.IO, "read", "DRAM to NRAM.", DRAM_SOURCE, (NRAM,))
transfer("VSTORE", 0x101, Unit.IO, "write", "NRAM to DRAM.", (NRAM,), DRAM)
transfer("MLOAD", 0x102, Unit.IO, "read", "DRAM to WRAM.", DRAM_SOURCE, (WRAM,))
transfer("MSTORE", 0x103, Unit.IO, "write", "WRAM to DRAM.", (WRAM,), DRAM)
transfer("DMOVE", 0x104, Unit.IO, "write", "DRAM to DRAM.", DRAM_SOURCE, DRAM)
transfer("VMOVE", 0x108, Unit.MOVE, "none", "NRAM to NRAM.", (NRAM,), (NRAM,))
transfer("MMOVE", 0x109, Unit.MOVE, "none", "NRAM to WRAM.", (NRAM,), (WRAM,))
