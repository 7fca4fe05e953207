"""ONNX's own interface for what can run its models: `prepare(model).run(inputs)`.

This is what the `onnx` package's test suite drives.  The model is imported whole and run by the
graph's reference executor; nothing is left to another implementation.  Where an operator's sizes,
axes or bounds come in as inputs, which the graph needs to know before it runs, the model is
imported again for the values that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import version_converter
from onnx.backend.base import Backend, BackendRep

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.onnx.load import from_model
from zhisuan.frontend.onnx.read import OLDEST_OPSET
from zhisuan.graph import reference
from zhisuan.graph.ir import Graph

SMALL = 64  # elements; larger inputs are data, never sizes or bounds


class Prepared(BackendRep):
    """A model, ready to run as far as that is possible before its inputs are there."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        weights = {tensor.name for tensor in model.graph.initializer}
        self.names = [info.name for info in model.graph.input if info.name not in weights]
        self.whole: Graph | None = None
        try:
            self.whole = self._import({})
        except ZhisuanError as error:
            self.problem = error

    def run(self, inputs: Sequence[Any], **kwargs: Any) -> tuple[Any, ...]:
        """The outputs, in the model's order."""
        arrays = {name: np.asarray(item) for name, item in zip(self.names, inputs, strict=False)}
        graph = self.whole or self._for_values(arrays)
        feeds = {name: arrays[name] for name in graph.inputs}
        with np.errstate(all="ignore"):
            found = reference.run(graph, feeds)
        return tuple(found[name] for name in graph.outputs)

    def _for_values(self, arrays: dict[str, np.ndarray]) -> Graph:
        """The graph with small whole numbers known; if that is not enough, all small inputs."""
        small = {name: array for name, array in arrays.items() if array.size <= SMALL}
        whole = {name: array for name, array in small.items() if array.dtype.kind in "iub"}
        bounds = {name: a for name, a in small.items() if name in whole or a.ndim <= 1}
        for known in (whole, bounds, small):
            try:
                return self._import(known)
            except ZhisuanError as error:
                self.problem = error
        raise self.problem

    def _import(self, known: dict[str, np.ndarray]) -> Graph:
        return from_model(self.model, self.model.graph.name or "model", "the model", known)


class ZhisuanBackend(Backend):
    """Device CPU only."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        versions = [entry.version for entry in model.opset_import if entry.domain == ""]
        if versions and versions[0] < OLDEST_OPSET:
            model = version_converter.convert_version(model, OLDEST_OPSET)
        return Prepared(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


prepare = ZhisuanBackend.prepare
run_model = ZhisuanBackend.run_model
supports_device = ZhisuanBackend.supports_device
