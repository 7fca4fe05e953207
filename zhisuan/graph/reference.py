"""What a graph means: every node's NumPy reference, in order.  Short, no tricks.

In come a graph and an array per input, out comes an array per output.  Faster executors are
compared with this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from zhisuan.base.dtype import from_numpy
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import dims
from zhisuan.graph.dims import Formula
from zhisuan.graph.ir import Graph, Value
from zhisuan.graph.registry import find, shape_text

Watch = Callable[[str, np.ndarray], object]


def run(
    graph: Graph, feeds: Mapping[str, np.ndarray], watch: Watch | None = None
) -> dict[str, np.ndarray]:
    """The outputs by name; every array is let go after its last use.

    `watch` is shown every input and every result with its name, in order; it may not change them.
    """
    bind(graph, feeds)
    if watch is not None:
        for name, array in feeds.items():
            watch(name, array)
    last_use = {name: node for node in graph.nodes for name in node.inputs}
    arrays = {**graph.constants, **feeds}
    for node in graph.nodes:
        inputs = [arrays[name] for name in node.inputs]
        results = find(node.op, node.label).results(*inputs, **node.attrs)
        for name, result in zip(node.outputs, results, strict=True):
            arrays[name] = np.asarray(result, graph.values[name].dtype.numpy)
            if watch is not None:
                watch(name, arrays[name])
        for name in node.inputs:
            if last_use[name] is node and name not in graph.outputs:
                arrays.pop(name, None)
    return {name: arrays[name] for name in graph.outputs}


def bind(graph: Graph, feeds: Mapping[str, np.ndarray]) -> dict[str, int]:
    """The value of each open size, e.g. {"h": 256}, from arrays that must fit the inputs."""
    where = f"graph '{graph.name}'"
    if set(feeds) != set(graph.inputs):
        raise ZhisuanError(
            "the arrays fed are not the graph's inputs",
            where=where,
            expected=", ".join(graph.inputs),
            found=", ".join(feeds) or "nothing",
        )
    binding: dict[str, int] = {}
    for name in graph.inputs:
        value, array = graph.values[name], feeds[name]
        _bind_one(value, array, binding)
        if (from_numpy(array.dtype), array.shape) != (
            value.dtype,
            dims.evaluate_shape(value.shape, binding),
        ):
            _refuse(value, array)
    return binding


def _bind_one(value: Value, array: np.ndarray, binding: dict[str, int]) -> None:
    """Sizes that are bare symbols take their value from the array, the first time."""
    if array.ndim != len(value.shape):
        _refuse(value, array)
    for dim, size in zip(value.shape, array.shape, strict=True):
        if isinstance(dim, Formula) and str(dim).isidentifier():
            binding.setdefault(str(dim), size)


def _refuse(value: Value, array: np.ndarray) -> None:
    raise ZhisuanError(
        f"the array for '{value.name}' does not fit",
        expected=value.type_text,
        found=f"{from_numpy(array.dtype)}{shape_text(array.shape)}",
    )
