"""Example inputs from pictures: which files, what size, what pixels, which input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zhisuan.base.dtype import F32
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph
from zhisuan.models.examples import Examples, from_pictures, gather, network_called
from zhisuan.models.vgg16 import MEANS


def network(*extra: str, size: tuple = (symbol("h"), symbol("w"))) -> Graph:
    build = GraphBuilder("network")
    values = [build.input("picture", F32, (1, 3, *size))]
    values += [build.input(name, F32, (4,)) for name in extra]
    return build.finish([build.node("relu", [value]) for value in values])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of one colour each, 6 wide and 4 high, and a text."""
    for name, colour in (("b.png", (10, 20, 30)), ("a.bmp", (40, 50, 60))):
        Image.new("RGB", (6, 4), colour).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_folder_gives_its_pictures_in_order(folder: Path) -> None:
    found = from_pictures(network(), [folder, folder / "b.png"], "6", "rgb")
    assert [one["picture"].shape for one in found] == [(1, 3, 4, 6)] * 3
    first = [round(255 * float(one["picture"][0, 0, 0, 0])) for one in found]
    assert first == [40, 10, 10]


def test_pixels_as_vgg16_takes_them(folder: Path) -> None:
    (found,) = from_pictures(network(), [folder / "b.png"], "6", "bgr")
    expected = np.array([30, 20, 10]) - MEANS
    np.testing.assert_allclose(found["picture"][0, :, 2, 3], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("size", "asked", "shape"),
    [
        ((symbol("h"), symbol("w")), None, (171, 256)),
        ((symbol("h"), symbol("w")), "9x5", (9, 5)),
        ((8, 16), None, (8, 16)),
        ((8, 16), "8x16", (8, 16)),
        ((8, 16), "16", (8, 16)),
    ],
)
def test_sizes(folder: Path, size: tuple, asked: str | None, shape: tuple[int, int]) -> None:
    (found,) = from_pictures(network(size=size), [folder / "b.png"], asked, "rgb")
    assert found["picture"].shape == (1, 3, *shape)


def test_every_picture_with_every_set_of_other_inputs(folder: Path) -> None:
    others = [{"extra": np.full(4, value, np.float32)} for value in (1, 2)]
    wanted = Examples([folder], others, "6")
    found = gather(network("extra"), None, wanted)
    assert [one["extra"][0] for one in found] == [1, 2, 1, 2]
    assert all(set(one) == {"picture", "extra"} for one in found)


def test_tensors_alone_are_whole_examples() -> None:
    given = [{"picture": np.zeros((1, 3, 4, 4), np.float32)}]
    assert gather(network(), None, Examples((), given)) == given
    assert gather(network(), None, Examples(needed=False)) == []


def refusal(call) -> str:
    with pytest.raises(ZhisuanError) as caught:
        call()
    return str(caught.value)


def test_networks_by_name() -> None:
    assert network_called("vgg16") is not None
    assert network_called("vgg16.onnx") is None
    assert refusal(lambda: network_called("vgg17")) == (
        "error: no network is called 'vgg17'\n"
        "  expected: a .onnx or .graph file, or style or vgg16\n"
        "  try:      did you mean 'vgg16'?"
    )


def test_refusals(folder: Path) -> None:
    assert refusal(lambda: gather(network(), None, Examples())) == (
        "error: there are no examples\n"
        "  where:    graph 'network'\n"
        "  expected: pictures, or files of inputs by name, to see how large tensors grow\n"
        "  found:    neither --images nor --inputs\n"
        "  try:      --images FOLDER"
    )
    assert refusal(lambda: from_pictures(network("extra"), [folder], "6", "rgb")) == (
        "error: the pictures fit no input\n"
        "  where:    graph 'network'\n"
        "  expected: one input [1, 3, height, width] apart from those in --inputs\n"
        "  found:    picture f32[1, 3, h, w], extra f32[4]"
    )
    assert refusal(lambda: from_pictures(network(size=(8, 16)), [folder], "9", "rgb")) == (
        "error: the network takes pictures of one size\n"
        "  where:    --size\n"
        "  expected: 8x16, or no --size\n"
        "  found:    9"
    )
    assert refusal(lambda: from_pictures(network(), [folder], "6", "rbg")) == (
        "error: unknown kind of pixels 'rbg'\n"
        "  where:    --pixels\n"
        "  expected: rgb, bgr\n"
        "  try:      did you mean 'rgb'?"
    )
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("")
    assert refusal(lambda: from_pictures(network(), [folder / "texts"], "6", "rgb")).startswith(
        f"error: no pictures in the folder\n  where:    {folder / 'texts'}\n"
    )
