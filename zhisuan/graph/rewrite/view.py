"""What a pass looks at and how it edits: a graph with its producers, uses and constants.

`Edit` walks the nodes in order.  A pass offers, for a node, the nodes that should stand in its
place (the last one making the same value); what is left without a reader is removed at the end.
So a pattern only ever replaces its last node, and inner values that something else reads stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.registry import find
from zhisuan.graph.rewrite.dce import dce
from zhisuan.graph.shapes import Fact, constant_fact, node_facts


class Edit:
    """A graph being rewritten; look-ups see the nodes that were put in so far."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.values = dict(graph.values)
        self.producers = graph.producers()
        self._uses = graph.uses()
        self._facts: dict[str, Fact] = {}

    def producer(self, name: str, *ops: str) -> Node | None:
        """The node that makes `name`, if it is one of `ops` (any when none is given)."""
        node = self.producers.get(name)
        return node if node is not None and (not ops or node.op in ops) else None

    def shape(self, name: str) -> Shape:
        """The shape of a value."""
        return self.values[name].shape

    def scalar(self, name: str) -> float | None:
        """The number in a one-element constant, as the shortest decimal that means the same."""
        array = self.constants.get(name)
        if array is None or array.size != 1:
            return None
        return float(str(array.reshape(-1)[0]))

    def users(self, name: str) -> list[Node]:
        """The nodes that read a value."""
        return self._uses[name]

    def used_once(self, name: str) -> bool:
        """Whether exactly one node reads the value, and it is no output of the graph."""
        return len(self._uses[name]) == 1 and name not in self.graph.outputs

    def constant(self, stem: str, array: np.ndarray) -> str:
        """Add a constant; returns its name, which begins with `stem`."""
        name = self._fresh(stem)
        self.constants[name] = array
        fact = constant_fact(array)
        self.values[name] = Value(name, fact.dtype, fact.shape)
        return name

    def node(
        self, op: str, inputs: Iterable[str], attrs: dict | None, *, output: str = "", label: str
    ) -> Node:
        """A new node, its type worked out; without `output` it makes a value of its own."""
        row = find(op, label)
        output = output or self._fresh(label)
        node = Node(op, tuple(inputs), (output,), row.complete(attrs or {}, label), label)
        (fact,) = node_facts(node, [self._fact(name) for name in node.inputs])
        self.values[output] = Value(output, fact.dtype, fact.shape)
        return node

    def rewrite(self, offer: Callable[[Node], list[Node] | None]) -> Graph:
        """Every node replaced by what `offer` gives for it (None keeps it), then dead code out."""
        nodes: list[Node] = []
        for node in self.graph.nodes:
            new = offer(node) or [node]
            for added in new:
                self.producers.update(dict.fromkeys(added.outputs, added))
            if new != [node]:
                self._move_uses(node, new)
            nodes += new
        return dce(self.graph.with_nodes(nodes, constants=self.constants, values=self.values))

    def _move_uses(self, old: Node, new: list[Node]) -> None:
        for name in set(old.inputs):
            self._uses[name] = [user for user in self._uses[name] if user is not old]
        for node in new:
            for name in node.outputs:
                self._uses.setdefault(name, [])
            for name in set(node.inputs):
                self._uses.setdefault(name, []).append(node)

    def _fact(self, name: str) -> Fact:
        if name in self.constants:
            return constant_fact(self.constants[name])
        value = self.values[name]
        return Fact(value.dtype, value.shape)

    def _fresh(self, stem: str) -> str:
        name, count = stem, 1
        while name in self.values:
            count += 1
            name = f"{stem}_{count}"
        return name
