"""Each pass on small graphs: what it turns into what, its variants, and what it must leave."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph
from zhisuan.graph.reference import run
from zhisuan.graph.rewrite import PASSES, optimize

RNG = np.random.default_rng(3)
SHAPE = (1, 4, symbol("h"), symbol("w"))


class Sketch(GraphBuilder):
    """A builder with short words: constants are numbers or arrays given in place."""

    def __init__(self) -> None:
        super().__init__("test")
        self.x = self.input("x", F32, SHAPE)

    def c(self, value, dtype: type = np.float32) -> str:
        return self.constant(self.fresh("c"), np.array(value, dtype))

    def random(self, *shape: int) -> str:
        return self.c(RNG.normal(size=shape))

    def op(self, name: str, *inputs: str, **attrs) -> str:
        return self.node(name, inputs, attrs)


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def check_same_values(before: Graph, after: Graph, **extra: np.ndarray) -> None:
    feeds = {"x": RNG.normal(size=(1, 4, 6, 5)).astype(np.float32), **extra}
    expected, found = run(before, feeds), run(after, feeds)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5)


def test_fold_computes_constants_and_sizes() -> None:
    s = Sketch()
    four = s.op("add", s.c([1, 3], np.int64), s.c([3, 1], np.int64))
    pads = s.op("concat", s.c([0, 0], np.int64), four, s.c([0, 0, 1, 1], np.int64), axis=0)
    channels = s.op("gather", s.op("shape", s.x), s.c([1], np.int64))
    padded = s.op("pad", s.x, pads)
    y = s.op("reshape", padded, s.op("concat", s.c([1], np.int64), channels,
                                     s.c([-1], np.int64), axis=0))  # fmt: skip
    graph = s.finish([y])
    folded = optimize(graph, until="dce")
    assert ops(folded) == ["pad", "reshape"]
    assert folded.constants[folded.nodes[0].inputs[1]].tolist() == [0, 0, 4, 4, 0, 0, 1, 1]
    assert folded.constants[folded.nodes[1].inputs[1]].tolist() == [1, 4, -1]
    check_same_values(graph, folded)


def test_fold_forwards_what_changes_nothing() -> None:
    s = Sketch()
    same = s.op("cast", s.op("identity", s.op("reshape", s.x, s.c([0, 0, 0, 0], np.int64))),
                to="f32")  # fmt: skip
    graph = s.finish([s.op("relu", same)])
    assert ops(optimize(graph, ["fold"])) == ["relu"]


def test_fold_keeps_what_depends_on_inputs() -> None:
    s = Sketch()
    height = s.op("gather", s.op("shape", s.x), s.c([2], np.int64))
    graph = s.finish([s.op("add", height, height)])
    assert "gather" in ops(optimize(graph))
    assert run(optimize(graph), {"x": np.zeros((1, 4, 6, 5), np.float32)})["add"].tolist() == [12]


def test_fold_does_not_blow_a_constant_up() -> None:
    s = Sketch()
    big = s.op("full", s.c([2000, 2000], np.int64), value=1.0, dtype="f32")
    assert ops(optimize(s.finish([s.op("relu", big)]))) == ["full", "relu"]


def test_cse_and_dce() -> None:
    s = Sketch()
    left, right = s.op("exp", s.x), s.op("exp", s.x)
    s.op("tanh", left)
    graph = s.finish([s.op("add", left, s.op("mul", right, s.c(1.5)))])
    assert ops(optimize(graph, ["cse", "dce"])) == ["exp", "mul", "add"]


def test_cse_keeps_both_outputs() -> None:
    s = Sketch()
    graph = s.finish([s.op("exp", s.x), s.op("exp", s.x)])
    assert optimize(graph).outputs == graph.outputs
    check_same_values(graph, optimize(graph))


def norm(
    s: Sketch,
    *,
    square: str = "pow",
    root: str = "div one",
    group: str = "left",
    swap: bool = False,
    vectors: str = "reshape",
) -> str:
    """Instance normalisation written out in one of the ways that exporters write it."""

    def pair(op: str, a: str, b: str) -> str:
        return s.op(op, *((b, a) if swap else (a, b)))

    def vector(values: np.ndarray) -> str | None:
        if vectors == "reshape":
            return s.op("reshape", s.op("relu", s.c(values)), s.c([1, -1, 1, 1], np.int64))
        if vectors == "constant":
            return s.c(values.reshape(4, 1, 1))
        return s.c(0.75) if vectors == "scalar" else None

    x = s.op("identity", s.x)
    centred = s.op("sub", x, s.op("reduce_mean", x, axes=(2, 3), keepdims=True))
    squared = s.op("pow", centred, s.c(2)) if square == "pow" else s.op("mul", centred, centred)
    variance = s.op("reduce_mean", squared, axes=(-1, -2), keepdims=True)
    deviation = s.op("sqrt", pair("add", variance, s.c(1e-3)))
    scale = vector(np.array([1, 2, 3, 4.5]))
    shift = vector(np.array([0, -2, 1, 0.5]))
    inverse = {
        "div one": lambda: s.op("div", s.c(1), deviation),
        "reciprocal": lambda: s.op("reciprocal", deviation),
        "divide": lambda: "",
    }[root]()
    if root == "divide":
        y = s.op("div", centred, deviation)
        y = pair("mul", y, scale) if scale else y
    elif group == "right" and scale:
        y = pair("mul", centred, pair("mul", inverse, scale))
    else:
        y = pair("mul", centred, inverse)
        y = pair("mul", y, scale) if scale else y
    return pair("add", y, shift) if shift else y


@pytest.mark.parametrize("vectors", ["reshape", "constant", "scalar", "none"])
@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("square", "root", "group"),
    [
        ("pow", "div one", "left"),
        ("mul", "reciprocal", "left"),
        ("pow", "divide", "left"),
        ("mul", "div one", "right"),
        ("pow", "reciprocal", "right"),
    ],
)
def test_instance_norm_is_found_in_every_spelling(square, root, group, swap, vectors) -> None:
    s = Sketch()
    y = norm(s, square=square, root=root, group=group, swap=swap, vectors=vectors)
    graph = s.finish([y])
    fused = optimize(graph)
    assert ops(fused) == ["instance_norm"]
    assert fused.nodes[0].attrs == {"epsilon": 1e-3, "activation": ""}
    check_same_values(graph, fused)


def test_instance_norm_whose_parts_are_read_elsewhere_stays_right() -> None:
    s = Sketch()
    y = norm(s)
    graph = s.finish([s.op("mul", y, "sub")])
    fused = optimize(graph)
    assert ops(fused) == ["reduce_mean", "sub", "instance_norm", "mul"]
    check_same_values(graph, fused)


@pytest.mark.parametrize("case", ["axes", "mean of another", "power 3", "scale per pixel"])
def test_what_only_looks_like_instance_norm_stays(case: str) -> None:
    s = Sketch()
    axes = (1, 2, 3) if case == "axes" else (2, 3)
    other = s.op("tanh", s.x) if case == "mean of another" else s.x
    centred = s.op("sub", s.x, s.op("reduce_mean", other, axes=axes, keepdims=True))
    squared = s.op("pow", centred, s.c(3 if case == "power 3" else 2))
    variance = s.op("reduce_mean", squared, axes=axes, keepdims=True)
    epsilon = 100 if case == "power 3" else 1e-3  # a mean of cubes may be negative
    deviation = s.op("sqrt", s.op("add", variance, s.c(epsilon)))
    scale = s.x if case == "scale per pixel" else s.random(1, 4, 1, 1)
    normal = s.op("mul", s.op("div", centred, deviation), scale)
    graph = s.finish([s.op("add", normal, s.random(1, 4, 1, 1))])
    found = ops(optimize(graph))
    if case == "scale per pixel":  # the inner quotient is one, the scale is not part of it
        assert found == ["instance_norm", "mul", "add"]
    else:
        assert "instance_norm" not in found
    check_same_values(graph, optimize(graph))


def test_computed_scale_gets_a_reshape() -> None:
    s = Sketch()
    centred = s.op("sub", s.x, s.op("reduce_mean", s.x, axes=(2, 3), keepdims=True))
    variance = s.op("reduce_mean", s.op("mul", centred, centred), axes=(2, 3), keepdims=True)
    normal = s.op("div", centred, s.op("sqrt", s.op("add", variance, s.c(1e-5))))
    scale = s.op("reduce_max", s.x, axes=(2, 3), keepdims=True)
    graph = s.finish([s.op("add", s.op("mul", normal, scale), s.c(0.5))])
    fused = optimize(graph)
    assert ops(fused) == ["reduce_max", "reshape", "instance_norm"]
    check_same_values(graph, fused)


@pytest.mark.parametrize(
    ("mode", "value", "pads", "own", "fuses"),
    [
        ("reflect", 0.0, [0, 0, 1, 2, 0, 0, 2, 1], (0, 0, 0, 0), True),
        ("edge", 0.0, [0, 0, 1, 1, 0, 0, 1, 1], (0, 0, 0, 0), True),
        ("constant", 0.0, [0, 0, 1, 0, 0, 0, 2, 1], (1, 1, 0, 2), True),
        ("constant", 1.0, [0, 0, 1, 1, 0, 0, 1, 1], (0, 0, 0, 0), False),
        ("reflect", 0.0, [0, 0, 1, 1, 0, 0, 1, 1], (1, 1, 1, 1), False),
        ("constant", 0.0, [0, 1, 1, 1, 0, 0, 1, 1], (0, 0, 0, 0), False),
        ("constant", 0.0, [0, 0, -1, 1, 0, 0, 1, 1], (0, 0, 0, 0), False),
    ],
)
def test_pad_moves_into_the_convolution(mode, value, pads, own, fuses) -> None:
    s = Sketch()
    padded = s.op("pad", s.x, s.c(pads, np.int64), mode=mode, value=value)
    channels = 4 + pads[1]
    graph = s.finish([s.op("conv2d", padded, s.random(2, channels, 3, 3), pads=own)])
    fused = optimize(graph)
    assert ops(fused) == (["conv2d"] if fuses else ["pad", "conv2d"])
    check_same_values(graph, fused)


def test_bias_and_activation_move_into_the_convolution() -> None:
    s = Sketch()
    conv = s.op("conv2d", s.x, s.random(3, 4, 3, 3))
    graph = s.finish([s.op("relu", s.op("add", s.random(1, 3, 1, 1), conv))])
    fused = optimize(graph)
    assert ops(fused) == ["conv2d"]
    assert len(fused.nodes[0].inputs) == 3
    assert fused.nodes[0].attrs["activation"] == "relu"
    check_same_values(graph, fused)


def test_a_value_read_twice_or_given_out_keeps_its_node() -> None:
    s = Sketch()
    conv = s.op("conv2d", s.x, s.random(3, 4, 3, 3))
    graph = s.finish([s.op("relu", conv), conv])
    assert ops(optimize(graph)) == ["conv2d", "relu"]
    s = Sketch()
    conv = s.op("conv2d", s.x, s.random(3, 4, 3, 3))
    graph = s.finish([s.op("add", s.op("relu", conv), s.op("tanh", conv))])
    assert ops(optimize(graph)) == ["conv2d", "relu", "tanh", "add"]


@pytest.mark.parametrize("swap", [False, True])
def test_residual_moves_into_the_norm_after_its_activation(swap: bool) -> None:
    s = Sketch()
    y = s.op("instance_norm", s.x, s.random(4), s.random(4))
    y = s.op("relu", y)
    y = s.op("add", *((s.x, y) if swap else (y, s.x)))
    graph = s.finish([s.op("sigmoid", y)])
    fused = optimize(graph)
    assert ops(fused) == ["instance_norm", "sigmoid"]
    assert fused.nodes[0].inputs[3] == "x"
    assert fused.nodes[0].attrs["activation"] == "relu"
    check_same_values(graph, fused)


def test_an_activation_after_a_residual_stays() -> None:
    s = Sketch()
    y = s.op("instance_norm", s.x, s.random(4), s.random(4))
    graph = s.finish([s.op("relu", s.op("add", y, s.x))])
    fused = optimize(graph)
    assert ops(fused) == ["instance_norm", "relu"]
    assert fused.nodes[0].attrs["activation"] == ""
    check_same_values(graph, fused)


def test_of_two_norms_added_one_takes_the_other_as_residual() -> None:
    s = Sketch()
    left = s.op("instance_norm", s.x, s.random(4), s.random(4))
    right = s.op("instance_norm", s.op("tanh", s.x), s.random(4), s.random(4))
    graph = s.finish([s.op("add", left, right)])
    fused = optimize(graph)
    assert ops(fused) in (
        ["tanh", "instance_norm", "instance_norm"],
        ["instance_norm", "tanh", "instance_norm"],
    )
    check_same_values(graph, fused)


def test_a_norm_added_to_itself_stays() -> None:
    s = Sketch()
    y = s.op("instance_norm", s.x, s.random(4), s.random(4))
    graph = s.finish([s.op("add", y, y)])
    assert ops(optimize(graph)) == ["instance_norm", "add"]


@pytest.mark.parametrize("column", ["unsqueeze", "reshape"])
def test_mixes_of_one_vector_become_one_product(column: str) -> None:
    s = Sketch()
    weights = s.input("style_weights", F32, (5,))
    if column == "unsqueeze":
        stood = s.op("unsqueeze", weights, axes=(1,))
    else:
        stood = s.op("reshape", weights, s.c([-1, 1], np.int64))
    a = s.op("reduce_sum", s.op("mul", stood, s.random(5, 3)), axes=(0,), keepdims=False)
    b = s.op("reduce_sum", s.op("mul", s.random(5, 2), stood), axes=(-2,), keepdims=False)
    c = s.op("matmul", weights, s.random(5, 4))
    graph = s.finish([a, b, c])
    fused = optimize(graph)
    assert ops(fused) == ["vecmat", "slice1d", "slice1d", "slice1d"]
    assert fused.nodes[0].label == "style"
    assert [node.attrs["start"] for node in fused.nodes[1:]] == [0, 3, 5]
    check_same_values(graph, fused, style_weights=RNG.random(5).astype(np.float32))


def test_a_single_mix_needs_no_slice() -> None:
    s = Sketch()
    weights = s.input("v", F32, (5,))
    graph = s.finish([s.op("matmul", weights, s.random(5, 4))])
    assert ops(optimize(graph)) == ["vecmat"]


def test_unknown_pass_offers_the_nearest() -> None:
    s = Sketch()
    graph = s.finish([s.op("relu", s.x)])
    with pytest.raises(ZhisuanError) as caught:
        optimize(graph, until="fuse_pad")
    assert str(caught.value) == (
        "error: unknown pass 'fuse_pad'\n"
        f"  expected: {', '.join(PASSES)}\n"
        "  try:      did you mean 'fuse_pad_conv'?"
    )
