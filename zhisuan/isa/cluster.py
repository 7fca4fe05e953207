"""Cores together: barriers, and transfers through the SRAM that the cores of a cluster share.

GLOAD and GSTORE (GDMA: DRAM and SRAM) go to the IO-DMA queue; reads and writes of SRAM by one core
(unicast), to all cores of the cluster (multicast), and to another cluster (CDMA) to the Move-DMA
queue.  Opcodes 0x3A and 0x140-0x17F.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.address import NRAM, SRAM, WRAM
from zhisuan.isa.number import signed64
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.transfer import BYTE, DRAM, DRAM_SOURCE, transfer


@instruction("BARRIER", 0x3A, Unit.SCALAR, "id task arrivals", cost="sync")
def barrier(core: Core, o: Operands) -> None:
    """Wait until all queues have drained, and `arrivals` cores are at barrier `id` of `task`.

    `task` keeps the barriers of different jobs apart: special register 13.  A barrier inside a
    locked section is a fault.
    """
    if core.held is not None:
        core.trap("a barrier inside a locked section")


def _everywhere(core: Core, address: int, values: np.ndarray) -> None:
    core.cast(address, values)


transfer("GLOAD", 0x140, Unit.IO, "read", "DRAM to SRAM.", DRAM_SOURCE, (SRAM,))
transfer("GSTORE", 0x141, Unit.IO, "write", "SRAM to DRAM.", (SRAM,), DRAM)
transfer("VREAD", 0x142, Unit.MOVE, "sram", "SRAM to NRAM.", (SRAM,), (NRAM,))
transfer("VWRITE", 0x143, Unit.MOVE, "sram", "NRAM to SRAM.", (NRAM,), (SRAM,))
transfer("MREAD", 0x144, Unit.MOVE, "sram", "SRAM to WRAM.", (SRAM,), (WRAM,))
transfer("MWRITE", 0x145, Unit.MOVE, "sram", "WRAM to SRAM.", (WRAM,), (SRAM,))
transfer("VCAST", 0x146, Unit.MOVE, "sram", "SRAM to NRAM of every core of the cluster.",
         (SRAM,), (NRAM,), _everywhere)  # fmt: skip
transfer("MCAST", 0x147, Unit.MOVE, "sram", "SRAM to WRAM of every core of the cluster.",
         (SRAM,), (WRAM,), _everywhere)  # fmt: skip


def _cdma_cycles(machine: Any, o: Operands) -> Any:
    """max(1, ceil(size / `noc.link_bytes_per_cycle`), ceil(size / `sram.bytes_per_cycle`)), and
    `noc.hop_latency` for every link on the way"""
    return machine.transfer_cycles("noc", o.size, 1 + 0 * o.size)


def _cdma_touches(o: Operands) -> tuple[Touch, ...]:
    return Touch(True, o.dst, o.size), Touch(False, o.src, o.size)


@instruction(
    "CDMA",
    0x150,
    Unit.MOVE,
    "dst size src cluster",
    cycles=_cdma_cycles,
    latency="sram.latency",
    touches=_cdma_touches,
    reads=(SRAM,),
    writes=(SRAM,),
)
def cdma(core: Core, o: Operands) -> None:
    """SRAM to SRAM of the cluster with clusterId `cluster`.  Copies size contiguous bytes."""
    core.send(signed64(o.cluster), o.dst, core.read(o.src, BYTE, o.size))
