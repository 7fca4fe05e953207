"""The text of the source files that programs name.

Comes in: names out of line tables, and folders.  Goes out: lines by name.  A file that is not
found has none: a profile shows its line numbers then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from zhisuan.isa.program import Program


def read_sources(
    programs: Mapping[str, Program], folders: Iterable[Path]
) -> dict[str, tuple[str, ...]]:
    """Lines by the name that a program has for a file: as it stands, else in one of `folders`.

    Emitted steps have their number before the name: `04-conv2d.bcl`.
    """
    found = {}
    places = list(folders)
    for name in dict.fromkeys(name for program in programs.values() for name in program.files):
        candidates = [Path(name), *(folder / Path(name).name for folder in places)]
        for folder in places:
            candidates += sorted(folder.glob(f"[0-9]*-{Path(name).name}"))
        for path in candidates:
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                found[name] = tuple(text.splitlines())
                break
    return found


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each file's last part, or all of it where another file has the same."""
    known = list(names)
    last = [Path(name).name for name in known]
    return {
        name: short if last.count(short) == 1 else name
        for name, short in zip(known, last, strict=True)
    }
