"""The rewrite to integers: which layers, which tensors stay real, and what the numbers become."""

from __future__ import annotations

import re

import numpy as np
import pytest

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import text
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph
from zhisuan.graph.macs import macs
from zhisuan.graph.reference import run
from zhisuan.graph.rewrite import optimize
from zhisuan.quantize import Calibration, calibrate, compare, quantize
from zhisuan.quantize.calibration import measured

RNG = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


def classifier() -> Graph:
    """Two convolutions, a pooling, two fully connected layers."""
    build = GraphBuilder("classifier")
    value = build.input("image", F32, (1, 3, 8, 8))
    for name, inputs, outputs in (("first", 3, 6), ("second", 6, 4)):
        operands = [value, build.constant(f"{name}.w", floats(outputs, inputs, 3, 3)),
                    build.constant(f"{name}.b", floats(outputs))]  # fmt: skip
        attrs = {"pads": (1, 1, 1, 1), "activation": "relu"}
        value = build.node("conv2d", operands, attrs, output=name, label=name)
    pool = {"window": (2, 2), "strides": (2, 2)}
    value = build.node("max_pool", [value], pool, output="pooled", label="pool")
    value = build.node("flatten", [value], output="row", label="flatten")
    for name, inputs, outputs in (("third", 64, 12), ("last", 12, 5)):
        operands = [value, build.constant(f"{name}.w", floats(outputs, inputs))]
        value = build.node("linear", operands, output=name, label=name)
    return build.finish([value])


def examples(graph: Graph, count: int = 3) -> list[dict[str, np.ndarray]]:
    def array(name: str) -> np.ndarray:
        shape = graph.value(name).shape
        return floats(*(size for size in shape if isinstance(size, int)))

    return [{name: array(name) for name in graph.inputs} for _ in range(count)]


def nodes(graph: Graph) -> list[str]:
    """`label: op -> type` of every node."""
    return [f"{node.label}: {node.op} -> {graph.values[node.output].dtype}" for node in graph.nodes]


def test_a_classifier_is_of_integers_from_end_to_end() -> None:
    graph = classifier()
    inputs = examples(graph)
    calibration = calibrate(graph, inputs)
    found = quantize(graph, calibration)
    assert nodes(found.graph) == [
        "first/quantize: quantize -> i8",
        "first: conv2d_i8 -> i8",
        "second: conv2d_i8 -> i8",
        "pool: max_pool -> i8",
        "flatten: flatten -> i8",
        "third: linear_i8 -> i8",
        "last: linear_i8 -> f32",
    ]
    assert macs(found.graph, {}) == macs(graph, {})
    assert found.formats["row"] == found.formats["second"] == calibration.format("second")
    assert all(array.dtype != np.float32 or array.ndim == 1
               for array in found.graph.constants.values())  # fmt: skip
    sqnr = compare(graph, found, inputs).sqnr
    assert set(sqnr) == {"first", "second", "pooled", "row", "third", "last"}
    assert 25 < min(sqnr.values()) < 60


def test_the_graph_is_a_file_and_nothing_to_optimise_is_left() -> None:
    graph = classifier()
    inputs = examples(graph)
    whole = quantize(graph, calibrate(graph, inputs)).graph
    again = text.loads(text.dumps(whole), text.stored_constants(whole))
    assert text.dumps(optimize(again)) == text.dumps(whole)
    np.testing.assert_array_equal(run(again, inputs[0])["last"], run(whole, inputs[0])["last"])


def test_weights_bias_and_scales_are_those_of_the_formulas() -> None:
    """All formats are plain integers but the result's, whose step is 2."""
    build = GraphBuilder("one")
    x = build.input("x", F32, (1, 2))
    w = build.constant("w", np.array([[127, -3], [5, 7.4]], np.float32))
    bias = build.constant("bias", np.array([10, -6], np.float32))
    hidden = build.node("linear", [x, w, bias], {"activation": "relu"}, output="h", label="one")
    eye = build.constant("eye", 127 * np.eye(2, dtype=np.float32))
    graph = build.finish([build.node("linear", [hidden, eye], output="y", label="two")])
    seen = {"x": measured(127), "h": measured(254)}
    whole = quantize(graph, Calibration("one", 1, 100.0, seen)).graph
    constants = {name: array.tolist() for name, array in whole.constants.items()}
    assert constants == {
        "w.i8": [[127, -3], [5, 7]],
        "one.scale": [0.5, 0.5],
        "one.shift": [5, -3],
        "eye.i8": [[127, 0], [0, 127]],
        "two.scale": [2, 2],
        "two.shift": [0, 0],
    }
    feeds = {"x": np.array([[1, 2]], np.float32)}  # 127 - 6 + 10 = 131; 5 + 14 - 6 = 13
    hidden_integers = [round(131 / 2), round(13 / 2)]  # 65.5 -> 66 and 6.5 -> 6: ties to even
    assert run(whole, feeds)["y"].tolist() == [[2 * 127 * q for q in hidden_integers]]


def test_every_output_channel_may_have_its_own_scale() -> None:
    graph = classifier()
    graph.constants["first.w"][0] *= 0.01
    inputs = examples(graph)
    calibration = calibrate(graph, inputs)
    one = quantize(graph, calibration).graph
    many = quantize(graph, calibration, per_channel=True)
    assert np.abs(one.constants["first.w.i8"][0]).max() < 5
    assert np.abs(many.graph.constants["first.w.i8"]).reshape(6, -1).max(1).tolist() == [127] * 6
    assert len(np.unique(many.graph.constants["first.scale"])) == 6
    assert len(np.unique(one.constants["first.scale"])) == 1
    better = compare(graph, many, inputs).sqnr["first"]
    assert better > compare(graph, quantize(graph, calibration), inputs).sqnr["first"]


