"""Folding: what can be known before running becomes a constant, what changes nothing goes.

    pads = cast(reshape(transpose(slice(reshape(concat(c, zeros))))))   ->   [0, 0, 4, 4, ...]
    y = identity(x); y = cast(x) to its own type; y = reshape(x) to its own shape   ->   x

Inputs of the graph are never known, so nothing that depends on them is folded but their sizes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zhisuan.graph.dims import product
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.registry import find
from zhisuan.graph.shapes import Fact, propagate

LARGEST = 1 << 20  # elements; a folded constant may be larger only than no input of its node


def fold(graph: Graph) -> Graph:
    """The graph with constant nodes computed and empty moves forwarded."""
    facts = propagate(graph)
    constants = dict(graph.constants)
    forward: dict[str, str] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        node = replace(node, inputs=tuple(forward.get(name, name) for name in node.inputs))
        folded = _constants(node, facts, constants)
        if folded is not None:
            constants.update(zip(node.outputs, folded, strict=True))
        elif _changes_nothing(node, facts) and node.output not in graph.outputs:
            forward[node.output] = node.inputs[0]
        else:
            nodes.append(node)
    return _with_constants(graph, nodes, constants)


def _constants(
    node: Node, facts: dict[str, Fact], constants: dict[str, np.ndarray]
) -> list[np.ndarray] | None:
    """The node's values when all it reads is constant, or when they are known sizes."""
    made = [facts[name] for name in node.outputs]
    known = [fact.known for fact in made if fact.known is not None and fact.known.dtype != object]
    if len(known) == len(made):
        return known
    row = find(node.op, node.label)
    if not row.is_pure or any(name not in constants for name in node.inputs):
        return None
    inputs = [constants[name] for name in node.inputs]
    largest = max([LARGEST, *(array.size for array in inputs)])
    sizes = [product(fact.shape) for fact in made]
    if any(not isinstance(size, int) or size > largest for size in sizes):
        return None
    results = row.results(*inputs, **node.attrs)
    return [
        np.ascontiguousarray(result, fact.dtype.numpy).reshape(fact.shape)  # pyright: ignore
        for result, fact in zip(results, made, strict=True)
    ]


def _changes_nothing(node: Node, facts: dict[str, Fact]) -> bool:
    if node.op not in ("identity", "cast", "reshape", "expand"):
        return False
    source, target = facts[node.inputs[0]], facts[node.output]
    return (source.dtype, source.shape) == (target.dtype, target.shape)


def _with_constants(graph: Graph, nodes: list[Node], constants: dict[str, np.ndarray]) -> Graph:
    values = {
        name: Value(name, graph.values[name].dtype, array.shape)
        for name, array in constants.items()
    }
    return graph.with_nodes(nodes, constants=constants, values=values)
