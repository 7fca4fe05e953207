"""Integer layers on the chip give the bits of their NumPy references, on one core and on many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.base.dtype import F32, I8
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import reference
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.graph.ops import OPS
from zhisuan.lower import lower
from zhisuan.quantize import calibrate, quantize
from zhisuan.runtime.device import play
from zhisuan.sim.checks.run import CHECKS

ONE = load("dlp-s")
MANY = load("mlu270")
SMALL = {"nram.stack": 16 << 10, "nram.size": 46 << 10, "wram.size": 5 * 4096}
MACHINES = {
    "one core": ONE,
    "many cores": MANY,
    "little memory": vary(ONE, SMALL),
    "many cores, little memory": vary(
        MANY, {**SMALL, "sram.stack": 16 << 10, "sram.size": 36 << 10, "chip.clusters": 2}
    ),
}


def integers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


def affine(build: GraphBuilder, outputs: int, size: float) -> list[str]:
    """Scales of about `size`, and shifts, as constants."""
    random = np.random.default_rng(7)
    scale = (random.random(outputs) * size).astype(np.float32)
    shift = random.normal(0, 20, outputs).astype(np.float32)
    return [build.constant("scale", scale), build.constant("shift", shift)]


def agree(graph: Graph, feeds: dict[str, np.ndarray], machine: str) -> None:
    """The chip's outputs are the reference's, bit by bit; float32 ones rounded to FP16."""
    chip = MACHINES[machine]
    lowered = lower(graph, {}, chip)
    plan = lowered.plan
    ours, _ = play(plan, lowered.programs, lowered.constants, feeds, chip, checks=CHECKS)
    for name, expected in reference.run(graph, feeds).items():
        if expected.dtype != np.int8:
            expected = expected.astype(np.float16)
        assert ours[name].dtype == expected.dtype
        assert np.array_equal(ours[name], expected), name


CONVOLUTIONS: dict[str, tuple[tuple[int, int, int], int, tuple[int, int], dict[str, Any]]] = {
    "one pixel": ((3, 1, 1), 1, (1, 1), {}),
    "plain": ((16, 13, 17), 64, (3, 3), {"pads": (1, 1, 1, 1)}),
    "packed": ((3, 14, 23), 8, (3, 3), {"pads": (1, 1, 1, 1), "activation": "relu"}),
    "parts": ((20, 9, 7), 200, (3, 3), {"pads": (1, 1, 1, 1), "activation": "relu"}),
    "slices": ((96, 5, 6), 70, (3, 3), {"pads": (1, 1, 1, 1)}),
    "strided": ((5, 17, 29), 9, (5, 2), {"strides": (3, 4)}),
    "mirrored": ((4, 12, 15), 33, (3, 5), {"pads": (1, 2, 1, 2), "pad_mode": "reflect"}),
    "to floats": ((6, 9, 11), 70, (3, 3), {"pads": (1, 1, 1, 1), "to": "f32"}),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(case: str, machine: str) -> None:
    x, co, kernel, attrs = CONVOLUTIONS[case]
    build = GraphBuilder("one")
    build.input("x", I8, (1, *x))
    weight = build.constant("w", integers((co, x[0], *kernel), 1))
    taps = x[0] * kernel[0] * kernel[1]
    names = ["x", weight, *affine(build, co, 0.02 / np.sqrt(taps))]
    build.node("conv2d_i8", names, attrs, output="y", label="conv")
    agree(build.finish(["y"]), {"x": integers((1, *x), 2)}, machine)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("to", ["i8", "f16"])
@pytest.mark.parametrize(("rows", "k", "n"), [(1, 1, 1), (3, 700, 130), (1, 1500, 1000)])
def test_linear(rows: int, k: int, n: int, to: str, machine: str) -> None:
    build = GraphBuilder("one")
    build.input("x", I8, (rows, k))
    weight = build.constant("w", integers((n, k), 1))
    names = ["x", weight, *affine(build, n, 0.02 / np.sqrt(k))]
    build.node("linear_i8", names, {"to": to, "activation": "relu"}, output="y", label="fc")
    agree(build.finish(["y"]), {"x": integers((rows, k), 2)}, machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_from_halves_to_integers_and_back(machine: str) -> None:
    build = GraphBuilder("one")
    shape = (1, 5, 23, 31)
    build.input("x", F32, shape)
    form = {"position": -4, "scale": 1.25}
    q = build.node("quantize", ["x"], form, label="quantize")
    pooling = {"window": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)}
    p = build.node("max_pool", [q], pooling, label="pool")
    build.node("dequantize", [p], {**form, "to": "f16"}, output="y", label="dequantize")
    x = np.random.default_rng(0).normal(0, 5, shape).astype(np.float16).astype(np.float32)
    agree(build.finish(["y"]), {"x": x}, machine)


@pytest.mark.parametrize("machine", ["one core", "many cores"])
def test_a_quantised_network(machine: str) -> None:
    build = GraphBuilder("net")
    random = np.random.default_rng(3)

    def layer(op: str, x: str, weights: tuple[int, ...], name: str, **attrs: Any) -> str:
        w = random.normal(0, 1 / np.sqrt(np.prod(weights[1:])), weights).astype(np.float32)
        b = random.normal(0, 0.1, weights[0]).astype(np.float32)
        inputs = [x, build.constant(f"{name}.w", w), build.constant(f"{name}.b", b)]
        return build.node(op, inputs, attrs, output=name, label=name)

    value = build.input("x", F32, (1, 3, 16, 20))
    value = layer("conv2d", value, (24, 3, 3, 3), "conv1", pads=(1, 1, 1, 1), activation="relu")
    value = build.node("max_pool", [value], {"window": (2, 2), "strides": (2, 2)}, label="pool")
    value = layer("conv2d", value, (70, 24, 3, 3), "conv2", pads=(1, 1, 1, 1), activation="relu")
    value = build.node("flatten", [value], label="flatten")
    value = layer("linear", value, (10, 70 * 8 * 10), "fc")
    x = random.normal(0, 1, (1, 3, 16, 20)).astype(np.float16).astype(np.float32)
    graph = build.finish([value])
    feeds = {"x": x}
    agree(quantize(graph, calibrate(graph, [feeds])).graph, feeds, machine)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("co", "shape"), [(32, (16, 21)), (70, (13, 9)), (8, (30, 31))])
def test_normalisation_of_integer_sums(co: int, shape: tuple[int, int], machine: str) -> None:
    """The convolution makes the channel sums of its halves; the norm is right to FP16."""
    build = GraphBuilder("one")
    build.input("x", I8, (1, 5, *shape))
    weight = build.constant("w", integers((co, 5, 3, 3), 1))
    names = ["x", weight, *affine(build, co, 0.02)]
    y = build.node("conv2d_i8", names, {"to": "f32", "pads": (1, 1, 1, 1)}, label="conv")
    random = np.random.default_rng(3)
    vectors = [build.constant(n, random.normal(0, 1, co).astype(np.float32)) for n in ("a", "b")]
    graph = build.finish([build.node("instance_norm", [y, *vectors], output="y", label="norm")])
    chip, feeds = MACHINES[machine], {"x": integers((1, 5, *shape), 2)}
    lowered = lower(graph, {}, chip)
    assert [launch.kernel for launch in lowered.plan.launches] == ["conv2d", "instance_norm"]
    ours, _ = play(lowered.plan, lowered.programs, lowered.constants, feeds, chip, checks=CHECKS)
    expected = reference.run(graph, feeds)["y"]
    np.testing.assert_allclose(ours["y"].astype(np.float32), expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("residual", [False, True])
def test_a_normalisation_gives_integers_itself(residual: bool, machine: str) -> None:
    """They are its halves quantised, whether those are wanted too or not."""
    shape = (1, 33, 19, 14)
    random = np.random.default_rng(3)
    form = {"position": -5, "scale": 1.25}  # some numbers saturate
    build = GraphBuilder("one")
    images = [build.input(name, F32, shape) for name in ("x", "r")[: 1 + residual]]
    vectors = [build.constant(n, random.normal(0, 1, 33).astype(np.float32)) for n in ("a", "b")]
    names = [images[0], *vectors, *images[1:]]
    y = build.node("instance_norm", names, {"activation": "relu"}, output="y", label="norm")
    q = build.node("quantize", [y], form, output="q", label="quantize")
    graph = build.finish([q, y])
    feeds = {name: random.normal(0, 2, shape).astype(np.float16).astype(np.float32)
             for name in images}  # fmt: skip
    chip, found = MACHINES[machine], []
    for outputs in (("q", "y"), ("q",)):
        lowered = lower(replace(graph, outputs=outputs), {}, chip)
        kernels = [launch.kernel for launch in lowered.plan.launches]
        assert kernels == ["channel_sums", "instance_norm"]
        run = play(lowered.plan, lowered.programs, lowered.constants, feeds, chip, checks=CHECKS)
        found.append(run[0])
    expected = OPS["quantize"].reference(found[0]["y"], **form)
    assert np.array_equal(found[0]["q"], expected) and np.array_equal(found[1]["q"], expected)
    assert set(found[1]) == {"q"} and expected.max() == 127 and len(np.unique(expected)) > 50


@pytest.mark.parametrize("op", ["relu", "add"])
def test_ops_whose_kernels_know_no_integers(op: str) -> None:
    build = GraphBuilder("one")
    x = build.input("x", I8, (1, 5, 6, 8))
    graph = build.finish([build.node(op, [x, x][: 1 + (op == "add")], output="y", label="n")])
    with pytest.raises(ZhisuanError) as caught:
        lower(graph, {}, ONE)
    assert str(caught.value) == (
        f"error: {op} 'n' cannot be lowered\n"
        "  where:    graph 'one'\n"
        "  expected: floats, or an op among average_pool, conv2d_i8, dequantize, flatten, "
        "linear_i8, max_pool, pad, quantize, reshape, resize_nearest\n"
        "  found:    'x' of 8-bit integers\n"
        "  try:      put a dequantize before it"
    )
