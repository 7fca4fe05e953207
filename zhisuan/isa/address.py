"""The address map: one flat space with fixed windows, the same for every machine.

Page 0 traps.  On-chip windows are low, DRAM is above; a window is wider than any machine's
memory, so an address tells its space without knowing the machine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Space:
    """One memory as programs see it: the window [base, base + window) in bytes."""

    name: str
    base: int
    window: int
    on_chip: bool
    doc: str

    def __contains__(self, address: int) -> bool:
        return self.base <= address < self.base + self.window


NRAM = Space("nram", 0x0100_0000, 0x0100_0000, True, "neurons, private to a core")
WRAM = Space("wram", 0x0200_0000, 0x0200_0000, True, "weights, private to a core")
SRAM = Space("sram", 0x0400_0000, 0x0400_0000, True, "shared by the cores of a cluster")
PARAM = Space("param", 0x0800_0000, 0x0010_0000, False, "arguments of the running kernel")
CONST = Space("const", 0x0900_0000, 0x0700_0000, False, "constants of the loaded program")
LDRAM = Space("ldram", 0x1_0000_0000, 0x1_0000_0000, False, "DRAM private to a core")
GDRAM = Space("gdram", 0x100_0000_0000, 0x100_0000_0000, False, "DRAM shared by all cores")

SPACES = (NRAM, WRAM, SRAM, PARAM, CONST, LDRAM, GDRAM)
BY_NAME = {space.name: space for space in SPACES}

PARAM_SLOT = 8
"""Bytes per kernel argument; argument i lies at PARAM.base + 8·i, little endian."""


def space_of(address: int) -> Space | None:
    """The space whose window holds `address`, or None (page 0 and the gaps)."""
    for space in SPACES:
        if address in space:
            return space
    return None
