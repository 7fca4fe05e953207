"""Common subexpressions: of nodes that compute the same, one stays.

    a = exp(x); b = exp(x); y = add(a, b)   ->   a = exp(x); y = add(a, a)

Equal constants are one constant.  A node that makes an output of the
graph, and one with state, is kept.
"""

from __future__ import annotations

from dataclasses import replace

from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.registry import find


def cse(graph: Graph) -> Graph:
    """The graph with every value computed once."""
    same: dict[str, str] = {}  # value -> the equal value that stands for it
    seen: dict[tuple, tuple[str, ...]] = {}
    for name, array in graph.constants.items():
        key = ("constant", array.dtype.str, array.shape, array.tobytes())
        same[name] = seen.setdefault(key, (name,))[0]
    nodes: list[Node] = []
    kept = set(graph.outputs)
    for node in graph.nodes:
        node = replace(node, inputs=tuple(same.get(name, name) for name in node.inputs))
        key = (node.op, node.inputs, tuple(node.attrs.items()))
        keeps = not find(node.op).is_pure or not kept.isdisjoint(node.outputs)
        first = node.outputs if keeps else seen.setdefault(key, node.outputs)
        if first != node.outputs:
            same.update(zip(node.outputs, first, strict=True))
        else:
            nodes.append(node)
    return graph.with_nodes(nodes)
