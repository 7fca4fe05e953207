"""Calibration: what is measured, the file it is kept in, and what a damaged one says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import reference
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph
from zhisuan.quantize import calibrate
from zhisuan.quantize.calibration import Calibration, from_text, load, measured

TEXT = """graph = "pair"
inputs = 2
percentile = 100.0

[tensors]
"x" = { largest = 5.0, position = -4, scale = 1.5875 }
"a b" = { largest = 254.0, position = 1, scale = 1.0 }
"""


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path / "cache"))


def pair(factor: float = 3) -> Graph:
    build = GraphBuilder("pair")
    x = build.input("x", F32, (1, 4))
    three = build.constant("factor", np.array(factor, np.float32))
    return build.finish([build.node("mul", [x, three], output="y", label="times")])


def feeds(*values: float) -> dict[str, np.ndarray]:
    return {"x": np.array([values], np.float32)}


def test_the_largest_magnitude_over_all_inputs() -> None:
    found = calibrate(pair(), [feeds(1, -2, 0, 1), feeds(0, 1, 1.5, -0.5)])
    assert (found.graph, found.inputs) == ("pair", 2)
    assert {name: seen.largest for name, seen in found.tensors.items()} == {"x": 2.0, "y": 6.0}
    assert found.tensors["y"] == measured(6.0)


def test_a_percentile_leaves_outliers_out() -> None:
    found = calibrate(pair(), [feeds(1, 2, 3, 4), feeds(0, 0, 0, 100)], percentile=50)
    assert {name: seen.largest for name, seen in found.tensors.items()} == {"x": 2.5, "y": 7.5}


def test_the_same_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    original = reference.run
    monkeypatch.setattr(
        reference, "run", lambda graph, *rest: runs.append(graph.name) or original(graph, *rest)
    )
    first = calibrate(pair(), [feeds(1, 2, 3, 4)])
    assert calibrate(pair(), [feeds(1, 2, 3, 4)]) == first
    assert len(runs) == 1
    changed = [
        calibrate(pair(), [feeds(1, 2, 3, 5)]),
        calibrate(pair(4), [feeds(1, 2, 3, 4)]),
        calibrate(pair(), [feeds(1, 2, 3, 4)], percentile=99),
    ]
    assert len(runs) == 4
    assert all(other != first for other in changed)


@pytest.mark.filterwarnings("ignore:overflow")
def test_results_that_are_not_finite() -> None:
    with pytest.raises(ZhisuanError) as caught:
        calibrate(pair(1e38), [feeds(1, 2, 3, 40)])
    assert str(caught.value) == (
        "error: the tensor 'y' is not finite\n"
        "  where:    graph 'pair'\n"
        "  expected: example inputs whose results are numbers\n"
        "  found:    inf"
    )


def test_an_example_too_small_for_a_filter() -> None:
    build = GraphBuilder("wide")
    x = build.input("x", F32, (1, 1, symbol("h"), 9))
    w = build.constant("w", np.ones((1, 1, 5, 5), np.float32))
    graph = build.finish([build.node("conv2d", [x, w], label="first")])
    with pytest.raises(ZhisuanError) as caught:
        calibrate(graph, [{"x": np.zeros((1, 1, 4, 9), np.float32)}])
    assert str(caught.value).startswith("error: conv2d: the kernel is larger than the padded")


@pytest.mark.parametrize(("count", "percentile"), [(0, 100), (1, 0), (1, 100.5)])
def test_nothing_to_calibrate_with(count: int, percentile: float) -> None:
    with pytest.raises(ZhisuanError, match="nothing to calibrate with"):
        calibrate(pair(), [feeds(1, 2, 3, 4)] * count, percentile)


def test_the_file(tmp_path: Path) -> None:
    calibration = Calibration("pair", 2, 100.0, {"x": measured(5.0), "a b": measured(254.0)})
    text = calibration.to_text()
    scale = float(np.float32(16 * 127 / 5 / 256))
    assert text == TEXT.replace("1.5875 }", f"{scale} }}")
    (tmp_path / "pair.toml").write_text(text)
    assert load(tmp_path / "pair.toml") == calibration


def test_a_position_and_scale_may_be_edited() -> None:
    edited = from_text(TEXT.replace("position = 1, scale = 1.0", "position = 0, scale = 1.0"), "f")
    assert edited.format("a b").factor == 1.0


def test_a_tensor_that_was_not_measured() -> None:
    with pytest.raises(ZhisuanError) as caught:
        from_text(TEXT, "f").format("a_b")
    assert str(caught.value) == (
        "error: the calibration has no range of 'a_b'\n"
        "  where:    the calibration of graph 'pair'\n"
        "  expected: every tensor that a quantised layer reads\n"
        "  found:    2 tensors, not this one\n"
        "  try:      did you mean 'a b'?"
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[tensors]", "[tensors", "not a calibration file"),
        ("inputs = 2\n", "", "the file cannot be read as a calibration"),
        ("largest = 5.0, ", "", "tensor 'x' cannot be read as a calibration"),
        ("position = -4", "position = 1.5", "tensor 'x' cannot be read as a calibration"),
        ("scale = 1.5875", "scale = 2.5", "tensor 'x' has no format of integers"),
        ("scale = 1.5875", "scale = nan", "tensor 'x' has no format of integers"),
        ("position = -4", "position = -101", "tensor 'x' has no format of integers"),
        ('"x" = { largest = 5.0, position = -4, scale = 1.5875 }', '"x" = 5',
         "tensor 'x' cannot be read as a calibration"),
    ],
)  # fmt: skip
def test_a_damaged_file(before: str, after: str, message: str) -> None:
    assert before in TEXT
    with pytest.raises(ZhisuanError) as caught:
        from_text(TEXT.replace(before, after), "here.toml")
    assert str(caught.value).startswith(f"error: {message}\n  where:    here.toml\n")
