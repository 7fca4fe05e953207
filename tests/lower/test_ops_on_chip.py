"""Every op that has a kernel, on the chip, against its NumPy reference on odd shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import reference
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.lower import lower
from zhisuan.runtime.device import play

MACHINE = load("dlp-s")
TIGHT = replace(MACHINE, name="tight", nram=replace(MACHINE.nram, size=131_072 + 24_576))
"""A machine whose NRAM forces many tiles, in both directions."""


def halves(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random float32 values that FP16 holds exactly."""
    random = np.random.default_rng(seed)
    return random.standard_normal(shape).astype(np.float16).astype(np.float32)


def compare(graph: Graph, feeds: dict[str, np.ndarray], machine: Machine = MACHINE,
            tolerance: float = 3e-3) -> None:  # fmt: skip
    """The chip's outputs lie within `tolerance` of the reference, relative to its largest."""
    binding = reference.bind(graph, feeds)
    lowered = lower(graph, binding, machine)
    ours, _ = play(lowered.plan, lowered.programs, lowered.constants, feeds, machine)
    theirs = reference.run(graph, feeds)
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape
        scale = max(1e-3, float(np.max(np.abs(expected))))
        error = float(np.max(np.abs(ours[name].astype(np.float32) - expected))) / scale
        assert error < tolerance, f"{name}: relative error {error:.2g}"


def convolution(x: tuple[int, int, int], co: int, kernel: tuple[int, int], bias: bool = False,
                **attrs: Any) -> tuple[Graph, dict[str, np.ndarray]]:  # fmt: skip
    build = GraphBuilder("one")
    shape = (1, *x)
    build.input("x", F32, shape)
    names = ["x", build.constant("w", halves((co, x[0], *kernel), 1))]
    if bias:
        names.append(build.constant("b", halves((co,), 2)))
    build.node("conv2d", names, attrs, output="y", label="conv")
    return build.finish(["y"]), {"x": halves(shape, 3)}


CONVOLUTIONS = {
    "one pixel": ((3, 1, 1), 1, (1, 1), {}),
    "first layer": ((3, 21, 30), 32, (9, 9), {"pads": (4, 4, 4, 4), "pad_mode": "reflect"}),
    "residual layer": ((32, 13, 17), 32, (3, 3), {"pads": (1, 1, 1, 1), "pad_mode": "reflect"}),
    "stride two, odd": ((32, 15, 19), 32, (3, 3),
                        {"strides": (2, 2), "pads": (1, 1, 1, 1), "pad_mode": "reflect"}),
    "zeros around": ((5, 11, 7), 7, (3, 5), {"pads": (1, 2, 1, 2)}),
    "uneven zeros": ((2, 6, 9), 4, (4, 2), {"pads": (0, 3, 2, 1)}),
    "edge": ((4, 8, 9), 8, (3, 3), {"pads": (1, 1, 1, 1), "pad_mode": "edge"}),
    "dilated": ((3, 20, 23), 6, (3, 3), {"dilations": (2, 3), "pads": (2, 3, 2, 3)}),
    "many channels": ((70, 5, 6), 130, (3, 3), {"pads": (1, 1, 1, 1)}),
    "three out": ((4, 18, 23), 3, (9, 9), {"pads": (4, 4, 4, 4), "pad_mode": "reflect"}),
    "stride three": ((3, 17, 29), 9, (5, 2), {"strides": (3, 4)}),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name: str) -> None:
    x, co, kernel, attrs = CONVOLUTIONS[name]
    compare(*convolution(x, co, kernel, **attrs))


@pytest.mark.parametrize(
    "name", sorted(CONVOLUTIONS.keys() - {"many channels"})
)  # needs over 24 KB
def test_convolution_in_many_tiles(name: str) -> None:
    x, co, kernel, attrs = CONVOLUTIONS[name]
    compare(*convolution(x, co, kernel, **attrs), TIGHT)


def test_filters_larger_than_wram_come_in_parts() -> None:
    """64 output channels from 70 by 5 × 5 need 225,280 bytes: three parts for 150."""
    graph, feeds = convolution((70, 7, 9), 150, (5, 5), bias=True, pads=(2, 2, 2, 2))
    small = replace(MACHINE, wram=replace(MACHINE.wram, size=300_000))
    lowered = lower(graph, {}, small)
    (launch,) = lowered.plan.launches
    assert (launch.args["part"], launch.args["buffers"]) == (64, 1)
    compare(graph, feeds, small)


CHIPS: dict[str, dict[str, int]] = {
    "one core": {},
    "cores": {"chip.cores_per_cluster": 4},
    "clusters": {
        "chip.clusters": 2, "chip.cores_per_cluster": 3, "sram.size": 200_000, "sram.stack": 16_384,
    },
}  # fmt: skip


