"""Random small ONNX networks from the operators the chip has, and random machines to run them.

Comes in: a seed.  Goes out: a model with feeds whose values stay near 1, so that FP16 holds
them; or a machine, and a graph's plan for it.  The same seed gives the same of each, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Graph
from zhisuan.lower import Lowered, lower

Image = tuple[str, int, int, int]
"""A value's name, channels, height and width."""
SIZES = (1, 2, 3, 5, 7, 8, 11, 13, 16, 17, 23, 29)
CHANNELS = (1, 2, 3, 4, 5, 7, 8, 16, 21, 31, 32, 33, 64, 70)
MOST_VALUES = 12_000
"""Elements of an image; more only makes the tests slow."""
LEAST_FOR_NORM = 12
"""Pixels below which a normalisation magnifies FP16 rounding beyond any tolerance."""


@dataclass(frozen=True)
class Network:
    """A model, what to feed it, and the operators in it for messages."""

    model: onnx.ModelProto
    feeds: dict[str, np.ndarray]
    story: str


def halves(random: np.random.Generator, shape: tuple[int, ...], scale: float = 1) -> np.ndarray:
    """Normally distributed float32 values that FP16 holds exactly."""
    values = random.standard_normal(shape) * scale
    return values.astype(np.float16).astype(np.float32)


