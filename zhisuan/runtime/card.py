"""A card for programs that launch kernels one by one: memory to allocate, launches, their time.

Comes in: a machine; then allocations, copies, launches.  Goes out: values, cycles, and what the
checks find.  Values are computed at once and one launch after the other, so every order that
queues and copies ask for holds; when launches take place on the card is the timeline's matter.
Copies between host and card take no time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.isa.program import Program
from zhisuan.runtime.device import Device
from zhisuan.runtime.heap import Heap
from zhisuan.runtime.timeline import Timeline, Times
from zhisuan.sim.tasks import ONE_TASK, Dims
from zhisuan.sim.timing import Timing, replay


class Card:
    """`checks` names checks as `Device` takes them.

    After a launch that stopped, or in which checks found something, launches count from 0 again;
    `faults` counts how often that happened.
    """

    def __init__(self, machine: Machine, checks: Sequence[str] | None = None) -> None:
        self.machine = machine
        self.device = Device(machine, knobs.executor(), checks)
        self.heap = Heap(machine)
        self.faults = 0
        self.queues = 0
        """How many numbers of queues are taken; for those who give them out."""
        self._allocated = 0
        self._fresh = GDRAM.base
        self.timeline = Timeline(machine)
        self._timing: Timing | None = None

    @property
    def launches(self) -> int:
        return self.device.trace.launches

    # -- memory -----------------------------------------------------------------------------

    def allocate(self, size: int, name: str = "") -> int:
        """The address of `size` bytes of DRAM; no room is an error."""
        self._allocated += 1
        name = name or f"allocation {self._allocated}"
        block = self.heap.allocate(size, self.launches, name)
        self.device.memory.reserve(block.end)
        again = min(block.end, self._fresh) - block.address
        if again > 0:  # somebody had this memory before
            self.device.memory.write(block.address, np.zeros(again, np.uint8))
        self._fresh = max(self._fresh, block.end)
        return block.address

    def free(self, address: int) -> None:
        self.heap.free(address, self.launches)

    def write(self, address: int, values: np.ndarray) -> None:
        """Copy an array's elements, in C order, to an allocation."""
        block = self.heap.holding(address, values.nbytes, "copy to the card")
        self.device.memory.write(address, values.reshape(-1))
        self.heap.fill(block)

    def read(self, address: int, dtype: np.typing.DTypeLike, count: int) -> np.ndarray:
        """A copy of `count` elements from an allocation."""
        kind = np.dtype(dtype)
        self.heap.holding(address, count * kind.itemsize, "copy from the card")
        return self.device.memory.read(address, kind, count)

    # -- launches ---------------------------------------------------------------------------

    def launch(
        self, program: Program, kernel: str, args: Sequence[int | float],
        dims: Dims = ONE_TASK, task_type: str = "BLOCK", queue: int = 0,
    ) -> None:  # fmt: skip
        """Run a kernel to its end; `args` in the order of its parameters.  `queue` is any number.

        A kernel that stops raises its fault, with what the checks found until then.
        """
        entry = program.kernel(kernel)
        if len(args) != len(entry.parameters):
            raise wrong_count(entry.name, [p.name for p in entry.parameters], len(args))
        named = {p.name: value for p, value in zip(entry.parameters, args, strict=True)}
        device = self.device
        device.memory.reserve(GDRAM.base)
        try:
            device.launch(program, kernel, named, kernel, dims, task_type)
        except ZhisuanError:
            try:
                with device.checking(self.heap.allocations()):
                    raise
            finally:
                self._begin_again()
        self.timeline.launch(queue, dims, task_type)

    def check(self) -> None:
        """Raise what the checks find in the launches so far."""
        try:
            self.device.check(self.heap.allocations())
        except ZhisuanError:
            self._begin_again()
            raise

    def _begin_again(self) -> None:
        self.faults += 1
        self.device.forget()
        self.heap.forget_launches()
        self.timeline = Timeline(self.machine)

    def wait(self, *queues: int) -> None:
        """The host waits for queues."""
        for mark in [self.timeline.mark(queue) for queue in queues]:
            self.timeline.wait(mark)

    def timing(self) -> Timing:
        """The cycles of all launches so far, each after the one before."""
        if self._timing is None or len(self._timing.launch_end) != self.launches:
            self._timing = replay(self.device.trace.build(), self.machine)
        return self._timing

    def times(self) -> Times:
        """When launches took place on the card, those of several queues next to each other."""
        cycles = self.timing().launch_cycles().tolist() if self.launches else []
        return self.timeline.times(cycles)


def wrong_count(kernel: str, parameters: Sequence[str], found: int) -> ZhisuanError:
    """The error of a launch with too few or too many arguments."""
    return ZhisuanError(
        f"kernel '{kernel}' called with a wrong number of arguments",
        expected=f"{len(parameters)}: {', '.join(parameters) or 'none'}",
        found=str(found),
    )
