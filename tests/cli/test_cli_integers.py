"""Integers from the command line to the chip: a picture, and a quantised graph run."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from zhisuan.base.dtype import F32
from zhisuan.graph import reference, text
from zhisuan.graph.build import GraphBuilder
from zhisuan.models import style

Command = Callable[..., Any]


@pytest.mark.skipif(
    importlib.util.find_spec(style.WEIGHTS.package) is None
    or importlib.util.find_spec("imgaug") is None,
    reason=f"needs {style.WEIGHTS.install} imgaug==0.4.0",
)
def test_a_picture_in_integers(zhisuan: Command, here: Path) -> None:
    pictures = {}
    for name, more in (("half.png", []), ("int8.png", ["--int8"])):
        done = zhisuan("style", "--size", "64", "-o", name, *more)
        assert (done.code, done.err) == (0, "")
        with Image.open(here / name) as picture:
            pictures[name] = np.asarray(picture, np.float64) / 255
    error = np.mean((pictures["half.png"] - pictures["int8.png"]) ** 2)
    assert 25 < 10 * np.log10(1 / error) < 50
    assert ", INT8" in (here / "int8.html").read_text(encoding="utf-8")
    assert ", INT8" not in (here / "half.html").read_text(encoding="utf-8")


def test_a_quantised_graph_runs_like_any_other(zhisuan: Command, here: Path) -> None:
    rng = np.random.default_rng(5)
    build = GraphBuilder("small")
    value = build.input("x", F32, (1, 3, 10, 12))
    for name, inputs in (("one", 3), ("two", 8)):
        w = build.constant(f"{name}.w", rng.normal(0, 1, (8, inputs, 3, 3)).astype(np.float32))
        value = build.node("conv2d", [value, w], {"activation": "relu"}, output=name, label=name)
    text.save(build.finish([value]), here / "small.graph")
    x = rng.normal(0, 1, (1, 3, 10, 12)).astype(np.float16).astype(np.float32)
    save_file({"x": x}, here / "inputs.safetensors")
    done = zhisuan("quantize", "small.graph", "--inputs", "inputs.safetensors")
    assert (done.code, done.err) == (0, "")
    done = zhisuan("run", "small-int8.graph", "-o", "y.safetensors")
    assert (done.code, done.err) == (0, "")
    expected = reference.run(text.load(here / "small-int8.graph"), {"x": x})["two"]
    assert np.array_equal(load_file(here / "y.safetensors")["two"], expected.astype(np.float16))
