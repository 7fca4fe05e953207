"""What the importer refuses, and how it says so: everything at once, on one screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import FLOAT, model

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.onnx import from_model, load
from zhisuan.frontend.onnx.read import NEWEST_OPSET
from zhisuan.frontend.onnx.step import Step, Unsupported
from zhisuan.graph.build import GraphBuilder

node = helper.make_node
TRY = (
    "  try:      export the model without them, or add a row to zhisuan/graph/ops and a converter\n"
    "            to zhisuan/frontend/onnx/convert.py (CONTRIBUTING: add an op)"
)


def refusal(source: onnx.ModelProto) -> str:
    with pytest.raises(ZhisuanError) as caught:
        from_model(source, "net", "net.onnx")
    return str(caught.value)


def message(count: int, *lines: str) -> str:
    return (
        f"error: the model has {count} part{'s' if count > 1 else ''} that cannot be imported\n"
        "  where:    net.onnx\n"
        "  expected: operators that the registry knows, with the attributes it knows\n"
        "  found:    " + "\n            ".join(lines) + "\n" + TRY
    )


def test_everything_unsupported_is_listed_with_counts() -> None:
    body = helper.make_graph([], "body", [], [])
    nodes = [
        node("Det", ["x"], ["a"], name="det_0"),
        node("Det", ["x"], ["b"], name="det_1"),
        node("Relu", ["b"], ["c"]),
        node("If", ["x"], ["d"], name="choice", then_branch=body, else_branch=body),
        node("Gelu", ["x"], ["e"], name="gelu", domain="com.microsoft"),
        node("Conv", ["x", "w"], ["f"], name="conv", auto_pad="SAME_UPPER"),
        node("Pad", ["x", "p"], ["g"], name="pad", mode="wrap"),
        node("Identity", ["nowhere"], ["h"], name="lost"),
        node("Cast", ["x"], ["i"], name="cast", to=TensorProto.BFLOAT16),
        node("Relu", ["x"], ["j"], name="relu", slope=2),
        node("MatMul", ["x", "v"], ["k"], name="product"),
        node("Add", ["c", "j"], ["y"]),
    ]
    weights = {
        "w": np.zeros((1, 3, 3, 3), np.float32),
        "p": np.zeros(8, np.int64),
        "v": np.zeros((3, 3), np.float32),
    }
    source = model(nodes, {"x": (FLOAT, (1, 3, "h", 5))}, weights=weights)
    assert refusal(source) == message(
        10,
        "Det ×2 (first: det_0)",
        "If ×1 (first: choice)",
        "com.microsoft::Gelu ×1 (first: gelu)",
        "Conv with auto_pad=SAME_UPPER of open sizes ×1 (first: conv)",
        "Pad with mode=wrap ×1 (first: pad)",
        "Identity that reads 'nowhere', made by no node ×1 (first: lost)",
        "element type BFLOAT16 ×1 (first: cast)",
        "Relu: Unrecognized attribute: slope for operator Relu ×1 (first: relu)",
        "matmul: the inner sizes differ; expected [..., m, k] @ [..., k, n]; "
        "found [1, 3, h, 5] @ [3, 3] ×1 (first: product)",
    )


def test_a_long_list_is_cut_to_a_screen() -> None:
    nodes = [node(f"Odd{i}", ["x"], [f"v{i}"], name=f"n{i}") for i in range(30)]
    text = refusal(model([*nodes, node("Relu", ["x"], ["y"])], {"x": (FLOAT, (1,))}))
    assert "the model has 30 parts" in text
    assert "and 18 more kinds" in text
    assert len(text.splitlines()) < 24


def test_an_attribute_that_no_converter_took_is_refused() -> None:
    build = GraphBuilder("net")
    build.input("x", F32, (2,))
    step = Step(node("Relu", ["x"], ["y"], slope=2), "relu", 17, build)
    step.emit("relu", step.inputs)
    with pytest.raises(Unsupported, match="Relu with attribute 'slope'"):
        step.finish()


def test_computed_axes_and_string_weights_are_listed() -> None:
    nodes = [node("Unsqueeze", ["x", "axes"], ["y"], name="grow")]
    source = model(nodes, {"x": (FLOAT, (2,)), "axes": (TensorProto.INT64, (1,))})
    text = onnx.TensorProto(name="s", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
    source.graph.initializer.append(text)
    assert refusal(source) == message(
        2, "element type STRING ×1 (first: s)", "Unsqueeze with computed axes ×1 (first: grow)"
    )


def test_an_output_nobody_makes() -> None:
    source = model([node("Relu", ["x"], ["z"])], {"x": (FLOAT, (2,))})
    assert refusal(source) == (
        "error: the model names an output that no node makes\n  where:    net.onnx\n  found:    y"
    )


def test_an_opset_out_of_range() -> None:
    source = model([node("Relu", ["x"], ["y"])], {"x": (FLOAT, (2,))}, opset=8)
    assert refusal(source) == (
        "error: the model's operator set is not supported\n"
        "  where:    net.onnx\n"
        f"  expected: opset 9 to {NEWEST_OPSET}\n"
        "  found:    opset 8\n"
        "  try:      export it again with a supported opset, or onnx.version_converter"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    weights = {"w": np.ones((4, 4), np.float32)}
    source = model([node("MatMul", ["x", "w"], ["y"])], {"x": (FLOAT, ("n", 4))}, weights=weights)
    path.write_bytes(source.SerializeToString())
    return path


def test_a_cut_file_is_refused_wherever_it_is_cut(file: Path) -> None:
    data = file.read_bytes()
    assert load(file).values["y"].type_text == "f32[n, 4]"
    for length in range(len(data)):
        file.write_bytes(data[:length])
        with pytest.raises(ZhisuanError):
            load(file)
    file.write_bytes(data[:-30])
    with pytest.raises(ZhisuanError) as caught:
        load(file)
    assert str(caught.value) == (
        "error: not a complete ONNX file\n"
        f"  where:    {file}\n"
        "  expected: an ONNX model: ir_version, opset and a graph\n"
        f"  found:    {len(data) - 30} bytes that begin like an ONNX model and then break off\n"
        "  try:      fetch or export the file again; a download may have been cut short"
    )


def test_a_damaged_file_is_refused_or_read_but_never_crashes(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"], name="c", pads=[1, 1, 1, 1]),
        node("ReduceMean", ["a"], ["b"], axes=[2, 3]),
        node("Reshape", ["b", "s"], ["y"]),
    ]
    weights = {"w": np.ones((2, 2, 3, 3), np.float32), "s": np.array([0, -1])}
    whole = model(nodes, {"x": (FLOAT, (1, 2, "h", "w"))}, weights=weights).SerializeToString()
    path = tmp_path / "net.onnx"
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(600):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 2):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            load(path)
        except ZhisuanError:
            refused += 1
    assert 200 < refused < 600


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "0 bytes (the file is empty)"),
        (b"<!DOCTYPE html>\n<p>", "19 bytes of text, beginning with '<!DOCTYPE html>'"),
        (b"\x89PNG\r\n\x1a\n????", "12 bytes that begin with 89 50 4e 47 0d 0a 1a 0a"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(ZhisuanError) as caught:
        load(path)
    assert caught.value.found == found


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ZhisuanError) as caught:
        load(tmp_path / "none.onnx")
    assert str(caught.value) == (
        "error: cannot read the ONNX file\n"
        f"  where:    {tmp_path / 'none.onnx'}\n"
        "  expected: a readable file\n"
        "  found:    No such file or directory"
    )


def test_missing_weights_beside_the_model(file: Path) -> None:
    source = onnx.load(str(file))
    onnx.save_model(source, str(file), save_as_external_data=True, location="w.bin",
                    size_threshold=0)  # fmt: skip
    assert load(file).constants["w"].shape == (4, 4)
    (file.parent / "w.bin").unlink()
    with pytest.raises(ZhisuanError) as caught:
        load(file)
    assert caught.value.what == "weights stored beside the model cannot be read"


def test_sizes_keep_their_names_and_odd_names_become_identifiers() -> None:
    shapes = {"x": (FLOAT, ("batch", "floor(h/2)", 3))}
    graph = from_model(model([node("Relu", ["x"], ["y"])], shapes), "net", "net.onnx")
    assert graph.values["y"].type_text == "f32[batch, floor_h_2_, 3]"


def test_shape_arithmetic_on_open_sizes() -> None:
    """What PyTorch writes for x.view(x.size(0), -1, 2 * x.size(3))."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "i0"], ["n"]),
        node("Gather", ["s", "i3"], ["w"]),
        node("Mul", ["w", "two"], ["w2"]),
        node("Unsqueeze", ["n", "axis"], ["n1"]),
        node("Unsqueeze", ["w2", "axis"], ["w1"]),
        node("Concat", ["n1", "rest", "w1"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["y"]),
    ]
    numbers = {"i0": 0, "i3": 3, "two": 2, "axis": [0], "rest": [-1]}
    weights = {name: np.array(value, np.int64) for name, value in numbers.items()}
    shape = {"x": (FLOAT, ("n", 4, "h", "w"))}
    graph = from_model(model(nodes, shape, weights=weights), "net", "net.onnx")
    assert graph.values["y"].type_text == "f32[n, 2*h, 2*w]"
