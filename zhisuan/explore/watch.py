"""A machine that notes which of its numbers are read, and a memory of results by these numbers.

Planning and execution are functions of the numbers of the machine that they read.  So a
result made for one machine holds for another that has the same values in the keys that were
read, and nobody has to keep a list of what matters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from typing import Any, Generic, TypeVar

from zhisuan.arch.check import values
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError

Result = TypeVar("Result")
Reads = dict[str, int | str]
"""`section.key` → the value that was read."""


class _Section:
    """Stands for a section of a machine; every attribute read is noted."""

    def __init__(self, name: str, part: Any, reads: Reads) -> None:
        self.__dict__.update(_name=name, _part=part, _reads=reads)

    def __getattr__(self, key: str) -> Any:
        value = getattr(self._part, key)
        self._reads[f"{self._name}.{key}"] = value
        return value


def watched(machine: Machine) -> tuple[Machine, Reads]:
    """The same machine, and what will have been read of it; the clock counts as read."""
    reads: Reads = {"clock.hz": machine.clock_hz}
    parts: dict[str, Any] = {
        name: _Section(name, part, reads)
        for name, part in vars(machine).items()
        if is_dataclass(part)
    }
    return replace(machine, **parts), reads


class Memo(Generic[Result]):
    """Results (or errors) of a function of a machine, found again by the values it read."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._found: OrderedDict[tuple[tuple[str, int | str], ...], Result | ZhisuanError]
        self._found = OrderedDict()
        self.misses = 0

    def get(self, machine: Machine, make: Callable[[Machine], Result]) -> Result:
        """`make(machine)`, or what it gave for a machine that looks the same to it."""
        key = self._known(dict(values(machine)))
        if key is None:
            self.misses += 1
            seen, reads = watched(machine)
            result: Result | ZhisuanError
            try:
                result = make(seen)
            except ZhisuanError as error:
                result = error
            key = tuple(sorted(reads.items()))
            self._found[key] = result
            if len(self._found) > self.capacity:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        result = self._found[key]
        if isinstance(result, ZhisuanError):
            raise result
        return result

    def keys_read(self) -> set[str]:
        """Every `section.key` that a result in memory depends on."""
        return {key for reads in self._found for key, _ in reads}

    def _known(self, machine: Mapping[str, int | str]) -> tuple[tuple[str, int | str], ...] | None:
        for reads in reversed(self._found):
            if all(machine.get(key) == value for key, value in reads):
                return reads
        return None
