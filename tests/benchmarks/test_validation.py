"""The answers that must be exact, those with a bound, and the page they are written to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import ladders, validation
from benchmarks.anchors import Anchor, Answer, bounds, diannao, exercise, nvdla, power, silicon, tpu
from zhisuan.base.dtype import F32
from zhisuan.graph.build import GraphBuilder


def assert_exact(anchor: Anchor) -> None:
    for answer in anchor.answers:
        assert answer.ours == answer.theirs, answer.what


def test_the_exercise_machine_is_exact() -> None:
    found = exercise.anchor()
    assert len(found.answers) == 4
    assert_exact(found)


def test_diannao_is_exact() -> None:
    found = diannao.diannao()
    assert [answer.what for answer in found.answers] == [
        "CONV1", "CONV3", "CONV4", "CLASS1", "CLASS3",
    ]  # fmt: skip
    assert_exact(found)


@pytest.mark.parametrize(
    ("make", "bound", "asked"),
    [(diannao.dadiannao, 0.02, 2), (nvdla.anchor, 0.05, 4), (tpu.anchor, 0.15, 3),
     (power.peak, 0.01, 1)],
    ids=["DaDianNao", "NVDLA", "TPU", "DianNao's peak"],
)  # fmt: skip
def test_within_the_bound(make: Callable[[], Anchor], bound: float, asked: int) -> None:
    judged = [answer for answer in make().answers if answer.bound is not None]
    assert len(judged) == asked
    for answer in judged:
        assert answer.bound == bound
        assert abs(answer.error or 0) <= bound, answer.what


def test_the_least_traffic_of_a_layer() -> None:
    build = GraphBuilder("one")
    build.input("x", F32, (1, 4, 10, 10))
    weights = build.constant("w", np.zeros((8, 4, 3, 3), np.float32))
    build.node("conv2d", ["x", weights], {"pads": (1, 1, 1, 1)}, output="y", label="conv")
    graph = build.finish(["y"])
    once = 400 + 288 + 800  # words in, of weights, out
    assert bounds.least_traffic(graph, 1 << 20) == 2 * once
    macs = 800 * 36
    assert bounds.least_traffic(graph, 32) == pytest.approx(2 * (2 * macs / (9 * 16) ** 0.5 + 800))


def test_the_layers_of_resnet50() -> None:
    layers = list(nvdla.resnet50())
    macs = sum(x.pixels * x.kernel**2 * x.inputs * x.outputs for x in layers)
    assert len(layers) == 54
    assert macs / 1e9 == pytest.approx(3.86, abs=0.01)  # with the stride in the first 1 × 1


def test_tpu_applications_have_the_published_sizes() -> None:
    for name, weights, intensity in (("MLP0", 20, 200), ("LSTM0", 52, 64), ("CNN0", 8, 2888)):
        application = tpu.APPLICATIONS[name]
        size = sum(layer.inputs * layer.outputs for layer in application.layers)
        assert size / 1e6 == pytest.approx(weights, rel=0.02)
        assert application.operations == 2 * size * intensity
    assert sum(layer.passes for layer in tpu.APPLICATIONS["LSTM0"].layers) == 34


def test_the_pipeline_on_silicon_is_bound_by_dram() -> None:
    rows, k, n = ladders.COURSE
    ideal = 1e3 * rows * (k + n) * 4 / 307.2e9
    ours = ladders.on_a_card("three_stage", rows // 16)
    assert ideal < ours < 1.3 * ideal  # rows, refresh, turns of the bus
    assert ours == pytest.approx(ladders.CARDS[silicon.X8]["three_stage"], rel=0.25)


@pytest.mark.parametrize("rung", ["scalar_gdram", "scalar_nram"])
def test_scalar_loops_take_the_time_of_silicon(rung: str) -> None:
    assert ladders.on_a_card(rung, 2) == pytest.approx(ladders.CARDS[silicon.X8][rung], rel=0.1)


def test_the_page() -> None:
    fine = Answer("a", 100, "ms", "F", 109)
    far = Answer("b", 2000, "W", "R", 1000, "we know why")
    missing = Answer("c", 1, "J", "D", None, "we have none")
    text = validation.section(Anchor("Title", "Method.", (fine, far, missing)))
    assert (
        text
        == """\
## Title

Method.

| | published | ours | error | asked for | tag |
|---|---:|---:|---:|---:|:-:|
| a | 100 ms | 109 ms | +9.00 % |  | F |
| b | 2,000 W | 1,000 W | -50.00 % |  | R |
| c | 1 J | – | – |  | D |

- b: we know why.
- c: we have none."""
    )
    assert validation.faults([fine, far, missing]) == []
    assert validation.faults([replace(fine, bound=0.05), replace(far, note="")]) == [
        "a: 9.00 % off, 5 % asked",
        "b: 50.0 % off and no word why",
    ]
