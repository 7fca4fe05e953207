"""Running, binding sizes, counting: what is fed must fit, and MACs are those of the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import shapes
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph
from zhisuan.graph.macs import macs
from zhisuan.graph.reference import bind, run


def pair() -> Graph:
    """Two pictures of one open size, convolved and added."""
    build = GraphBuilder("pair")
    size = (1, 2, symbol("h"), 8)
    a, b = build.input("a", F32, size), build.input("b", F32, size)
    w = build.constant("w", np.ones((6, 2, 3, 3), np.float32))
    attrs = {"pads": (1, 1, 1, 1), "strides": (2, 1)}
    conv = build.node("conv2d", [build.node("add", [a, b]), w], attrs, label="first", output="y")
    return build.finish([conv])


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_open_sizes_are_read_off_the_arrays() -> None:
    assert bind(pair(), {"a": zeros(1, 2, 5, 8), "b": zeros(1, 2, 5, 8)}) == {"h": 5}


def test_macs_are_outputs_times_taps() -> None:
    assert macs(pair(), {"h": 5}) == {"first": 6 * 3 * 8 * 2 * 9}


def test_shapes_in_numbers() -> None:
    found = shapes.infer(pair(), {"h": 5})
    assert found == {
        "a": (1, 2, 5, 8),
        "b": (1, 2, 5, 8),
        "w": (6, 2, 3, 3),
        "add": (1, 2, 5, 8),
        "y": (1, 6, 3, 8),
    }


def test_infer_needs_every_size() -> None:
    with pytest.raises(ZhisuanError) as caught:
        shapes.infer(pair(), {"w": 5})
    assert str(caught.value) == (
        "error: the size 'h' of graph 'pair' needs a value\n"
        "  expected: h of at least 1\n"
        "  found:    nothing"
    )


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        (
            {"a": zeros(1, 2, 5, 8)},
            "error: the arrays fed are not the graph's inputs\n"
            "  where:    graph 'pair'\n  expected: a, b\n  found:    a",
        ),
        (
            {"a": zeros(1, 2, 5, 8), "b": zeros(1, 2, 6, 8)},
            "error: the array for 'b' does not fit\n"
            "  expected: f32[1, 2, h, 8]\n  found:    f32[1, 2, 6, 8]",
        ),
        (
            {"a": zeros(1, 2, 5, 8).astype(np.float64), "b": zeros(1, 2, 5, 8)},
            "error: the array for 'a' does not fit\n"
            "  expected: f32[1, 2, h, 8]\n  found:    f64[1, 2, 5, 8]",
        ),
        (
            {"a": zeros(2, 5, 8), "b": zeros(1, 2, 5, 8)},
            "error: the array for 'a' does not fit\n"
            "  expected: f32[1, 2, h, 8]\n  found:    f32[2, 5, 8]",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(feeds, message) -> None:
    with pytest.raises(ZhisuanError) as caught:
        run(pair(), feeds)
    assert str(caught.value) == message


def test_a_picture_too_small_to_mirror_is_refused_before_running() -> None:
    build = GraphBuilder("mirror")
    x = build.input("x", F32, (1, 1, symbol("h"), 9))
    w = build.constant("w", np.ones((1, 1, 3, 3), np.float32))
    attrs = {"pads": (4, 4, 4, 4), "pad_mode": "reflect"}
    graph = build.finish([build.node("conv2d", [x, w], attrs, label="first")])
    with pytest.raises(ZhisuanError) as caught:
        shapes.infer(graph, {"h": 4})
    assert str(caught.value) == (
        "error: conv2d: reflect padding of 4 does not fit the picture\n"
        "  where:    node 'first'\n"
        "  expected: at least 5 rows or columns\n"
        "  found:    4"
    )
