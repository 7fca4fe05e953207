"""A graph of real numbers → one whose convolutions and fully connected layers are of integers.

    y = conv2d(x, w, b, activation="relu")
        ->  y = conv2d_i8(x as integers, w as integers, scale, shift, activation="relu", to)

`to` is i8 where only integer layers read y, directly or through poolings and moves, which then
take integers too; otherwise y stays real.  A real x gets one `quantize` in front of its first
integer reader.  In: an optimised graph and its calibration.  Changes no other op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zhisuan.base.dtype import F16, F32
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.graph.fixed_point import Format, format_of, to_i8
from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.rewrite.view import Edit
from zhisuan.graph.verify import verify
from zhisuan.quantize.calibration import Calibration

LAYERS = {"conv2d": "conv2d_i8", "linear": "linear_i8"}
MOVES = ("max_pool", "flatten", "reshape", "resize_nearest", "pad")
"""Ops whose results are elements of their first input, or zeros: in the same format."""


@dataclass(frozen=True)
class Quantized:
    """The graph of integers, and the formats of its i8 tensors by name, weights aside."""

    graph: Graph
    formats: Mapping[str, Format]


def quantize(
    graph: Graph,
    calibration: Calibration,
    *,
    keep: Sequence[str] = (),
    per_channel: bool = False,
) -> Quantized:
    """The graph with its layers in integers, but for those labelled in `keep`.

    Weights have one format per tensor, or with `per_channel` one per output channel.
    """
    work = _Work(graph, calibration, layers_to_quantize(graph, keep), per_channel)
    return Quantized(verify(work.edit.rewrite(work.offer), after="quantize"), work.formats)


def _is_layer(graph: Graph, node: Node) -> bool:
    """A convolution or fully connected layer, f16 or f32, whose weights and bias alone are
    constants."""
    x, *others = node.inputs
    real = graph.values[node.output].dtype in (F16, F32)
    ours = node.op in LAYERS and real and x not in graph.constants
    return ours and all(name in graph.constants for name in others)


def layers_to_quantize(graph: Graph, keep: Sequence[str]) -> frozenset[str]:
    """The outputs of the layers that become integers; it is an error if `keep` names no layer,
    or leaves none."""
    layers = {node.label: node.output for node in graph.nodes if _is_layer(graph, node)}
    for name in keep:
        if name not in layers:
            raise ZhisuanError(
                f"there is no layer '{name}' to keep",
                where=f"graph '{graph.name}'",
                expected=", ".join(layers),
                hint=did_you_mean(name, layers),
            )
    if not set(layers) - set(keep):
        raise ZhisuanError(
            "nothing to quantise",
            where=f"graph '{graph.name}'",
            expected="a convolution or fully connected layer with constant weights",
            found="none" if not layers else "all of them kept as they are",
        )
    return frozenset(output for label, output in layers.items() if label not in keep)


class _Work:
    """State of one rewrite."""

    def __init__(
        self, graph: Graph, calibration: Calibration, layers: frozenset[str], per_channel: bool
    ) -> None:
        self.graph = graph
        self.edit = Edit(graph)
        self.calibration = calibration
        self.layers = layers  # outputs of the layers to quantise
        self.per_channel = per_channel
        self.formats: dict[str, Format] = {}
        self.integers: dict[str, str] = {}  # real value -> its i8 form
        self.weights: dict[str, tuple[str, np.ndarray]] = {}
        self.users = graph.uses()

    def offer(self, node: Node) -> list[Node] | None:
        """What stands in the place of a node; None keeps it."""
        if node.output in self.layers:
            return self._layer(node)
        if self._moves(node):
            before, x = self._as_integers(node)
            self.formats[node.output] = self.formats[x]
            return [*before, self._node(node, node.op, (x, *node.inputs[1:]), dict(node.attrs))]
        return None

    def _node(self, old: Node, op: str, inputs: Sequence[str], attrs: dict) -> Node:
        """A node that makes what `old` made."""
        return self.edit.node(op, inputs, attrs, output=old.output, label=old.label)

    def _only_integers(self, name: str) -> bool:
        """Whether every reader of a value takes integers."""
        users = self.users[name]
        return bool(users) and name not in self.graph.outputs and all(map(self._takes, users))

    def _takes(self, node: Node) -> bool:
        return node.output in self.layers or self._moves(node)

    def _moves(self, node: Node) -> bool:
        """Whether a node moves integers to those who take them."""
        same = node.op in MOVES and not node.attrs.get("value")  # a pad of zeros, if constant
        return same and self._only_integers(node.output)

    def _layer(self, node: Node) -> list[Node]:
        before, x = self._as_integers(node)
        weight, steps = self._weight(node.inputs[1])
        scale, shift = self.formats[x].step * steps, np.zeros(len(steps))
        if len(node.inputs) > 2:
            shift = self.graph.constants[node.inputs[2]].astype(np.float64)
        activation, op = node.attrs["activation"], LAYERS[node.op]
        attrs = {**node.attrs, "to": self.graph.values[node.output].dtype.name}
        if activation not in ("", "relu"):  # after the layer, in real numbers
            inputs = [x, weight, *self._affine(node, scale, shift)]
            sums = self.edit.node(op, inputs, {**attrs, "activation": ""}, label=node.label)
            label = f"{node.label}/{activation}"
            last = self.edit.node(activation, [sums.output], {}, output=node.output, label=label)
            return [*before, sums, last]
        if self._only_integers(node.output):
            form = self.formats[node.output] = self.calibration.format(node.output)
            scale, shift, attrs["to"] = scale / form.step, shift / form.step, "i8"
        inputs = [x, weight, *self._affine(node, scale, shift)]
        return [*before, self._node(node, op, inputs, attrs)]

    def _affine(self, node: Node, scale: np.ndarray, shift: np.ndarray) -> list[str]:
        """The constants that end a layer."""
        pairs = (("scale", scale), ("shift", shift))
        return [
            self.edit.constant(f"{node.label}.{name}", values.astype(np.float32))
            for name, values in pairs
        ]

    def _as_integers(self, node: Node) -> tuple[list[Node], str]:
        """The i8 form of a node's first input, and the nodes that make it."""
        name = node.inputs[0]
        if name in self.formats:
            return [], name
        if name in self.integers:
            return [], self.integers[name]
        form = self.calibration.format(name)
        attrs = {"position": form.position, "scale": form.scale}
        made = self.edit.node("quantize", [name], attrs, label=f"{node.label}/quantize")
        self.integers[name] = made.output
        self.formats[made.output] = form
        return [made], made.output

    def _weight(self, name: str) -> tuple[str, np.ndarray]:
        """The constant of a weight in integers, and the step of every output channel."""
        if name not in self.weights:
            values = self.graph.constants[name].astype(np.float32)
            rows = values.reshape(len(values), -1)
            largest = np.maximum(rows.max(1, initial=0), -rows.min(1, initial=0))
            if not self.per_channel:
                largest[:] = largest.max(initial=0)
            forms = [format_of(float(one)) for one in largest]
            whole = np.empty(values.shape, np.int8)
            for channel, form in enumerate(forms):  # one by one: a large matrix is held once
                whole[channel] = to_i8(values[channel] * np.float32(form.factor))
            steps = np.array([form.step for form in forms])
            self.weights[name] = self.edit.constant(f"{name}.i8", whole), steps
        return self.weights[name]
