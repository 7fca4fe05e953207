"""Laying out a kernel's NRAM arena: 128-byte aligned pieces from the start of NRAM."""

from __future__ import annotations

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError

ALIGNMENT = 128
SPILLED = 1024
"""Bytes at the top of NRAM where kernels of the library keep what the registers cannot hold."""


def usable(machine: Machine) -> int:
    """Bytes of NRAM an arena may take: all but the stack, which a machine may give no room."""
    return min(machine.nram_usable, machine.nram.size - SPILLED)


def aligned(size: int) -> int:
    """`size` rounded up to the arena's alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class Arena:
    """Hands out offsets; `fits` says whether everything taken so far does."""

    def __init__(self, machine: Machine) -> None:
        self.limit = usable(machine)
        self.used = 0

    def take(self, size: int) -> int:
        """Offset of a fresh piece of `size` bytes."""
        offset = self.used
        self.used += aligned(size)
        return offset

    @property
    def fits(self) -> bool:
        return self.used <= self.limit


def no_room(kernel: str, shape: str, memory: str, needed: int, limit: int,
            machine: Machine) -> ZhisuanError:  # fmt: skip
    """The error for a machine that cannot hold even the smallest tile."""
    return ZhisuanError(
        f"machine '{machine.name}' cannot hold one tile of {kernel}",
        where=shape,
        expected=f"at least {needed:,} bytes of {memory}",
        found=f"{limit:,} bytes usable",
        hint=f"enlarge [{memory.lower()}] size in the machine file, or use --machine dlp-s",
    )
