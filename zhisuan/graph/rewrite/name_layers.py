"""Names that people read: the layer's path instead of the exporter's node name.

    "/contract.0/Conv" (conv2d)                     ->   "contract.0"
    "/contract.0/norm/Add_1" (instance_norm)        ->   "contract.0/norm"
    "/expand.0/Resize" (resize_nearest)             ->   "expand.0/resize"
    "/contract.0/norm/ReduceSum" (slice1d that is the scale of "contract.0/norm")
                                                    ->   "contract.0/norm/scale"
    the merged product of a graph input called style...  ->   "style"

Changes labels only, never values; a name already taken gets a number.
"""

from __future__ import annotations

from dataclasses import replace

from zhisuan.graph.ir import Graph, Node


def name_layers(graph: Graph) -> Graph:
    """The graph with readable labels."""
    labels: dict[str, str] = {}  # the node's output -> its new label
    for node in graph.nodes:
        labels[node.outputs[0]] = _layer(node)
    for node in graph.nodes:
        if node.op == "instance_norm":
            _name_vectors(node, graph.producers(), labels)
    taken: set[str] = set()
    nodes = []
    for node in graph.nodes:
        label = _unique(labels[node.outputs[0]], taken)
        taken.add(label)
        nodes.append(replace(node, label=label))
    return graph.with_nodes(nodes)


def _layer(node: Node) -> str:
    path = node.label.strip("/")
    parent, _, last = path.rpartition("/")
    if node.op in ("conv2d", "instance_norm") and parent:
        return parent
    if node.op == "resize_nearest":
        return f"{parent}/resize" if parent else last
    if node.op == "vecmat":
        return path.removesuffix(".mix").removesuffix("_weights")
    return path


def _name_vectors(norm: Node, producers: dict[str, Node], labels: dict[str, str]) -> None:
    for name, role in zip(norm.inputs[1:3], ("scale", "shift"), strict=True):
        if name in producers and producers[name].op == "slice1d":
            labels[name] = f"{labels[norm.output]}/{role}"


def _unique(label: str, taken: set[str]) -> str:
    name, count = label, 1
    while name in taken:
        count += 1
        name = f"{label}_{count}"
    return name
