"""One ONNX node on its way into the graph: its attributes and inputs, and what it emits.

A converter takes what it understands from a `Step` and emits nodes; whatever it did not take
is unsupported, so nothing of a model can be dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import Formula
from zhisuan.graph.registry import find

_BY_ONNX = {
    onnx.TensorProto.FLOAT: dtypes.F32,
    onnx.TensorProto.DOUBLE: dtypes.F64,
    onnx.TensorProto.FLOAT16: dtypes.F16,
    onnx.TensorProto.INT8: dtypes.I8,
    onnx.TensorProto.INT16: dtypes.I16,
    onnx.TensorProto.INT32: dtypes.I32,
    onnx.TensorProto.INT64: dtypes.I64,
    onnx.TensorProto.UINT8: dtypes.U8,
    onnx.TensorProto.UINT16: dtypes.U16,
    onnx.TensorProto.UINT32: dtypes.U32,
    onnx.TensorProto.UINT64: dtypes.U64,
    onnx.TensorProto.BOOL: dtypes.BOOL,
}


class Unsupported(Exception):
    """Something of the model that has no place in the graph; the text is one line of the list."""


def dtype_of(code: int) -> DType:
    """Our element type for ONNX's number `code`."""
    found = {int(key): dtype for key, dtype in _BY_ONNX.items()}.get(code)
    if found is None:
        names = {number: name for name, number in onnx.TensorProto.DataType.items()}
        raise Unsupported(f"element type {names.get(code, code)}")
    return found


def onnx_code(dtype: DType) -> int:
    """ONNX's number for our element type."""
    return next(int(key) for key, known in _BY_ONNX.items() if known == dtype)


def tensor_array(tensor: onnx.TensorProto) -> np.ndarray:
    """The array of a stored tensor."""
    dtype_of(tensor.data_type)
    return np.asarray(numpy_helper.to_array(tensor), order="C")


def plain_float(value: float) -> float:
    """A float32 attribute as the shortest decimal that means the same float32: 1e-05."""
    return float(str(np.float32(value)))


class Step:
    """What a converter sees of one ONNX node."""

    def __init__(self, node: onnx.NodeProto, label: str, opset: int, build: GraphBuilder) -> None:
        self.op = node.op_type
        self.label = label
        self.opset = opset
        self.build = build
        self.inputs = list(node.input)
        while self.inputs and not self.inputs[-1]:
            self.inputs.pop()
        self.outputs = list(node.output)
        self._attrs = {attr.name: attr for attr in node.attribute}

    def take(self, name: str, default: Any = None) -> Any:
        """The attribute `name` as int, float, str, tuple or array; each can be taken once."""
        attr = self._attrs.pop(name, None)
        if attr is None:
            return default
        value = onnx.helper.get_attribute_value(attr)
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, onnx.TensorProto):
            return tensor_array(value)
        if isinstance(value, float):
            return plain_float(value)
        if isinstance(value, (onnx.GraphProto, onnx.SparseTensorProto, onnx.TypeProto)):
            raise Unsupported(f"{self.op} with a {type(value).__name__} attribute '{name}'")
        return value if isinstance(value, int) else tuple(value)

    def ignore(self, *names: str) -> None:
        """Attributes that change nothing for what the converter accepts."""
        for name in names:
            self._attrs.pop(name, None)

    def has(self, index: int) -> bool:
        """Whether optional input `index` is given."""
        return index < len(self.inputs) and bool(self.inputs[index])

    def shape(self, index: int) -> tuple[int | Formula, ...]:
        """The shape of input `index`."""
        return self.build.facts[self.inputs[index]].shape

    def numbers(self, index: int, what: str) -> np.ndarray:
        """The known plain numbers of input `index`."""
        value = self.build.known(self.inputs[index])
        if value is None or value.dtype == object:
            raise Unsupported(f"{self.op} with computed {what}")
        return value

    def integers(self, index: int, what: str) -> tuple[int, ...]:
        """As `numbers`, as a tuple of Python integers."""
        return tuple(int(item) for item in self.numbers(index, what).reshape(-1))

    def emit(self, op: str, inputs: Iterable[str], attrs: Mapping[str, Any] | None = None) -> None:
        """Add the node that makes this ONNX node's output."""
        self.build.node(op, inputs, attrs, output=self.outputs[0], label=self.label)

    def emit_all(
        self, op: str, inputs: Iterable[str], attrs: Mapping[str, Any] | None = None
    ) -> None:
        """Add the node that makes all outputs of this ONNX node; those not asked for get names."""
        given = [name or self.build.fresh(f"{self.label}/unused") for name in self.outputs]
        names = find(op).outputs
        given += [self.build.fresh(f"{self.label}/{name}") for name in names[len(given) :]]
        self.build.call(op, inputs, attrs, outputs=tuple(given), label=self.label)
        self.made_all()

    def made_all(self) -> None:
        """All outputs are made."""
        self.outputs = self.outputs[:1]

    def reshaped(self, name: str, sizes: Iterable[Any], what: str) -> str:
        """`name` in other sizes."""
        target = self.constant(np.array(list(sizes), np.int64))
        return self.build.node("reshape", [name, target], label=f"{self.label}/{what}")

    def reduction(self) -> dict[str, Any] | None:
        """Axes (an attribute or an input) and keepdims; None if nothing is reduced."""
        axes = self.integers(1, "axes") if self.has(1) else self.take("axes", ())
        keepdims = bool(self.take("keepdims", 1))
        if self.take("noop_with_empty_axes", 0) and not axes:
            return None
        rank = len(self.shape(0))
        return {"axes": tuple(sorted(axis % rank for axis in axes)), "keepdims": keepdims}

    def constant(self, array: np.ndarray) -> str:
        """Add a constant that the ONNX node spells as an attribute; returns its name."""
        return self.build.constant(self.build.fresh(self.label + "/constant"), array)

    def finish(self) -> None:
        """Nothing may be left over."""
        if self._attrs:
            raise Unsupported(f"{self.op} with attribute '{min(self._attrs)}'")
        if any(self.outputs[1:]):
            raise Unsupported(f"{self.op} with {len(self.outputs)} outputs")
