"""Running the nodes of one partition: a node runs when what it reads is there.

In come nodes in an order that verification accepts, values fed, a state; out come the values
fetched.  Without control flow the order of the nodes is the order of the run.  With it, tokens of
(frame, iteration) carry values around loops, a dead value makes dead what depends on it, and nodes
that are ready run in the order in which they became so.  Values are let go after their last use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.ir import Node, Value
from zhisuan.graph.ops.control import DEAD, STACK
from zhisuan.graph.registry import OpDef, find
from zhisuan.session.devices import Device
from zhisuan.session.state import State


@dataclass(frozen=True)
class Kernel:
    """A node ready to run: its row, where it runs, and the types it makes."""

    node: Node
    row: OpDef
    device: Device
    values: tuple[Value, ...]

    def run(self, inputs: Sequence[Any], state: State) -> tuple[Any, ...]:
        """The node's values; what goes wrong names the node and the user's line."""
        node, row = self.node, self.row
        try:
            if row.has_state:
                return row.results(state, *inputs, **node.attrs)
            if row.steers or self.values[0].dtype is STACK:
                return row.results(*inputs, **node.attrs)
            types = [(value.dtype, ()) for value in self.values]
            return self.device.run(row, inputs, node.attrs, types)  # pyright: ignore
        except ZhisuanError as error:
            place = f"node '{node.label}'" + (f", made at {node.where}" if node.where else "")
            error.where = place
            error.args = (error.render(),)
            raise
        except (ValueError, IndexError, TypeError) as error:
            shapes = ", ".join(
                f"{name}: {getattr(x, 'dtype', '?')}{list(np.shape(x))}"
                for name, x in zip(row.input_names(len(inputs)), inputs, strict=False)
            )
            raise ZhisuanError(
                f"{node.op} cannot take these values: {error}",
                where=f"node '{node.label}'" + (f", made at {node.where}" if node.where else ""),
                found=shapes,
            ) from None


class Executor:
    """The nodes of one partition, prepared once and run many times."""

    def __init__(self, kernels: Sequence[Kernel], fetches: Sequence[str]) -> None:
        self.kernels = list(kernels)
        self.fetches = list(fetches)
        self.has_control = any(kernel.row.steers for kernel in kernels)
        last = {name: i for i, kernel in enumerate(kernels) for name in kernel.node.inputs}
        kept = set(fetches)
        self.dying: list[list[str]] = [[] for _ in kernels]
        for name, index in last.items():
            if name not in kept:
                self.dying[index].append(name)

    def run(self, values: Mapping[str, Any], state: State) -> dict[str, Any]:
        """The fetched values from those given: fed values and constants."""
        if self.has_control:
            return _Tokens(self, values, state).run()
        held = dict(values)
        for kernel, dying in zip(self.kernels, self.dying, strict=True):
            node = kernel.node
            made = kernel.run([held[name] for name in node.inputs], state)
            held.update(zip(node.outputs, made, strict=True))
            for name in dying:
                held.pop(name, None)
        return {name: held[name] for name in self.fetches}


@dataclass
class _Frame:
    """One instance of a loop: made by the iteration that entered it."""

    name: str
    parent: _Frame | None
    parent_iteration: int
    constants: list[tuple[str, Any]] = field(default_factory=list)
    iterations: dict[int, _Iteration] = field(default_factory=dict)
    dead: bool = False


@dataclass
class _Iteration:
    """What the nodes have got in one iteration: inputs by node, how many are missing."""

    frame: _Frame
    number: int
    arrived: dict[int, dict[int, Any]] = field(default_factory=dict)
    missing: dict[int, int] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    children: dict[str, _Frame] = field(default_factory=dict)


class _Tokens:
    """One run of an executor with control flow."""

    def __init__(self, executor: Executor, values: Mapping[str, Any], state: State) -> None:
        self.state = state
        self.kernels = executor.kernels
        self.fetches = executor.fetches
        self.found: dict[str, Any] = {}
        self.readers: dict[str, list[tuple[int, int]]] = {}
        self.followers: dict[str, list[int]] = {}
        closing = {
            kernel.node.outputs[0] for kernel in self.kernels if kernel.node.op == "next_iteration"
        }
        self.loop_merges: set[int] = set()
        for index, kernel in enumerate(self.kernels):
            node = kernel.node
            for place, name in enumerate(node.inputs):
                self.readers.setdefault(name, []).append((index, place))
            for label in node.after:
                self.followers.setdefault(label, []).append(index)
            if node.op == "merge" and closing & set(node.inputs):
                self.loop_merges.add(index)
        self.root = _Frame("", None, 0)
        self.ready: deque[tuple[_Iteration, int]] = deque()
        self.values = values

    def run(self) -> dict[str, Any]:
        first = self._iteration(self.root, 0)
        for index, kernel in enumerate(self.kernels):
            if not kernel.node.inputs and not kernel.node.after:
                self.ready.append((first, index))
        for name, value in self.values.items():
            self._give(first, name, value)
        while self.ready:
            self._fire(*self.ready.popleft())
        for name in self.fetches:
            if self.found.get(name, DEAD) is DEAD:
                raise ZhisuanError(
                    f"'{name}' was not computed in this run",
                    expected="values that every branch taken makes",
                    found="a value of a branch that was not taken",
                )
        return {name: self.found[name] for name in self.fetches}

    def _iteration(self, frame: _Frame, number: int) -> _Iteration:
        if number not in frame.iterations:
            made = frame.iterations[number] = _Iteration(frame, number)
            for name, value in frame.constants:
                self._give(made, name, value)
        return frame.iterations[number]

    def _give(self, at: _Iteration, name: str, value: Any) -> None:
        """Hand a value to all that read it in this iteration."""
        if at.frame is self.root and name in self.fetches:
            self.found[name] = value
        for index, place in self.readers.get(name, ()):
            at.arrived.setdefault(index, {})[place] = value
            self._count(at, index, value is DEAD)

    def _count(self, at: _Iteration, index: int, is_dead: bool) -> None:
        """One more input or control edge of a node has come."""
        node = self.kernels[index].node
        if index in at.done:
            return
        if node.op == "merge":
            given = at.arrived[index]
            expected = 1 if index in self.loop_merges else len(node.inputs)
            living = any(value is not DEAD for value in given.values())
            if living or len(given) >= expected:
                at.done.add(index)
                self.ready.append((at, index))
            return
        total = len(node.inputs) + len(node.after)
        left = at.missing.get(index, total) - 1
        at.missing[index] = left
        if is_dead:
            at.dead.add(index)
        if left == 0:
            at.done.add(index)
            self.ready.append((at, index))

    def _fire(self, at: _Iteration, index: int) -> None:
        kernel = self.kernels[index]
        node = kernel.node
        given = at.arrived.pop(index, {})
        inputs = [given.get(place, DEAD) for place in range(len(node.inputs))]
        action: Callable[..., None] | None = _ACTIONS.get(node.op)
        if action is not None:
            action(self, at, kernel, inputs, index in at.dead)
            return
        is_dead = index in at.dead
        if node.op == "merge":
            is_dead = all(value is DEAD for value in inputs)
        elif node.op == "stack_push":
            is_dead = inputs[0] is DEAD
        made = (DEAD,) * len(node.outputs) if is_dead else kernel.run(inputs, self.state)
        self._hand_out(at, node, made, is_dead)

    def _hand_out(self, at: _Iteration, node: Node, made: Sequence[Any], is_dead: bool) -> None:
        for name, value in zip(node.outputs, made, strict=True):
            self._give(at, name, value)
        for index in self.followers.get(node.label, ()):
            self._count(at, index, is_dead)

    def _enter(self, at: _Iteration, kernel: Kernel, inputs: list[Any], is_dead: bool) -> None:
        node = kernel.node
        name = node.attrs["frame"]
        if name not in at.children:
            at.children[name] = _Frame(name, at.frame, at.number)
        frame = at.children[name]
        value = DEAD if is_dead else inputs[0]
        frame.dead |= is_dead
        if node.attrs["constant"]:
            frame.constants.append((node.output, value))
            if not frame.iterations:
                self._iteration(frame, 0)
                return
            for iteration in list(frame.iterations.values()):
                self._give(iteration, node.output, value)
            return
        self._hand_out(self._iteration(frame, 0), node, (value,), is_dead)

    def _exit(self, at: _Iteration, kernel: Kernel, inputs: list[Any], is_dead: bool) -> None:
        frame = at.frame
        if frame.parent is None or (is_dead and not frame.dead):
            return
        outside = self._iteration(frame.parent, frame.parent_iteration)
        self._hand_out(outside, kernel.node, (DEAD if is_dead else inputs[0],), is_dead)

    def _next(self, at: _Iteration, kernel: Kernel, inputs: list[Any], is_dead: bool) -> None:
        if not is_dead:
            following = self._iteration(at.frame, at.number + 1)
            self._hand_out(following, kernel.node, (inputs[0],), False)


_ACTIONS: dict[str, Callable[..., None]] = {
    "enter": _Tokens._enter,
    "exit": _Tokens._exit,
    "next_iteration": _Tokens._next,
}


def prepared(
    nodes: Sequence[Node], types: Mapping[str, Value], place: Callable[[Node], Device]
) -> list[Kernel]:
    """The nodes with their rows and devices."""
    return [
        Kernel(node, find(node.op), place(node), tuple(types[name] for name in node.outputs))
        for node in nodes
    ]
