"""Gradients in a graph: nodes added behind the others, by the rules of the ops.

A loop goes back as a loop: it takes as many iterations as the loop made, and what its rules read of
each iteration comes from stacks that the loop fills, added to it for the purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.handle import F, Handle
from zhisuan.graph.ir import Node
from zhisuan.graph.registry import find
from zhisuan.graph.reverse import Step, go_back
from zhisuan.session.graph import Context, Graph, Symbol, calling_line
from zhisuan.session.loop_gradient import loop_step, outermost_loop


def gradients(
    ys: Symbol | Sequence[Symbol],
    xs: Symbol | Sequence[Symbol],
    grad_ys: Sequence[Symbol] | None = None,
    name: str = "gradients",
) -> list[Any]:
    """d (sum of ys) / d x for each x: symbols, None for an x that no y depends on."""
    outputs = [ys] if isinstance(ys, Symbol) else list(ys)
    inputs = [xs] if isinstance(xs, Symbol) else list(xs)
    graph = outputs[0].graph
    for item in (*outputs, *inputs):
        if item.graph is not graph:
            raise ZhisuanError(
                f"'{item.name}' belongs to another graph", where=calling_line(),
                expected=f"values of graph '{graph.name}'",
            )  # fmt: skip
    with graph.name_scope(name):
        seeds: dict[Any, Handle] = {}
        for place, y in enumerate(outputs):
            seed = grad_ys[place] if grad_ys is not None else F.ones_like(y)
            seeds[y.name] = seeds[y.name] + seed if y.name in seeds else seed  # pyright: ignore
        found = _within(graph, {x.name for x in inputs}, seeds, graph.context)
    return [found.get(x.name) for x in inputs]


def _within(
    graph: Graph, sources: set[str], seeds: dict[Any, Handle], level: Context | None
) -> dict[Any, Any]:
    """Gradients of `sources` from those of others, through the nodes at a level of control flow."""
    between = _between(graph, sources, set(seeds))
    return go_back(_steps(graph, between, level), seeds, _wanted(sources, between))


def _steps(graph: Graph, nodes: Sequence[Node], level: Context | None) -> Iterator[Step]:
    """Latest first; a loop inside is one step, in the place of its last node."""
    taken: set[str] = set()
    for node in reversed(nodes):
        loop = outermost_loop(graph, node, level)
        if loop is None and node.op == "exit":
            continue  # it is a part of the loop it leaves
        if loop is None:
            inputs = tuple(Symbol(graph, name) for name in node.inputs)
            outputs = tuple(Symbol(graph, name) for name in node.outputs)
            yield Step.of(find(node.op), inputs, outputs, node.attrs, node.label)
        elif loop.frame not in taken:
            taken.add(loop.frame)
            yield loop_step(loop, _within)


def _wanted(sources: set[str], between: Iterable[Node]) -> Any:
    names = sources | {name for node in between for name in node.outputs}

    def wanted(item: Handle) -> bool:
        return item.key in names and item.dtype.is_float

    return wanted


def _between(graph: Graph, sources: set[str], sinks: set[str]) -> list[Node]:
    """The nodes, in order, on a way from a source to a sink; nodes that make a source are not."""
    reached = set(sources)
    forward: list[Node] = []
    for node in list(graph.build.nodes):
        if sources.issuperset(node.outputs):
            continue
        if not reached.isdisjoint(node.inputs):
            reached.update(node.outputs)
            forward.append(node)
    needed = set(sinks)
    backward: list[Node] = []
    for node in reversed(forward):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            backward.append(node)
    return backward[::-1]
