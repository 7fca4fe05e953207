"""Going back through a loop: another loop, of as many iterations, from the last one to the first.

Its variables are how many iterations are left, the gradients of the loop's variables, and for each
value that the loop captured the sum of its gradients so far.  What the rules read of an iteration
comes from a stack, a variable that the first loop is given to push on and this one pops from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.handle import F, Handle
from zhisuan.graph.ir import Node
from zhisuan.graph.ops.control import STACK
from zhisuan.graph.ops.state import shape_attribute
from zhisuan.graph.reverse import Step
from zhisuan.session.control_flow import LoopVariable, WhileContext
from zhisuan.session.graph import Context, Graph, Symbol

GoBack = Callable[[Graph, set[str], dict[Any, Handle], Context], dict[Any, Any]]
"""Gradients of the named values within a context from gradients of others."""


class BackwardContext(WhileContext):
    """The loop that goes back through the loop `forward`."""

    def __init__(self, forward: WhileContext) -> None:
        super().__init__(forward.graph, f"{forward.frame}_back")
        self.forward = forward
        self._recalled: dict[str, Symbol] = {}

    def recalls(self, made_in: Context | None) -> bool:
        around = made_in
        while around is not None:
            if around is self.forward:
                return True
            around = around.outer
        return False

    def recall(self, value: Symbol) -> Symbol:
        for outside, inside in self.forward.captured.items():
            if inside.name == value.name:  # the same in every iteration
                return self.capture(self.graph[outside])
        if value.name not in self._recalled:
            self._recalled[value.name] = self._pop(self._push(value), value)
        return self._recalled[value.name]

    def _push(self, value: Symbol) -> Symbol:
        """The stack of `value`'s numbers, iteration by iteration, when the loop is done."""
        graph, forward = self.graph, self.forward
        with graph.within(forward.outer):
            (empty,) = graph.add("stack_empty", (graph.seen(graph.constant(0)),))
        stack = LoopVariable(forward, empty)
        stack.switch()
        with graph.within(forward):
            (fuller,) = graph.add("stack_push", (stack.inside, value), as_is=True)
        stack.go_on(fuller)
        return stack.result

    def _pop(self, stack: Symbol, value: Symbol) -> Symbol:
        graph = self.graph
        variable = LoopVariable(self, stack)
        variable.switch()
        attrs = {"dtype": value.dtype.name, "shape": shape_attribute(value.shape)}
        with graph.within(self):
            rest, top = graph.add("stack_pop", (variable.inside,), attrs)
        variable.go_on(rest)
        return top


def loop_step(loop: WhileContext, go_back: GoBack) -> Step:
    """The whole loop as one step: from its first values and captured ones to its results."""
    graph = loop.graph
    if isinstance(loop, BackwardContext) or any(v.first.dtype is STACK for v in loop.variables):
        raise ZhisuanError(
            "a gradient through a loop cannot be differentiated again",
            expected="first-order gradients through while_loop",
            found=f"the gradient of the gradient of loop '{loop.frame}'",
        )
    variables = list(loop.variables)
    captured = [(graph[name], inside) for name, inside in loop.captured.items()]
    inputs = tuple([graph.outer_input(v.entered) for v in variables] + [c for c, _ in captured])
    outputs = tuple(variable.result for variable in variables)

    def rule(flowing: Sequence[Any], *_: Any) -> list[Any]:
        return _back(loop, variables, captured, flowing, go_back)

    return Step("while_loop", rule, "", inputs, outputs, {}, loop.frame)


def _back(
    loop: WhileContext,
    variables: list[LoopVariable],
    captured: list[tuple[Symbol, Symbol]],
    flowing: Sequence[Any],
    go_back: GoBack,
) -> list[Any]:
    graph = loop.graph
    real = [i for i, variable in enumerate(variables) if variable.result.dtype.is_float]
    fixed = [i for i, (value, _) in enumerate(captured) if value.dtype.is_float]
    starts = [F.zeros_like(variables[i].result) if flowing[i] is None else flowing[i] for i in real]
    starts += [F.zeros_like(captured[i][0]) for i in fixed]
    count = _counted(loop)
    context = BackwardContext(loop)
    context.variables = [LoopVariable(context, first) for first in (count, *starts)]
    with graph.within(context):
        left = context.variables[0].merged > 0
        (context.condition,) = graph.add("loop_condition", (left,))
    for variable in context.variables:
        variable.switch()
    pivot = graph.producer(context.variables[0].inside)
    assert pivot is not None
    context.pivot = pivot.label
    sources = {variables[i].inside.name for i in real}
    sources |= {captured[i][1].name for i in fixed}
    with graph.within(context):
        inside = [variable.inside for variable in context.variables]
        seeds = {variables[i].kept.name: inside[1 + place] for place, i in enumerate(real)}
        found = go_back(graph, sources, dict(seeds), loop)
        following = [inside[0] - 1]
        for place, i in enumerate(real):
            grad = found.get(variables[i].inside.name)
            following.append(F.zeros_like(inside[1 + place]) if grad is None else grad)
        for place, i in enumerate(fixed, start=1 + len(real)):
            grad = found.get(captured[i][1].name)
            following.append(inside[place] if grad is None else inside[place] + grad)
        kept = [graph.add("identity", (value,))[0] for value in following]
    for variable, value in zip(context.variables, kept, strict=True):
        variable.go_on(value)
    graph.loops[context.frame] = context
    results = [variable.result for variable in context.variables[1:]]
    grads: list[Any] = [None] * (len(variables) + len(captured))
    for place, i in enumerate(real):
        grads[i] = results[place]
    for place, i in enumerate(fixed):
        grads[len(variables) + i] = results[len(real) + place]
    return grads


def _counted(loop: WhileContext) -> Symbol:
    """How many iterations the loop makes: a variable added to it, once."""
    graph = loop.graph
    if loop.count is None:
        with graph.within(loop.outer):
            zero = graph.seen(graph.constant(0))
        counter = LoopVariable(loop, zero)
        counter.switch()
        with graph.within(loop):
            counter.go_on(counter.inside + 1)
        loop.count = counter.result
    return loop.count


def outermost_loop(graph: Graph, node: Node, level: Context | None) -> WhileContext | None:
    """The outermost loop inside `level` that a node is a part of."""
    found = None
    for around in _around(graph.contexts.get(node.outputs[0])):
        if around is level:
            return found
        if isinstance(around, WhileContext):
            found = around
    return found


def _around(context: Context | None) -> Iterator[Context]:
    while context is not None:
        yield context
        context = context.outer
