"""`cond` and `while_loop`, built from the five primitives (`graph.ops.control`).

    y = cond(x > 0, lambda: x * 2, lambda: -x)
    i, total = while_loop(lambda i, t: i < n, lambda i, t: (i + 1, t + i), [i0, 0.0])

A branch reads what was made outside through a `switch`, so it is dead unless taken; a loop reads it
through a constant `enter`.  A loop is enter → merge → switch → body → next_iteration → merge, and
leaves by exit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Node
from zhisuan.session.graph import Context, Graph, Symbol, calling_line, current_graph


class CondContext(Context):
    """One branch of a `cond`."""

    def __init__(self, graph: Graph, condition: Symbol, taken: bool) -> None:
        self.graph = graph
        self.outer = graph.context
        self.condition = graph.seen(condition)
        self.taken = taken
        self._captured: dict[str, Symbol] = {}
        self.pivot = self._label(self.switched(self.condition))

    def switched(self, value: Symbol) -> Symbol:
        """`value` on this branch: it lives only if the branch is taken."""
        with self.graph.within(self.outer):
            sides = self.graph.add("switch", (value, self.condition))
        side = sides[self.taken]
        self.graph.contexts[side.name] = self
        with self.graph.within(self):
            return self.graph.add("identity", (side,))[0]

    def capture(self, value: Symbol) -> Symbol:
        if value.name not in self._captured:
            self._captured[value.name] = self.switched(value)
        return self._captured[value.name]

    def _label(self, value: Symbol) -> str:
        node = self.graph.producer(value)
        assert node is not None
        return node.label


class WhileContext(Context):
    """The inside of a loop.  `variables` are its loop variables, in order."""

    def __init__(self, graph: Graph, name: str = "while") -> None:
        self.graph = graph
        self.outer = graph.context
        self.frame = graph.fresh_frame(name)
        self.variables: list[LoopVariable] = []
        self.captured: dict[str, Symbol] = {}
        self.condition: Symbol | None = None
        self.count: Symbol | None = None
        """How many iterations it made, when somebody asked."""

    def enter(self, value: Symbol, constant: bool = False) -> Symbol:
        """`value`, seen by the outer context, inside the frame."""
        with self.graph.within(self.outer):
            seen = self.graph.seen(value)
            attrs = {"frame": self.frame, "constant": constant}
            (inside,) = self.graph.add("enter", (seen,), attrs)
        self.graph.contexts[inside.name] = self
        return inside

    def capture(self, value: Symbol) -> Symbol:
        if value.name not in self.captured:
            self.captured[value.name] = self.enter(value, constant=True)
        return self.captured[value.name]

    def needs_pivot(self, op: str, inputs: Sequence[Symbol]) -> bool:
        """A node that reads nothing of the iteration would live when the body does not."""
        fixed = {item.name for item in self.captured.values()} | set(self.graph.build.constants)
        return bool(self.pivot) and all(item.name in fixed for item in inputs)


class LoopVariable:
    """A value that each iteration replaces: what it is before the loop, in it and behind it."""

    def __init__(self, context: WhileContext, first: Symbol) -> None:
        self.context, self.first = context, first
        self.entered = context.enter(first)
        with context.graph.within(context):
            (self.merged, _) = context.graph.add("merge", (self.entered,))
        node = context.graph.producer(self.merged)
        assert node is not None
        self.merge: Node = node

    def switch(self) -> None:
        """Let the condition decide: into the body, or out."""
        context, graph = self.context, self.context.graph
        assert context.condition is not None
        with graph.within(context):
            leaving, staying = graph.add("switch", (self.merged, context.condition))
            (self.inside,) = graph.add("identity", (staying,))
            (self.result,) = graph.add("exit", (leaving,))
        if context.outer is None:
            graph.contexts.pop(self.result.name)
        else:
            graph.contexts[self.result.name] = context.outer

    def go_on(self, value: Symbol) -> None:
        """The next iteration has `value`."""
        graph = self.context.graph
        self.kept = value
        with graph.within(self.context):
            (self.next,) = graph.add("next_iteration", (graph.seen(value),))
        self.merge = graph.build.close(self.merge, self.next.name)


def cond(
    condition: Symbol, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str = "cond"
) -> Any:
    """What `true_fn` gives where the condition holds, else what `false_fn` gives.

    Both give one value or equally many, of the same types.  Only the branch that is taken runs.
    """
    graph = condition.graph
    with graph.name_scope(name):
        sides = []
        for taken, function in ((False, false_fn), (True, true_fn)):
            context = CondContext(graph, condition, taken)
            with graph.within(context):
                made, single = _listed(graph, function())
                seen = [graph.seen(item) for item in made]
                sides.append([graph.add("identity", (item,))[0] for item in seen])
        false_side, true_side = sides
        if len(false_side) != len(true_side):
            raise ZhisuanError(
                "the two branches of cond give different numbers of values",
                where=calling_line(),
                expected=f"{len(true_side)}, as true_fn",
                found=str(len(false_side)),
            )
        pairs = zip(false_side, true_side, strict=True)
        merged = [graph.add("merge", pair, as_is=True)[0] for pair in pairs]
    return merged[0] if single else tuple(merged)


def while_loop(
    condition: Callable[..., Symbol],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    name: str = "while",
) -> Any:
    """The loop variables behind the last iteration; a single one as itself.

    `condition` and `body` are called once, with the variables of an iteration.  `body` gives the
    next ones, each of the same type.
    """
    graph = _graph_of(loop_vars)
    with graph.name_scope(name):
        firsts = [item if isinstance(item, Symbol) else graph.constant(item) for item in loop_vars]
        context = WhileContext(graph, name)
        context.variables = [LoopVariable(context, first) for first in firsts]
        with graph.within(context):
            decided = condition(*[variable.merged for variable in context.variables])
            (context.condition,) = graph.add("loop_condition", (decided,))
        for variable in context.variables:
            variable.switch()
        pivot = graph.producer(context.variables[0].inside)
        assert pivot is not None
        context.pivot = pivot.label
        with graph.within(context):
            made, single = _listed(graph, body(*[v.inside for v in context.variables]))
        if len(made) != len(firsts):
            raise ZhisuanError(
                "the body of a loop gives another number of variables than it takes",
                where=calling_line(),
                expected=str(len(firsts)),
                found=str(len(made)),
            )
        for variable, value in zip(context.variables, made, strict=True):
            with graph.within(context):
                (kept,) = graph.add("identity", (graph.seen(value),))
            variable.go_on(kept)
    results = [variable.result for variable in context.variables]
    graph.loops[context.frame] = context
    return results[0] if single or len(results) == 1 else tuple(results)


def _listed(graph: Graph, made: Any) -> tuple[list[Symbol], bool]:
    single = not isinstance(made, tuple | list)
    items = [made] if single else list(made)
    return [x if isinstance(x, Symbol) else graph.constant(x) for x in items], single


def _graph_of(values: Sequence[Any]) -> Graph:
    from_values = [item.graph for item in values if isinstance(item, Symbol)]
    return from_values[0] if from_values else current_graph()
