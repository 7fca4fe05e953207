"""What follows a convolution or a normalisation moves into it.

    add(conv2d(x, w), b per channel)      ->   conv2d(x, w, b)
    relu(conv2d(...))                     ->   conv2d(..., activation="relu")
    relu(linear(...))                     ->   linear(..., activation="relu")
    sigmoid(instance_norm(...))           ->   instance_norm(..., activation="sigmoid")
    add(instance_norm(x, a, b), r)        ->   instance_norm(x, a, b, r)

Only where nothing else reads the inner value.  instance_norm applies its activation before it
adds the residual, so an activation after a residual stays a node of its own.
"""

from __future__ import annotations

from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.rewrite.channels import channel_vector
from zhisuan.graph.rewrite.view import Edit

ACTIVATIONS = ("relu", "sigmoid", "tanh")


def fuse_epilogue(graph: Graph) -> Graph:
    """The graph with biases, activations and residuals absorbed, longest chains included."""
    edit = Edit(graph)
    return edit.rewrite(lambda node: _activation(edit, node) or _sum(edit, node))


def _activation(edit: Edit, node: Node) -> list[Node] | None:
    if node.op not in ACTIVATIONS:
        return None
    inner = edit.producer(node.inputs[0], "conv2d", "linear", "instance_norm")
    if inner is None or inner.attrs["activation"] or not edit.used_once(inner.output):
        return None
    if inner.op == "instance_norm" and len(inner.inputs) == 4:
        return None
    attrs = {**inner.attrs, "activation": node.op}
    return [edit.node(inner.op, inner.inputs, attrs, output=node.output, label=inner.label)]


def _sum(edit: Edit, node: Node) -> list[Node] | None:
    if node.op != "add":
        return None
    for name, other in (node.inputs, node.inputs[::-1]):
        inner = edit.producer(name, "conv2d", "instance_norm")
        if inner is None or name == other or not edit.used_once(name):
            continue
        new = (_bias if inner.op == "conv2d" else _residual)(edit, node, inner, other)
        if new is not None:
            return new
    return None


def _bias(edit: Edit, node: Node, inner: Node, other: str) -> list[Node] | None:
    if len(inner.inputs) > 2 or inner.attrs["activation"]:
        return None
    found = channel_vector(edit, other, edit.shape(inner.output)[1], node.label)
    if found is None:
        return None
    bias, before = found
    inputs = (*inner.inputs, bias)
    fused = edit.node("conv2d", inputs, dict(inner.attrs), output=node.output, label=inner.label)
    return [*before, fused]


def _residual(edit: Edit, node: Node, inner: Node, other: str) -> list[Node] | None:
    if len(inner.inputs) > 3 or edit.shape(other) != edit.shape(inner.output):
        return None
    inputs = (*inner.inputs, other)
    attrs = dict(inner.attrs)
    return [edit.node("instance_norm", inputs, attrs, output=node.output, label=inner.label)]
