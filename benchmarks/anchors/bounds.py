"""What networks ask for, and the least DRAM traffic that any schedule of VGG16 can have."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchmarks.anchors import Anchor, Answer
from zhisuan.graph.ir import Graph
from zhisuan.graph.macs import macs
from zhisuan.graph.shapes import infer
from zhisuan.models import vgg16

WORD = 2
"""Bytes of a 16-bit number."""
BOUNDS = ((64, 144.7), (768, 78.2), (1024, 76.2))
"""KB on chip, least MB."""


def least_traffic(graph: Graph, on_chip: int) -> float:
    """Least DRAM bytes of all convolutions of `graph`, each on its own, 16-bit numbers.

    Per layer 2 · MACs / √(R·S) words and the outputs once, S the words on chip and R how often
    an input serves, kernel area / stride²; but never less than inputs, weights and outputs.
    """
    shapes = infer(graph, {})
    work = macs(graph, {})
    return sum(
        WORD * max(2 * work[label] / math.sqrt(reuse * on_chip / WORD) + out, once)
        for label, reuse, out, once in _convolutions(graph, shapes)
    )


def _convolutions(graph: Graph, shapes: dict) -> Iterator[tuple[str, float, int, int]]:
    """Label, reuse, output words, and words of inputs, weights and outputs."""
    for node in graph.nodes:
        if node.op == "conv2d":
            source, weights, out = (shapes[n] for n in (*node.inputs[:2], node.output))
            strides = node.attrs.get("strides", (1, 1))
            reuse = math.prod(weights[2:]) / math.prod(strides)
            sizes = [math.prod(shape) for shape in (source, weights, out)]
            yield node.label, reuse, sizes[2], sum(sizes)


def anchor() -> Anchor:
    graph = vgg16.build(vgg16.random_weights())
    work = sum(macs(graph, {}).values())
    parameters = sum(array.size for array in graph.constants.values())
    answers = [
        Answer("VGG16, multiply-accumulates", 15.470, "GMAC", "D", work / 1e9, bound=0.001),
        Answer("VGG16, parameters", 138.36, "M", "D", parameters / 1e6, bound=0.001),
    ]
    answers += [
        Answer(
            f"VGG16 convolutions, {size} KB on chip, at least",
            theirs,
            "MB",
            "D",
            least_traffic(graph, size << 10) / 1e6,
            bound=0.002,
        )
        for size, theirs in BOUNDS
    ]
    return Anchor(
        "Networks and lower bounds of DRAM traffic",
        "Counted in the graph of `models/vgg16`. The bound per convolution is 2·MACs/√(R·S) words "
        "and the outputs, S words on chip, R = kernel area / stride², but never below inputs, "
        "weights and outputs once.",
        tuple(answers),
    )
