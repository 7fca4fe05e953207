"""Sessions: fetches, feeds, variables, and the messages of the classic mistakes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.handle import F
from zhisuan.session.gradients import gradients
from zhisuan.session.graph import Graph
from zhisuan.session.session import Session
from zhisuan.session.variables import Variable, global_variables_initializer


def message(error: ZhisuanError) -> str:
    """The text without the folder and line of this file."""
    return re.sub(r"\S*/test_session\.py:\d+", "test_session.py", str(error))


def test_descent_on_a_square() -> None:
    with Graph() as graph:
        w = Variable(np.array([3.0, -2.0], np.float32), "w")
        loss = F.reduce_sum(w * w, keepdims=False)
        (dw,) = gradients(loss, [w])
        step = w.assign_sub(dw * 0.25)
    with Session(graph) as session:
        session.run(global_variables_initializer(graph))
        for _ in range(3):
            session.run(step)
        np.testing.assert_array_equal(session.run(w), [0.375, -0.25])


def test_fetches_keep_their_form() -> None:
    with Graph() as graph:
        x = graph.placeholder("f32", (2,), "x")
        found = Session(graph).run({"a": [x, x + 1.0], "b": (x * 2.0,)}, {x: [1, 2]})
    assert list(found) == ["a", "b"] and isinstance(found["b"], tuple)
    np.testing.assert_array_equal(found["a"][1], [2, 3])


def test_any_value_can_be_fed() -> None:
    with Graph() as graph:
        x = graph.placeholder("f32", (None,), "x")
        y = F.exp(x)
        z = y + 1.0
    assert Session(graph).run(z, {y: [4.0]}).tolist() == [5.0]


def test_only_what_is_fetched_runs() -> None:
    with Graph() as graph:
        counter = Variable(np.float32(0), "counter")
        other = counter.assign_add(1.0)
        y = graph.constant(2.0) * 3.0
    session = Session(graph)
    session.run(global_variables_initializer(graph))
    assert session.run(y) == 6.0
    assert session.run(counter) == 0.0
    with graph, graph.control_dependencies([other]):
        z = F.identity(y)
    assert session.run(z) == 6.0
    assert session.run(counter) == 1.0


def test_sessions_have_variables_of_their_own() -> None:
    with Graph() as graph:
        w = Variable(np.float32(1), "w")
        more = w.assign_add(1.0)
    one, two = Session(graph), Session(graph)
    for session in (one, two):
        session.run(w.initializer)
    one.run(more)
    assert (one.run(w), two.run(w)) == (2.0, 1.0)


def test_a_placeholder_that_is_not_fed() -> None:
    with Graph() as graph:
        x = graph.placeholder("f32", (None, 4), "x")
        y = F.exp(x)
    with pytest.raises(ZhisuanError) as caught:
        Session(graph).run(y)
    assert message(caught.value) == (
        "error: You must feed a value for placeholder tensor 'x' with dtype f32 and shape [?,4]\n"
        "  where:    test_session.py\n"
        "  expected: session.run(..., feed_dict={x: ...})\n"
        "  found:    no feeds"
    )


def test_a_variable_without_a_value() -> None:
    with Graph() as graph:
        w = Variable(np.zeros(3, np.float32), "w")
    with pytest.raises(ZhisuanError) as caught:
        Session(graph).run(w)
    assert message(caught.value) == (
        "error: Attempting to use uninitialized value w\n"
        "  where:    node 'w', made at test_session.py\n"
        "  expected: a variable that was initialised, assigned or restored\n"
        "  try:      session.run(global_variables_initializer()) gives all their first values"
    )


def test_a_feed_of_another_shape() -> None:
    with Graph() as graph:
        x = graph.placeholder("f32", (None, 3), "x")
    with pytest.raises(ZhisuanError) as caught:
        Session(graph).run(x, {x: np.ones((4, 2))})
    assert message(caught.value) == (
        "error: Cannot feed value of shape (4, 2) for 'x'\n"
        "  where:    test_session.py\n"
        "  expected: shape [?,3]\n"
        "  found:    shape [4,2]"
    )


def test_a_shape_mismatch_names_the_users_line() -> None:
    with Graph() as graph, pytest.raises(ZhisuanError) as caught:
        x = graph.placeholder("f32", (2, 3), "x")
        _ = x @ x
    assert message(caught.value) == (
        "error: matmul: the inner sizes differ\n"
        "  where:    test_session.py, node 'matmul'\n"
        "  expected: [..., m, k] @ [..., k, n]\n"
        "  found:    [2, 3] @ [2, 3]"
    )


def test_a_mismatch_found_while_running_names_it_too() -> None:
    with Graph() as graph:
        x = graph.placeholder("f32", (None,), "x")
        y = graph.placeholder("f32", (None,), "y")
        z = x + y
    with pytest.raises(ZhisuanError) as caught:
        Session(graph).run(z, {x: [1, 2], y: [1, 2, 3]})
    assert "node 'add', made at test_session.py" in message(caught.value)
    assert "a: float32[2], b: float32[3]" in message(caught.value)


def test_a_fetch_of_another_graph() -> None:
    with Graph("first"):
        pass
    with Graph("second") as second:
        x = second.constant(1.0, name="one")
    with pytest.raises(ZhisuanError) as caught:
        Session(Graph("first")).run(x)
    assert message(caught.value) == (
        "error: this cannot be fetched: it is no part of the session's graph\n"
        "  where:    test_session.py\n"
        "  expected: values of graph 'first'\n"
        "  found:    'one' of graph 'second'"
    )
