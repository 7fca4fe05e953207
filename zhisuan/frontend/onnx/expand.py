"""An ONNX operator that ONNX itself defines by others: its definition, written out.

In come a node and the types of what it reads, out come the nodes it stands for, inner names made
unique; None for an operator that is a primitive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import defs, helper

from zhisuan.base.dtype import DType
from zhisuan.frontend.onnx.step import onnx_code
from zhisuan.graph.dims import Shape


def expansion(
    node: onnx.NodeProto, label: str, opset: int, types: Sequence[tuple[DType, Shape] | None]
) -> tuple[list[onnx.NodeProto], int] | None:
    """The nodes and the opset that they are written in; `types` per input, None if left out."""
    try:
        schema: Any = defs.get_schema(node.op_type, opset, node.domain)
    except defs.SchemaError:
        return None
    function = _function(schema, node, opset, types)
    if function is None:
        return None
    given = {
        name: attr.default_value
        for name, attr in schema.attributes.items()
        if attr.default_value.type
    }
    given |= {attr.name: attr for attr in function.attribute_proto}
    given |= {attr.name: attr for attr in node.attribute}
    names = dict(zip(function.input, [*node.input, *[""] * len(function.input)], strict=False))
    names |= dict(zip(function.output, node.output, strict=False))
    versions = [entry.version for entry in function.opset_import if entry.domain == ""]
    made = []
    for index, inner in enumerate(function.node):
        copy = onnx.NodeProto()
        copy.CopyFrom(inner)
        copy.name = f"{label}/{inner.name or inner.op_type}_{index}"
        for field in (copy.input, copy.output):
            for place, name in enumerate(field):
                if name:
                    field[place] = names.setdefault(name, f"{label}/{name}")
        _fill_attributes(copy, given)
        made.append(copy)
    return made, versions[0] if versions else opset


def _function(
    schema: Any,  # OpSchema, whose stubs lack what is used here
    node: onnx.NodeProto,
    opset: int,
    types: Sequence[tuple[DType, Shape] | None],
) -> onnx.FunctionProto | None:
    """The definition that is written in the newest operators not newer than the model's."""
    if schema.has_context_dependent_function:
        protos = [_type_proto(item) for item in types]
        versions = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
        if not versions:
            return None
        text = schema.get_context_dependent_function_with_opset_version(
            max(versions), node.SerializeToString(), [proto.SerializeToString() for proto in protos]
        )
    elif schema.has_function:
        versions = [version for version in schema.function_opset_versions if version <= opset]
        if not versions:
            return None
        text = schema.get_function_with_opset_version(max(versions))
    else:
        return None
    function = onnx.FunctionProto()
    function.ParseFromString(text)
    return function if function.node else None


def _type_proto(item: tuple[DType, Shape] | None) -> onnx.TypeProto:
    if item is None:
        return onnx.TypeProto()
    dtype, shape = item
    sizes = [dim if isinstance(dim, int) else None for dim in shape]
    return helper.make_tensor_type_proto(onnx_code(dtype), sizes)


def _fill_attributes(node: onnx.NodeProto, given: dict[str, onnx.AttributeProto]) -> None:
    """Attributes that refer to those of the operator get its values, or go."""
    kept = []
    for attr in node.attribute:
        if attr.ref_attr_name:
            if attr.ref_attr_name not in given:
                continue
            value = onnx.AttributeProto()
            value.CopyFrom(given[attr.ref_attr_name])
            value.name = attr.name
            kept.append(value)
        else:
            kept.append(attr)
    copies = []
    for attr in kept:
        copy = onnx.AttributeProto()
        copy.CopyFrom(attr)
        copies.append(copy)
    del node.attribute[:]
    node.attribute.extend(copies)
