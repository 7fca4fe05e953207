"""An ONNX file as a checked `ModelProto`.

In comes a path, out comes the model with its opset number, or a one-screen error: no such
file, not ONNX, cut short, an opset we do not know, weights beside the file that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from zhisuan.base.errors import ZhisuanError

OLDEST_OPSET = 9
NEWEST_OPSET = onnx.defs.onnx_opset_version()


def read_model(path: Path) -> onnx.ModelProto:
    """The model in `path`, complete with weights stored beside it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ZhisuanError(
            "cannot read the ONNX file",
            where=str(path),
            expected="a readable file",
            found=error.strerror or str(error),
        ) from None
    model = parse_model(data, str(path))
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except (OSError, onnx.checker.ValidationError) as error:
        raise ZhisuanError(
            "weights stored beside the model cannot be read",
            where=str(path),
            expected="the files that the model names, in the same folder",
            found=str(error).splitlines()[0],
        ) from None
    return model


def parse_model(data: bytes, where: str) -> onnx.ModelProto:
    """The model in `data`; text, other formats and cut files are refused."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise _not_onnx(data, where) from None
    whole = model.ir_version and model.opset_import and model.graph.output
    if not whole or not _readable(model):
        raise _not_onnx(data, where)
    return model


def _readable(model: onnx.ModelProto) -> bool:
    """Whether every name is text; a damaged file has names that are other bytes."""
    try:
        return all(isinstance(text, str) for text in _names(model))
    except UnicodeDecodeError:
        return False


def _names(model: onnx.ModelProto) -> Iterator[object]:
    for entry in model.opset_import:
        yield entry.domain
    for info in (*model.graph.input, *model.graph.output):
        yield info.name
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    for tensor in model.graph.initializer:
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))
    for node in model.graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attr.name for attr in node.attribute)


def opset(model: onnx.ModelProto, where: str) -> int:
    """The version of the standard operators that the model uses."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if len(versions) == 1 and OLDEST_OPSET <= versions[0] <= NEWEST_OPSET:
        return versions[0]
    raise ZhisuanError(
        "the model's operator set is not supported",
        where=where,
        expected=f"opset {OLDEST_OPSET} to {NEWEST_OPSET}",
        found=", ".join(f"opset {version}" for version in versions) or "no standard opset",
        hint="export it again with a supported opset, or onnx.version_converter",
    )


def _not_onnx(data: bytes, where: str) -> ZhisuanError:
    return ZhisuanError(
        "not a complete ONNX file",
        where=where,
        expected="an ONNX model: ir_version, opset and a graph",
        found=f"{len(data):,} bytes {_looks_like(data)}",
        hint="fetch or export the file again; a download may have been cut short",
    )


def _looks_like(data: bytes) -> str:
    if not data:
        return "(the file is empty)"
    if data[:1] == b"\x08" and data[2:3] in (b"\x12", b"\x1a", b"\x22", b"\x3a"):
        return "that begin like an ONNX model and then break off"
    try:
        data[:512].decode("ascii")
    except UnicodeDecodeError:
        return f"that begin with {data[:8].hex(' ')}"
    return f"of text, beginning with {data[:24].decode('ascii').splitlines()[0]!r}"
