"""Operators that share values, weights and names; what the lowering refuses to guess."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.arch.machine import Machine
from zhisuan.base.dtype import F32, I64
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import reference
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.lower import lower
from zhisuan.runtime.device import play

MACHINE = load("dlp-s")


def numbers(*shape: int) -> np.ndarray:
    """Random float32 values that FP16 holds exactly."""
    random = np.random.default_rng(shape)
    return random.standard_normal(shape).astype(np.float16).astype(np.float32)


def image(c: int = 3, h: int = 9, w: int = 14) -> tuple[GraphBuilder, dict[str, np.ndarray]]:
    build = GraphBuilder("together")
    build.input("x", F32, (1, c, h, w))
    return build, {"x": numbers(1, c, h, w)}


def run(
    graph: Graph, feeds: dict[str, np.ndarray], machine: Machine = MACHINE
) -> dict[str, np.ndarray]:
    lowered = lower(graph, {}, machine)
    return play(lowered.plan, lowered.programs, lowered.constants, feeds, machine)[0]


def compare(graph: Graph, feeds: dict[str, np.ndarray], machine: Machine = MACHINE) -> None:
    ours, theirs = run(graph, feeds, machine), reference.run(graph, feeds)
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=0.02, err_msg=name)


@pytest.mark.parametrize("size", [(9, 14), (1, 3), (60, 50)])
def test_the_bias_of_a_normalised_convolution_counts(size: tuple[int, int]) -> None:
    build, feeds = image(3, *size)
    build.constant("w", numbers(5, 3, 1, 1))
    build.constant("b", 10 * numbers(5))
    build.constant("one", np.ones(5, np.float32))
    y = build.node("conv2d", ["x", "w", "b"], label="conv")
    build.node("instance_norm", [y, "one", "b"], {"epsilon": 0.1}, output="z", label="norm")
    compare(build.finish(["z"]), feeds)


def test_one_filter_with_different_strides() -> None:
    build, feeds = image()
    build.constant("w", 0.3 * numbers(4, 3, 2, 2))
    outputs = []
    for index, strides in enumerate([(1, 1), (2, 2), (1, 3)]):
        name = build.node("conv2d", ["x", "w"], {"strides": strides}, label=f"conv{index}")
        outputs.append(name)
    compare(build.finish(outputs), feeds)


def test_values_may_be_called_as_the_lowering_calls_its_own() -> None:
    build, feeds = image()
    build.constant("w", 0.3 * numbers(3, 3, 1, 1))
    build.constant("one", np.ones(3, np.float32))
    a = build.node("conv2d", ["x", "w"], output="a.sums", label="conv")
    a = build.node("relu", [a], output="a", label="relu")
    build.node("instance_norm", [a, "one", "one"], {"epsilon": 0.1}, output="b", label="norm")
    compare(build.finish(["a.sums", "b"]), feeds)


def test_an_inner_value_may_be_an_output_too() -> None:
    build, feeds = image()
    build.node("relu", ["x"], output="a", label="relu")
    build.node("abs", ["a"], output="y", label="abs")
    compare(build.finish(["y", "a"]), feeds)


def refused(graph: Graph, *words: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        lower(graph, {}, MACHINE)
    for word in words:
        assert word in str(caught.value)


def test_outputs_that_no_launch_makes_are_refused() -> None:
    for output in ("x", "c"):
        build, _ = image()
        build.constant("c", numbers(1, 3, 9, 14))
        build.node("relu", ["x"], output="y", label="relu")
        refused(build.finish(["y", output]), f"output '{output}' is not computed on the chip")


@pytest.mark.parametrize(
    ("op", "count", "shape"),
    [("maximum", 1, (1, 2, 3, 4)), ("minimum", 3, (1, 2, 3, 4)), ("add", 2, (2, 2, 3, 4)),
     ("relu", 1, (2, 2, 3, 4)), ("abs", 1, (1, 2, 0, 4))],
)  # fmt: skip
def test_shapes_without_a_kernel_are_refused(op: str, count: int, shape: tuple[int, ...]) -> None:
    build = GraphBuilder("odd")
    build.input("x", F32, shape)
    build.node(op, ["x"] * count, output="y", label="it")
    refused(build.finish(["y"]), "cannot be lowered", str(list(shape)))


def test_whole_numbers_are_refused() -> None:
    build = GraphBuilder("odd")
    build.input("x", I64, (1, 2, 3, 4))
    build.node("abs", ["x"], output="y", label="it")
    refused(build.finish(["y"]), "cannot be lowered", "floats", "i64[1, 2, 3, 4]")


def test_inputs_too_large_for_fp16_are_refused() -> None:
    build, feeds = image()
    build.node("relu", ["x"], output="y", label="relu")
    feeds["x"][0, 1, 2, 3] = 1e5
    with pytest.raises(ZhisuanError) as caught:
        run(build.finish(["y"]), feeds)
    assert str(caught.value) == (
        "error: 'x' has values that f16 cannot hold\n"
        "  expected: numbers up to 65,504 in size\n"
        "  found:    100000\n"
        "  try:      scale the values down"
    )


def test_infinite_inputs_stay_infinite() -> None:
    build, feeds = image()
    build.node("abs", ["x"], output="y", label="abs")
    graph: Any = build.finish(["y"])
    feeds["x"][0, 1, 2, 3] = -np.inf
    assert run(graph, feeds)["y"][0, 1, 2, 3] == np.inf


def convolved(shape: tuple[int, int, int], kernel: int, **attrs: Any) -> tuple[Graph, Any]:
    build, feeds = image(*shape)
    build.constant("w", 0.3 * numbers(4, shape[0], kernel, kernel))
    build.node("conv2d", ["x", "w"], attrs, output="y", label="conv")
    return build.finish(["y"]), feeds


@pytest.mark.parametrize("kilobytes", range(8, 20))
def test_a_machine_without_a_stack_keeps_what_kernels_save(kilobytes: int) -> None:
    """NRAM sizes for which tiles would otherwise reach up to its end."""
    graph, feeds = convolved((8, 40, 50), 3, pads=(1, 1, 1, 1))
    for more in (0, 128, 256, 384):
        size = (kilobytes << 10) + more
        machine = vary(MACHINE, {"nram.stack": 0, "nram.size": size})
        compare(graph, feeds, machine)


def test_rows_longer_than_a_field_of_conv() -> None:
    machine = vary(MACHINE, {"nram.size": 16 << 20, "matrix.elements": 1, "wram.size": 1 << 20})
    compare(*convolved((1, 1, 70_000), 1), machine)
    compare(*convolved((1, 70_000, 1), 1), machine)


def test_strides_longer_than_a_field_of_conv() -> None:
    refused(convolved((1, 1, 1), 1, strides=(70_000, 1))[0], "too large for the matrix unit")
