"""Kernels called from Python: `module.add[4, "UNION1"](a, b, out, n)`, NumPy in and out.

Comes in: kernel source, then arrays and numbers.  Goes out: what the kernel wrote, in the arrays
it was given; cycles.  Never computes anything itself: every value comes from instructions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan import bcl
from zhisuan.arch import load as machines
from zhisuan.arch.machine import Machine
from zhisuan.base import dtype as dtypes
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.isa.program import Kernel, Parameter, Program
from zhisuan.runtime.card import Card, wrong_count
from zhisuan.sim.tasks import ONE_TASK, Dims, check


@dataclass(frozen=True)
class DeviceArray:
    """An array that stays on the card from launch to launch; `KernelModule.to_device` makes it."""

    card: Card
    address: int
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def get(self) -> np.ndarray:
        """A copy on the host, which waits for all queues."""
        self.card.wait(*range(self.card.queues))
        count = self.nbytes // self.dtype.itemsize
        return self.card.read(self.address, self.dtype, count).reshape(self.shape)

    def free(self) -> None:
        """Give the memory back; the array must not be used any more."""
        self.card.free(self.address)


class Queue:
    """Launches in order, and their cycles; `wait_for` another queue's launches so far."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.number = card.queues
        card.queues += 1
        self._launches: list[tuple[int, int]] = []

    def note_launch(self) -> None:
        """The card's last launch was on this queue."""
        self._launches.append((self.card.faults, self.card.launches - 1))

    def wait_for(self, other: Queue) -> None:
        """What is launched here from now on begins when `other` has done its launches so far."""
        self.card.timeline.wait(self.card.timeline.mark(other.number), self.number)

    def wait(self) -> None:
        """The host waits for this queue; what it launches later begins later."""
        self.card.wait(self.number)

    @property
    def spans(self) -> list[tuple[float, float]]:
        """When each launch of `cycles` began and ended on the card, in seconds."""
        times, hz = self.card.times(), self.card.machine.clock_hz
        return [(times.start[i] / hz, times.end[i] / hz) for i in self._since_the_fault()]

    def _since_the_fault(self) -> list[int]:
        return [launch for faults, launch in self._launches if faults == self.card.faults]

    @property
    def cycles(self) -> list[int]:
        """Cycles of each launch on this queue since the card's last fault, in order."""
        launches = self._since_the_fault()
        return self.card.timing().launch_cycles()[launches].tolist() if launches else []

    @property
    def seconds(self) -> float:
        """Machine seconds of this queue's launches together."""
        return sum(self.cycles) / self.card.machine.clock_hz


class KernelModule:
    """The kernels of one source, on one card.  `module.NAME[dims, type, queue](arguments…)`.

    `source` is BCL text; `filename` names it in messages; `machine` is a preset's name, a .toml
    file or a `Machine`.  A pointer parameter takes an array: it is copied to the card and, when
    it can be written to, back after the launch.  A `DeviceArray` stays where it is.  `optimize` is
    clang's level; with `debug` the program has a table of its variables.
    """

    def __init__(
        self, source: str, filename: str = "kernels.bcl", *,
        machine: str | Machine = machines.DEFAULT,
        defines: Mapping[str, object] | None = None,
        include_dirs: Sequence[Path | str] = (),
        checks: Sequence[str] | None = None,
        optimize: int = 2,
        debug: bool = False,
    ) -> None:  # fmt: skip
        compiled = bcl.compile(
            source, filename, machine=machine, defines=defines, include_dirs=include_dirs,
            optimize=optimize, debug=debug,
        )  # fmt: skip
        self._load(compiled, checks)

    def _load(self, compiled: bcl.Compiled, checks: Sequence[str] | None) -> None:
        machine = compiled.machine
        self.program: Program = compiled.program
        self.card = Card(machines.load(machine) if isinstance(machine, str) else machine, checks)
        self.default_queue = Queue(self.card)

    @classmethod
    def of(cls, compiled: bcl.Compiled, checks: Sequence[str] | None = None) -> KernelModule:
        """The kernels of a compilation, on a card of the machine it was for."""
        module = cls.__new__(cls)
        module._load(compiled, checks)
        return module

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> KernelModule:
        """The kernels in a file; `options` as for the class."""
        folders = (*options.pop("include_dirs", ()), Path(path).parent)
        return cls(read_text(Path(path)), str(path), include_dirs=folders, **options)

    @property
    def kernels(self) -> tuple[str, ...]:
        """The names of the kernels, in the order of the source."""
        return tuple(self.program.kernels)

    def queue(self) -> Queue:
        """Another queue of the same card."""
        return Queue(self.card)

    def to_device(self, array: np.ndarray) -> DeviceArray:
        """A copy of `array` on the card."""
        held = _checked(array, "an array for the card")
        address = self.card.allocate(max(held.nbytes, 1))
        self.card.write(address, held)
        return DeviceArray(self.card, address, held.shape, held.dtype)

    def __getitem__(self, kernel: str) -> Launcher:
        """The kernel called `kernel`, which may be a template's instance: `module["f<float>"]`."""
        return Launcher(self, self.program.kernel(kernel))

    def __getattr__(self, name: str) -> Launcher:
        program = self.__dict__.get("program")
        if program is None or name.startswith("__"):
            raise AttributeError(name)
        if name not in program.kernels:
            raise AttributeError(
                f"there is no kernel '{name}': {did_you_mean(name, program.kernels)}"
                if did_you_mean(name, program.kernels)
                else f"there is no kernel '{name}'; there are {', '.join(program.kernels)}"
            )
        return self[name]


