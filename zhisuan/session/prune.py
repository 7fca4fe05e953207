"""What a run needs: back from what is fetched to what is fed, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from zhisuan.graph.ir import Node


def prune(nodes: Iterable[Node], wanted: Collection[str], fed: Collection[str]) -> list[Node]:
    """The nodes, in their order, that make the values `wanted` from constants and values `fed`.

    Breadth first, backwards along values and control edges; a fed value stops it.
    """
    nodes = list(nodes)
    makers = {name: node for node in nodes for name in node.outputs}
    by_label = {node.label: node for node in nodes}
    needed: set[str] = set()
    ahead = [name for name in wanted if name not in fed]
    while ahead:
        makers_here = [makers[name] for name in ahead if name in makers]
        ahead = []
        for node in makers_here:
            if node.label in needed:
                continue
            needed.add(node.label)
            ahead += [name for name in node.inputs if name not in fed]
            for label in node.after:
                if label not in needed:
                    ahead += by_label[label].outputs[:1]
    return [node for node in nodes if node.label in needed]
