"""Mixing the rows of a table by weights becomes a vector-matrix product, all of them one.

reduce_sum(mul(unsqueeze(s [k]) -> [k, 1], M [k, n]), axis 0)   ->   vecmat(s, M)
vecmat(s, M0); vecmat(s, M1); ...   ->   v = vecmat(s, M0|M1|...); slice1d(v, 0, n0); ...
"""

from __future__ import annotations

import numpy as np

from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.rewrite.view import Edit


def fuse_style_mix(graph: Graph) -> Graph:
    """First each mix becomes a product, then products of one vector become one."""
    edit = Edit(graph)
    graph = edit.rewrite(lambda node: _mix(edit, node))
    merge = _Merge(graph)
    return merge.edit.rewrite(merge.offer)


def _mix(edit: Edit, node: Node) -> list[Node] | None:
    if node.op == "matmul" and node.inputs[1] in edit.constants:
        if (len(edit.shape(node.inputs[0])), len(edit.shape(node.inputs[1]))) != (1, 2):
            return None
        return [edit.node("vecmat", node.inputs, None, output=node.output, label=node.label)]
    product = edit.producer(node.inputs[0], "mul") if node.op == "reduce_sum" else None
    if product is None or node.attrs["axes"] not in ((0,), (-2,)) or node.attrs["keepdims"]:
        return None
    for column, table in (product.inputs, product.inputs[::-1]):
        vector = _column_source(edit, column)
        if vector is None or table not in edit.constants:
            continue
        shape = edit.shape(table)
        if len(shape) == 2 and edit.shape(vector) == shape[:1]:
            inputs = (vector, table)
            return [edit.node("vecmat", inputs, None, output=node.output, label=node.label)]
    return None


def _column_source(edit: Edit, name: str) -> str | None:
    """s [k], when `name` is s stood up as a column [k, 1]."""
    node = edit.producer(name, "unsqueeze", "reshape")
    if node is None:
        return None
    vector = node.inputs[0]
    shape = edit.shape(vector)
    return vector if len(shape) == 1 and edit.shape(name) == (*shape, 1) else None


class _Merge:
    """Products of one vector with constant matrices, laid side by side."""

    def __init__(self, graph: Graph) -> None:
        self.edit = Edit(graph)
        self.groups: dict[str, list[Node]] = {}
        self.wide: dict[str, str] = {}  # vector -> the merged product
        for node in graph.nodes:
            if node.op == "vecmat" and node.inputs[1] in graph.constants:
                self.groups.setdefault(node.inputs[0], []).append(node)

    def offer(self, node: Node) -> list[Node] | None:
        group = self.groups.get(node.inputs[0], [])
        if node not in group or len(group) < 2:
            return None
        before: list[Node] = []
        if node.inputs[0] not in self.wide:
            before.append(self._merged(node.inputs[0], group))
        widths = [self.edit.constants[other.inputs[1]].shape[1] for other in group]
        place = group.index(node)
        start = sum(widths[:place])
        attrs = {"start": start, "stop": start + widths[place]}
        wide = self.wide[node.inputs[0]]
        piece = self.edit.node("slice1d", [wide], attrs, output=node.output, label=node.label)
        return [*before, piece]

    def _merged(self, vector: str, group: list[Node]) -> Node:
        tables = [self.edit.constants[node.inputs[1]] for node in group]
        table = self.edit.constant(f"{vector}.tables", np.concatenate(tables, axis=1))
        product = self.edit.node("vecmat", [vector, table], None, label=f"{vector}.mix")
        self.wide[vector] = product.output
        return product
