"""The functions of cnrt.h, as methods: one card, its queues, notifiers, parameters, launches.

Comes in: a call's name, its arguments as 64-bit numbers, the place of the call.  Goes out: the
number to return.  A mistake is reported at once, on standard error, and returned as a status.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.card import Card
from zhisuan.runtime.host_device import OLDEST, DeviceCalls, store
from zhisuan.runtime.host_launch import Kernels, Pending, sizes_of
from zhisuan.runtime.status import CallError, Status
from zhisuan.sim.tasks import Dims

_T = TypeVar("_T")
_TASK_TYPES = {1: "BLOCK", 4: "UNION1", 8: "UNION2", 16: "UNION4", 32: "UNION8"}
_TO_CARD, _TO_HOST, _ON_CARD, _ON_HOST, _BY_ADDRESS = range(5)


@dataclass
class _Queue:
    failed: bool = False


@dataclass
class _Notifier:
    """`mark` of the card's timeline, and how often a kernel had stopped by then."""

    mark: int | None = None
    faults: int = 0


@dataclass
class _Params:
    values: list[bytes] = field(default_factory=list)


class HostCalls(DeviceCalls):
    """Serves one program; `call` is what its functions end in."""

    def __init__(
        self, machine: Machine, checks: Sequence[str] | None = None,
        report: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.card = Card(machine, checks)
        self.kernels = Kernels()
        self.faults = 0
        self._report = report or _on_standard_error
        self._objects: dict[int, object] = {}
        self._handles = itertools.count(1)
        self._default = _Queue()
        self._pending: Pending | None = None
        self._last = Status.cnrtSuccess
        self._place = ""
        self._texts = {s.value: ctypes.create_string_buffer(s.text.encode()) for s in Status}
        self._host: dict[int, ctypes.Array] = {}

    def call(self, name: str, args: Sequence[int], file: str = "", line: int = 0) -> int:
        """Do what a function of cnrt.h asks for; its return value."""
        if file:
            self._place = f"{file}:{line}"
        try:
            return int(getattr(self, f"do_{name}")(*args) or 0)
        except CallError as error:
            status = error.status
            complaint = ZhisuanError(error.what, **error.details)
        except ZhisuanError as error:
            status, complaint = Status.cnrtErrorArgsInvalid, error
        self._last = status
        self._report(str(_placed_at(complaint, self._place)))
        return status

    # -- mistakes ---------------------------------------------------------------------------

    def do_last_error(self, forget: int) -> int:
        last = self._last
        self._last = Status.cnrtSuccess if forget else last
        return last

    def do_error_text(self, status: int) -> int:
        text = self._texts.setdefault(
            status, ctypes.create_string_buffer(f"no such error: {status}".encode())
        )
        return ctypes.addressof(text)

    # -- memory -----------------------------------------------------------------------------

    def do_malloc(self, at: int, size: int) -> None:
        try:
            store(at, ctypes.c_uint64, self.card.allocate(size))
        except ZhisuanError as error:
            raise CallError(Status.cnrtErrorNoMem, error.what, expected=error.expected,
                            found=error.found, hint=error.hint) from None  # fmt: skip

    def do_free(self, address: int) -> None:
        self.card.free(address)

    def do_host_malloc(self, at: int, size: int) -> None:
        buffer = ctypes.create_string_buffer(max(size, 1) + 64)
        address = -(-ctypes.addressof(buffer) // 64) * 64
        self._host[address] = buffer
        store(at, ctypes.c_uint64, address)

    def do_host_free(self, address: int) -> None:
        if self._host.pop(address, None) is None:
            raise CallError(Status.cnrtErrorArgsInvalid, "free of host memory that was not given",
                            expected="an address of cnrtHostMalloc, once",
                            found=f"0x{address:x}")  # fmt: skip

    def do_memcpy(self, dst: int, src: int, size: int, direction: int) -> None:
        if direction == _BY_ADDRESS:
            direction = _direction(dst, src)
        if size == 0:
            return
        if direction in (_TO_CARD, _ON_HOST):
            values = _host_bytes(src, size, "source").copy()
        else:
            values = self.card.read(src, np.uint8, size)
        if direction in (_TO_CARD, _ON_CARD):
            self.card.write(dst, values)
        else:
            _host_bytes(dst, size, "destination")[:] = values

    def do_memcpy_async(self, dst: int, src: int, size: int, queue: int, direction: int) -> None:
        self._queue(queue)
        self.do_memcpy(dst, src, size, direction)

    def do_memset(self, address: int, value: int, size: int) -> None:
        if size:
            self.card.write(address, np.full(size, value & 0xFF, np.uint8))

    def do_memset_words(self, address: int, value: int, count: int) -> None:
        if count:
            self.card.write(address, np.full(count, value & 0xFFFFFFFF, np.uint32))

    def do_memset_async(self, address: int, value: int, size: int, queue: int) -> None:
        self._queue(queue)
        self.do_memset(address, value, size)

    def do_memory_info(self, free: int, total: int) -> None:
        size = self.card.machine.dram.size
        store(free, ctypes.c_size_t, size - self.card.heap.used)
        store(total, ctypes.c_size_t, size)

    # -- queues and notifiers ---------------------------------------------------------------

    def do_queue(self, at: int) -> None:
        store(at, ctypes.c_uint64, self._new(_Queue()))

    def do_end_queue(self, queue: int) -> None:
        self._drop(queue, _Queue, "queue")

    def do_sync_queue(self, queue: int) -> int:
        status = _after_sync(self._queue(queue))
        self.card.wait(queue)
        return status

    def do_sync_device(self) -> int:
        queues = {n: o for n, o in self._objects.items() if isinstance(o, _Queue)}
        self.card.wait(0, *queues)
        return max(_after_sync(queue) for queue in [self._default, *queues.values()])

    def do_notifier(self, at: int) -> None:
        store(at, ctypes.c_uint64, self._new(_Notifier()))

    def do_end_notifier(self, notifier: int) -> None:
        self._drop(notifier, _Notifier, "notifier")

    def do_place_notifier(self, notifier: int, queue: int) -> None:
        self._queue(queue)
        held = self._get(notifier, _Notifier, "notifier")
        held.mark, held.faults = self.card.timeline.mark(queue), self.card.faults

    def do_wait_notifier(self, notifier: int) -> None:
        self._placed(notifier)
        self._wait_for(notifier, None)

    def do_queue_waits(self, notifier: int, queue: int) -> None:
        self._queue(queue)
        self._wait_for(notifier, queue)

    def _wait_for(self, notifier: int, queue: int | None) -> None:
        """A notifier that was never placed, or before a kernel stopped, keeps nobody waiting."""
        held = self._get(notifier, _Notifier, "notifier")
        if held.mark is not None and held.faults == self.card.faults:
            self.card.timeline.wait(held.mark, queue)

    def do_duration(self, start: int, end: int, at: int, per_second: int) -> None:
        first, last = self._placed(start), self._placed(end)
        if self.faults:
            raise CallError(Status.cnrtErrorKernelFault, "there is no time after a kernel stopped")
        marks = self.card.times().marks
        seconds = (marks[last] - marks[first]) / self.card.machine.clock_hz
        store(at, ctypes.c_float, seconds * per_second)

    # -- launches ---------------------------------------------------------------------------

    def do_program(self, data: int) -> int:
        return self.kernels.add_program(data)

    def do_kernel(self, program: int, stub: int, name: int) -> None:
        self.kernels.add(program, stub, ctypes.string_at(name).decode())

    def do_configure(self, x: int, y: int, z: int, kind: int, queue: int) -> None:
        self._queue(queue)
        self._pending = Pending((x, y, z), _task_type(kind), queue, self._place)

    def do_argument(self, value: int, size: int, _offset: int) -> None:
        if self._pending is not None:
            self._pending.values.append(ctypes.string_at(value, size))

    def do_launch(self, stub: int) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._place = pending.place
            self._launch(stub, pending.values, pending.dims, pending.task_type, pending.queue)

    def do_params(self, at: int) -> None:
        store(at, ctypes.c_uint64, self._new(_Params()))

    def do_add_param(self, params: int, value: int, size: int) -> None:
        held = self._get(params, _Params, "parameter buffer")
        held.values.append(ctypes.string_at(value, size))

    def do_end_params(self, params: int) -> None:
        self._drop(params, _Params, "parameter buffer")

    def do_is_kernel(self, stub: int) -> None:
        self.kernels.find(stub)

    def do_invoke(self, stub: int, x: int, y: int, z: int, params: int, kind: int, queue: int
                  ) -> None:  # fmt: skip
        values = self._get(params, _Params, "parameter buffer").values
        self._launch(stub, values, (x, y, z), _task_type(kind), queue)

    def do_invoke_args(self, stub: int, x: int, y: int, z: int, args: int, kind: int, queue: int
                       ) -> None:  # fmt: skip
        program, kernel = self.kernels.find(stub)
        sizes = sizes_of(program.kernel(kernel))
        if sizes and args < OLDEST:
            raise CallError(Status.cnrtErrorArgsInvalid, "there are no arguments",
                            expected="an array of addresses", found=f"0x{args:x}")  # fmt: skip
        places = (ctypes.c_uint64 * len(sizes)).from_address(args) if sizes else ()
        values = [ctypes.string_at(at, size) for at, size in zip(places, sizes, strict=True)]
        self._launch(stub, values, (x, y, z), _task_type(kind), queue)

    def _launch(
        self, stub: int, values: Sequence[bytes], dims: Dims, task_type: str, queue: int
    ) -> None:
        program, kernel = self.kernels.find(stub)
        held = self._queue(queue)
        if held.failed:
            return  # the queue says so when it is waited for
        args, copies = self.kernels.arguments(program.kernel(kernel), values, self.card)
        before = self.card.faults
        try:
            self.card.launch(program, kernel, args, dims, task_type, queue)
        except ZhisuanError as error:
            if self.card.faults > before and error.where is not None:
                held.failed, self.faults = True, self.faults + 1
                self._report(str(error))
                return
            raise
        finally:
            for copy in copies:
                self.card.free(copy)

    # -- what handles stand for -------------------------------------------------------------

    def _new(self, thing: object) -> int:
        handle = next(self._handles) << 4
        self._objects[handle] = thing
        return handle

    def _get(self, handle: int, kind: type[_T], name: str) -> _T:
        thing = self._objects.get(handle)
        if isinstance(thing, kind):
            return thing
        raise CallError(Status.cnrtErrorArgsInvalid, f"this is no {name}",
                        expected=f"a {name} that was created and not destroyed",
                        found=f"0x{handle:x}")  # fmt: skip

    def _drop(self, handle: int, kind: type, name: str) -> None:
        self._get(handle, kind, name)
        del self._objects[handle]

    def _queue(self, handle: int) -> _Queue:
        return self._get(handle, _Queue, "queue") if handle else self._default

    def _placed(self, handle: int) -> int:
        mark = self._get(handle, _Notifier, "notifier").mark
        if mark is None:
            raise CallError(Status.cnrtErrorNotReady, "the notifier was not placed",
                            hint="cnrtPlaceNotifier(notifier, queue)")  # fmt: skip
        return mark


def _placed_at(error: ZhisuanError, place: str) -> ZhisuanError:
    """The error with the place of the call, unless it has one of its own."""
    return ZhisuanError(error.what, where=error.where or place or None, expected=error.expected,
                        found=error.found, hint=error.hint)  # fmt: skip


def _after_sync(queue: _Queue) -> int:
    return Status.cnrtErrorKernelFault if queue.failed else Status.cnrtSuccess


def _task_type(kind: int) -> str:
    if kind not in _TASK_TYPES:
        raise CallError(
            Status.cnrtErrorArgsInvalid, "no such task type",
            expected="cnrtFuncTypeBlock, cnrtFuncTypeUnion1, …2, …4 or …8", found=str(kind),
        )  # fmt: skip
    return _TASK_TYPES[kind]


def _direction(dst: int, src: int) -> int:
    """By the addresses: those of the card are far from those of a host."""
    from zhisuan.isa.address import GDRAM

    return {(True, False): _TO_CARD, (False, True): _TO_HOST, (True, True): _ON_CARD}.get(
        (dst in GDRAM, src in GDRAM), _ON_HOST
    )


def _host_bytes(address: int, size: int, name: str) -> np.ndarray:
    if address < OLDEST:
        raise CallError(Status.cnrtErrorArgsInvalid, f"the {name} is no address of the host",
                        found=f"0x{address:x}")  # fmt: skip
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


def _on_standard_error(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
