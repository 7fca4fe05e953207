"""Random graphs for property tests: every size legal, names awkward, shape arithmetic included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from zhisuan.base.dtype import F32
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph

STEMS = ["a", "/res.0/Conv", "onnx::Sum_83", "with space", 'a "quote"', "größe", "new\nline", ""]
UNARY = ["relu", "tanh", "sigmoid", "neg", "abs", "identity"]
BINARY = ["add", "sub", "mul", "maximum"]


class _Writer:
    """A graph under construction and the random choices that shape it."""

    def __init__(self, draw: Callable) -> None:
        self.draw = draw
        self.build = GraphBuilder(draw(st.sampled_from(STEMS)) or "g")
        sizes = [symbol("h"), symbol("w"), 4, 7]
        channels = draw(st.integers(1, 3))
        shape = (1, channels, draw(st.sampled_from(sizes)), draw(st.sampled_from(sizes)))
        self.maps = [self.build.input("x", F32, shape)]  # values of four dimensions

    def pick(self) -> str:
        return self.draw(st.sampled_from(self.maps))

    def shape(self, name: str) -> tuple:
        return self.build.facts[name].shape

    def node(self, op: str, inputs: list[str], attrs: dict | None = None) -> str:
        stem = self.draw(st.sampled_from(STEMS))
        return self.build.node(op, inputs, attrs, label=stem or op)

    def constant(self, array: np.ndarray) -> str:
        return self.build.constant(self.build.fresh("c"), array)

    def floats(self, shape: tuple[int, ...]) -> str:
        count = int(np.prod(shape))
        seed = self.draw(st.integers(0, 99))
        values = np.random.default_rng(seed).normal(size=count).astype(np.float32)
        return self.constant(values.reshape(shape))

    def step(self) -> None:
        kind = self.draw(st.sampled_from([f for n, f in vars(_Writer).items() if n[:3] == "do_"]))
        self.maps.append(kind(self))

    def do_unary(self) -> str:
        return self.node(self.draw(st.sampled_from(UNARY)), [self.pick()])

    def do_binary(self) -> str:
        left = self.pick()
        same = [name for name in self.maps if self.shape(name) == self.shape(left)]
        op = self.draw(st.sampled_from(BINARY))
        return self.node(op, [left, self.draw(st.sampled_from(same))])

    def do_conv(self) -> str:
        x = self.pick()
        channels = self.shape(x)[1]
        if not isinstance(channels, int):
            return x
        w = self.floats((self.draw(st.integers(1, 3)), channels, 3, 3))
        stride = self.draw(st.integers(1, 2))
        mode = self.draw(st.sampled_from(["constant", "edge"]))
        attrs = {"strides": (stride, 1), "pads": (1, 1, 1, 1), "pad_mode": mode}
        return self.node("conv2d", [x, w], attrs)

    def do_pad(self) -> str:
        pads = self.constant(np.array([0, 0, 1, 2, 0, 0, 2, 1], np.int64))
        mode = self.draw(st.sampled_from(["constant", "edge"]))
        return self.node("pad", [self.pick(), pads], {"mode": mode})

    def do_resize(self) -> str:
        return self.node("resize_nearest", [self.pick()], {"scale_h": 2, "scale_w": 1})

    def do_mean(self) -> str:
        return self.node("reduce_mean", [self.pick()], {"axes": (2, 3), "keepdims": True})

    def do_transpose(self) -> str:
        perm = self.draw(st.permutations(range(4)))
        return self.node("transpose", [self.pick()], {"perm": tuple(perm)})

    def do_concat(self) -> str:
        x = self.pick()
        return self.node("concat", [x, x], {"axis": self.draw(st.integers(-4, 3))})

    def do_slice(self) -> str:
        attrs = {"starts": (0,), "ends": (2**63 - 1,), "axes": (2,), "steps": (2,)}
        return self.node("slice", [self.pick()], attrs)

    def do_affine_of_constants(self) -> str:
        folded = self.node("mul", [self.floats((1, 1, 1, 1)), self.floats((1, 1, 1, 1))])
        return self.node("mul", [self.pick(), folded])

    def do_reshape_by_sizes(self) -> str:
        """[a, b, c, d] -> [a, 1, b, c*d] with sizes read off the value."""
        x = self.pick()
        sizes = self.node("shape", [x])
        two = self.node("gather", [sizes, self.constant(np.array([0, 1]))])
        rest = [self.constant(np.array([1])), self.constant(np.array([-1]))]
        first = self.node("gather", [two, self.constant(np.array([0]))])
        second = self.node("gather", [two, self.constant(np.array([1]))])
        target = self.node("concat", [first, rest[0], second, rest[1]], {"axis": 0})
        return self.node("reshape", [x, target])


@st.composite
def graphs(draw: Callable, most_nodes: int = 6) -> Graph:
    """A verified random graph with input x [1, c, ?, ?] f32 and one or two outputs."""
    writer = _Writer(draw)
    for _ in range(draw(st.integers(1, most_nodes))):
        writer.step()
    made = [name for name in dict.fromkeys(writer.maps) if name != "x"]
    outputs = made[-1:] or ["x"]
    if len(made) > 1 and draw(st.booleans()):
        outputs.append(made[0])
    return writer.build.finish(outputs)


def feed(graph: Graph, binding: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random arrays for the inputs, at the sizes of `binding`."""
    from zhisuan.graph.dims import evaluate_shape

    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=evaluate_shape(graph.values[name].shape, binding)).astype(
            graph.values[name].dtype.numpy
        )
        for name in graph.inputs
    }
