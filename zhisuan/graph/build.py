"""A way to write a graph down node by node, with types and shapes filled in on the way.

    build = GraphBuilder("tiny")
    x = build.input("x", F32, (1, 3, symbol("h"), symbol("w")))
    y = build.node("relu", [x], output="y")
    graph = build.finish([y])

Every node is checked as it is added; `finish` verifies the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.dims import Shape
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.registry import find
from zhisuan.graph.shapes import Fact, constant_fact, node_facts
from zhisuan.graph.verify import verify


class GraphBuilder:
    """Collects inputs, constants and nodes in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: dict[str, Fact] = {}
        self._inputs: list[str] = []
        self._nodes: list[Node] = []
        self._constants: dict[str, np.ndarray] = {}
        self._labels: dict[str, int] = {}

    def input(self, name: str, dtype: DType, shape: Shape) -> str:
        """Declare a run-time input; returns its name."""
        self._new(name, Fact(dtype, tuple(shape)))
        self._inputs.append(name)
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        """Add a constant; returns its name."""
        self._new(name, constant_fact(array))
        self._constants[name] = array
        return name

    def node(
        self,
        op: str,
        inputs: Iterable[str],
        attrs: Mapping[str, Any] | None = None,
        *,
        output: str = "",
        label: str = "",
    ) -> str:
        """Add one use of `op`, which makes one value; returns its name.

        Without `label` the op's name is used; a label that is taken gets a number.
        """
        outputs = (output,) if output else ()
        return self.call(op, inputs, attrs, outputs=outputs, label=label).output

    def call(
        self,
        op: str,
        inputs: Iterable[str],
        attrs: Mapping[str, Any] | None = None,
        *,
        outputs: tuple[str, ...] = (),
        label: str = "",
        after: tuple[str, ...] = (),
        device: str = "",
        where: str = "",
    ) -> Node:
        """As `node`, for any number of outputs; returns the node.  The rest is as `Node` says."""
        row = find(op, label or op)
        label = self._unique_label(label or op)
        if not outputs:
            outputs = (self.fresh(label),)
            if len(row.outputs) > 1:
                outputs = tuple(self.fresh(f"{label}.{name}") for name in row.outputs)
        complete = row.complete(attrs or {}, label)
        node = Node(op, tuple(inputs), outputs, complete, label, after, device, where)
        for name in node.inputs:
            if name not in self.facts:
                raise ZhisuanError(
                    f"the value '{name}' is used before it is made", where=f"node '{label}'"
                )
        facts = node_facts(node, [self.facts[name] for name in node.inputs])
        for name, fact in zip(outputs, facts, strict=True):
            self._new(name, fact)
        self._nodes.append(node)
        return node

    def close(self, merge: Node, value: str) -> Node:
        """Give a merge one more input, made after it: so a loop closes.  Returns the new node."""
        first, again = self.facts[merge.outputs[0]], self.facts[value]
        if (first.dtype, first.shape) != (again.dtype, again.shape):
            raise ZhisuanError(
                "a loop variable changes its type from one iteration to the next",
                where=merge.where or f"node '{merge.label}'",
                expected=Value("", first.dtype, first.shape).type_text,
                found=Value("", again.dtype, again.shape).type_text,
                hint="a size that changes is left open (None) where the variable is made",
            )
        closed = replace(merge, inputs=(*merge.inputs, value))
        self._nodes[self._nodes.index(merge)] = closed
        return closed

    @property
    def nodes(self) -> list[Node]:
        """The nodes so far, in order."""
        return self._nodes

    @property
    def constants(self) -> Mapping[str, np.ndarray]:
        return self._constants

    @property
    def inputs(self) -> list[str]:
        return self._inputs

    def known(self, name: str) -> np.ndarray | None:
        """The value's numbers where they are known before running, large constants included."""
        return self._constants.get(name, self.facts[name].known)

    def fresh(self, stem: str) -> str:
        """A value name that is not taken yet, starting with `stem`."""
        name, count = stem, 1
        while name in self.facts:
            count += 1
            name = f"{stem}_{count}"
        return name

    def finish(self, outputs: Iterable[str]) -> Graph:
        """The verified graph."""
        values = {name: Value(name, f.dtype, f.shape) for name, f in self.facts.items()}
        return verify(
            Graph(
                self.name,
                tuple(self._inputs),
                tuple(outputs),
                tuple(self._nodes),
                self._constants,
                values,
            )
        )

    def _new(self, name: str, fact: Fact) -> None:
        if name in self.facts:
            raise ZhisuanError(f"the value '{name}' is made twice", where=f"graph '{self.name}'")
        self.facts[name] = fact

    def _unique_label(self, label: str) -> str:
        count = self._labels.get(label, 0) + 1
        self._labels[label] = count
        if count == 1:
            return label
        return self._unique_label(f"{label}_{count}")