@dataclass(frozen=True)
class Launcher:
    """A kernel; `launcher[dims, type, queue](…)` runs it, `launcher(…)` as one BLOCK task."""

    module: KernelModule
    kernel: Kernel
    dims: Dims = ONE_TASK
    task_type: str = "BLOCK"
    queue: Queue | None = None

    def __getitem__(self, how: Any) -> Launcher:
        dims, task_type, queue = _launch_of(how, self.kernel.name)
        check(self.module.card.machine, dims, task_type)
        return Launcher(self.module, self.kernel, dims, task_type, queue)

    def __call__(self, *arguments: Any) -> None:
        """Run the kernel to its end; arrays that can be written to hold the results."""
        kernel, card = self.kernel, self.module.card
        if len(arguments) != len(kernel.parameters):
            raise wrong_count(kernel.name, [p.name for p in kernel.parameters], len(arguments))
        pairs = list(zip(kernel.parameters, arguments, strict=True))
        checked = [_argument(kernel, parameter, value, card) for parameter, value in pairs]
        copies = _Copies(card)
        try:
            values = [copies.of(v) if isinstance(v, np.ndarray) else v for v in checked]
            queue = self.queue or self.module.default_queue
            card.launch(self.module.program, kernel.name, values, self.dims, self.task_type,
                        queue.number)  # fmt: skip
            card.check()
            queue.note_launch()
            if copies:
                queue.wait()
            copies.take_back(kernel.name)
        finally:
            copies.free()


class _Copies:
    """Arrays on the card for the time of one launch; the same array twice is one copy."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self._held: dict[int, tuple[np.ndarray, int]] = {}

    def of(self, array: np.ndarray) -> int:
        if id(array) not in self._held:
            address = self.card.allocate(max(array.nbytes, 1))
            self._held[id(array)] = array, address
            self.card.write(address, np.ascontiguousarray(array))
        return self._held[id(array)][1]

    def __bool__(self) -> bool:
        return bool(self._held)

    def take_back(self, kernel: str) -> None:
        for array, address in self._held.values():
            after = self.card.read(address, array.dtype, array.size).reshape(array.shape)
            if array.flags.writeable:
                array[...] = after
            elif after.tobytes() != array.tobytes():
                raise ZhisuanError(
                    f"kernel '{kernel}' wrote to an array that is read-only",
                    expected="an array with flags.writeable",
                    found=f"a read-only array of {array.dtype}, {list(array.shape)}",
                    hint="pass a copy: array.copy()",
                )

    def free(self) -> None:
        for _, address in self._held.values():
            self.card.free(address)
        self._held = {}


def _argument(kernel: Kernel, parameter: Parameter, value: Any, card: Card) -> Any:
    """What the launch takes for `value`: an array to copy, an address or a number."""
    is_pointer = parameter.is_pointer
    if isinstance(value, DeviceArray) and is_pointer:
        if value.card is not card:
            raise ZhisuanError(
                f"argument '{parameter.name}' of kernel '{kernel.name}' is on another card",
                expected="an array that to_device of this module made",
            )
        return value.address
    if isinstance(value, np.ndarray) and is_pointer:
        return _checked(value, f"argument '{parameter.name}' of kernel '{kernel.name}'")
    if not is_pointer and isinstance(value, int | float | np.integer | np.floating):
        return value
    if not is_pointer and isinstance(value, np.bool_):
        return int(value)
    raise ZhisuanError(
        f"argument '{parameter.name}' of kernel '{kernel.name}' is not what the parameter takes",
        expected="a NumPy array or a DeviceArray" if is_pointer else f"a number, {parameter.kind}",
        found=_described(value),
        hint="numpy.array(values, numpy.float32)" if is_pointer else None,
    )


def _checked(array: Any, what: str) -> np.ndarray:
    """The array, if the language has its element type."""
    if not isinstance(array, np.ndarray):
        raise ZhisuanError(f"{what} is no array", expected="a NumPy array",
                           found=_described(array))  # fmt: skip
    known = [kind.numpy for kind in dtypes.ALL if kind is not dtypes.F64]
    if array.dtype not in known:
        raise ZhisuanError(
            f"{what} has an element type that kernels do not have",
            expected=", ".join(str(kind) for kind in known),
            found=str(array.dtype),
            hint="array.astype(numpy.float32)" if array.dtype.kind == "f" else None,
        )
    return array


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray | DeviceArray):
        return f"an array of {value.dtype}, {list(value.shape)}"
    return f"{type(value).__name__} {value!r}"


def _launch_of(how: Any, kernel: str) -> tuple[Dims, str, Queue | None]:
    """`[dims]`, `[dims, type]` or `[dims, type, queue]`; dims is a number or up to three."""
    parts = how if isinstance(how, tuple) else (how,)
    if parts and all(isinstance(part, int) for part in parts):
        parts = (parts,)  # [4, 2] is a grid of 4 × 2
    dims = parts[0] if parts else ()
    task_type = parts[1] if len(parts) > 1 else "BLOCK"
    queue = parts[2] if len(parts) > 2 else None
    sizes = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    if (
        len(parts) <= 3
        and 1 <= len(sizes) <= 3
        and all(isinstance(size, int | np.integer) for size in sizes)
        and isinstance(task_type, str)
        and (queue is None or isinstance(queue, Queue))
    ):
        x, y, z = [*(int(size) for size in sizes), 1, 1][:3]
        return (x, y, z), task_type, queue
    raise ZhisuanError(
        f"not a way to launch kernel '{kernel}'",
        expected="[dims], [dims, type] or [dims, type, queue]",
        found=f"[{', '.join(map(repr, parts))}]",
        hint=f'{kernel}[4, "UNION1"](…) or {kernel}[(4, 2, 1), "BLOCK", queue](…)',
    )