@pytest.mark.parametrize("mode", ["constant", "reflect"])
@pytest.mark.parametrize("chip", CHIPS)
def test_filters_of_which_64_exceed_wram_come_in_slices(chip: str, mode: str) -> None:
    """64 output channels from 70 by 5 × 5 need 225,280 bytes: five slices of 14 channels."""
    attrs = {"pads": (2, 2, 2, 2), "pad_mode": mode, "activation": "relu"}
    graph, feeds = convolution((70, 7, 9), 150, (5, 5), bias=True, **attrs)
    small = vary(MACHINE, {"wram.size": 64 << 10, **CHIPS[chip]})
    (launch,) = lower(graph, {}, small).plan.launches
    assert (launch.args["part"], launch.args["slices"]) == (64, 5)
    compare(graph, feeds, small)


def test_channel_sums_of_several_parts_lie_together() -> None:
    build = GraphBuilder("two")
    shape = (1, 40, 9, 11)
    build.input("x", F32, shape)
    build.constant("w", halves((100, 40, 3, 3), 1))
    for name in "gb":
        build.constant(name, halves((100,), 2))
    build.node("conv2d", ["x", "w"], output="y", label="conv")
    build.node("instance_norm", ["y", "g", "b"], {"activation": "relu"}, output="z", label="norm")
    small = replace(MACHINE, wram=replace(MACHINE.wram, size=80_000))
    compare(build.finish(["z"]), {"x": halves(shape, 3)}, small)


@pytest.mark.parametrize("activation", ["", "relu", "sigmoid", "tanh"])
def test_convolution_with_bias_and_activation(activation: str) -> None:
    graph, feeds = convolution((6, 9, 11), 10, (3, 3), bias=True, activation=activation)
    compare(graph, feeds)


@pytest.mark.parametrize("machine", [MACHINE, TIGHT], ids=["dlp-s", "tight"])
@pytest.mark.parametrize("activation", ["", "relu", "sigmoid"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("shape", [(1, 3, 1, 7), (1, 32, 37, 41)])
def test_instance_norm(
    shape: tuple[int, int, int, int], residual: bool, activation: str, machine: Machine
) -> None:
    build = GraphBuilder("one")
    feeds = {"x": halves(shape, 5) * 3 + 40, "g": halves(shape[1:2], 6), "b": halves(shape[1:2], 7)}
    names = [build.input("x", F32, shape), *(build.input(n, F32, shape[1:2]) for n in "gb")]
    if residual:
        feeds["r"] = halves(shape, 8)
        names.append(build.input("r", F32, shape))
    build.node("instance_norm", names, {"activation": activation}, output="y", label="norm")
    feeds["x"] = feeds["x"].astype(np.float16).astype(np.float32)
    compare(build.finish(["y"]), feeds, machine)


@pytest.mark.parametrize("machine", [MACHINE, TIGHT], ids=["dlp-s", "tight"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 8, 17, 23), (1, 32, 9, 64)])
@pytest.mark.parametrize("scale", [(2, 2), (1, 3)])
def test_resize(shape: tuple[int, ...], scale: tuple[int, int], machine: Machine) -> None:
    build = GraphBuilder("one")
    build.input("x", F32, shape)
    attrs = {"scale_h": scale[0], "scale_w": scale[1]}
    build.node("resize_nearest", ["x"], attrs, output="y", label="resize")
    compare(build.finish(["y"]), {"x": halves(shape, 9)}, machine, tolerance=1e-9)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "maximum", "minimum"])
def test_binary(op: str) -> None:
    build = GraphBuilder("one")
    shape = (1, 5, 31, 37)
    for name in "ab":
        build.input(name, F32, shape)
    build.node(op, ["a", "b"], output="y", label=op)
    feeds = {"a": halves(shape, 1), "b": np.abs(halves(shape, 2)) + 1}
    compare(build.finish(["y"]), {k: v.astype(np.float16).astype(np.float32)
                                  for k, v in feeds.items()}, TIGHT)  # fmt: skip


@pytest.mark.parametrize("op", ["relu", "sigmoid", "tanh", "exp", "log", "sqrt", "abs"])
def test_unary(op: str) -> None:
    build = GraphBuilder("one")
    shape = (1, 3, 13, 7)
    build.input("x", F32, shape)
    build.node(op, ["x"], output="y", label=op)
    x = halves(shape, 4)
    compare(build.finish(["y"]), {"x": np.abs(x) + np.float32(0.5) if op in ("log", "sqrt") else x})


@pytest.mark.parametrize("machine", [MACHINE, TIGHT], ids=["dlp-s", "tight"])
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_pad(mode: str, machine: Machine) -> None:
    build = GraphBuilder("one")
    shape = (1, 5, 23, 29)
    build.input("x", F32, shape)
    build.constant("pads", np.array([0, 0, 2, 3, 0, 0, 1, 4]))
    build.node("pad", ["x", "pads"], {"mode": mode}, output="y", label="pad")
    compare(build.finish(["y"]), {"x": halves(shape, 4)}, machine, tolerance=1e-9)


