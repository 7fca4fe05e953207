"""Common subexpressions: of nodes that compute the same, one stays.

    a = exp(x); b = exp(x); y = add(a, b)   ->   a = exp(x); y = add(a, a)

Equal constants are one constant.  A node that makes an output of the graph is kept.
"""

from __future__ import annotations

from dataclasses import replace

from zhisuan.graph.ir import Graph, Node


def cse(graph: Graph) -> Graph:
    """The graph with every value computed once."""
    same: dict[str, str] = {}  # value -> the equal value that stands for it
    seen: dict[tuple, str] = {}
    for name, array in graph.constants.items():
        key = ("constant", array.dtype.str, array.shape, array.tobytes())
        same[name] = seen.setdefault(key, name)
    nodes: list[Node] = []
    for node in graph.nodes:
        node = replace(node, inputs=tuple(same.get(name, name) for name in node.inputs))
        key = (node.op, node.inputs, tuple(node.attrs.items()))
        first = seen.setdefault(key, node.output)
        if first != node.output and node.output not in graph.outputs:
            same[node.output] = first
        else:
            nodes.append(node)
    return graph.with_nodes(nodes)
