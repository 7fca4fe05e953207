"""The devices that tensors can lie on and ops can run on, found by name.

    device("cpu")   device("dlp:1")   device("/device:CPU:0")

A package adds a kind of device by an entry point of the group `zhisuan.devices`: its name is the
kind, what it loads is called with the number of the device and gives a `Device`.  Nothing here
knows any kind; CPU and DLP come in by the same door.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.graph.registry import OpDef

GROUP = "zhisuan.devices"
Types = Sequence[tuple[DType, tuple[int, ...]]]
"""Element type and shape of each output of a call."""


@runtime_checkable
class Device(Protocol):
    """What a device must do; `storage` is whatever it keeps a tensor's numbers in."""

    name: str  # such as cpu:0

    def put(self, array: np.ndarray) -> Any:
        """The storage that holds a copy of `array`, or the array itself where it may."""
        ...

    def get(self, storage: Any) -> np.ndarray:
        """The numbers in `storage`."""
        ...

    def supports(self, row: OpDef, dtypes: Sequence[DType]) -> bool:
        """Whether it has a kernel for the op on these element types."""
        ...

    def run(
        self, row: OpDef, inputs: Sequence[Any], attrs: Mapping[str, Any], types: Types
    ) -> tuple[Any, ...]:
        """One op on storages; the storages of its results, of the given types."""
        ...


_NAME = re.compile(r"(?:/device:)?([A-Za-z_]\w*)(?::(\d+))?")


def device(name: str | Device = "cpu") -> Device:
    """The device called `name`; one that does not exist is an error that lists those that do."""
    if not isinstance(name, str):
        return name
    found = _NAME.fullmatch(name)
    if found is None:
        raise ZhisuanError(
            f"'{name}' does not name a device", expected="a kind and a number, such as cpu:0"
        )
    return _device(found[1].lower(), int(found[2] or 0))


def kinds() -> dict[str, Any]:
    """The kinds of devices that are installed, each with its entry point."""
    return {point.name.lower(): point for point in entry_points(group=GROUP)}


@functools.cache
def _device(kind: str, number: int) -> Device:
    points = kinds()
    if kind not in points:
        raise ZhisuanError(
            f"there is no device of kind '{kind}'",
            expected=", ".join(sorted(points)) or f"an installed package with a {GROUP} entry",
            hint=did_you_mean(kind, points),
        )
    return points[kind].load()(number)
