"""Which converter makes a node of the graph from each ONNX operator.

`CONVERTERS` starts from the ONNX names in the op registry: inputs go over as they are, and
attributes by the same name.  `converts` replaces that for operators whose spelling differs from the
graph's or changed between opsets.
"""

from __future__ import annotations

from collections.abc import Callable

from zhisuan.frontend.onnx.step import Step, Unsupported
from zhisuan.graph.ops import OPS
from zhisuan.graph.registry import OpDef

Converter = Callable[[Step], None]


def _plain(row: OpDef) -> Converter:
    def convert(step: Step) -> None:
        attrs = {name: step.take(name) for name in row.attrs}
        given = {name: value for name, value in attrs.items() if value is not None}
        if not all(step.inputs):
            raise Unsupported(f"{step.op} with an input left out")
        step.emit(row.name, step.inputs, given)

    return convert


CONVERTERS: dict[str, Converter] = {name: _plain(row) for row in OPS.values() for name in row.onnx}


def converts(name: str) -> Callable[[Converter], Converter]:
    """Use the decorated function for ONNX operator `name`."""

    def register(function: Converter) -> Converter:
        CONVERTERS[name] = function
        return function

    return register
