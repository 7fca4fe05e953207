"""Example inputs of a network, such as a calibration runs: from photographs, and networks by name.

In: a graph, picture files or folders of them, arrays for the other inputs.  Out: a list of
inputs by name, every picture with every set of other inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.frontend import photo
from zhisuan.graph.ir import Graph
from zhisuan.models import style, vgg16

if TYPE_CHECKING:
    from PIL.Image import Image

Feeds = Mapping[str, np.ndarray]

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Extensions of the files that a folder gives."""
OPEN_SIZE = 256
"""Longer side of a picture for a network that takes any size, unless another is asked for."""
PIXELS: dict[str, Callable[[Image], np.ndarray]] = {
    "rgb": photo.to_tensor,
    "bgr": vgg16.to_tensor,
}
"""What a network takes: red, green, blue in 0..1; or what VGG16 takes."""


@dataclass(frozen=True)
class Examples:
    """What a user asks for: pictures or folders of them, other inputs, size, pixels.

    `needed` makes having none an error.
    """

    images: Sequence[Path] = ()
    tensors: Sequence[Feeds] = ()
    size: str | None = None
    pixels: str | None = None
    needed: bool = True


@dataclass(frozen=True)
class Network:
    """A network of this package: its graph, its kind of pixels, sets of its other inputs."""

    graph: Callable[[], Graph]
    pixels: str
    others: Callable[[], list[Feeds]]


def _styles() -> list[Feeds]:
    return [{"style_weights": style.style_vector(number)} for number in style.STYLES]


NETWORKS = {
    "style": Network(style.load, "rgb", _styles),
    "vgg16": Network(lambda: vgg16.build(vgg16.imagenet_weights()), "bgr", lambda: [{}]),
}


def network_called(model: str) -> Network | None:
    """The network of this package of that name, None for what is a file's name."""
    if model not in NETWORKS and not Path(model).suffix:
        raise ZhisuanError(
            f"no network is called '{model}'",
            expected="a .onnx or .graph file, or " + " or ".join(NETWORKS),
            hint=did_you_mean(model, NETWORKS),
        )
    return NETWORKS.get(model)


def gather(graph: Graph, named: Network | None, wanted: Examples) -> list[Feeds]:
    """The examples wanted; of a `named` network, its own where nothing is said.

    Without pictures, `tensors` are whole examples."""
    tensors, images = list(wanted.tensors), wanted.images
    if named is not None and wanted.needed and not images and not tensors:
        images = [photo.default_photo()]
    if images:
        others = tensors or (named.others() if named else [{}])
        pixels = wanted.pixels or (named.pixels if named else "rgb")
        return from_pictures(graph, images, wanted.size, pixels, others)
    if wanted.needed and not tensors:
        raise ZhisuanError(
            "there are no examples",
            where=f"graph '{graph.name}'",
            expected="pictures, or files of inputs by name, to see how large tensors grow",
            found="neither --images nor --inputs",
            hint="--images FOLDER",
        )
    return tensors


def from_pictures(
    graph: Graph,
    images: Sequence[Path],
    size: str | None,
    pixels: str,
    others: Sequence[Feeds] = ({},),
) -> list[Feeds]:
    """Every picture with each of `others`; `size` as `photo.parse_size` reads it."""
    if pixels not in PIXELS:
        raise ZhisuanError(
            f"unknown kind of pixels '{pixels}'",
            where="--pixels",
            expected=", ".join(PIXELS),
            hint=did_you_mean(pixels, PIXELS),
        )
    name, wanted = _picture_input(graph, {name for one in others for name in one}, size)
    found = []
    for path in _files(images):
        tensor = PIXELS[pixels](photo.load(path, wanted, 1))
        found += [{name: tensor, **one} for one in others]
    return found


def _picture_input(graph: Graph, given: set[str], size: str | None) -> tuple[str, photo.Size]:
    """The one input that is a picture, and the size that it takes or that is asked for."""
    free = [graph.values[name] for name in graph.inputs if name not in given]
    shapes = [value.shape for value in free]
    if len(free) != 1 or len(shapes[0]) != 4 or shapes[0][:2] != (1, 3):
        raise ZhisuanError(
            "the pictures fit no input",
            where=f"graph '{graph.name}'",
            expected="one input [1, 3, height, width] apart from those in --inputs",
            found=", ".join(value.name + " " + value.type_text for value in free) or "none",
        )
    height, width = shapes[0][2:]
    if not isinstance(height, int) or not isinstance(width, int):
        return free[0].name, photo.parse_size(size or str(OPEN_SIZE))
    if size is not None and photo.parse_size(size) not in ((height, width), max(height, width)):
        raise ZhisuanError(
            "the network takes pictures of one size",
            where="--size",
            expected=f"{height}x{width}, or no --size",
            found=size,
        )
    return free[0].name, (height, width)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The paths, folders replaced by the pictures in them."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        pictures = [file for file in inside if path == file or file.suffix.lower() in PICTURES]
        if not pictures:
            raise ZhisuanError(
                "no pictures in the folder",
                where=str(path),
                expected="files ending in " + ", ".join(PICTURES),
                found=f"{len(inside)} files of other kinds",
            )
        found += pictures
    return found
