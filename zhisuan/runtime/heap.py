"""Pieces of GDRAM given out and taken back, with the launches that saw them.

Comes in: sizes, addresses.  Goes out: addresses, and the allocations that the checks judge by.
Holds no bytes: those are in the device's memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.memory import hexadecimal

ALIGNMENT = 256


class Heap:
    """First fit over the machine's DRAM; a block is an `Allocation` that knows its launches."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._live: list[Allocation] = []  # by address
        self._freed: list[Allocation] = []  # those that launches have seen
        self._last_at: dict[int, Allocation] = {}  # by address, for messages

    @property
    def used(self) -> int:
        """Bytes given out at present."""
        return sum(block.size for block in self._live)

    def allocations(self) -> list[Allocation]:
        """Every block that a launch could have seen, those given back among them."""
        return [*self._freed, *self._live]

    def allocate(self, size: int, launch: int, name: str) -> Allocation:
        """A block of `size` bytes; `launch` is the number of the next launch."""
        if size < 1:
            raise ZhisuanError("an allocation needs a size", expected="1 byte or more",
                               found=f"{size} bytes")  # fmt: skip
        for start, end in self._gaps():
            if start + size <= end:
                block = Allocation(name, start, size, first=launch)
                self._live.append(block)
                self._live.sort(key=lambda item: item.address)
                return block
        largest = max((end - start for start, end in self._gaps()), default=0)
        raise ZhisuanError(
            f"the DRAM of machine '{self.machine.name}' has no room for an allocation",
            expected=f"at most {largest:,} bytes in one piece",
            found=f"{size:,} bytes, with {self.used:,} of {self.machine.dram.size:,} in use",
            hint="free what is not needed, or choose a machine with more DRAM",
        )

    def free(self, address: int, launch: int) -> None:
        """Take back the block at `address`; anything else is an error that says what it is."""
        block = self._at(address)
        if block is None or block.address != address:
            raise self._not_a_block(address, block)
        self._live.remove(block)
        self._last_at[address] = block
        if block.first < launch:
            self._freed.append(replace(block, last=launch - 1))

    def holding(self, address: int, size: int, what: str) -> Allocation:
        """The block that [address, address + size) lies in; `what` is done there."""
        block = self._at(address)
        if block is not None and address + size <= block.end:
            return block
        near = f"the nearest is {block}" if block is not None else "there is none before it"
        raise ZhisuanError(
            f"{what} outside of an allocation",
            expected=f"{size} bytes within one allocation",
            found=f"{hexadecimal(address)} up to {hexadecimal(address + size)}; {near}",
        )

    def fill(self, block: Allocation) -> None:
        """The host wrote to a block: from now on initcheck takes all of it as written."""
        if not block.filled:
            self._live[self._live.index(block)] = replace(block, filled=True)

    def forget_launches(self) -> None:
        """Count launches from 0 again; what lives now keeps what earlier ones wrote."""
        self._freed = []
        self._live = [replace(block, first=0, filled=True) for block in self._live]

    def _gaps(self) -> Iterator[tuple[int, int]]:
        start = GDRAM.base
        for block in self._live:
            yield start, block.address
            start = -(-block.end // ALIGNMENT) * ALIGNMENT
        yield start, GDRAM.base + self.machine.dram.size

    def _at(self, address: int) -> Allocation | None:
        """The live block that starts last at or before `address`."""
        index = bisect_right(self._live, address, key=lambda block: block.address)
        return self._live[index - 1] if index else None

    def _not_a_block(self, address: int, near: Allocation | None) -> ZhisuanError:
        inside = near is not None and near.address < address < near.end
        again = self._last_at.get(address)
        found = hexadecimal(address)
        if inside and near is not None:
            found += f", {address - near.address} bytes into {near}"
        elif again is not None:
            found += f", which was freed already: {again}"
        return ZhisuanError(
            "free of an address that no allocation starts at",
            expected="an address that an allocation gave, once",
            found=found,
        )