class Generator:
    """One network in the making."""

    def __init__(self, seed: int) -> None:
        self.choose = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.feeds: dict[str, np.ndarray] = {}
        self.images: list[Image] = []
        self.story: list[str] = []

    def network(self) -> Network:
        """One to three inputs, two to six operators; everything unread is an output."""
        self.input()
        for _ in range(self.choose.randint(2, 6)):
            self.grow()
        if not self.nodes:  # nothing suited the input
            self.activation(self.images[0])
        read = {name for node in self.nodes for name in node.input}
        outputs = [image for image in self.images if image[0] not in read]
        outputs = [image for image in outputs if image[0] not in self.feeds]
        known = {name: (1, c, h, w) for name, c, h, w in self.images}
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "random",
            [info(name, TensorProto.FLOAT, value.shape) for name, value in self.feeds.items()],
            [info(image[0], TensorProto.FLOAT, known[image[0]]) for image in outputs],
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return Network(model, self.feeds, " ".join(self.story))

    def input(self, like: Image | None = None) -> Image:
        name = f"x{len(self.feeds)}"
        if like is None:
            c, h, w = self.choose.choice(CHANNELS[:9]), *self.choose.choices(SIZES, k=2)
        else:
            _, c, h, w = like
        self.feeds[name] = halves(self.numbers, (1, c, h, w))
        self.images.append((name, c, h, w))
        self.story.append(f"{name}[{c},{h},{w}]")
        return self.images[-1]

    def weight(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = values
        return name

    def node(self, op: str, inputs: list[str], c: int, h: int, w: int, note: str = "",
             **attrs: Any) -> Image:  # fmt: skip
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{name}", **attrs))
        self.images.append((name, c, h, w))
        self.story.append(f"{name}={op}({','.join(inputs)}){note}")
        return self.images[-1]

    def hidden(self, op: str, inputs: list[str], **attrs: Any) -> str:
        """A node whose value no later operator may choose."""
        name = self.node(op, inputs, 0, 0, 0, **attrs)[0]
        self.images.pop()
        return name

    def grow(self) -> None:
        kinds = [self.conv] * 4 + [self.norm] * 2 + [self.activation] * 2
        kinds += [self.pair] * 2 + [self.pad, self.resize]
        x = self.choose.choice(self.images[-2:])
        self.choose.choice(kinds)(x)

    def conv(self, x: Image) -> None:
        name, ci, h, w = x
        co = self.choose.choice(CHANNELS)
        kernel = [self.choose.choice((1, 1, 2, 3, 3, 4, 5, 9)) for _ in "hw"]
        strides = [self.choose.choice((1, 1, 1, 2, 3)) for _ in "hw"]
        dilations = [self.choose.choice((1, 1, 1, 1, 2, 3)) for _ in "hw"]
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        pads = [self.choose.randint(0, r // 2 + 1) for r in (*reach, *reach)]
        mode = self.choose.choice(("own", "own", "reflect", "edge", "constant"))
        if mode != "own":
            name, h, w = self.padded(x, pads, mode)
            pads = [0, 0, 0, 0]
            if self.choose.random() < 0.2 and mode == "constant":
                pads = [1, 0, 0, 2]
        room = (h + pads[0] + pads[2] - reach[0], w + pads[1] + pads[3] - reach[1])
        if min(room) < 0:
            return
        out = (room[0] // strides[0] + 1, room[1] // strides[1] + 1)
        if out[0] * out[1] * co > MOST_VALUES or co * ci * kernel[0] * kernel[1] > 60_000:
            return
        taps = ci * kernel[0] * kernel[1]
        inputs = [name, self.weight(halves(self.numbers, (co, ci, *kernel), taps**-0.5))]
        if self.choose.random() < 0.5:
            inputs.append(self.weight(halves(self.numbers, (co,))))
        note = f"k{kernel}s{strides}d{dilations}p{pads}{mode}->{co},{out}"
        y = self.node("Conv", inputs, co, *out, note, strides=strides, dilations=dilations,
                      pads=pads)  # fmt: skip
        if self.choose.random() < 0.4:
            self.activation(y)

    def padded(self, x: Image, pads: list[int], mode: str) -> tuple[str, int, int]:
        """Pad and its output's name and size; reflection no wider than the image allows."""
        name, c, h, w = x
        if mode == "reflect":
            pads[:] = [min(p, size - 1) for p, size in zip(pads, (h, w, h, w), strict=True)]
        amounts = self.weight(np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64))
        h, w = h + pads[0] + pads[2], w + pads[1] + pads[3]
        y = self.node("Pad", [name, amounts], c, h, w, f"{pads}{mode}", mode=mode)
        return y[0], h, w

    def pad(self, x: Image) -> None:
        pads = [self.choose.randint(0, 5) for _ in range(4)]
        if x[1] * (x[2] + 10) * (x[3] + 10) <= MOST_VALUES:
            self.padded(x, pads, self.choose.choice(("reflect", "edge", "constant")))

    def norm(self, x: Image) -> None:
        name, c, h, w = x
        if h * w < LEAST_FOR_NORM or (name in self.feeds and self.choose.random() < 0.5):
            return
        scale, shift = halves(self.numbers, (c,)), halves(self.numbers, (c,))
        if self.choose.random() < 0.5:
            inputs = [name, self.weight(scale), self.weight(shift)]
            y = self.node("InstanceNormalization", inputs, c, h, w, epsilon=1e-3)
        else:
            mean = self.hidden("ReduceMean", [name], axes=[2, 3], keepdims=1)
            centred = self.hidden("Sub", [name, mean])
            two = self.weight(np.array(2, np.float32))
            square = self.hidden("Pow", [centred, two])
            variance = self.hidden("ReduceMean", [square], axes=[2, 3], keepdims=1)
            epsilon = self.weight(np.array(1e-3, np.float32))
            root = self.hidden("Sqrt", [self.hidden("Add", [variance, epsilon])])
            normal = self.hidden("Div", [centred, root])
            scaled = self.hidden("Mul", [normal, self.weight(scale.reshape(1, c, 1, 1))])
            y = self.node("Add", [scaled, self.weight(shift.reshape(1, c, 1, 1))], c, h, w)
        if self.choose.random() < 0.5:
            self.activation(y)
        if self.choose.random() < 0.4:
            self.add(y)

    def activation(self, x: Image) -> None:
        self.node(self.choose.choice(("Relu", "Sigmoid", "Tanh", "Abs")), [x[0]], *x[1:])

    def add(self, x: Image) -> None:
        """A residual: another image of the same shape, before or after."""
        same = [image for image in self.images if image[1:] == x[1:]]
        other = self.choose.choice(same) if len(same) > 1 else self.input(like=x)
        pair = [x[0], other[0]]
        self.choose.shuffle(pair)
        self.node("Add", pair, *x[1:])

    def pair(self, x: Image) -> None:
        op = self.choose.choice(("Add", "Sub", "Mul", "Div", "Max", "Min"))
        if op == "Add":
            self.add(x)
        elif op == "Div":
            below = self.numbers.uniform(0.5, 2, (1, *x[1:])).astype(np.float16)
            self.node("Div", [x[0], self.weight(below.astype(np.float32))], *x[1:])
        else:
            same = [image for image in self.images if image[1:] == x[1:]]
            self.node(op, [x[0], self.choose.choice(same)[0]], *x[1:])

    def resize(self, x: Image) -> None:
        name, c, h, w = x
        scale = [self.choose.choice((1, 2, 3)) for _ in "hw"]
        if c * h * w * scale[0] * scale[1] > MOST_VALUES:
            return
        scales = self.weight(np.array([1, 1, *scale], np.float32))
        self.node("Resize", [name, "", scales], c, h * scale[0], w * scale[1], f"x{scale}",
                  mode="nearest", nearest_mode="floor",
                  coordinate_transformation_mode="asymmetric")  # fmt: skip


def network(seed: int) -> Network:
    """The network of a seed."""
    return Generator(seed).network()


CHIPS = ((1, 1, 0), (1, 1, 0), (1, 3, 0), (2, 2, 0), (2, 2, 36), (3, 4, 512), (5, 1, 64))
"""Clusters, cores of each, and kilobytes of SRAM of each."""


def machine(seed: int, chip_seed: int | None = None) -> Machine:
    """The machine of a seed: memories tiny to big, units narrow to wide, queues short to long.

    `chip_seed` chooses how many cores it has; otherwise `seed` does.
    """
    clusters, cores, sram = Random(seed if chip_seed is None else chip_seed).choice(CHIPS)
    choose = Random(seed)
    elements = choose.choice((8, 16, 64, 64, 64))
    kilobytes = choose.choice((17, 20, 24, 32, 64, 256, 768, 4096))
    changes = {
        "nram.stack": 16 << 10,
        "nram.size": (16 + kilobytes) << 10,
        "wram.size": choose.choice((32, 64, 256, 1024, 4096)) * 4096,
        "matrix.elements": elements,
        "matrix.lanes_f16": choose.choice((1, 8, 24, 64)),
        "matrix.lanes_f32": choose.choice((1, 6, 16)),
        "vector.bytes_per_cycle": choose.choice((2, 32, 128, 512)),
        "dram.bytes_per_second": choose.choice((10**9, 102_400_000_000, 10**13)),
        "dram.access_bytes": choose.choice((1, 32, 64, 256)),
        "dram.read_latency": choose.choice((0, 1, 200, 5000)),
        "move.bytes_per_cycle": choose.choice((1, 128)),
        "queues.compute": choose.choice((1, 2, 24)),
        "queues.io": choose.choice((1, 2, 32)),
        "queues.move": choose.choice((1, 32)),
        "queues.window": choose.choice((1, 2, 8, 64)),
        "launch.overhead": choose.choice((0, 500)),
        "chip.clusters": clusters,
        "chip.cores_per_cluster": cores,
        "sram.size": sram << 10,
        "sram.stack": min(sram, 16) << 10,
        "sram.bytes_per_cycle": choose.choice((4, 128)),
        "noc.link_bytes_per_cycle": choose.choice((4, 64)),
    }
    return vary(load("dlp-s"), changes)


def lowered_for(graph: Graph, seed: int) -> tuple[Lowered, Machine]:
    """The plan for the seed's machine, or for dlp-s where that one is too small."""
    chosen = machine(seed)
    try:
        return lower(graph, {}, chosen), chosen
    except ZhisuanError as error:
        assert "cannot hold one tile" in error.what, error
        chosen = load("dlp-s")
        return lower(graph, {}, chosen), chosen