def test_a_layer_that_is_kept_reads_and_gives_real_numbers() -> None:
    graph = classifier()
    found = quantize(graph, calibrate(graph, examples(graph)), keep=["second", "last"])
    assert nodes(found.graph) == [
        "first/quantize: quantize -> i8",
        "first: conv2d_i8 -> f32",
        "second: conv2d -> f32",
        "pool/quantize: quantize -> i8",
        "pool: max_pool -> i8",
        "flatten: flatten -> i8",
        "third: linear_i8 -> f32",
        "last: linear -> f32",
    ]


def test_a_value_that_real_ops_read_too_stays_real_and_is_quantised_once() -> None:
    build = GraphBuilder("residual")
    x = build.input("x", F32, (1, 4, 6, 6))
    filters = [build.constant(f"w{i}", floats(4, 4, 1, 1)) for i in range(3)]
    a = build.node("conv2d", [x, filters[0]], output="a", label="a")
    b = build.node("conv2d", [a, filters[1]], {"activation": "sigmoid"}, output="b", label="b")
    c = build.node("conv2d", [a, filters[2]], output="c", label="c")
    total = build.node("add", [b, c], output="bc", label="add")
    graph = build.finish([build.node("add", [total, a], output="y", label="sum")])
    inputs = examples(graph)
    found = quantize(graph, calibrate(graph, inputs))
    assert nodes(found.graph) == [
        "a/quantize: quantize -> i8",
        "a: conv2d_i8 -> f32",
        "b/quantize: quantize -> i8",
        "b: conv2d_i8 -> f32",
        "b/sigmoid: sigmoid -> f32",
        "c: conv2d_i8 -> f32",
        "add: add -> f32",
        "sum: add -> f32",
    ]
    assert compare(graph, found, inputs).sqnr["y"] > 30


@pytest.mark.parametrize(("value", "padded"), [(0.0, "i8"), (1.0, "f32")])
def test_moves_are_of_integers_where_zero_is_zero(value: float, padded: str) -> None:
    build = GraphBuilder("moves")
    x = build.input("x", F32, (1, 4, 6, 6))
    pads = build.constant("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    a = build.node("pad", [x, pads], {"value": value}, output="padded", label="pad")
    a = build.node("resize_nearest", [a], {"scale_h": 2, "scale_w": 1}, output="wide", label="wide")
    w = build.constant("w", floats(4, 4, 3, 3))
    graph = build.finish([build.node("conv2d", [a, w], output="y", label="conv")])
    inputs = examples(graph)
    found = quantize(graph, calibrate(graph, inputs))
    types = {name: str(found.graph.value(name).dtype) for name in ("padded", "wide", "y")}
    assert types == {"padded": padded, "wide": "i8", "y": "f32"}
    assert compare(graph, found, inputs).sqnr["y"] > 35


def test_an_output_stays_real_though_a_layer_reads_it() -> None:
    build = GraphBuilder("tapped")
    x = build.input("x", F32, (1, 8))
    a = build.node("linear", [x, build.constant("w", floats(8, 8))], output="a", label="a")
    b = build.node("linear", [a, build.constant("v", floats(8, 8))], output="b", label="b")
    graph = build.finish([a, b])
    found = quantize(graph, calibrate(graph, examples(graph))).graph
    assert [str(found.value(name).dtype) for name in found.outputs] == ["f32", "f32"]


def test_dead_weights_and_dead_tensors_are_no_trouble() -> None:
    build = GraphBuilder("dead")
    x = build.input("x", F32, (1, 8))
    a = build.node("linear", [x, build.constant("w", np.zeros((8, 8), np.float32))], label="a")
    graph = build.finish([build.node("linear", [a, build.constant("v", floats(8, 8))], label="b")])
    found = quantize(graph, calibrate(graph, examples(graph)), per_channel=True)
    (result,) = run(found.graph, examples(graph)[0]).values()
    assert not result.any()


def test_layers_that_cannot_be_kept() -> None:
    graph = classifier()
    calibration = calibrate(graph, examples(graph))
    with pytest.raises(ZhisuanError) as caught:
        quantize(graph, calibration, keep=["secnd"])
    assert str(caught.value) == (
        "error: there is no layer 'secnd' to keep\n"
        "  where:    graph 'classifier'\n"
        "  expected: first, second, third, last\n"
        "  try:      did you mean 'second'?"
    )
    with pytest.raises(ZhisuanError, match="nothing to quantise"):
        quantize(graph, calibration, keep=["first", "second", "third", "last"])
    with pytest.raises(ZhisuanError, match=re.escape("no range of 'image'")):
        quantize(graph, Calibration("other", 1, 100.0, {}))


def test_sqnr_by_hand() -> None:
    """Steps of 1: what is lost of 1.25 and 3 is 0.25, of 0.25 everything."""
    build = GraphBuilder("sqnr")
    x = build.input("x", F32, (1, 3))
    eye = build.constant("eye", 127 * np.eye(3, dtype=np.float32))
    graph = build.finish([build.node("linear", [x, eye], output="y", label="one")])
    found = quantize(graph, Calibration("sqnr", 1, 100.0, {"x": measured(127)}))
    result = compare(graph, found, [{"x": np.array([[1.25, 3, 0.25]], np.float32)}])
    expected = 10 * np.log10((1.25**2 + 9 + 0.0625) / (0.0625 + 0.0625))
    assert result.sqnr == {"y": pytest.approx(expected)}
    assert result.real[0]["y"].tolist() == [[158.75, 381, 31.75]]
    assert result.integer[0]["y"].tolist() == [[127, 381, 0]]
