"""The readable form of a graph: prints, parses back to the same graph, saves and loads.

    graph "tiny" {
      input %x : f32[1, 3, h, w]
      const %two : f32[] = 2.0
      const %w : f32[8, 3, 3, 3] = stored
      %c : f32[1, 8, h, w] = conv2d(%x, %w) {pads = [1, 1, 1, 1], pad_mode = "reflect"} @ "first"
      %y : f32[1, 8, h, w] = mul(%c, %two) @ "twice"
      %v : f32[1, 8, h, 2], %i : i64[1, 8, h, 2] = topk(%y) {k = 2} @ "best"
      output %y
    }

One statement a line; `after ["c", "d"]` lists nodes that must have run before, `on "cpu:0"` says
where.  Attributes at their default are left out.  Constants of more than
`INLINE` elements are `stored`: `save` puts them in a .safetensors file beside the text, which
names that file and its checksum, so a text and weights that do not belong together are
refused.  Whatever is read is verified; nothing is repaired.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from zhisuan.base.errors import VerifyError, ZhisuanError
from zhisuan.base.files import Outputs
from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.parse import PLAIN_NAME, Parsed, parse
from zhisuan.graph.registry import find
from zhisuan.graph.verify import BrokenNode, verify

INLINE = 16  # elements; larger constants are stored apart


def dumps(graph: Graph, weights: str = "") -> str:
    """The text of `graph`; `weights` is the line that names the file of stored constants."""
    lines = [f"graph {json.dumps(graph.name)} {{"]
    lines += [weights] if weights else []
    lines += [f"input {_typed(graph, name)}" for name in graph.inputs]
    for name, array in graph.constants.items():
        lines.append(f"const {_typed(graph, name)} = {_constant_text(array)}")
    lines += [_node_text(graph, node) for node in graph.nodes]
    lines += [f"output {name_text(name)}" for name in graph.outputs]
    return "\n  ".join(lines) + "\n}\n"


def loads(text: str, stored: Mapping[str, np.ndarray] | None = None, file: str = "text") -> Graph:
    """The verified graph that `text` spells; `stored` has the constants kept apart."""
    return _verified(parse(text, file), stored or {})


def is_stored(array: np.ndarray) -> bool:
    """Whether a constant is kept apart: large ones, and NaNs, whose bits text would lose."""
    return array.size > INLINE or bool(array.dtype.kind == "f" and np.isnan(array).any())


def stored_constants(graph: Graph) -> dict[str, np.ndarray]:
    """The constants that the text does not hold."""
    return {name: array for name, array in graph.constants.items() if is_stored(array)}


def save(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write `path` and, for stored constants, the .safetensors file beside it; both or none."""
    with Outputs() as outputs:
        save_with(graph, Path(path), outputs)


def save_with(graph: Graph, path: Path, outputs: Outputs) -> None:
    """As `save`, together with the other files of `outputs`."""
    stored = stored_constants(graph)
    weights = ""
    if stored:
        sidecar = path.with_suffix(".safetensors")
        arrays = {name: np.asarray(array, order="C") for name, array in stored.items()}
        data = safetensors.numpy.save(arrays)
        checksum = hashlib.sha256(data).hexdigest()
        weights = f'weights {json.dumps(sidecar.name)} sha256 "{checksum}"'
        outputs.file(sidecar).write_bytes(data)
    outputs.file(path).write_text(dumps(graph, weights), encoding="utf-8")


def load(path: str | os.PathLike[str]) -> Graph:
    """The verified graph in `path` and the file of constants that it names."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ZhisuanError(
            "cannot read the graph file",
            where=str(path),
            expected="a readable text file",
            found=error.strerror or str(error) if isinstance(error, OSError) else "other bytes",
        ) from None
    parsed = parse(text, str(path))
    stored = {}
    if parsed.weights is not None:
        stored = _read_weights(path.parent / parsed.weights.file, parsed.weights.sha256)
    return _verified(parsed, stored)


def _verified(parsed: Parsed, stored: Mapping[str, np.ndarray]) -> Graph:
    """The graph of a text; where a node breaks a rule, the error shows its line."""
    try:
        return verify(parsed.graph(stored))
    except BrokenNode as error:
        place = parsed.places[error.label]
        raise VerifyError(
            error.what, where=place, expected=error.expected, found=error.found
        ) from None


def _read_weights(path: Path, sha256: str) -> dict[str, np.ndarray]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ZhisuanError(
            "cannot read the graph's stored constants",
            where=str(path),
            expected="the file that was saved with the graph",
            found=error.strerror or str(error),
        ) from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ZhisuanError(
            "the stored constants are damaged or belong to another graph",
            where=str(path),
            expected=f"sha256 {sha256}",
            found=f"sha256 {found}",
            hint="save the graph again; its two files belong together",
        )
    try:
        return safetensors.numpy.load(data)
    except SafetensorError as error:
        raise ZhisuanError(
            "the stored constants are not a safetensors file", where=str(path), found=str(error)
        ) from None


def name_text(name: str) -> str:
    """`%name`, quoted when it has characters that end a name."""
    return f"%{name}" if PLAIN_NAME.fullmatch(name) else f"%{json.dumps(name)}"


def _typed(graph: Graph, name: str) -> str:
    return f"{name_text(name)} : {graph.values[name].type_text}"


def _node_text(graph: Graph, node: Node) -> str:
    row = find(node.op, node.label)
    attrs = [
        f"{name} = {json.dumps(value)}"
        for name, value in node.attrs.items()
        if row.attrs[name].required or value != row.attrs[name].default
    ]
    inputs = ", ".join(name_text(name) for name in node.inputs)
    braces = f" {{{', '.join(attrs)}}}" if attrs else ""
    typed = ", ".join(_typed(graph, name) for name in node.outputs)
    text = f"{typed} = {node.op}({inputs}){braces} @ {json.dumps(node.label)}"
    text += f" after [{', '.join(map(json.dumps, node.after))}]" if node.after else ""
    return text + (f" on {json.dumps(node.device)}" if node.device else "")


def _constant_text(array: np.ndarray) -> str:
    if is_stored(array):
        return "stored"
    items = ", ".join(_number_text(item) for item in array.reshape(-1))
    return items if array.ndim == 0 else f"[{items}]"


def _number_text(item: np.generic) -> str:
    """The shortest decimal that reads back as the same number of the same type."""
    text = str(item)
    words = {"inf": "Infinity", "-inf": "-Infinity", "True": "true", "False": "false"}
    return words.get(text, text)
