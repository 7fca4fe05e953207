"""The memories of one core, byte by byte, and the rules of access to them.

Comes in: addresses of the one flat space (`isa.address`).  Goes out: copies of bytes as NumPy
arrays, or the error that says why an access is wrong.  All memory is zero at first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import (
    CONST,
    GDRAM,
    LDRAM,
    NRAM,
    PARAM,
    SPACES,
    SRAM,
    WRAM,
    Space,
    space_of,
)

LDRAM_BYTES = 1 << 20
PARAM_BYTES = 1 << 12
PAGE_ZERO = 1 << 12
_MASK64 = (1 << 64) - 1


class Memory:
    """All memories that a core of `machine` can address, each a uint8 array.

    GDRAM is as long as `reserve` was asked for, so that an access beyond it is noticed.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        sizes = {
            NRAM: machine.nram.size,
            WRAM: machine.wram.size,
            SRAM: 0,  # a single core has none
            PARAM: PARAM_BYTES,
            CONST: 0,
            LDRAM: LDRAM_BYTES,
            GDRAM: 0,
        }
        self._bytes = {space: np.zeros(size, np.uint8) for space, size in sizes.items()}
        self._gdram_size = 0
        self.constants: object = None
        """What `load_constants` was last given, so that a loaded program is recognised."""

    def bytes_of(self, space: Space) -> np.ndarray:
        """The memory itself (uint8, not a copy); invalid after the next `reserve`."""
        whole = self._bytes[space]
        return whole[: self._gdram_size] if space is GDRAM else whole

    def size_of(self, space: Space) -> int:
        return self._gdram_size if space is GDRAM else len(self._bytes[space])

    def reserve(self, end_address: int) -> None:
        """Let GDRAM reach up to `end_address`; it never shrinks."""
        size = end_address - GDRAM.base
        if not 0 <= size <= self.machine.dram.size:
            raise ZhisuanError(
                f"the DRAM of machine '{self.machine.name}' is too small",
                where="[dram] size of the machine file",
                expected=f"at most {self.machine.dram.size} bytes in use",
                found=f"{size} bytes",
                hint="a smaller picture, or a machine with more DRAM",
            )
        held = self._bytes[GDRAM]
        if size > len(held):
            grown = np.zeros(min(max(size, 2 * len(held)), self.machine.dram.size), np.uint8)
            grown[: len(held)] = held
            self._bytes[GDRAM] = grown
        self._gdram_size = max(self._gdram_size, size)

    def load_constants(self, owner: object, data: bytes) -> None:
        """Put a program's constants at CONST.base; nothing to do when `owner` is there already."""
        if self.constants is not owner:
            self._bytes[CONST] = np.frombuffer(data, np.uint8).copy()
            self.constants = owner

    def check(self, address: int, size: int, write: bool) -> None:
        """Raise the error that [address, address + size) deserves, if any."""
        error = self.complaint(address, size, write, SPACES)
        if error is not None:
            raise error

    def read(self, address: int, dtype: np.typing.DTypeLike, count: int) -> np.ndarray:
        """A copy of `count` elements of `dtype` at `address`."""
        kind = np.dtype(dtype)
        self.check(address, count * kind.itemsize, write=False)
        return self.peek(address, kind, count)

    def write(self, address: int, values: np.ndarray) -> None:
        """Store the elements of `values` in order from `address`."""
        self.check(address, values.nbytes, write=True)
        self.poke(address, values)

    def peek(self, address: int, kind: np.dtype, count: int) -> np.ndarray:
        """`read` of a range known to be valid."""
        space = space_of(address)
        if count == 0 or space is None:
            return np.zeros(0, kind)
        start = address - space.base
        return self.bytes_of(space)[start : start + count * kind.itemsize].copy().view(kind)

    def poke(self, address: int, values: np.ndarray) -> None:
        """`write` to a range known to be valid."""
        space = space_of(address)
        if values.nbytes == 0 or space is None:
            return
        start = address - space.base
        raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.bytes_of(space)[start : start + values.nbytes] = raw

    def complaint(
        self, address: int, size: int, write: bool, allowed: Sequence[Space], align: int = 1
    ) -> ZhisuanError | None:
        """What is wrong with an access, or None.  No access of 0 bytes is wrong."""
        done = "write" if write else "read"
        found = f"{done} of {size} bytes at {hexadecimal(address)}"
        if size == 0:
            return None
        if size < 0:
            return ZhisuanError("an access of negative length", found=found)
        space = space_of(address)
        if space is None:
            what = "null pointer" if address < PAGE_ZERO else "the address is in no memory"
            return ZhisuanError(what, expected=_windows(allowed), found=found)
        found += f" ({space.name})"
        if space not in allowed:
            return ZhisuanError(
                f"{done} of a memory that this instruction cannot reach",
                expected="an address in " + " or ".join(s.name for s in allowed),
                found=found,
            )
        if address + size > space.base + self.size_of(space):
            return ZhisuanError(
                f"{done} past the end of {space.name}",
                expected=self._bounds(space),
                found=found,
            )
        if address % align:
            return ZhisuanError(
                f"misaligned {done}", expected=f"an address divisible by {align}", found=found
            )
        return None

    def _bounds(self, space: Space) -> str:
        size = self.size_of(space)
        if not size:
            return f"another memory: there are 0 bytes of {space.name}"
        first, end = hexadecimal(space.base), hexadecimal(space.base + size)
        return f"{first} up to {end}, the {size} bytes of {space.name}"


def hexadecimal(address: int) -> str:
    """An address as messages show it; beyond 64 bits it wraps."""
    return f"0x{address & _MASK64:08x}"


def _windows(spaces: Sequence[Space]) -> str:
    return " or ".join(f"{space.name} from {hexadecimal(space.base)}" for space in spaces)
