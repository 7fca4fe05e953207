"""What host programs ask of the device itself: how many there are, and what it is like.

Comes in: the addresses of the host's variables.  Goes out: numbers and names, stored there.
"""

from __future__ import annotations

import ctypes

from zhisuan.bcl.architecture import architecture_of
from zhisuan.runtime.card import Card
from zhisuan.runtime.status import CallError, Status

OLDEST = 1 << 16  # no memory of a host lies below


class DeviceCalls:
    """The part of `HostCalls` that changes nothing."""

    card: Card

    def do_init(self) -> None: ...

    def do_device_count(self, count: int) -> None:
        store(count, ctypes.c_uint, 1)

    def do_device_handle(self, device: int, ordinal: int) -> None:
        self.do_set_device(ordinal)
        store(device, ctypes.c_int64, ordinal)

    def do_set_device(self, ordinal: int) -> None:
        if ordinal:
            raise CallError(Status.cnrtErrorNoDevice, f"there is no device {ordinal}",
                            expected="0, the only one", found=str(ordinal))  # fmt: skip

    def do_get_device(self, ordinal: int) -> None:
        store(ordinal, ctypes.c_int, 0)

    def do_attribute(self, value: int, what: int, ordinal: int) -> None:
        self.do_set_device(ordinal)
        machine = self.card.machine
        values = (
            machine.chip.clusters, machine.chip.cores_per_cluster, machine.chip.clusters,
            machine.nram_usable, machine.wram.size, machine.sram.size, machine.dram.size >> 20,
            machine.clock_hz // 1000, machine.dram.size >> 20, architecture_of(machine) // 100,
            architecture_of(machine) // 10 % 10,
        )  # fmt: skip
        if not 0 <= what < len(values):
            raise CallError(Status.cnrtErrorArgsInvalid, "no such attribute of a device",
                            expected=f"0 to {len(values) - 1}", found=str(what))  # fmt: skip
        store(value, ctypes.c_int, values[what])

    def do_properties(
        self, name: int, room: int, clusters: int, cores: int, size: int, ordinal: int
    ) -> None:
        self.do_set_device(ordinal)
        machine = self.card.machine
        text = machine.name.upper().encode()[: room - 1]
        ctypes.memmove(name, text + b"\0", len(text) + 1)
        store(clusters, ctypes.c_int, machine.chip.clusters)
        store(cores, ctypes.c_int, machine.chip.cores_per_cluster)
        store(size, ctypes.c_size_t, machine.dram.size)

    def do_version(self, *pairs: int) -> None:
        for at, number in zip(pairs[::2], pairs[1::2], strict=True):
            store(at, ctypes.c_int, number)


def store(address: int, kind: type, value: int | float) -> None:
    if address < OLDEST:
        raise CallError(Status.cnrtErrorArgsInvalid, "there is no room for the result",
                        expected="the address of a variable", found=f"0x{address:x}")  # fmt: skip
    kind.from_address(address).value = value
