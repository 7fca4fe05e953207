"""Values written on the command line: `NAME=VALUE`, sizes.

In: text.  Out: numbers by name, or an error showing the form expected.
"""

from __future__ import annotations

import re

from zhisuan.base.errors import ZhisuanError


def pair(text: str, option: str, form: str) -> tuple[str, str]:
    """`NAME=VALUE` → its two sides; `form` is an example for the message."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ZhisuanError(
            f"{option} '{text}' is not understood",
            where=option,
            expected="NAME=VALUE",
            found=text,
            hint=f"{option} {form}",
        )
    return name.strip(), value.strip()


def dimensions(texts: list[str], size: str | None) -> dict[str, int]:
    """`h=256`… and `256x384` → sizes by name."""
    sizes: dict[str, int] = {}
    if size is not None:
        match = re.fullmatch(r"(\d+)[x×](\d+)", size.strip())
        if match is None or not int(match[1]) or not int(match[2]):
            raise ZhisuanError(
                f"size '{size}' is not understood",
                where="--size",
                expected="HEIGHTxWIDTH",
                found=size,
                hint="--size 203x317",
            )
        sizes = {"h": int(match[1]), "w": int(match[2])}
    for text in texts:
        name, value = pair(text, "--dim", "h=256")
        if not value.isdecimal() or not int(value):
            raise ZhisuanError(
                f"--dim '{text}' is not understood",
                where="--dim",
                expected="a whole number, one or more",
                found=value,
                hint=f"--dim {name}=256",
            )
        sizes[name] = int(value)
    return sizes
