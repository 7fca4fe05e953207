"""`zhisuan run`: results as a picture, files without what they need, options without meaning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

Command = Callable[..., Any]

GRAPH = """\
graph "thin" {
  input %x : f32[1, CHANNELS, h, w]
  %y : f32[1, CHANNELS, h, w] = sigmoid(%x) @ "soft"
  output %y
}
"""


@pytest.fixture
def model(here: Path) -> Callable[[int], None]:
    """Write a graph of one sigmoid, and inputs for it of so many channels, 5×7 pixels."""

    def write(channels: int) -> None:
        (here / "thin.graph").write_text(GRAPH.replace("CHANNELS", str(channels)))
        values = np.linspace(-4, 4, channels * 35, dtype=np.float32)
        save_file({"x": values.reshape(1, channels, 5, 7)}, here / "inputs.safetensors")

    return write


def test_a_picture_of_the_result(
    zhisuan: Command, here: Path, model: Callable[[int], None]
) -> None:
    model(3)
    done = zhisuan("run", "thin.graph", "-o", "y.png")
    assert (done.code, done.err) == (0, "")
    assert zhisuan("run", "thin.graph", "-o", "y.safetensors").code == 0
    values = load_file(here / "y.safetensors")["y"]
    with Image.open(here / "y.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (7, 5))
        pixels = np.asarray(picture, np.float32) / 255
    assert np.max(np.abs(pixels.transpose(2, 0, 1) - values[0])) <= 0.5 / 255 + 1e-6


def test_a_result_that_is_no_picture(
    zhisuan: Command, here: Path, model: Callable[[int], None]
) -> None:
    model(4)
    done = zhisuan("run", "thin.graph", "-o", "y.png")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: the results are not a picture\n"
        "  where:    --output\n"
        "  expected: one result of shape [1, 3, height, width]\n"
        "  found:    y [1, 4, 5, 7]\n"
        "  try:      --output out.safetensors\n"
    )
    assert not (here / "y.png").exists()


def test_a_result_of_no_known_kind(zhisuan: Command, here: Path) -> None:
    done = zhisuan("run", "thin.plan", "-o", "y.npz")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: cannot write results called 'y.npz'\n"
        "  where:    --output\n"
        "  expected: a name ending in .safetensors, .png, .jpg, .jpeg, .webp, .bmp\n"
        "  found:    .npz\n"
        "  try:      --output y.safetensors\n"
    )


def test_no_inputs(zhisuan: Command, here: Path, model: Callable[[int], None]) -> None:
    model(3)
    (here / "inputs.safetensors").unlink()
    done = zhisuan("run", "thin.graph")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: there are no inputs\n"
        "  where:    inputs.safetensors\n"
        "  expected: a .safetensors file with the model's inputs by name\n"
        "  found:    no such file, and no --inputs\n"
        "  try:      --inputs FILE.safetensors\n"
    )


def test_a_trace_has_no_results(zhisuan: Command, here: Path) -> None:
    (here / "a.trace").write_bytes(b"")
    done = zhisuan("run", "a.trace", "-o", "y.safetensors", "--arg", "n=1")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: --output means nothing for a trace\n"
        "  where:    a.trace\n"
        "  expected: --machine, --report or --json: a trace is timed, not executed again\n"
        "  found:    --output, --arg\n"
        "  try:      run the .plan instead\n"
    )


def test_every_kind_of_file_is_named(zhisuan: Command, here: Path) -> None:
    save_file({"x": np.zeros(1, np.float32)}, here / "weights.safetensors")
    done = zhisuan("run", "weights.safetensors")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: cannot tell what to do with 'weights.safetensors'\n"
        "  where:    weights.safetensors\n"
        "  expected: a file ending in .onnx, .graph, .plan, .bcl, .ll, .dlps, .dlp, .trace\n"
        "  found:    .safetensors\n"
    )
