"""The memories of a chip as its cores see them, byte by byte, and the rules of access to them.

Comes in: addresses of the one flat space (`isa.address`).  Goes out: copies of bytes as NumPy
arrays, or the error that says why an access is wrong.  All memory is zero at first.
"""

from __future__ import annotations

import copy
import mmap
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
from zhisuan.sim.fault import NOWHERE, NULL
from zhisuan.sim.tasks import MEMORY_CORE

LDRAM_BYTES = 1 << 20
PARAM_BYTES = 1 << 12
PAGE_ZERO = 1 << 12
_UNRESERVED = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
"""0x4000 is Linux's MAP_NORESERVE, for which Python has no name before 3.13."""
_MASK64 = (1 << 64) - 1
_OF_CORE = {space.name for space in (NRAM, WRAM, LDRAM)}
_Key = tuple[str, int, int]
"""Name of a space, cluster and core, -1 where it is shared wider."""


class _Contents:
    """Every memory of the chip."""

    def __init__(self) -> None:
        self.arrays: dict[_Key, np.ndarray] = {}
        self.gdram_size = 0
        self.constants: object = None


class Memory:
    """All memories that one core of `machine` can address, each a uint8 array.

    A new one is core 0 of cluster 0; `seen_by` gives what other cores see: their own NRAM, WRAM
    and LDRAM, their cluster's SRAM, and the same PARAM, CONST and GDRAM.  A core without a cluster
    around it (`shared` false: a lone task) has no SRAM.  GDRAM is as long as `reserve` was asked
    for, so that an access beyond it is noticed.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.cluster, self.core, self.shared = 0, 0, True
        self._contents = _Contents()

    def seen_by(self, cluster: int, core: int, shared: bool = True) -> Memory:
        """The same memories from another core; `core` may be MEMORY_CORE."""
        other = copy.copy(self)
        other.cluster, other.core, other.shared = cluster, core, shared
        return other

    @property
    def constants(self) -> object:
        """What `load_constants` was last given, so that a loaded program is recognised."""
        return self._contents.constants

    def bytes_of(self, space: Space) -> np.ndarray:
        """The memory itself (uint8, not a copy); invalid after the next `reserve`."""
        if space is SRAM and not self.shared:
            return np.zeros(0, np.uint8)
        key = self._key(space)
        whole = self._contents.arrays.get(key)
        if whole is None:
            whole = self._contents.arrays[key] = np.zeros(self._first_size(space), np.uint8)
        return whole[: self._contents.gdram_size] if space is GDRAM else whole

    @property
    def in_use(self) -> dict[tuple[str, int, int], np.ndarray]:
        """Every memory of the chip that was ever asked for, itself, by the name of its space, its
        cluster and its core (-1 where it is shared wider)."""
        found = self._contents.arrays
        dram = self._key(GDRAM)
        return found | {dram: self.bytes_of(GDRAM)} if dram in found else found

    def _key(self, space: Space) -> _Key:
        if space.name in _OF_CORE:
            return space.name, self.cluster, self.core
        return space.name, self.cluster if space is SRAM else -1, -1

    def _first_size(self, space: Space) -> int:
        """Bytes of a memory that is used for the first time."""
        machine = self.machine
        if space in (NRAM, WRAM) and self.core == MEMORY_CORE:
            return 0
        sizes = {NRAM: machine.nram.size, WRAM: machine.wram.size, SRAM: machine.sram.size,
                 PARAM: PARAM_BYTES, CONST: 0, LDRAM: LDRAM_BYTES, GDRAM: 0}  # fmt: skip
        return sizes[space]

    def size_of(self, space: Space) -> int:
        return self._contents.gdram_size if space is GDRAM else len(self.bytes_of(space))

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
        arrays, key = self._contents.arrays, self._key(GDRAM)
        held = arrays.get(key, np.zeros(0, np.uint8))
        if size > len(held):
            arrays[key] = _grown(held, size, self.machine.dram.size)
        self._contents.gdram_size = max(self._contents.gdram_size, size)

    def load_constants(self, owner: object, data: bytes) -> None:
        """Put a program's constants at CONST.base; nothing to do when `owner` is there already."""
        if self.constants is not owner:
            self._contents.arrays[self._key(CONST)] = np.frombuffer(data, np.uint8).copy()
            self._contents.constants = owner

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
        size -= 1 << 64 if size >> 63 == 1 else 0  # register contents
        found = f"{done} of {size} bytes at {hexadecimal(address)}"
        if size == 0:
            return None
        if size < 0:
            return ZhisuanError("an access of negative length", found=found)
        space = space_of(address)
        if space is None:
            what = NULL if address < PAGE_ZERO else NOWHERE
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
                hint=self._why_none(space),
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

    def _why_none(self, space: Space) -> str | None:
        """What to try where a core lacks a memory that others of the chip have."""
        if space in (NRAM, WRAM) and self.core == MEMORY_CORE:
            return f"a memory core has no {space.name}: leave it to `if (__is_ipu())`"
        if space is SRAM and not self.shared and self.machine.sram.size:
            return "a BLOCK task has no shared memory: launch the kernel as UNION1"
        return None


def _grown(held: np.ndarray, size: int, most: int) -> np.ndarray:
    """Memory for `size` bytes that begins with `held`: if the host lets us, all `most` bytes at
    once, of which it gives room only to pages that are written."""
    try:
        whole = np.frombuffer(mmap.mmap(-1, most, flags=_UNRESERVED), np.uint8)
    except (OSError, OverflowError):
        whole = np.zeros(min(max(size, 2 * len(held)), most), np.uint8)
    whole[: len(held)] = held
    return whole


def hexadecimal(address: int) -> str:
    """An address as messages show it; beyond 64 bits it wraps."""
    return f"0x{address & _MASK64:08x}"


def _windows(spaces: Sequence[Space]) -> str:
    return " or ".join(f"{space.name} from {hexadecimal(space.base)}" for space in spaces)
