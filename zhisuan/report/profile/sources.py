"""The text of the source files that programs name.

Comes in: programs, and folders.  Goes out: lines by file and number.  A program carries the lines
that it has code of; where the file is found and says the same there, all of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from zhisuan.isa.program import Program

Source = Mapping[int, str]
"""Lines of a file by number, from 1; some may be missing."""


def read_sources(programs: Mapping[str, Program], folders: Iterable[Path]) -> dict[str, Source]:
    """Lines by the name that a program has for a file: as it stands, else in one of `folders`."""
    found: dict[str, Source] = {}
    places = list(folders)
    for name, known in _carried(programs).items():
        found[name] = known
        for path in _candidates(name, places):
            if path.is_file():
                whole = numbered(path.read_text(encoding="utf-8", errors="replace"))
                if all(whole.get(number) == text for number, text in known.items()):
                    found[name] = whole
                    break
    return found


def numbered(text: str) -> Source:
    return dict(enumerate(text.splitlines(), 1))


def _carried(programs: Mapping[str, Program]) -> dict[str, dict[int, str]]:
    """What the programs themselves say, of all their files."""
    found: dict[str, dict[int, str]] = {}
    for program in programs.values():
        for name in program.files:
            found.setdefault(name, {})
        for (file, number), text in program.texts.items():
            found[program.files[file]][number] = text
    return found


def _candidates(name: str, folders: list[Path]) -> Iterator[Path]:
    """Where a file may lie.  Emitted steps have their number before the name: `04-conv2d.bcl`."""
    yield Path(name)
    for folder in folders:
        yield folder / Path(name).name
    for folder in folders:
        yield from sorted(folder.glob(f"[0-9]*-{Path(name).name}"))


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each file's last part, or all of it where another file has the same."""
    known = list(names)
    last = [Path(name).name for name in known]
    return {
        name: short if last.count(short) == 1 else name
        for name, short in zip(known, last, strict=True)
    }
