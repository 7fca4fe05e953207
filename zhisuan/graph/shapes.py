"""Types and shapes of every value, from the rules of the registry.

`node_facts` applies the rules to one node; `propagate` walks a graph; `infer` gives plain
numbers for a binding of the open sizes.  Where inputs are known before running (constants,
sizes, arithmetic on them) the op's own reference computes the output right here, on integers
or on `Dim` objects: whether an op takes part in shape arithmetic is found out, not declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zhisuan.base.dtype import DType, from_numpy
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import dims
from zhisuan.graph.dims import Formula, Shape
from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.ops import OPS
from zhisuan.graph.registry import Call, OpDef, find

LOOPS = frozenset({"merge"})  # ops whose further inputs may be made later
SMALL = 256  # values of at most this many elements are followed; sizes are never longer


@dataclass(frozen=True)
class Fact:
    """What is known of a value before running: type, shape, and perhaps the numbers."""

    dtype: DType
    shape: Shape
    known: np.ndarray | None = None


def constant_fact(array: np.ndarray) -> Fact:
    """The fact of a constant; large ones are not followed as numbers."""
    known = array if array.size <= SMALL else None
    return Fact(from_numpy(array.dtype), array.shape, known)


def node_facts(node: Node, inputs: list[Fact]) -> tuple[Fact, ...]:
    """The facts of the node's outputs; a broken rule is a `ZhisuanError` that names the node."""
    row = find(node.op, node.label)
    row.check_arity(len(inputs), node.label)
    call = Call(
        op=node.op,
        label=node.label,
        names=row.input_names(len(inputs)),
        dtypes=tuple(fact.dtype for fact in inputs),
        shapes=tuple(fact.shape for fact in inputs),
        known=tuple(fact.known for fact in inputs),
        attrs=row.complete(node.attrs, node.label),
    )
    types = row.inferred(call)
    known = _known_values(row, call, types)
    return tuple(Fact(*pair, value) for pair, value in zip(types, known, strict=True))


def inputs_of(node: Node, facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts of the node's inputs; where a loop closes, of those that are made before it."""
    return [facts[name] for name in node.inputs if name in facts or node.op not in LOOPS]


def propagate(graph: Graph, binding: Mapping[str, int] | None = None) -> dict[str, Fact]:
    """Facts of every value in the graph, recomputed from inputs and constants.

    With a `binding` the open sizes are numbers and the rules check them as such.
    """
    facts = {name: constant_fact(array) for name, array in graph.constants.items()}
    for name in graph.inputs:
        value = graph.values[name]
        shape = value.shape if binding is None else dims.evaluate_shape(value.shape, binding)
        facts[name] = Fact(value.dtype, shape)
    for node in graph.nodes:
        made = node_facts(node, inputs_of(node, facts))
        facts.update(zip(node.outputs, made, strict=True))
    return facts


def infer(graph: Graph, binding: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shape in numbers of every value, for sizes such as {"h": 256, "w": 384}."""
    for name in graph.symbols():
        if binding.get(name, 0) < 1:
            raise ZhisuanError(
                f"the size '{name}' of graph '{graph.name}' needs a value",
                expected=f"{name} of at least 1",
                found=str(binding.get(name, "nothing")),
            )
    facts = propagate(graph, binding)
    return {name: dims.evaluate_shape(fact.shape, binding) for name, fact in facts.items()}


def _known_values(
    row: OpDef, call: Call, types: tuple[tuple[DType, Shape], ...]
) -> tuple[np.ndarray | None, ...]:
    """The outputs' numbers, where they are small and computable from known inputs."""
    if row.value is not None:
        return (row.value(call),)
    nothing = (None,) * len(types)
    sizes = [dims.product(shape) for _, shape in types]
    if not row.is_pure or any(not isinstance(size, int) or size > SMALL for size in sizes):
        return nothing
    known = [value for value in call.known if value is not None]
    if len(known) != len(call.known):
        return nothing
    if any(value.dtype == object for value in known):
        return (_symbolic_value(row, call, known),) if len(types) == 1 else nothing
    results = row.results(*known, **call.attrs)
    return tuple(
        np.asarray(item, dtype.numpy) for item, (dtype, _) in zip(results, types, strict=True)
    )


def _symbolic_value(row: OpDef, call: Call, known: list[np.ndarray]) -> np.ndarray | None:
    """The reference run on `Dim` objects; None when the op has no meaning on them."""
    try:
        result = np.asarray(row.reference(*known, **call.attrs), dtype=object)
    except (TypeError, AttributeError, ZhisuanError):
        return None
    if any(isinstance(item, Formula) for item in result.reshape(-1)):
        return result
    return result.astype(np.int64)


assert OPS, "importing zhisuan.graph.ops fills the registry"
