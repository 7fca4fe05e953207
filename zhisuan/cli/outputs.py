"""Which files a command will write, judged before any work is done.

In: paths from the command line, and the results for one of them.  Out: what to write there,
or an error naming the option.  It writes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zhisuan.base.errors import ZhisuanError, did_you_mean

if TYPE_CHECKING:
    import numpy as np

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
"""Extension → Pillow's name of the format."""

TENSORS = ".safetensors"
"""Extension of a file of named arrays."""


def picture_format(path: Path) -> str:
    """Pillow's name of the format a path asks for; an unknown extension is an error."""
    kind = PICTURES.get(path.suffix.lower())
    if kind is None:
        raise ZhisuanError(
            f"cannot write a picture called '{path}'",
            where="--output",
            expected="a name ending in " + ", ".join(PICTURES),
            found=path.suffix or "no extension",
            hint=did_you_mean(path.suffix, PICTURES) or f"--output {path.stem or 'picture'}.png",
        )
    return kind


def results_format(path: Path) -> str | None:
    """As `picture_format`; None for `.safetensors`, which holds any results."""
    if path.suffix.lower() == TENSORS:
        return None
    if path.suffix.lower() in PICTURES:
        return picture_format(path)
    known = (TENSORS, *PICTURES)
    raise ZhisuanError(
        f"cannot write results called '{path}'",
        where="--output",
        expected="a name ending in " + ", ".join(known),
        found=path.suffix or "no extension",
        hint=did_you_mean(path.suffix, known) or f"--output {path.stem or 'results'}{TENSORS}",
    )


def image_among(results: Mapping[str, np.ndarray]) -> np.ndarray:
    """The one result that is a picture, [1, 3, h, w]; none or several is an error."""
    images = [v for v in results.values() if v.ndim == 4 and v.shape[:2] == (1, 3) and v.size]
    if len(images) != 1:
        raise ZhisuanError(
            "the results are not a picture",
            where="--output",
            expected="one result of shape [1, 3, height, width]",
            found=", ".join(f"{name} {list(v.shape)}" for name, v in results.items()) or "none",
            hint="--output out.safetensors",
        )
    return images[0]


def check_distinct(inputs: Mapping[str, Path | None], outputs: Mapping[str, Path | None]) -> None:
    """No output may be an input or another output; names are those of the options."""
    seen = {path.resolve(): name for name, path in inputs.items() if path is not None}
    for name, path in outputs.items():
        if path is None:
            continue
        if path.resolve() in seen:
            raise ZhisuanError(
                f"{name} would overwrite {seen[path.resolve()]}",
                where=str(path),
                expected="a different file for each",
                found="the same file twice",
                hint="name another file",
            )
        seen[path.resolve()] = name
    given = {name: path for name, path in outputs.items() if path is not None}
    for (inner, path), (outer, folder) in itertools.permutations(given.items(), 2):
        if folder.resolve() in path.resolve().parents:
            raise ZhisuanError(
                f"{inner} would lie inside {outer}",
                where=str(path),
                expected="a place outside, because the whole folder is put in place at the end",
                found=f"a file in {folder}",
                hint=f"name another folder for {outer}",
            )
