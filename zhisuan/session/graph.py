"""The explicit graph: a program written down op by op, to be run later by a `Session`.

    with Graph() as g:
        x = placeholder("f32", (None, 3), name="x")
        y = F.tanh(x @ constant(w)) + 1

A `Graph` grows; every op on a `Symbol` adds a node, checked as it is added, that knows the line of
the user's program it came from.  Scopes name nodes, put them on devices and order them.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import UNKNOWN, Dim, Shape, symbol
from zhisuan.graph.handle import Handle
from zhisuan.graph.ir import Node, Value
from zhisuan.graph.registry import OpDef

_PACKAGE = str(Path(__file__).parent.parent)
_stack = threading.local()


class Symbol(Handle):
    """A value of a graph: what a node will make, or what will be fed."""

    __slots__ = ("graph", "name")

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    @property
    def dtype(self) -> DType:
        return self.graph.build.facts[self.name].dtype

    @property
    def shape(self) -> Shape:
        return self.graph.build.facts[self.name].shape

    @property
    def key(self) -> str:
        return self.name

    def apply(self, row: OpDef, inputs: tuple[Symbol, ...], attrs: Mapping[str, Any]) -> Any:
        made = self.graph.add(row.name, inputs, attrs)
        return made[0] if len(row.outputs) == 1 else made

    def constant(self, array: np.ndarray) -> Symbol:
        return self.graph.constant(array)

    def __repr__(self) -> str:
        return f"<{Value(self.name, self.dtype, self.shape).type_text} '{self.name}'>"

    def __bool__(self) -> bool:
        raise ZhisuanError(
            f"'{self.name}' has no value yet, so it cannot decide anything",
            where=calling_line(),
            expected="a Python value in if, while, and, or, not",
            found=repr(self),
            hint="cond(x > 0, f, g) and while_loop decide when the graph runs",
        )

    def __iter__(self) -> Iterator[Any]:
        raise ZhisuanError(
            f"'{self.name}' has no values yet to go through", where=calling_line(), found=repr(self)
        )


class Context:
    """Control flow around the nodes that are added: what its body reads from outside it captures.

    `outer` is the context around it, `pivot` a node that lives just when the body runs.
    """

    outer: Context | None = None
    pivot: str = ""

    def capture(self, value: Symbol) -> Symbol:
        """`value`, made outside, as the body sees it."""
        raise NotImplementedError

    def recalls(self, made_in: Context | None) -> bool:
        """Whether it goes back through the loop inside which something was made."""
        return False

    def recall(self, value: Symbol) -> Symbol:
        """A value of that loop, of the iteration that this one goes back through."""
        raise NotImplementedError

    def needs_pivot(self, op: str, inputs: Sequence[Symbol]) -> bool:
        """Whether a node of the body would run even when the body does not."""
        return not inputs


class Graph:
    """A program under construction; `with` makes it the one that new nodes go to."""

    def __init__(self, name: str = "graph") -> None:
        self.build = GraphBuilder(name)
        self.contexts: dict[str, Context] = {}
        """The innermost context in which a value was made; absent for values outside all."""
        self.context: Context | None = None
        self.variables: dict[str, Any] = {}
        self.loops: dict[str, Any] = {}
        """The loops by their frames."""
        self._scopes: list[str] = []
        self._devices: list[str] = []
        self._after: list[str] = []

    @property
    def name(self) -> str:
        return self.build.name

    def __enter__(self) -> Graph:
        _graphs().append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _graphs().pop()

    def __getitem__(self, name: str) -> Symbol:
        """The value called `name`."""
        if name not in self.build.facts:
            raise ZhisuanError(f"graph '{self.name}' has no value '{name}'")
        return Symbol(self, name)

    # -- nodes ------------------------------------------------------------------------------

    def add(
        self,
        op: str,
        inputs: Sequence[Symbol] = (),
        attrs: Mapping[str, Any] | None = None,
        name: str = "",
        as_is: bool = False,
    ) -> tuple[Symbol, ...]:
        """Add a node; one symbol per output.  Inputs `as_is` are not captured."""
        for item in inputs:
            if item.graph is not self:
                raise ZhisuanError(
                    f"{op}: '{item.name}' belongs to another graph",
                    where=calling_line(),
                    expected=f"values of graph '{self.name}'",
                    found=f"a value of graph '{item.graph.name}'",
                )
        seen = list(inputs) if as_is else [self.seen(item) for item in inputs]
        after = [] if op == "merge" else list(self._after)  # a merge waits for one input only
        if self.context is not None and self.context.needs_pivot(op, seen):
            after.append(self.context.pivot)
        where = calling_line()
        try:
            node = self.build.call(
                op,
                [item.name for item in seen],
                attrs,
                label="/".join([*self._scopes, name or op]),
                after=tuple(dict.fromkeys(after)),
                device=self._devices[-1] if self._devices else "",
                where=where,
            )
        except ZhisuanError as error:
            if where:
                error.where = f"{where}, {error.where}" if error.where else where
                error.args = (error.render(),)
            raise
        return self.symbols(node)

    def symbols(self, node: Node) -> tuple[Symbol, ...]:
        """The outputs of a node just added, which belong to the current context."""
        if self.context is not None:
            self.contexts.update(dict.fromkeys(node.outputs, self.context))
        return tuple(Symbol(self, output) for output in node.outputs)

    def seen(self, value: Symbol) -> Symbol:
        """`value` as the current context sees it: captured, when it was made outside."""
        return value if self.context is None else seen_in(self.context, value)

    def constant(self, value: Any, dtype: str | DType | None = None, name: str = "") -> Symbol:
        """A value known now; Python floats become f32."""
        array = np.array(value)
        if dtype is not None:
            array = array.astype(_dtype(dtype).numpy)
        elif array.dtype == np.float64 and not isinstance(value, np.ndarray | np.generic):
            array = array.astype(np.float32)
        fresh = self.build.fresh("/".join([*self._scopes, name or "constant"]))
        return Symbol(self, self.build.constant(fresh, array))

    def placeholder(
        self, dtype: str | DType, shape: Sequence[int | str | None], name: str = "placeholder"
    ) -> Symbol:
        """A value to be fed; a size may be a number, a name, or None where anything goes."""
        sizes: list[Dim] = []
        for size in shape:
            sizes.append(UNKNOWN if size is None else symbol(size) if type(size) is str else size)  # pyright: ignore
        fresh = self.build.fresh("/".join([*self._scopes, name]))
        return Symbol(self, self.build.input(fresh, _dtype(dtype), tuple(sizes)))

    def outer_input(self, entered: Symbol) -> Symbol:
        """What an `enter` brought into its frame."""
        node = self.producer(entered)
        assert node is not None
        return Symbol(self, node.inputs[0])

    def producer(self, value: Symbol) -> Node | None:
        """The node that makes `value`; None for constants and placeholders."""
        return next((n for n in reversed(self.build.nodes) if value.name in n.outputs), None)

    def fresh_frame(self, name: str) -> str:
        """The name of a new loop's frame."""
        frame = f"{name}_{len(self.loops) + 1}"
        self.loops[frame] = None
        return frame

    # -- scopes -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Nodes added within are called `name/...`."""
        self._scopes.append(name)
        try:
            yield
        finally:
            self._scopes.pop()

    @contextlib.contextmanager
    def device(self, name: str) -> Iterator[None]:
        """Nodes added within run on that device."""
        self._devices.append(name)
        try:
            yield
        finally:
            self._devices.pop()

    @contextlib.contextmanager
    def control_dependencies(self, values: Sequence[Symbol]) -> Iterator[None]:
        """Nodes added within run after the nodes that make `values`."""
        makers = [self.producer(value) for value in values]
        labels = [node.label for node in makers if node is not None]
        self._after += labels
        try:
            yield
        finally:
            del self._after[len(self._after) - len(labels) :]

    @contextlib.contextmanager
    def within(self, context: Context | None) -> Iterator[None]:
        """Nodes added within belong to that context and are not ordered by scopes outside."""
        before = self.context, self._after
        self.context, self._after = context, []
        try:
            yield
        finally:
            self.context, self._after = before


def seen_in(context: Context, value: Symbol) -> Symbol:
    """`value` captured by `context` and by those around it that it was made outside of."""
    made_in = value.graph.contexts.get(value.name)
    around: Context | None = context
    while around is not None:
        if around is made_in:
            return _through(context, made_in, value)
        if around.recalls(made_in):
            return _through(context, around, around.recall(value))
        around = around.outer
    return _through(context, None, value)


def _through(context: Context | None, until: Context | None, value: Symbol) -> Symbol:
    if context is until or context is None:
        return value
    return context.capture(_through(context.outer, until, value))


def current_graph() -> Graph:
    """The graph of the innermost `with Graph()`; an error outside of all."""
    if not _graphs():
        raise ZhisuanError(
            "there is no graph to add to",
            where=calling_line(),
            expected="code inside `with Graph() as g:`",
            hint="zhisuan.compat.tf1 has a default graph",
        )
    return _graphs()[-1]


def calling_line() -> str:
    """The file and line of the innermost caller outside this package; '' when there is none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def _graphs() -> list[Graph]:
    if not hasattr(_stack, "graphs"):
        _stack.graphs = []
    return _stack.graphs


def _dtype(given: str | DType) -> DType:
    return dtypes.dtype(given) if isinstance(given, str) else given
