"""What must hold for any graph: text round trip, symbolic shapes, passes that change no value."""

from __future__ import annotations

import numpy as np
from graph_strategies import feed, graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from zhisuan.graph import shapes, text
from zhisuan.graph.ir import Graph
from zhisuan.graph.reference import run
from zhisuan.graph.registry import find
from zhisuan.graph.rewrite import PASSES, optimize
from zhisuan.graph.verify import verify

SIZES = st.fixed_dictionaries({"h": st.integers(1, 9), "w": st.integers(1, 9)})


def assert_same_graph(left: Graph, right: Graph) -> None:
    """Equal in everything, constants bit by bit."""
    assert (left.name, left.inputs, left.outputs) == (right.name, right.inputs, right.outputs)
    assert left.nodes == right.nodes
    assert left.values == right.values
    assert list(left.constants) == list(right.constants)
    for name, array in left.constants.items():
        assert array.dtype == right.constants[name].dtype
        assert array.shape == right.constants[name].shape
        assert array.tobytes() == right.constants[name].tobytes()


@given(graphs())
@settings(max_examples=60)
def test_text_reads_back_exactly(graph: Graph) -> None:
    printed = text.dumps(graph)
    again = text.loads(printed, text.stored_constants(graph))
    assert_same_graph(graph, again)
    assert text.dumps(again) == printed


@given(graphs(), SIZES)
@settings(max_examples=60)
def test_symbolic_shapes_are_the_shapes_numpy_makes(graph: Graph, binding) -> None:
    inferred = shapes.infer(graph, binding)
    arrays = {**graph.constants, **feed(graph, binding)}
    for node in graph.nodes:
        inputs = [arrays[name] for name in node.inputs]
        arrays[node.output] = np.asarray(find(node.op).reference(*inputs, **node.attrs))
        assert inferred[node.output] == arrays[node.output].shape
        assert graph.values[node.output].dtype.numpy == arrays[node.output].dtype


@given(graphs(most_nodes=9), SIZES)
@settings(max_examples=60)
def test_passes_keep_the_values(graph: Graph, binding) -> None:
    feeds = feed(graph, binding)
    expected = run(graph, feeds)
    for name in PASSES:
        graph = verify(PASSES[name](graph), after=name)
        found = run(graph, feeds)
        assert list(found) == list(expected)
        for output, array in expected.items():
            np.testing.assert_allclose(found[output], array, rtol=1e-4, atol=1e-4)


@given(graphs(most_nodes=9))
@settings(max_examples=30)
def test_optimizing_twice_changes_nothing(graph: Graph) -> None:
    once = optimize(graph)
    twice = optimize(once)
    assert [node.op for node in twice.nodes] == [node.op for node in once.nodes]
