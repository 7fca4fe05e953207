"""Which files a command will write, judged before any work is done.

In: paths from the command line.  Out: claimed paths, or an error naming the option.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zhisuan.base.errors import ZhisuanError, did_you_mean

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
"""Extension → Pillow's name of the format."""


def picture_format(path: Path) -> str:
    """Pillow's name of the format a path asks for; an unknown extension is an error."""
    kind = PICTURES.get(path.suffix.lower())
    if kind is None:
        raise ZhisuanError(
            f"cannot write a picture called '{path}'",
            where="--output",
            expected="a name ending in " + ", ".join(PICTURES),
            found=path.suffix or "no extension",
            hint=did_you_mean(path.suffix, PICTURES) or f"--output {path.with_suffix('.png')}",
        )
    return kind


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
