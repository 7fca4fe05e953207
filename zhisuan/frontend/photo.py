"""Photographs: a picture file in, float pixels [1, 3, h, w] in 0..1 out, and back again.

The header is judged before anything is decoded.  Scaling and colour conversion are Pillow's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.package import PackagedFile

MOST_PIXELS = 100_000_000
DEFAULT_SIZE = 384
DEFAULT = PackagedFile(
    package="imgaug",
    file="quokka.jpg",
    what="default photograph",
    use="no PHOTO was named",
    size="0.9 MB",
    install="pip install --no-deps imgaug==0.4.0",
)

Size = int | tuple[int, int]
"""Longer side in pixels, or exact (height, width)."""


def parse_size(text: str) -> Size:
    """`384` → longer side; `203x317` → (height, width)."""
    match = re.fullmatch(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?", text.strip())
    if match is None or "0" in (match[1].lstrip("0") or "0", (match[2] or "1").lstrip("0") or "0"):
        raise ZhisuanError(
            f"size '{text[:40]}' is not understood",
            where="--size",
            expected="a number (longer side in pixels) or HEIGHTxWIDTH",
            found=text if len(text) < 40 else f"{len(text)} characters",
            hint="--size 384 or --size 203x317",
        )
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def default_photo() -> Path:
    """The photograph inside the package imgaug, found without importing it."""
    return DEFAULT.path()


def load(path: Path, size: Size, smallest: int) -> Image.Image:
    """The photograph upright, RGB, scaled to `size`; no side under `smallest` pixels."""
    picture = _eight_bits(ImageOps.exif_transpose(_open(path)))
    if picture.mode != "RGB":
        rgba = picture.convert("RGBA")  # transparent parts show white, as on paper
        paper = Image.new("RGBA", rgba.size, "white")
        picture = Image.alpha_composite(paper, rgba).convert("RGB")
    height, width = target(picture.height, picture.width, size)
    if min(height, width) < smallest or height * width > MOST_PIXELS:
        raise ZhisuanError(
            "the size of the picture cannot be processed",
            where=str(path),
            expected=f"sides of at least {smallest} pixels, {MOST_PIXELS // 10**6} megapixels",
            found=f"{height}×{width} pixels (height × width)",
            hint="another --size",
        )
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Deeper grey values brought to 8 bits, white staying white; Pillow alone cuts them off."""
    if picture.mode not in ("F", "I") and not picture.mode.startswith("I;16"):
        return picture
    values = np.nan_to_num(np.asarray(picture, np.float64))
    white = max(1.0 if picture.mode == "F" else 65535.0, float(values.max()))
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


@contextmanager
def _own_limit() -> Iterator[None]:
    """Pillow's own limit on pixels is off inside: ours is judged first, with our message."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _open(path: Path) -> Image.Image:
    try:
        with _own_limit():
            picture = Image.open(path)
            if picture.width * picture.height > MOST_PIXELS:
                raise _too_large(path, picture.width, picture.height)
            picture.load()
    except FileNotFoundError:
        raise ZhisuanError("no such photograph", where=str(path), expected="a picture file",
                           found="nothing", hint="check the path") from None  # fmt: skip
    except UnidentifiedImageError:
        raise ZhisuanError(
            "the photograph is not a picture Pillow can read",
            where=str(path),
            expected="JPEG, PNG, WebP, TIFF, BMP, GIF or another picture format",
            found=f"{path.stat().st_size:,} bytes of something else",
            hint="open it in a picture viewer; save it as PNG or JPEG",
        ) from None
    except (IsADirectoryError, PermissionError) as error:
        raise ZhisuanError("the photograph cannot be opened", where=str(path),
                           expected="a picture file", found=str(error.strerror).lower(),
                           hint="name a picture that you may read") from None  # fmt: skip
    except (OSError, SyntaxError, ValueError) as error:
        raise ZhisuanError(
            "the photograph cannot be read",
            where=str(path),
            expected="a complete picture file",
            found=str(error),
            hint="the file may be cut short: fetch or save it again",
        ) from None
    return picture


def _too_large(path: Path, width: int, height: int) -> ZhisuanError:
    return ZhisuanError(
        "the photograph is too large",
        where=str(path),
        expected=f"at most {MOST_PIXELS // 10**6} megapixels",
        found=f"{width}×{height} = {width * height / 1e6:.0f} megapixels",
        hint="scale it down first",
    )


def target(height: int, width: int, size: Size) -> tuple[int, int]:
    """Height and width to scale to; a single number keeps the aspect."""
    if isinstance(size, tuple):
        return size
    scale = size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def to_tensor(picture: Image.Image) -> np.ndarray:
    """RGB picture → float32 [1, 3, h, w] in 0..1."""
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def to_picture(tensor: np.ndarray, height: int, width: int) -> Image.Image:
    """[1, 3, H, W] in 0..1 → RGB picture of the first height × width pixels."""
    values = np.asarray(tensor[0, :, :height, :width], np.float32).transpose(1, 2, 0)
    return Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), "RGB")
