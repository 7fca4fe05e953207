"""`zhisuan quantize`: files written, figures printed, options that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from zhisuan.base.dtype import F32
from zhisuan.graph import text
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol

Command = Callable[..., Any]


@pytest.fixture
def model(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two convolutions in `small.graph`, a picture `red.png`."""
    monkeypatch.setenv("ZHISUAN_CACHE", str(here / "cache"))
    rng = np.random.default_rng(5)
    build = GraphBuilder("small")
    value = build.input("image", F32, (1, 3, symbol("h"), symbol("w")))
    for name, inputs in (("one", 3), ("two", 8)):
        w = rng.normal(0, 1, (8, inputs, 3, 3)).astype(np.float32)
        operands = [value, build.constant(f"{name}.w", w)]
        value = build.node("conv2d", operands, {"activation": "relu"}, output=name, label=name)
    text.save(build.finish([value]), here / "small.graph")
    pixels = rng.integers(0, 256, (12, 9, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(here / "noise.png")
    return here / "small.graph"


def test_a_graph_and_its_calibration(zhisuan: Command, here: Path, model: Path) -> None:
    done = zhisuan("quantize", "small.graph", "--images", "noise.png", "--size", "12", "--compare")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"signal over noise of the integers, dB\n"
        r"one   \d\d\.\d\n"
        r"two   \d\d\.\d\n\n"
        r"two: cosine to floats at least (0\.99\d\d|1\.0000) over 1 examples\n\n"
        r"graph        small-int8\.graph\n"
        r"calibration  small-int8\.calibration\.toml\n",
        done.out,
    )
    graph = text.load(here / "small-int8.graph")
    assert [node.op for node in graph.nodes] == ["quantize", "conv2d_i8", "conv2d_i8"]
    ranges = (here / "small-int8.calibration.toml").read_text()
    assert re.search(r'^"one" = \{ largest = [\d.]+, position = -?\d+, scale = 1\.\d+ \}$',
                     ranges, re.M)  # fmt: skip


def test_the_same_from_the_calibration_alone(zhisuan: Command, here: Path, model: Path) -> None:
    assert zhisuan("quantize", "small.graph", "--images", "noise.png", "-o", "a.graph").code == 0
    done = zhisuan("quantize", "small.graph", "--calibration", "a.calibration.toml",
                   "-o", "b.graph")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert (here / "a.safetensors").read_bytes() == (here / "b.safetensors").read_bytes()
    assert text.dumps(text.load(here / "a.graph")) == text.dumps(text.load(here / "b.graph"))
    done = zhisuan("quantize", "small.graph", "--calibration", "a.calibration.toml", "--compare")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: there are no examples\n")


def test_layers_kept_and_scales_per_channel(zhisuan: Command, here: Path, model: Path) -> None:
    save_file({"image": np.ones((1, 3, 7, 7), np.float32)}, here / "ones.safetensors")
    done = zhisuan("quantize", "small.graph", "--inputs", "ones.safetensors", "--keep", "one",
                   "--per-channel", "--percentile", "99")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    graph = text.load(here / "small-int8.graph")
    assert [node.op for node in graph.nodes] == ["conv2d", "quantize", "conv2d_i8"]
    assert len(np.unique(graph.constants["two.scale"])) == 8


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["-o", "small.onnx"],
         "error: cannot write a graph called 'small.onnx'\n"
         "  where:    --output\n"
         "  expected: a name ending in .graph\n"
         "  found:    .onnx\n"
         "  try:      --output small.graph\n"),
        (["--inputs", "ones.safetensors", "-o", "ones.graph"],
         "error: the weights beside it would overwrite --inputs ones.safetensors\n"
         "  where:    ones.safetensors\n"
         "  expected: a different file for each\n"
         "  found:    the same file twice\n"
         "  try:      name another file\n"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_written(
    zhisuan: Command, here: Path, model: Path, wrong: list[str], message: str
) -> None:
    save_file({"image": np.ones((1, 3, 7, 7), np.float32)}, here / "ones.safetensors")
    done = zhisuan("quantize", "small.graph", *wrong)
    assert (done.code, done.out, done.err) == (1, "", message)


def test_nothing_is_written_after_a_mistake(zhisuan: Command, here: Path, model: Path) -> None:
    before = sorted(path.name for path in here.iterdir())
    for wrong in (
        ["--images", "noise.png", "--keep", "three"],
        ["--images", "missing.png"],
        [],
        ["--calibration", "noise.png"],
        ["--images", "noise.png", "-o", "small.graph"],
    ):
        done = zhisuan("quantize", "small.graph", *wrong)
        assert (done.code, done.out) == (1, ""), wrong
        assert done.err.startswith("error: "), wrong
    found = sorted(path.name for path in here.iterdir() if path.name != "cache")
    assert found == before
