"""A session: a graph, its variables, and runs of the parts that are asked for.

    with Session(g) as session:
        session.run(global_variables_initializer(g))
        session.run([loss, train], {x: batch})

A run prunes the graph to what the fetches need, gives every node a device, and executes.  What a
run with the same fetches and feeds needs is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.dims import Formula, Shape
from zhisuan.graph.ir import Node, Value
from zhisuan.session.devices import Device, device
from zhisuan.session.executor import Executor, prepared
from zhisuan.session.graph import Graph, Symbol, calling_line, current_graph
from zhisuan.session.prune import prune
from zhisuan.session.state import State


class Session:
    """Runs of one graph, which may grow in between; its variables live as long as it does."""

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph or current_graph()
        self.state = State()
        self._prepared: dict[Any, Executor] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of variables and prepared runs."""
        self.state = State()
        self._prepared = {}

    def run(self, fetches: Any, feed_dict: Mapping[Symbol, Any] | None = None) -> Any:
        """The numbers of `fetches`: a symbol, or lists, tuples and dicts of them, in that form."""
        wanted: list[Symbol] = []
        _collect(fetches, wanted)
        self._check_graphs(wanted, "fetched")
        feeds = self._feeds(feed_dict or {})
        names = tuple(dict.fromkeys(item.name for item in wanted))
        executor = self._executor(names, tuple(feeds))
        given = {**self.graph.build.constants, **feeds}
        self._check_fed(executor, given)
        found = executor.run(given, self.state)
        return _shaped(fetches, found)

    def _executor(self, names: tuple[str, ...], fed: tuple[str, ...]) -> Executor:
        build = self.graph.build
        key = (names, fed, len(build.nodes))
        if key not in self._prepared:
            made = [name for name in names if name not in fed]
            nodes = prune(build.nodes, made, fed)
            types = {name: Value(name, f.dtype, f.shape) for name, f in build.facts.items()}
            self._prepared[key] = Executor(prepared(nodes, types, _place), names)
        return self._prepared[key]

    def _feeds(self, feed_dict: Mapping[Symbol, Any]) -> dict[str, np.ndarray]:
        feeds = {}
        self._check_graphs(list(feed_dict), "fed")
        for item, value in feed_dict.items():
            if isinstance(value, Symbol):
                raise ZhisuanError(
                    f"the value fed for '{item.name}' is a part of a graph",
                    where=calling_line(),
                    expected="numbers, NumPy arrays or lists",
                    found=repr(value),
                    hint="session.run gives its numbers",
                )
            array = np.asarray(value, item.dtype.numpy)
            if not _fits(item.shape, array.shape):
                raise ZhisuanError(
                    f"Cannot feed value of shape {array.shape} for '{item.name}'",
                    where=calling_line(),
                    expected=f"shape {_shape_text(item.shape)}",
                    found=f"shape {_shape_text(array.shape)}",
                )
            feeds[item.name] = array
        return feeds

    def _check_fed(self, executor: Executor, given: Mapping[str, Any]) -> None:
        made = {name for kernel in executor.kernels for name in kernel.node.outputs}
        read = [name for kernel in executor.kernels for name in kernel.node.inputs]
        for name in [*read, *executor.fetches]:
            if name in given or name in made:
                continue
            item = self.graph[name]
            raise ZhisuanError(
                f"You must feed a value for placeholder tensor '{name}' with dtype {item.dtype} "
                f"and shape {_shape_text(item.shape)}",
                where=calling_line(),
                expected=f"session.run(..., feed_dict={{{name}: ...}})",
                found=f"values for {', '.join(n for n in self.graph.build.inputs if n in given)}"
                if any(n in given for n in self.graph.build.inputs)
                else "no feeds",
            )

    def _check_graphs(self, items: list[Any], what: str) -> None:
        for item in items:
            if not isinstance(item, Symbol) or item.graph is not self.graph:
                found = repr(item) if not isinstance(item, Symbol) else (
                    f"'{item.name}' of graph '{item.graph.name}'"
                )  # fmt: skip
                raise ZhisuanError(
                    f"this cannot be {what}: it is no part of the session's graph",
                    where=calling_line(),
                    expected=f"values of graph '{self.graph.name}'",
                    found=found,
                )


def _place(node: Node) -> Device:
    return device(node.device or "cpu")


def _collect(fetches: Any, into: list[Symbol]) -> None:
    if isinstance(fetches, list | tuple):
        for item in fetches:
            _collect(item, into)
    elif isinstance(fetches, dict):
        for item in fetches.values():
            _collect(item, into)
    else:
        into.append(fetches)


def _shaped(fetches: Any, found: Mapping[str, Any]) -> Any:
    if isinstance(fetches, list | tuple):
        return type(fetches)([_shaped(item, found) for item in fetches])
    if isinstance(fetches, dict):
        return {key: _shaped(item, found) for key, item in fetches.items()}
    return found[fetches.name]


def _fits(shape: Shape, sizes: tuple[int, ...]) -> bool:
    """Whether an array of these sizes may be fed; a named or open size takes any."""
    if len(shape) != len(sizes):
        return False
    return all(isinstance(dim, Formula) or dim == n for dim, n in zip(shape, sizes, strict=True))


def _shape_text(shape: Shape) -> str:
    return f"[{','.join(str(dim) for dim in shape)}]"
