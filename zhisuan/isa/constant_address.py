"""Transfers whose DRAM address is a constant, as hand-written programs have them.

The register is the on-chip side, whichever way the data go; sizes count elements of the mode;
the constant is a byte offset from the start of GDRAM.  Everything else is as in the forms with
an address in a register.  Opcodes 0x180-0x183.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa.address import GDRAM, NRAM, WRAM, Space
from zhisuan.isa.element import bytes_of, kinds_of
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.transfer import COST

MODES = ("f16", "f32", "i8", "i16", "i32")
BYTE = np.dtype(np.uint8)


def element_bytes(o: Operands) -> int:
    """Bytes of an element of the mode: the size of a transfer of one."""
    return BY_NAME[o.mode].size


def plain(o: Operands) -> Operands:
    """A transfer's operands with dst, src and size, the bytes of a segment, whatever its form.

    Atomics have the size of their elements, locks none.
    """
    if hasattr(o, "size"):
        return o
    if hasattr(o, "id"):
        return Operands(o.mode, {"size": 0 * o.id})
    if not hasattr(o, "addr"):
        size = bytes_of(kinds_of(o.mode)[0], getattr(o, "n", 1)) + 0 * o.src
        return Operands(o.mode, {"src": o.src, "size": size})
    there = GDRAM.base + o.addr
    here = {"dst": o.dst, "src": there} if hasattr(o, "dst") else {"dst": there, "src": o.src}
    return Operands(o.mode, {**here, "size": o.n * element_bytes(o)})


def _load(name: str, opcode: int, space: Space) -> None:
    """Enter `name $dst, $n, #addr`."""

    def meaning(core: Core, o: Operands) -> None:
        core.write(o.dst, core.read(GDRAM.base + o.addr, BYTE, o.n * element_bytes(o)))

    def touches(o: Operands) -> tuple[Touch, ...]:
        size = o.n * element_bytes(o)
        return Touch(True, o.dst, size), Touch(False, GDRAM.base + o.addr, size)

    def cycles(machine: Any, o: Operands) -> Any:
        return machine.transfer_cycles("read", o.n * element_bytes(o), 1 + 0 * o.n)

    meaning.__doc__ = f"DRAM to {space.name.upper()}: n elements from addr bytes into GDRAM."
    cycles.__doc__ = _COST
    instruction(name, opcode, Unit.IO, "dst n #addr", modes=MODES, cycles=cycles,
                latency="dram.read_latency", touches=touches, reads=(GDRAM,),
                writes=(space,))(meaning)  # fmt: skip


def _store(name: str, opcode: int, space: Space) -> None:
    """Enter `name $src, $n, #addr`."""

    def meaning(core: Core, o: Operands) -> None:
        core.write(GDRAM.base + o.addr, core.read(o.src, BYTE, o.n * element_bytes(o)))

    def touches(o: Operands) -> tuple[Touch, ...]:
        size = o.n * element_bytes(o)
        return Touch(True, GDRAM.base + o.addr, size), Touch(False, o.src, size)

    def cycles(machine: Any, o: Operands) -> Any:
        return machine.transfer_cycles("write", o.n * element_bytes(o), 1 + 0 * o.n)

    meaning.__doc__ = (
        f"{space.name.upper()} to DRAM: n elements to addr bytes into GDRAM; source first."
    )
    cycles.__doc__ = _COST
    instruction(name, opcode, Unit.IO, "src n #addr", modes=MODES, cycles=cycles,
                latency="dram.write_latency", touches=touches, reads=(space,),
                writes=(GDRAM,))(meaning)  # fmt: skip


_COST = COST["DRAM"].format(segments="1").replace("size", "n · element bytes")
_load("VLOAD#", 0x180, NRAM)
_store("VSTORE#", 0x181, NRAM)
_load("MLOAD#", 0x182, WRAM)
_store("MSTORE#", 0x183, WRAM)
