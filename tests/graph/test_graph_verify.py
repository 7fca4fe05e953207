"""The verifier finds each kind of broken graph and says which node broke which rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from zhisuan.base.dtype import F16, F32
from zhisuan.base.errors import VerifyError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.verify import verify


def small() -> Graph:
    build = GraphBuilder("small")
    x = build.input("x", F32, (1, 3, symbol("h"), 5))
    w = build.constant("w", np.ones((2, 3, 1, 1), np.float32))
    c = build.node("conv2d", [x, w], output="c", label="first")
    y = build.node("relu", [c], output="y", label="act")
    return build.finish([y])


def with_node(index: int, **changes) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        nodes = list(graph.nodes)
        nodes[index] = replace(nodes[index], **changes)
        return replace(graph, nodes=tuple(nodes))

    return change


def with_value(target: str, **changes) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        value = replace(graph.values[target], **changes)
        return replace(graph, values={**graph.values, target: value})

    return change


FIRST = "graph 'small', node 'first' (conv2d)"
ACT = "graph 'small', node 'act' (relu)"
ATTRS = small().nodes[0].attrs

BROKEN = {
    "not in order": (
        lambda g: replace(g, nodes=g.nodes[::-1]),
        f"error: a value is used before it is made\n  where:    {ACT}\n"
        "  expected: an input, a constant or the output of an earlier node\n  found:    c",
    ),
    "made twice": (
        with_node(1, outputs=("c",)),
        f"error: a value is made twice\n  where:    {ACT}\n"
        "  expected: one definition\n  found:    c",
    ),
    "input made": (
        with_node(1, outputs=("x",)),
        f"error: a value is made twice\n  where:    {ACT}\n"
        "  expected: one definition\n  found:    x",
    ),
    "unknown op": (
        with_node(1, op="rely"),
        "error: unknown op 'rely'\n  where:    graph 'small', node 'act' (rely)\n"
        "  expected: an op of the registry (zhisuan/graph/ops)",
    ),
    "arity": (
        with_node(1, inputs=("c", "c")),
        f"error: relu has the wrong number of inputs\n  where:    {ACT}\n"
        "  expected: 1 (x)\n  found:    2",
    ),
    "two outputs": (
        with_node(1, outputs=("y", "z")),
        f"error: the op makes another number of values\n  where:    {ACT}\n"
        "  expected: 1: y\n  found:    2",
    ),
    "unknown attribute": (
        with_node(0, attrs={**ATTRS, "stride": (1, 1)}),
        f"error: conv2d has no attribute 'stride'\n  where:    {FIRST}\n"
        "  expected: strides, pads, pad_mode, dilations, groups, activation",
    ),
    "attribute of another type": (
        with_node(0, attrs={**ATTRS, "groups": 1.0}),
        f"error: conv2d has a bad attribute 'groups'\n  where:    {FIRST}\n"
        "  expected: an integer\n  found:    1.0",
    ),
    "attribute left out": (
        with_node(0, attrs={}),
        f"error: an attribute is left to its default\n  where:    {FIRST}\n"
        "  expected: every attribute\n"
        "  found:    no strides, pads, pad_mode, dilations, groups, activation",
    ),
    "rule broken": (
        with_node(0, attrs={**ATTRS, "groups": 2}),
        f"error: conv2d: the weights do not fit the channels\n  where:    {FIRST}\n"
        "  expected: x [n, 3*groups, h, w] with groups = 2\n"
        "  found:    x [1, 3, h, 5], w [2, 3, 1, 1]",
    ),
    "wrong shape": (
        with_value("c", shape=(1, 2, symbol("h"), 4)),
        f"error: the value 'c' is declared with the wrong type\n  where:    {FIRST}\n"
        "  expected: f32[1, 2, h, 5]\n  found:    f32[1, 2, h, 4]",
    ),
    "wrong dtype": (
        with_value("y", dtype=F16),
        f"error: the value 'y' is declared with the wrong type\n  where:    {ACT}\n"
        "  expected: f32[1, 2, h, 5]\n  found:    f16[1, 2, h, 5]",
    ),
    "wrong constant": (
        with_value("w", shape=(2, 3)),
        "error: the value 'w' is declared with the wrong type\n  where:    graph 'small'\n"
        "  expected: f32[2, 3, 1, 1]\n  found:    f32[2, 3]",
    ),
    "no type": (
        with_value("y", name="z"),
        f"error: a value has no type\n  where:    {ACT}\n  expected: an entry for 'y' in values",
    ),
    "output missing": (
        lambda g: replace(g, outputs=("y", "q")),
        "error: an output is never made\n  where:    graph 'small'\n"
        "  expected: a value of the graph\n  found:    q",
    ),
    "no output": (
        lambda g: replace(g, outputs=()),
        "error: the graph has no output\n  where:    graph 'small'\n"
        "  expected: at least one\n  found:    none",
    ),
    "label taken": (
        with_node(1, label="first"),
        "error: labels must be unique\n  where:    graph 'small', node 'first' (relu)\n"
        "  expected: a label of its own\n  found:    first",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_graph_is_found(kind: str) -> None:
    change, message = BROKEN[kind]
    with pytest.raises(VerifyError) as caught:
        verify(change(small()))
    assert str(caught.value) == message


def test_a_whole_graph_passes() -> None:
    graph = small()
    assert verify(graph) is graph


def test_the_pass_at_fault_is_named() -> None:
    broken = replace(small(), outputs=("q",))
    with pytest.raises(VerifyError) as caught:
        verify(broken, after="fold")
    assert caught.value.where == "graph 'small', after the pass 'fold'"


def test_mixed_types_are_refused() -> None:
    graph = small()
    node = Node("add", ("y", "half"), ("z",), {}, "sum")
    value = Value("half", F16, (1,))
    broken = replace(
        graph,
        inputs=("x", "half"),
        nodes=(*graph.nodes, node),
        values={**graph.values, "half": value, "z": replace(value, name="z")},
    )
    with pytest.raises(VerifyError) as caught:
        verify(broken)
    assert str(caught.value) == (
        "error: add: the inputs must have one element type\n"
        "  where:    graph 'small', node 'sum' (add)\n"
        "  expected: f32\n"
        "  found:    a: f32, b: f16"
    )
