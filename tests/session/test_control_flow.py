"""cond and while_loop: values, what runs, and gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.handle import F
from zhisuan.session.control_flow import cond, while_loop
from zhisuan.session.gradients import gradients
from zhisuan.session.graph import Graph, Symbol
from zhisuan.session.session import Session
from zhisuan.session.variables import Variable, global_variables_initializer

STEP = 1e-6


def total(x: Any) -> Any:
    return F.reduce_sum(x, keepdims=False)


def power(x: Symbol) -> Symbol:
    return while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, F.tanh(t * x) + t), [0, x])[1]


def nested(x: Symbol) -> Symbol:
    def outer(i: Symbol, t: Symbol) -> tuple[Any, Any]:
        inner = while_loop(lambda j, u: j <= i, lambda j, u: (j + 1, u * F.exp(x * 0.3)), [0, t])
        return i + 1, inner[1] * x

    return while_loop(lambda i, t: i < 3, outer, [0, x])[1]


def choosing_loop(x: Symbol) -> Symbol:
    def body(i: Symbol, t: Symbol) -> tuple[Any, Any]:
        return i + 1, cond(total(t) > 0.5, lambda: t * x, lambda: F.exp(t) * 0.5)

    return while_loop(lambda i, t: i < 4, body, [0, x])[1]


def loop_in_branch(limit: float) -> Callable[[Symbol], Symbol]:
    def function(x: Symbol) -> Symbol:
        return cond(
            total(x) > limit,
            lambda: while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t * x), [0, x])[1],
            lambda: x * x,
        )

    return function


FUNCTIONS: dict[str, Callable[[Symbol], Symbol]] = {
    "branch taken": lambda x: cond(total(x) > 0.5, lambda: x * x, lambda: F.exp(x)),
    "branch not taken": lambda x: cond(total(x) > 5.0, lambda: x * x, lambda: F.exp(x)),
    "both sides and outside": lambda x: cond(total(x) > 0.5, lambda: x * 2, lambda: x) * x,
    "branch within a branch": lambda x: cond(
        total(x) > 0.5,
        lambda: cond(total(x) > 0.55, lambda: x * x * x, lambda: x),
        lambda: F.exp(x),
    ),
    "loop": power,
    "loop that never runs": lambda x: while_loop(
        lambda i, t: i < 0, lambda i, t: (i + 1, t * t), [0, x]
    )[1],
    "loop that does not change it": lambda x: while_loop(
        lambda i, t: i < 2, lambda i, t: (i + 1, t), [0, x]
    )[1],
    "loop that gives a captured value": lambda x: while_loop(
        lambda i, t: i < 2, lambda i, t: (i + 1, x), [0, x * x]
    )[1],
    "nested loops": nested,
    "branches in a loop": choosing_loop,
    "loop in the branch taken": loop_in_branch(0.5),
    "loop in the other branch": loop_in_branch(5.0),
    "loop behind a loop": lambda x: power(power(x)),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_gradient_is_the_slope(function: Callable[[Symbol], Symbol]) -> None:
    point = np.array([0.3, 0.7, -0.4])
    with Graph() as graph:
        x = graph.placeholder("f64", (3,), "x")
        y = total(function(x))
        (dx,) = gradients(y, [x])
    session = Session(graph)
    expected = []
    for place in range(3):
        moved = np.zeros(3)
        moved[place] = STEP
        sides = [session.run(y, {x: point + sign * moved}) for sign in (1, -1)]
        expected.append((sides[0] - sides[1]) / (2 * STEP))
    np.testing.assert_allclose(session.run(dx, {x: point}), expected, rtol=1e-6, atol=1e-8)


def test_loop_counts() -> None:
    with Graph() as graph:
        n = graph.placeholder("i64", (), "n")
        i, product = while_loop(lambda i, p: i <= n, lambda i, p: (i + 1, p * i), [1, 1])
    session = Session(graph)
    assert session.run([i, product], {n: 10}) == [11, 3628800]
    assert session.run([i, product], {n: 0}) == [1, 1]


def test_only_the_branch_taken_runs() -> None:
    with Graph() as graph:
        counter = Variable(np.float32(0), "counter")
        condition = graph.placeholder("bool", (), "condition")
        y = cond(condition, lambda: counter.assign_add(1.0), lambda: graph.constant(7.0))
    session = Session(graph)
    session.run(global_variables_initializer(graph))
    assert session.run(y, {condition: False}) == 7.0
    assert session.run(counter) == 0.0
    assert session.run(y, {condition: True}) == 1.0
    assert session.run(counter) == 1.0


def test_state_changes_as_often_as_the_loop_runs() -> None:
    with Graph() as graph:
        counter = Variable(np.float32(0), "counter")
        n = graph.placeholder("i64", (), "n")

        def body(i: Symbol) -> Symbol:
            with graph.control_dependencies([counter.assign_add(1.0)]):
                return F.identity(i) + 1

        i = while_loop(lambda i: i < n, body, [0])
    session = Session(graph)
    session.run(global_variables_initializer(graph))
    assert session.run(i, {n: 3}) == 3
    assert session.run(counter) == 3.0


def test_a_loop_whose_variable_changes_its_type_is_refused() -> None:
    with Graph(), pytest.raises(ZhisuanError) as caught:
        while_loop(lambda i: i < 3, lambda i: F.cast(i, to="f32"), [0])
    assert "a loop variable changes its type from one iteration to the next" in str(caught.value)
    assert "expected: i64[]" in str(caught.value)
    assert "found:    f32[]" in str(caught.value)
    assert "test_control_flow.py" in str(caught.value)


def test_python_cannot_decide_by_a_symbol() -> None:
    with Graph() as graph, pytest.raises(ZhisuanError, match="has no value yet"):
        x = graph.placeholder("f32", (), "x")
        if x > 0:
            raise AssertionError("not reached")


def test_a_second_gradient_through_a_loop_is_refused() -> None:
    with Graph() as graph:
        x = graph.placeholder("f64", (3,), "x")
        (dx,) = gradients(total(power(x)), [x])
        with pytest.raises(ZhisuanError, match="cannot be differentiated again"):
            gradients(total(dx), [x])
