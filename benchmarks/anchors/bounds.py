"""What networks ask for, and the least DRAM traffic that any schedule of VGG16 can have."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from benchmarks.anchors import Anchor, Answer
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.graph.ir import Graph
from zhisuan.graph.macs import macs
from zhisuan.graph.shapes import infer
from zhisuan.lower import lower
from zhisuan.models import vgg16
from zhisuan.runtime.device import play
from zhisuan.sim.timing import replay

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


def traffic(graph: Graph, machine: Machine) -> int:
    """DRAM bytes of the convolutions of `graph` as they are lowered for a machine."""
    lowered = lower(graph, {}, machine)
    image = {"image": np.zeros((1, 3, 224, 224), np.float32)}
    _, trace = play(lowered.plan, lowered.programs, lowered.constants, image, machine)
    timing = replay(trace, machine)
    moved = timing.dram_read + timing.dram_written
    labels = {node.label for node in graph.nodes if node.op == "conv2d"}
    return sum(int(moved[i]) for i, launch in enumerate(trace.launches) if launch.label in labels)


def anchor() -> Anchor:
    graph = vgg16.build(vgg16.random_weights())
    machine = load("dlp-s")
    on_chip = machine.nram.size + machine.wram.size
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
    bound = least_traffic(graph, on_chip) / 1e6
    answers.append(
        Answer(f"VGG16 convolutions on dlp-s, {on_chip >> 10} KB on chip, against that bound",
               bound, "MB", "D", traffic(graph, machine) / 1e6,
               "no schedule reaches the bound: rows that two tiles need are loaded twice, filters "
               "that exceed WRAM in pieces, each with all inputs"),
    )  # fmt: skip
    return Anchor(
        "Networks and lower bounds of DRAM traffic",
        "Counted in the graph of `models/vgg16`. The bound per convolution is 2·MACs/√(R·S) words "
        "and the outputs, S words on chip, R = kernel area / stride², but never below inputs, "
        "weights and outputs once.",
        tuple(answers),
    )
