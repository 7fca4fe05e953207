"""Variables: values of a graph that keep what they are given from one run to the next."""

from __future__ import annotations

from typing import Any

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ops.state import shape_attribute
from zhisuan.session.graph import Graph, Symbol, current_graph


class Variable(Symbol):
    """Reads as its value; `initializer` gives it its first one, `assign` another.

    Reading it twice in a run is one read, at its node's place in the graph.
    """

    __slots__ = ("initial", "initializer", "trainable")

    def __init__(
        self,
        initial_value: Any,
        name: str = "Variable",
        dtype: str | DType | None = None,
        trainable: bool = True,
        graph: Graph | None = None,
    ) -> None:
        made_in = graph or (
            initial_value.graph if isinstance(initial_value, Symbol) else current_graph()
        )
        first = (
            initial_value
            if isinstance(initial_value, Symbol)
            else made_in.constant(initial_value, dtype, f"{name}/initial_value")
        )
        with made_in.within(None):
            (value,) = made_in.add(
                "variable",
                (),
                {
                    "name": _unique(made_in, name),
                    "dtype": first.dtype.name,
                    "shape": shape_attribute(first.shape),
                },
                name,
            )
        super().__init__(made_in, value.name)
        self.trainable = trainable
        self.initial = first
        self.initializer = self._change("assign", first, "Assign")
        made_in.variables[self.name] = self

    @property
    def variable_name(self) -> str:
        node = self.graph.producer(self)
        assert node is not None
        return node.attrs["name"]

    def assign(self, value: Any) -> Symbol:
        """The node that gives it `value`, and gives that on."""
        return self._change("assign", value, "Assign")

    def assign_add(self, value: Any) -> Symbol:
        return self._change("assign_add", value, "AssignAdd")

    def assign_sub(self, value: Any) -> Symbol:
        return self._change("assign_sub", value, "AssignSub")

    def _change(self, op: str, value: Any, label: str) -> Symbol:
        given = self.operand(value)
        if (given.dtype, given.shape) != (self.dtype, self.shape):
            raise ZhisuanError(
                f"variable '{self.name}' cannot hold this value",
                expected=repr(self),
                found=repr(given),
            )
        attrs = {"name": self.variable_name}
        return self.graph.add(op, (given,), attrs, f"{self.name}/{label}")[0]


def global_variables(graph: Graph | None = None) -> list[Variable]:
    """All variables of the graph, in the order in which they were made."""
    return list((graph or current_graph()).variables.values())


def trainable_variables(graph: Graph | None = None) -> list[Variable]:
    return [item for item in global_variables(graph) if item.trainable]


def global_variables_initializer(graph: Graph | None = None) -> list[Symbol]:
    """What to run to give every variable its first value."""
    return [item.initializer for item in global_variables(graph)]


def _unique(graph: Graph, name: str) -> str:
    taken = {item.variable_name for item in graph.variables.values()}
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found
