"""Dead code: nodes whose value reaches no output go.

y = relu(x); z = exp(x); return y   ->   y = relu(x); return y
"""

from __future__ import annotations

from zhisuan.graph.ir import Graph, Node


def dce(graph: Graph) -> Graph:
    """The graph without nodes and constants that no output needs; inputs always stay."""
    needed = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            kept.append(node)
            needed |= set(node.inputs)
    return graph.with_nodes(reversed(kept))
