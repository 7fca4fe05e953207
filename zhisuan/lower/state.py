"""What a lowering rule sees: the graph's shapes, and methods that make buffers and launches.

Activations are stored FP16 or INT8, images ([1, C, H, W]) channels last; vectors of the parameter
path (rank 1) stay FP32.  Multi-image batches are not supported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.base import dtype as dtypes
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Graph, Node
from zhisuan.kernels.launch_plan import LaunchPlan


@dataclass(frozen=True)
class Place:
    """Where a value lies: a buffer and a byte offset in it."""

    buffer: str
    offset: int = 0

    def at(self, offset: int) -> Place:
        """The place `offset` bytes further on."""
        return Place(self.buffer, self.offset + offset)


@dataclass
class Draft:
    """A buffer whose address is not known yet."""

    role: str
    dtype: str
    shape: tuple[int, ...]
    layout: str
    size: int
    first: int
    last: int


@dataclass
class Call:
    kernel: str
    label: str
    layer: str
    op: str
    macs: int
    args: dict[str, int | float | Place | None]
    tasks: int
    task_type: str


@dataclass(frozen=True)
class Sums:
    """Channel sums of a value, and how many tasks each wrote some."""

    place: Place
    makers: int


Rule = Callable[["Lowering", Node], None]
RULES: dict[str, Rule] = {}
TAKE_INTEGERS: set[str] = set()
"""Ops whose rules lower 8-bit integers."""


def rule(*ops: str, integers: bool = False) -> Callable[[Rule], Rule]:
    """Enter a function as the lowering of graph ops, `integers` if it takes 8-bit integers too."""

    def enter(function: Rule) -> Rule:
        for op in ops:
            RULES[op] = function
        if integers:
            TAKE_INTEGERS.update(ops)
        return function

    return enter


@dataclass
class Lowering:
    """State of one walk; rules call its methods."""

    graph: Graph
    machine: Machine
    shapes: Mapping[str, tuple[int, ...]]
    macs: Mapping[str, int]
    places: dict[str, Place] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sums: dict[str, Sums] = field(default_factory=dict)  # value → channel sums already made
    flattened: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Matrix values that are images in memory, still channels last: their (c, h, w)."""

    def image(self, name: str) -> tuple[int, int, int]:
        """Height, width and channels of a [1, C, H, W] value."""
        shape = self.shapes[name]
        if len(shape) != 4 or shape[0] != 1:
            raise ZhisuanError(
                f"value '{name}' cannot be lowered",
                expected="one image, [1, C, H, W]",
                found=str(list(shape)),
                hint="split the batch into single images",
            )
        return shape[2], shape[3], shape[1]

    def storage(self, name: str) -> tuple[str, str]:
        """Element type and layout of a value of the graph on the device."""
        rank = len(self.shapes[name])
        layout = "hwc" if rank == 4 else "flat"
        if self.graph.values[name].dtype == dtypes.I8:
            return "i8", layout
        return ("f32" if rank < 2 else "f16"), layout

    def pixel(self, name: str) -> int:
        """Bytes of a pixel of a [1, C, H, W] value."""
        return self.image(name)[2] * dtypes.dtype(self.storage(name)[0]).size

    def fresh(self, name: str) -> str:
        """`name`, or one like it that no value of the graph and no buffer has."""
        while name in self.graph.values or name in self.drafts:
            name += "+"
        return name

    def make(self, name: str, role: str, shape: tuple[int, ...], dtype: str,
             layout: str) -> Place:  # fmt: skip
        """A new buffer."""
        size = prod(shape) * dtypes.dtype(dtype).size
        assert name not in self.drafts, f"two buffers called '{name}'"
        self.drafts[name] = Draft(role, dtype, shape, layout, size, 1 << 30, -1)
        return Place(name)

    def result(self, node: Node) -> Place:
        """The buffer of a node's only output."""
        name = node.output
        self.places[name] = self.make(name, "scratch", self.shapes[name], *self.storage(name))
        return self.places[name]

    def constant(self, name: str, values: np.ndarray) -> Place:
        """A constant of the plan with the given contents (flat, as they lie in DRAM)."""
        if name not in self.constants:
            self.constants[name] = values
            kind = dtypes.from_numpy(values.dtype).name
            self.make(name, "constant", values.shape, kind, "flat")
        return Place(name)

    def value(self, name: str) -> Place:
        """Where a value lies; graph constants are brought in when first used."""
        if name in self.flattened:
            raise ZhisuanError(
                f"value '{name}' cannot be lowered",
                where="a picture flattened to a row",
                expected="a linear layer as its only reader",
                found="another reader, or an output of the graph",
            )
        if name not in self.places and name in self.graph.constants:
            values = np.asarray(self.graph.constants[name], np.float32)
            if values.ndim == 4:
                half = values[0].transpose(1, 2, 0).astype(np.float16)
                self.places[name] = self.constant(name, np.ascontiguousarray(half))
            else:
                self.places[name] = self.constant(name, values)
        return self.places[name]

    def is_normalised(self, name: str) -> bool:
        """Whether an instance_norm reads the value, and so wants its channel sums."""
        return any(n.op == "instance_norm" and n.inputs[0] == name for n in self.graph.nodes)

    def make_sums(self, name: str, c: int, makers: int) -> Place:
        """Scratch for the channel sums of a value: centre, Σ(x - m), Σ(x - m)², pixels."""
        buffer = self.fresh(f"{name}.sums")
        place = self.make(buffer, "scratch", (4, makers, c), "f32", "flat")
        self.sums[name] = Sums(place, makers)
        return place

    def weights(self, node: Node, name: str) -> np.ndarray:
        """Contents of an input that must be a constant of the graph."""
        if name not in self.graph.constants:
            raise ZhisuanError(
                f"{node.op} '{node.label}' needs constant weights",
                expected=f"'{name}' to be an initializer of the model",
                found="a value computed at run time",
            )
        return self.graph.constants[name]

    def launch(self, node: Node, kernel: str, plan: LaunchPlan,
               pointers: Mapping[str, Place | None], macs: int = 0) -> None:  # fmt: skip
        """Append a launch; pointers and the plan's args together are the kernel's parameters."""
        index = len(self.calls)
        for place in pointers.values():
            if place is not None:
                draft = self.drafts[place.buffer]
                draft.first, draft.last = min(draft.first, index), max(draft.last, index)
        both: dict[str, int | float | Place | None] = {**pointers, **plan.args}
        layer = node.label.split("/")[0]
        self.calls.append(
            Call(kernel, node.label, layer, node.op, macs, both, plan.tasks, plan.task_type)
        )