@pytest.mark.parametrize(
    ("mode", "size"),
    [("constant", (3, 700)), ("reflect", (3, 700)), ("edge", (3, 700)),
     ("constant", (5, 1)), ("edge", (5, 1))],
)  # fmt: skip
def test_pad_wider_than_a_tile(mode: str, size: tuple[int, int]) -> None:
    build = GraphBuilder("one")
    shape = (1, 9, *size)
    build.input("x", F32, shape)
    build.constant("pads", np.array([0, 0, 1, 500, 0, 0, 2, 690]))
    build.node("pad", ["x", "pads"], {"mode": mode}, output="y", label="pad")
    compare(build.finish(["y"]), {"x": halves(shape, 4)}, TIGHT, tolerance=1e-9)


@pytest.mark.parametrize(("k", "n"), [(1, 1), (26, 1038), (7, 64), (129, 65)])
def test_vecmat(k: int, n: int) -> None:
    build = GraphBuilder("one")
    build.input("v", F32, (k,))
    build.constant("m", halves((k, n), 1))
    build.node("vecmat", ["v", "m"], output="y", label="style")
    compare(build.finish(["y"]), {"v": halves((k,), 2)}, tolerance=1e-6)


POOLINGS = {
    "vgg": ((64, 28, 30), {"window": (2, 2), "strides": (2, 2)}),
    "resnet": ((5, 23, 17), {"window": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)}),
    "uneven": ((3, 11, 13), {"window": (4, 2), "strides": (3, 1), "pads": (3, 0, 2, 1)}),
    "whole": ((7, 6, 9), {"window": (6, 9)}),
}


@pytest.mark.parametrize("machine", [MACHINE, TIGHT], ids=["dlp-s", "tight"])
@pytest.mark.parametrize("op", ["max_pool", "average_pool"])
@pytest.mark.parametrize("name", POOLINGS)
def test_pooling(name: str, op: str, machine: Machine) -> None:
    shape, attrs = POOLINGS[name]
    build = GraphBuilder("one")
    build.input("x", F32, (1, *shape))
    count = {"count_padding": True} if op == "average_pool" else {}
    build.node(op, ["x"], {**attrs, **count}, output="y", label="pool")
    compare(build.finish(["y"]), {"x": halves((1, *shape), 3)}, machine)


@pytest.mark.parametrize("wram", [MACHINE.wram.size, 20_000])
@pytest.mark.parametrize("activation", ["", "relu", "tanh"])
@pytest.mark.parametrize(("rows", "k", "n"), [(1, 1, 1), (1, 300, 200), (3, 97, 130), (1, 33, 64)])
def test_linear(rows: int, k: int, n: int, activation: str, wram: int) -> None:
    build = GraphBuilder("one")
    build.input("x", F32, (rows, k))
    build.constant("w", halves((n, k), 1) / 8)
    build.constant("b", halves((n,), 2))
    build.node("linear", ["x", "w", "b"], {"activation": activation}, output="y", label="fc")
    machine = replace(MACHINE, wram=replace(MACHINE.wram, size=wram))
    compare(build.finish(["y"]), {"x": halves((rows, k), 3)}, machine)


@pytest.mark.parametrize("op", ["flatten", "reshape"])
def test_a_flattened_picture_keeps_its_order(op: str) -> None:
    build = GraphBuilder("classifier")
    shape = (1, 5, 4, 3)
    build.input("x", F32, shape)
    build.constant("size", np.array([1, 60]))
    build.constant("w", halves((10, 60), 1))
    names = ["x"] if op == "flatten" else ["x", "size"]
    build.node(op, names, output="row", label="flat")
    build.node("linear", ["row", "w"], output="y", label="fc")
    compare(build.finish(["y"]), {"x": halves(shape, 3)})


@pytest.mark.parametrize(("rows", "n"), [(1, 1), (1, 1000), (5, 37), (2, 4096)])
def test_softmax(rows: int, n: int) -> None:
    build = GraphBuilder("one")
    build.input("x", F32, (rows, n))
    build.node("softmax", ["x"], output="y", label="softmax")
    compare(build.finish(["y"]), {"x": 20 * halves((rows, n), 3)})


def test_ops_without_a_kernel_are_listed_at_once() -> None:
    build = GraphBuilder("strange")
    build.input("x", F32, (1, 2, 3, 4))
    build.node("transpose", ["x"], {"perm": (0, 1, 3, 2)}, output="y", label="t")
    build.node("reduce_mean", ["y"], {"axes": (2, 3)}, output="z", label="m")
    with pytest.raises(ZhisuanError) as caught:
        lower(build.finish(["z"]), {}, MACHINE)
    text = str(caught.value)
    assert text.startswith("error: the DLP has no kernel for 2 op(s) of graph 'strange'\n")
    assert "reduce_mean ×1, transpose ×1" in text
