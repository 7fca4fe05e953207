"""A plan: what the device does for one network at one size, as data.

Buffers with their DRAM addresses, then launches in order, each with its kernel, arguments
and label.  `.plan` is JSON with one buffer or launch a line; constants lie beside it in a
`.safetensors` file, programs in `.dlp` files.  A plan needs no graph to run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.errors import VerifyError, ZhisuanError
from zhisuan.base.files import read_text, write_atomically
from zhisuan.isa.program import Program
from zhisuan.sim.tasks import ONE_TASK, TASK_TYPES, Dims

FORMAT = "zhisuan.plan/1"
ROLES = ("input", "output", "constant", "scratch")


@dataclass(frozen=True)
class Buffer:
    """A piece of DRAM.  `shape` is the tensor's own; `layout` how it lies: flat or hwc.

    hwc keeps a [1, C, H, W] tensor as [H, W, C].  `first` and `last` are the launches
    between which its contents matter.
    """

    name: str
    role: str
    dtype: str
    shape: tuple[int, ...]
    layout: str
    address: int
    size: int
    first: int
    last: int

    def encode(self, values: np.ndarray) -> np.ndarray:
        """A tensor as the bytes that go to DRAM: converted to the buffer's type and layout."""
        if tuple(values.shape) != self.shape:
            raise ZhisuanError(
                f"input '{self.name}' has the wrong shape",
                expected=str(list(self.shape)),
                found=str(list(values.shape)),
            )
        laid = values[0].transpose(1, 2, 0) if self.layout == "hwc" else values
        kind = dtypes.dtype(self.dtype)
        with np.errstate(over="ignore"):
            flat = np.ascontiguousarray(laid, kind.numpy).reshape(-1)
        if kind.is_float and np.isinf(flat).any() and not np.isinf(values).any():
            raise ZhisuanError(
                f"'{self.name}' has values that {self.dtype} cannot hold",
                expected=f"numbers up to {float(np.finfo(kind.numpy).max):,.0f} in size",
                found=f"{float(np.abs(values).max()):g}",
                hint="scale the values down",
            )
        return flat

    def decode(self, flat: np.ndarray) -> np.ndarray:
        """The tensor that DRAM contents `flat` (of the buffer's type) mean."""
        if self.layout == "hwc":
            _, c, h, w = self.shape
            return flat.reshape(h, w, c).transpose(2, 0, 1)[None].copy()
        return flat.reshape(self.shape)


@dataclass(frozen=True)
class Launch:
    """One kernel launch.  `layer` groups launches for people; `macs` are the graph's own.

    `dims` and `task_type` as `sim.tasks` takes them; the text of a plan leaves out those of a lone
    task.
    """

    program: str
    kernel: str
    label: str
    layer: str
    op: str
    macs: int
    args: dict[str, int | float]
    dims: Dims = ONE_TASK
    task_type: str = "BLOCK"


@dataclass(frozen=True)
class Plan:
    name: str
    machine: str
    dram_bytes: int
    buffers: tuple[Buffer, ...]
    launches: tuple[Launch, ...]
    programs: dict[str, str]  # program name → file beside the plan
    data: str  # constants file beside the plan

    def by_role(self, role: str) -> list[Buffer]:
        return [buffer for buffer in self.buffers if buffer.role == role]

    def layers(self) -> dict[str, tuple[list[int], int]]:
        """Layer name → (indices of its launches, multiply-accumulates of the graph)."""
        found: dict[str, tuple[list[int], int]] = {}
        for index, launch in enumerate(self.launches):
            launches, macs = found.get(launch.layer, ([], 0))
            found[launch.layer] = ([*launches, index], macs + launch.macs)
        return found


def verify(plan: Plan, programs: dict[str, Program]) -> None:
    """Buffers that live at the same time are apart; every launch has exactly its arguments."""
    for index, a in enumerate(plan.buffers):
        if a.role not in ROLES:
            raise VerifyError(f"buffer '{a.name}' has no role '{a.role}'")
        for b in plan.buffers[index + 1 :]:
            apart = a.address + a.size <= b.address or b.address + b.size <= a.address
            if not apart and a.first <= b.last and b.first <= a.last:
                raise VerifyError(f"buffers '{a.name}' and '{b.name}' overlap while both live")
    for launch in plan.launches:
        kernel = programs[launch.program].kernel(launch.kernel)
        wanted = [parameter.name for parameter in kernel.parameters]
        if list(launch.args) != wanted:
            wrong = sorted(set(launch.args) ^ set(wanted)) or ["the order"]
            raise VerifyError(
                f"launch '{launch.label}' does not give kernel '{launch.kernel}' its arguments",
                expected=", ".join(wanted),
                found="differs in " + ", ".join(wrong),
            )


def dumps(plan: Plan) -> str:
    """The `.plan` text."""

    def lines(items: list[Any]) -> str:
        return ",\n".join("    " + json.dumps(item) for item in items)

    head = {
        "format": FORMAT,
        "name": plan.name,
        "machine": plan.machine,
        "dram_bytes": plan.dram_bytes,
        "programs": plan.programs,
        "data": plan.data,
    }
    opening = json.dumps(head, indent=2)[:-2]
    buffers = lines([asdict(buffer) for buffer in plan.buffers])
    launches = lines([_launch_text(launch) for launch in plan.launches])
    return f'{opening},\n  "buffers": [\n{buffers}\n  ],\n  "launches": [\n{launches}\n  ]\n}}\n'


def _launch_text(launch: Launch) -> dict[str, Any]:
    entry = asdict(launch)
    if (launch.dims, launch.task_type) == (ONE_TASK, "BLOCK"):
        del entry["dims"], entry["task_type"]
    return entry


def _launch(entry: dict[str, Any]) -> Launch:
    x, y, z = (int(size) for size in entry.get("dims", ONE_TASK))
    task_type = entry.get("task_type", "BLOCK")
    if task_type not in TASK_TYPES:
        raise KeyError(task_type)
    return Launch(**{**entry, "dims": (x, y, z)})


def loads(text: str, where: str = "plan") -> Plan:
    """Parse `.plan` text; anything else is an error naming `where`."""
    try:
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise KeyError("format")
        buffers = tuple(Buffer(**{**b, "shape": tuple(b["shape"])}) for b in raw["buffers"])
        launches = tuple(_launch(entry) for entry in raw["launches"])
        return Plan(
            raw["name"],
            raw["machine"],
            raw["dram_bytes"],
            buffers,
            launches,
            raw["programs"],
            raw["data"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ZhisuanError(
            "not a plan, or a damaged one",
            where=where,
            expected=f"JSON with format {FORMAT}, buffers and launches",
            found=f"{type(error).__name__}: {error}",
            hint="write it again with --emit or `zhisuan compile`",
        ) from error


def save(plan: Plan, path: Path) -> None:
    write_atomically(path, dumps(plan).encode())


def load(path: Path) -> Plan:
    return loads(read_text(path), str(path))
