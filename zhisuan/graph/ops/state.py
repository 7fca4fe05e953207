"""Ops that read and change what outlives a run: variables.

`state` is the container of the session that runs them (`session.state`).  Their order within a run
is that of the graph's control edges, and of the graph itself where those say nothing.
"""

from __future__ import annotations

from typing import Any

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.graph.dims import Shape, parse
from zhisuan.graph.ops.rules import same_dtype, same_shape
from zhisuan.graph.registry import Call, op, shape_text

NOTE = "a graph in ONNX has no state"


def declared_shape(call: Call) -> Shape:
    text = call.attrs["shape"]
    return tuple(parse(part) for part in text.split(",")) if text else ()


def declared_dtype(call: Call) -> DType:
    return dtypes.dtype(call.attrs["dtype"])


@op(shape=declared_shape, dtype=declared_dtype, onnx_note=NOTE, flat="a source")
def variable(state: Any, *, name: str, dtype: str, shape: str = "") -> Any:
    """What the variable holds; an error before something was assigned."""
    return state.read(name)


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, flat="changes a variable")
def assign(state: Any, value: Any, *, name: str) -> Any:
    """The variable holds `value` from now on."""
    return state.write(name, value)


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, flat="changes a variable")
def assign_add(state: Any, value: Any, *, name: str) -> Any:
    """The variable holds its old value plus `value` from now on."""
    return state.write(name, state.read(name) + value)


@op(shape=same_shape, dtype=same_dtype, onnx_note=NOTE, flat="changes a variable")
def assign_sub(state: Any, value: Any, *, name: str) -> Any:
    """The variable holds its old value minus `value` from now on."""
    return state.write(name, state.read(name) - value)


def shape_attribute(shape: Shape) -> str:
    """`shape` as the attribute of `variable` spells it."""
    return shape_text(shape)[1:-1]
