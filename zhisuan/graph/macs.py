"""Multiply-accumulates that a graph asks for, layer by layer; padding and tiling waste nothing.

    conv2d  outputs * kernel_h * kernel_w * channels / groups
    matmul, linear  outputs * inner size    vecmat  rows * columns

The integer forms count as the others.  Pixels of the padding count, as everywhere in the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from zhisuan.graph.ir import Graph
from zhisuan.graph.shapes import infer


def macs(graph: Graph, binding: Mapping[str, int]) -> dict[str, int]:
    """Multiply-accumulates by node label, for sizes such as {"h": 256, "w": 256}.

    Only nodes that multiply and accumulate appear.
    """
    shapes = infer(graph, binding)
    found: dict[str, int] = {}
    for node in graph.nodes:
        if node.op in ("conv2d", "conv2d_i8"):
            inner = math.prod(shapes[node.inputs[1]][1:])
        elif node.op in ("matmul", "vecmat", "linear", "linear_i8"):
            inner = shapes[node.inputs[0]][-1]
        else:
            continue
        found[node.label] = math.prod(shapes[node.output]) * inner
    return found
