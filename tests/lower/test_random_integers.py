"""Random networks of integer layers on random machines: the chip has the reference's bits.

What is real between the layers is FP16 in the graph, as it is on the chip.
"""

from __future__ import annotations

from random import Random
from typing import Any

import network_generator as generator
import numpy as np
import pytest

from zhisuan.base.dtype import F16
from zhisuan.graph import reference
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.quantize import calibrate, quantize
from zhisuan.runtime.device import play

BATCHES = 8
BATCH = 10


class Layers:
    """A network of convolutions, poolings and perhaps fully connected layers, in the making."""

    def __init__(self, seed: int) -> None:
        self.choose = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.build = GraphBuilder(f"random{seed}")
        self.read: set[str] = set()

    def graph(self) -> Graph:
        """One input; three to seven nodes, any of which but the last may be read twice."""
        c, h, w = self.choose.choice((1, 2, 3, 8, 17)), *self.choose.choices(generator.SIZES, k=2)
        values = [self.build.input("x", F16, (1, c, h, w))]
        for _ in range(self.choose.randint(2, 4)):
            source = self.choose.choice(values[-2:])
            kinds = [self.conv] * 6 + [self.pool] * 2 + [self.pad, self.resize]
            values.append(self.choose.choice(kinds)(source))
        value = values[-1]
        if self.choose.random() < 0.5:
            value = self.node("flatten", [value])
            for _ in range(self.choose.randint(1, 2)):
                value = self.linear(value)
        else:
            value = self.conv(value)
        unread = [name for name in values[1:] if name not in self.read]
        return self.build.finish([value, *unread])

    def node(self, op: str, inputs: list[str], **attrs: Any) -> str:
        self.read.update(inputs)
        return self.build.node(op, inputs, attrs, label=op)

    def shape(self, value: str) -> list[int]:
        return [int(str(size)) for size in self.build.facts[value].shape]

    def halves(self, shape: tuple[int, ...], scale: float = 1) -> np.ndarray:
        return generator.halves(self.numbers, shape, scale).astype(np.float16)

    def operands(self, value: str, weight: tuple[int, ...]) -> list[str]:
        taps, stem = int(np.prod(weight[1:])), f"of{len(self.build.facts)}"
        names = [value, self.build.constant(f"{stem}.w", self.halves(weight, taps**-0.5))]
        if self.choose.random() < 0.5:
            names.append(self.build.constant(f"{stem}.b", self.halves((weight[0],))))
        return names

    def conv(self, value: str) -> str:
        _, ci, h, w = self.shape(value)
        kernel = [self.choose.choice((1, 2, 3, 5)) for _ in "hw"]
        pads = [self.choose.randint(0, k // 2) for k in (*kernel, *kernel)]
        mode = self.choose.choice(("constant", "constant", "reflect", "edge"))
        if mode == "reflect":
            pads = [min(p, size - 1) for p, size in zip(pads, (h, w, h, w), strict=True)]
        kernel = [min(kernel[0], h + pads[0] + pads[2]), min(kernel[1], w + pads[1] + pads[3])]
        operands = self.operands(value, (self.choose.choice(generator.CHANNELS), ci, *kernel))
        strides = tuple(self.choose.choice((1, 1, 2)) for _ in "hw")
        return self.node("conv2d", operands, strides=strides, pads=tuple(pads), pad_mode=mode,
                         activation=self.choose.choice(("", "relu")))  # fmt: skip

    def pool(self, value: str) -> str:
        _, _, h, w = self.shape(value)
        window = (min(self.choose.choice((2, 3)), h), min(self.choose.choice((2, 3)), w))
        pads = tuple(self.choose.randint(0, (side - 1) // 2) for side in (*window, *window))
        return self.node("max_pool", [value], window=window, strides=(2, 1), pads=pads)

    def pad(self, value: str) -> str:
        amounts = [0, 0, *(self.choose.randint(0, 3) for _ in "hw")]
        amounts += [0, 0, *(self.choose.randint(0, 3) for _ in "hw")]
        pads = self.build.constant(f"of{len(self.build.facts)}.pads", np.array(amounts))
        return self.node("pad", [value, pads], mode=self.choose.choice(("constant", "edge")))

    def resize(self, value: str) -> str:
        scales = {name: self.choose.choice((1, 2)) for name in ("scale_h", "scale_w")}
        return self.node("resize_nearest", [value], **scales)

    def linear(self, value: str) -> str:
        outputs = self.choose.choice((1, 7, 64, 130))
        return self.node("linear", self.operands(value, (outputs, self.shape(value)[1])))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_integers(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        graph = Layers(seed).graph()
        shape = [int(str(size)) for size in graph.value("x").shape]
        feeds = {"x": np.random.default_rng(seed).standard_normal(shape).astype(np.float16)}
        percentile = 100.0 if seed % 2 else 95.0  # some of the numbers saturate
        calibration = calibrate(graph, [feeds], percentile)
        integers = quantize(graph, calibration, per_channel=seed % 3 == 0).graph
        lowered, machine = generator.lowered_for(integers, seed)
        ours, _ = play(lowered.plan, lowered.programs, lowered.constants, feeds, machine)
        for name, expected in reference.run(integers, feeds).items():
            assert np.array_equal(ours[name], expected.astype(ours[name].dtype)), (seed, name)
