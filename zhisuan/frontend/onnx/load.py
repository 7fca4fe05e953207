"""A whole ONNX model into a whole `Graph`, or one error that lists everything in the way.

Value names and node names stay; open sizes keep their names.  Shapes are worked out anew by the
registry's rules: what the file declares for its outputs and inner values is not trusted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.onnx import (  # noqa: F401
    convert,
    convert_arithmetic,
    convert_indexing,
    convert_resize,
)
from zhisuan.frontend.onnx.expand import expansion
from zhisuan.frontend.onnx.read import opset, read_model
from zhisuan.frontend.onnx.step import Step, Unsupported, dtype_of, tensor_array
from zhisuan.frontend.onnx.table import CONVERTERS
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import Dim, symbol
from zhisuan.graph.ir import Graph

SHOWN = 12  # lines of the list of unsupported things before "and n more"


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph in the ONNX file `path`; unsupported parts are one error with counts."""
    path = Path(path)
    return from_model(read_model(path), path.stem, str(path))


def from_model(
    model: onnx.ModelProto,
    name: str,
    where: str,
    known: Mapping[str, np.ndarray] | None = None,
) -> Graph:
    """The graph of a model already read; `where` names it in errors.

    Inputs that are `known` become constants: the graph is right for these values of them only.
    """
    return _Import(model, name, where, known or {}).run()


class _Import:
    """One import under way: the builder, and what was found unsupported so far."""

    def __init__(
        self, model: onnx.ModelProto, name: str, where: str, known: Mapping[str, np.ndarray]
    ) -> None:
        self.known = known
        self.source = model.graph
        self.where = where
        self.opset = opset(model, where)
        self.rules = onnx.checker.C.CheckerContext()  # what ONNX itself says of a node
        self.rules.ir_version = model.ir_version
        self.rules.opset_imports = {"": self.opset}
        self.build = GraphBuilder(name)
        self.problems: dict[str, list[str]] = {}  # line of the list -> labels of the nodes
        self.lost: set[str] = set()  # values that an unsupported node would have made

    def run(self) -> Graph:
        weights = {tensor.name for tensor in self.source.initializer}
        for tensor in self.source.initializer:
            self._attempt("weights", tensor.name, [tensor.name], lambda t=tensor: self._weight(t))
        if self.source.sparse_initializer:
            self._note("sparse weights", self.source.sparse_initializer[0].values.name)
        for info in self.source.input:
            if info.name in self.known:
                self.build.constant(info.name, self.known[info.name])
            elif info.name not in weights:
                self._attempt("input", info.name, [info.name], lambda i=info: self._input(i))
        for index, node in enumerate(self.source.node):
            self._node(node, node.name or f"{node.op_type}_{index}")
        missing = [o.name for o in self.source.output if o.name not in self.build.facts]
        if self.problems:
            raise self._refusal()
        if missing:
            raise ZhisuanError(
                "the model names an output that no node makes", where=self.where, found=missing[0]
            )
        return self.build.finish(output.name for output in self.source.output)

    def _weight(self, tensor: onnx.TensorProto) -> None:
        self.build.constant(tensor.name, tensor_array(tensor))

    def _input(self, info: onnx.ValueInfoProto) -> None:
        if not info.type.HasField("tensor_type") or not info.type.tensor_type.HasField("shape"):
            raise Unsupported("input that is not a tensor with a shape")
        tensor = info.type.tensor_type
        shape = [_dim(info.name, axis, dim) for axis, dim in enumerate(tensor.shape.dim)]
        self.build.input(info.name, dtype_of(tensor.elem_type), tuple(shape))

    def _node(self, node: onnx.NodeProto, label: str) -> None:
        outputs = [name for name in node.output if name]
        if node.domain not in ("", "ai.onnx"):
            self._note(f"{node.domain}::{node.op_type}", label, outputs)
            return
        needed = {name for name in node.input if name}
        if needed & self.lost:
            self.lost.update(outputs)
            return
        unknown = needed - set(self.build.facts)
        if unknown:
            self._note(
                f"{node.op_type} that reads '{min(unknown)}', made by no node", label, outputs
            )
            return
        self._attempt(node.op_type, label, outputs, lambda: self._convert(node, label, self.opset))

    def _convert(self, node: onnx.NodeProto, label: str, opset: int) -> None:
        """By its converter; what has none, or not for this use, by ONNX's own definition."""
        try:
            if opset == self.opset:
                onnx.checker.check_node(node, self.rules)
        except onnx.checker.ValidationError as error:
            raise Unsupported(f"{node.op_type}: {str(error).splitlines()[0]}") from None
        try:
            if node.op_type not in CONVERTERS:
                raise Unsupported(node.op_type)
            step = Step(node, label, opset, self.build)
            CONVERTERS[step.op](step)
            step.finish()
        except Unsupported:
            facts = [self.build.facts.get(name) for name in node.input]
            types = [fact and (fact.dtype, fact.shape) for fact in facts]
            written_out = expansion(node, label, opset, types)
            if written_out is None:
                raise
            nodes, inner_opset = written_out
            for inner in nodes:
                self._convert(inner, inner.name, inner_opset)

    def _attempt(
        self, kind: str, label: str, outputs: list[str], action: Callable[[], None]
    ) -> None:
        """Do `action`; what goes wrong becomes a line of the list."""
        try:
            action()
        except Unsupported as problem:
            self._note(str(problem), label, outputs)
        except ZhisuanError as error:
            details = [error.what]
            details += [f"expected {error.expected}"] if error.expected else []
            details += [f"found {error.found}"] if error.found else []
            self._note("; ".join(details), label, outputs)
        except (IndexError, OverflowError, TypeError, ValueError) as error:
            self._note(f"{kind} that makes no sense ({error})", label, outputs)

    def _note(self, problem: str, label: str, outputs: list[str] | None = None) -> None:
        self.problems.setdefault(problem, []).append(label)
        self.lost.update(outputs or ())

    def _refusal(self) -> ZhisuanError:
        lines = [
            f"{problem} ×{len(labels)} (first: {labels[0]})"
            for problem, labels in sorted(self.problems.items(), key=lambda item: -len(item[1]))
        ]
        shown = lines[:SHOWN]
        if len(lines) > SHOWN:
            shown.append(f"and {len(lines) - SHOWN} more kinds")
        count = sum(len(labels) for labels in self.problems.values())
        return ZhisuanError(
            f"the model has {count} part{'s' if count > 1 else ''} that cannot be imported",
            where=self.where,
            expected="operators that the registry knows, with the attributes it knows",
            found="\n".join(shown),
            hint="export the model without them, or add a row to zhisuan/graph/ops and a "
            "converter\nto zhisuan/frontend/onnx/convert.py (CONTRIBUTING: add an op)",
        )


def _dim(name: str, axis: int, dim: onnx.TensorShapeProto.Dimension) -> Dim:
    """A number, or an open size under its own name (made an identifier where it is none)."""
    if dim.HasField("dim_value"):
        return dim.dim_value
    given = dim.dim_param or f"{name}_{axis}"
    word = re.sub(r"\W", "_", given)
    return symbol(word if word.isidentifier() else f"_{word}")
