"""The graph: values, the nodes that make them, constants; a plain record, no behaviour of ops.

A `Graph` holds its nodes in an order in which every value is made before it is used; only the
further inputs of a `merge` may come later, which is how loops close.  Values
are known by name; `Graph.values` says the element type and the shape of each.  Graphs are
treated as immutable: a pass returns a new one.  Knows nothing about devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.graph.dims import Shape, symbols
from zhisuan.graph.registry import shape_text


@dataclass(frozen=True)
class Value:
    """A tensor in the graph: its name, element type, and symbolic shape."""

    name: str
    dtype: DType
    shape: Shape

    @property
    def type_text(self) -> str:
        """`f32[1, 3, h, w]`."""
        return f"{self.dtype}{shape_text(self.shape)}"


@dataclass(frozen=True)
class Node:
    """One use of an op: names of values in, names of values out, every attribute spelled out.

    `label` is what people call it: the name of the source node it came from.  `after` are labels
    of nodes that must have run before; `device` is where it has to run, if anybody said so;
    `where` the place in a user's program that made it, for errors only.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    after: tuple[str, ...] = ()
    device: str = ""
    where: str = field(default="", compare=False)

    @property
    def output(self) -> str:
        """The only output."""
        (name,) = self.outputs
        return name


@dataclass(frozen=True)
class Graph:
    """A network: input and output names, nodes in order, constant arrays, the type of each value.

    `values` has an entry for every input, constant and node output.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    values: Mapping[str, Value]

    def value(self, name: str) -> Value:
        """The value called `name`."""
        return self.values[name]

    def producers(self) -> dict[str, Node]:
        """Which node makes each value; inputs and constants are absent."""
        return {name: node for node in self.nodes for name in node.outputs}

    def uses(self) -> dict[str, list[Node]]:
        """Which nodes read each value; one nobody reads has an empty list."""
        uses: dict[str, list[Node]] = {name: [] for name in self.values}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                uses[name].append(node)
        return uses

    def symbols(self) -> tuple[str, ...]:
        """The names of sizes that the inputs leave open, in order of appearance."""
        found: dict[str, None] = {}
        for name in self.inputs:
            for dim in self.values[name].shape:
                found.update(dict.fromkeys(sorted(symbols(dim))))
        return tuple(found)

    def with_nodes(
        self,
        nodes: Iterable[Node],
        *,
        constants: Mapping[str, np.ndarray] | None = None,
        values: Mapping[str, Value] | None = None,
    ) -> Graph:
        """This graph with other nodes; `constants` and `values` are added to its own.

        Constants and values that nothing mentions any more are dropped.
        """
        kept = tuple(nodes)
        mentioned = {*self.inputs, *self.outputs}
        for node in kept:
            mentioned.update(node.inputs, node.outputs)
        all_constants = {**self.constants, **(constants or {})}
        all_values = {**self.values, **(values or {})}
        return Graph(
            self.name,
            self.inputs,
            self.outputs,
            kept,
            {name: array for name, array in all_constants.items() if name in mentioned},
            {name: value for name, value in all_values.items() if name in mentioned},
        )
