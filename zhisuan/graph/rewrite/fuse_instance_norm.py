"""Instance normalisation spelled out node by node becomes one op.

    m = reduce_mean(x, h w);  d = sub(x, m)
    v = reduce_mean(pow(d, 2) or mul(d, d), h w)
    s = sqrt(add(v, eps));    n = d * (1 / s)  or  d / s  or  d * reciprocal(s)
    y = add(mul(n, scale), shift)              ->   y = instance_norm(x, scale, shift)

Products may be grouped and ordered in any way; scale or shift may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.rewrite.channels import channel_vector, is_per_channel
from zhisuan.graph.rewrite.view import Edit

DEEPEST = 4  # products inside products; the pattern has three, and a limit keeps the walk short


@dataclass(frozen=True)
class _Normal:
    """A product found to be the normalised x times `scale` (None: times 1)."""

    x: str
    epsilon: float
    scale: str | None


def fuse_instance_norm(graph: Graph) -> Graph:
    """First patterns with a shift, then what is left without one."""
    edit = Edit(graph)
    graph = edit.rewrite(lambda node: _shifted(edit, node))
    edit = Edit(graph)
    return edit.rewrite(lambda node: _unshifted(edit, node))


def _shifted(edit: Edit, node: Node) -> list[Node] | None:
    """add(normal * scale, shift), either way round."""
    if node.op != "add":
        return None
    for product, shift in (node.inputs, node.inputs[::-1]):
        normal = _match_product(edit, product)
        if normal is not None:
            return _replacement(edit, node, normal, shift)
    return None


def _unshifted(edit: Edit, node: Node) -> list[Node] | None:
    """normal * scale with nothing added; a product inside a larger product is not the last."""
    if node.op not in ("mul", "div") or len(edit.shape(node.output)) != 4:
        return None
    normal = _match_product(edit, node.output)
    if normal is None or any(
        user.op in ("mul", "div") and _match_product(edit, user.output) is not None
        for user in edit.users(node.output)
    ):
        return None
    return _replacement(edit, node, normal, None)


def _replacement(edit: Edit, node: Node, normal: _Normal, shift: str | None) -> list[Node] | None:
    channels = edit.shape(normal.x)[1]
    dtype = edit.values[normal.x].dtype.numpy
    vectors: list[str] = []
    before: list[Node] = []
    for name, filler in ((normal.scale, 1), (shift, 0)):
        if name is None:
            if not isinstance(channels, int):
                return None
            name = edit.constant(f"{node.label}/none", np.full((1, channels, 1, 1), filler, dtype))
        found = channel_vector(edit, name, channels, node.label)
        if found is None:
            return None
        vectors.append(found[0])
        before += found[1]
    attrs = {"epsilon": normal.epsilon}
    inputs = [normal.x, *vectors]
    return [
        *before,
        edit.node("instance_norm", inputs, attrs, output=node.output, label=node.label),
    ]


def _match_product(edit: Edit, name: str) -> _Normal | None:
    """`name` as centred * 1/deviation * scale."""
    over, under = _factors(edit, name)
    for x_centred in over:
        x = _centred(edit, x_centred)
        if x is None:
            continue
        for deviation in under:
            epsilon = _deviation(edit, deviation, x_centred)
            rest = [factor for factor in over if factor != x_centred]
            if epsilon is None or len(under) != 1 or len(rest) > 1:
                continue
            if len(over) - len(rest) != 1:
                continue
            if rest and not _fits(edit, rest[0], x):
                continue
            return _Normal(x, epsilon, rest[0] if rest else None)
    return None


def _fits(edit: Edit, scale: str, x: str) -> bool:
    array = edit.constants.get(scale)
    single = array is not None and array.size == 1
    return single or is_per_channel(edit.shape(scale), edit.shape(x)[1])


def _factors(edit: Edit, name: str, depth: int = DEEPEST) -> tuple[list[str], list[str]]:
    """The factors of a product of any grouping: those above the line and those below.

    a * (b / c)   ->   [a, b], [c]; a constant 1 is left out
    """
    node = edit.producer(name, "mul", "div", "reciprocal")
    if node is None or depth == 0:
        return ([] if edit.scalar(name) == 1 else [name]), []
    over, under = _factors(edit, node.inputs[0], depth - 1)
    if node.op == "reciprocal":
        return under, over
    over_right, under_right = _factors(edit, node.inputs[1], depth - 1)
    if node.op == "div":
        over_right, under_right = under_right, over_right
    return over + over_right, under + under_right


def _centred(edit: Edit, name: str) -> str | None:
    """x, when `name` is sub(x, mean of x over h and w)."""
    node = edit.producer(name, "sub")
    if node is None:
        return None
    mean = _spatial_mean(edit, node.inputs[1])
    return node.inputs[0] if mean == node.inputs[0] else None


def _deviation(edit: Edit, name: str, centred: str) -> float | None:
    """epsilon, when `name` is sqrt(mean of centred squared + epsilon)."""
    root = edit.producer(name, "sqrt")
    total = edit.producer(root.inputs[0], "add") if root else None
    if total is None:
        return None
    for variance, epsilon in (total.inputs, total.inputs[::-1]):
        square = _spatial_mean(edit, variance)
        if square is not None and _is_square(edit, square, centred):
            return edit.scalar(epsilon)
    return None


def _is_square(edit: Edit, name: str, of: str) -> bool:
    node = edit.producer(name, "pow", "mul")
    if node is None or node.inputs[0] != of:
        return False
    return node.inputs[1] == of if node.op == "mul" else edit.scalar(node.inputs[1]) == 2


def _spatial_mean(edit: Edit, name: str) -> str | None:
    """x [n, c, h, w], when `name` is its mean over h and w, kept as sizes of 1."""
    node = edit.producer(name, "reduce_mean")
    if node is None or len(edit.shape(node.inputs[0])) != 4 or not node.attrs["keepdims"]:
        return None
    axes = sorted(axis % 4 for axis in node.attrs["axes"])
    return node.inputs[0] if axes == [2, 3] else None
