"""Small ONNX models made on the spot for tests, and onnxruntime to run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[int, Sequence[int | str]]],
    *,
    output: str = "y",
    weights: dict[str, np.ndarray] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model of `nodes`; an input is (element type, sizes), sizes may be names."""
    initializers = [numpy_helper.from_array(a, name) for name, a in (weights or {}).items()]
    infos = [helper.make_tensor_value_info(n, t, list(shape)) for n, (t, shape) in inputs.items()]
    result = helper.make_empty_tensor_value_info(output)
    graph = helper.make_graph(list(nodes), "test", infos, [result], initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=min(10, 3 + opset)
    )


def single(
    op: str,
    arrays: Sequence[np.ndarray | None],
    *,
    constant: Sequence[int] = (),
    opset: int = 17,
    **attrs,
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """One operator on `arrays` (None: left out), those at `constant` as weights; and its feeds."""
    names = [f"i{index}" if array is not None else "" for index, array in enumerate(arrays)]
    given = {name: array for name, array in zip(names, arrays, strict=True) if array is not None}
    weights = {f"i{index}": given[f"i{index}"] for index in constant}
    feeds = {name: array for name, array in given.items() if name not in weights}
    inputs = {
        name: (helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    }
    node = helper.make_node(op, names, ["y"], name=f"the_{op}", **attrs)
    return model([node], inputs, weights=weights, opset=opset), feeds


def oracle(source: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """What onnxruntime makes of the model; it wants a declared output type, any will do."""
    source = onnx.ModelProto.FromString(source.SerializeToString())
    if not source.graph.output[0].type.HasField("tensor_type"):
        inferred = onnx.shape_inference.infer_shapes(source)
        known = {info.name: info for info in inferred.graph.output}
        source.graph.output[0].CopyFrom(known[source.graph.output[0].name])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(source.SerializeToString(), options)
    (result,) = session.run(None, feeds)
    return np.asarray(result)


FLOAT = TensorProto.FLOAT
