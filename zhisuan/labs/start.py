"""Beginning a lab: its starting point and its text, copied to a folder of one's own.

Comes in: a lab and a folder.  Goes out: files there.  Never writes over a file that exists.
"""

from __future__ import annotations

from pathlib import Path

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import write_atomically
from zhisuan.labs.lab_file import Lab

START = "start"
TEXTS = ("README.md", "README.zh.md")


def start(lab: Lab, folder: Path) -> list[Path]:
    """Copy the starting files and both texts; the files that were written."""
    sources = [*sorted((lab.folder / START).iterdir()), *(lab.folder / text for text in TEXTS)]
    taken = [source.name for source in sources if (folder / source.name).exists()]
    if taken:
        raise ZhisuanError(
            "the folder has such files already",
            where=str(folder),
            expected="a folder without " + ", ".join(source.name for source in sources),
            found=", ".join(taken),
            hint="name another folder",
        )
    return [write_atomically(folder / source.name, source.read_bytes()) for source in sources]
