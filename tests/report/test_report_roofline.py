"""The roofline: points where their figures put them, labels that can be read."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.report.model import Figures
from zhisuan.report.roofline import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, roofline_svg, ticks

MACHINE = load("dlp-s")
PEAK, BANDWIDTH = 1536e9, 102.4e9


def layer(label: str, intensity: float, rate: float) -> Figures:
    macs = 10_000_000
    return Figures(
        label=label, cycles=100, seconds=macs / rate, macs=macs, utilisation=rate / PEAK,
        dram_read=int(macs / intensity), dram_written=0, by_cause={}, intensity=intensity,
        rate=rate,
    )  # fmt: skip


def drawn(layers: list[Figures], whole: Figures) -> ElementTree.Element:
    return ElementTree.fromstring(roofline_svg(layers, whole, MACHINE, 1536))


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def place(element: ElementTree.Element) -> tuple[float, float]:
    return float(element.attrib["cx"]), float(element.attrib["cy"])


def test_points_and_roof_share_one_scale() -> None:
    """A layer at the ridge lies on the corner of the roof, one at half the peak below it."""
    ridge = PEAK / BANDWIDTH
    root = drawn([layer("corner", ridge, PEAK), layer("half", 4 * ridge, PEAK / 2)],
                 layer("all", ridge, PEAK / 2))  # fmt: skip
    (roof,) = of_class(root, "roof")
    corners = [tuple(map(float, pair.split(","))) for pair in roof.attrib["points"].split()]
    corner, half = map(place, of_class(root, "point"))
    assert corner == pytest.approx(corners[1], abs=0.2)
    assert half[1] > corners[2][1] == pytest.approx(corners[1][1])
    (whole,) = of_class(root, "whole")
    assert place(whole) == pytest.approx((corner[0], half[1]), abs=0.2)
    texts = [element.text for element in of_class(root, "name")]
    assert texts == ["matrix unit, 1.54 TMAC/s", "DRAM, 102 GB/s"]


def test_layers_without_macs_are_left_out() -> None:
    none = Figures("norm", 5, 1e-6, 0, 0, 100, 0, {}, 0, 0)
    root = drawn([none, layer("conv", 30, 1e12)], layer("all", 20, 9e11))
    assert len(of_class(root, "point")) == 1
    assert [e.text for e in of_class(root, "label")] == ["conv", "all"]


def test_layers_in_one_place_share_a_label() -> None:
    same = [layer(f"res{i}", 30, 9e11) for i in range(12)]
    root = drawn([*same, layer("other", 5, 2e11)], layer("all", 20, 8e11))
    assert [e.text for e in of_class(root, "label")] == ["res0 and 11 more", "other", "all"]
    assert len(of_class(root, "point")) == 13


@pytest.mark.parametrize("seed", range(8))
def test_labels_lie_apart_and_inside(seed: int) -> None:
    random = np.random.default_rng(seed)
    layers = [
        layer(f"layer.{i}", 10 ** random.uniform(0.5, 2), 10 ** random.uniform(11, 12))
        for i in range(14)
    ]
    root = drawn(layers, layer("whole network", 20, 4e11))
    boxes = []
    for element in of_class(root, "label"):
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        boxes.append((x, y - 12, x + 6 * len(element.text or ""), y + 4))
        assert x > LEFT and boxes[-1][2] < WIDTH - RIGHT
        assert boxes[-1][1] > TOP and boxes[-1][3] <= HEIGHT - BOTTOM + 1
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_nothing_to_show() -> None:
    none = Figures("norm", 5, 1e-6, 0, 0, 0, 0, {}, 0, 0)
    assert of_class(drawn([none], none), "point") == []


def test_ticks() -> None:
    assert ticks(0, 1.01) == [1, 2, 5, 10]
    assert ticks(-1, 3) == [0.1, 1, 10, 100, 1000]
