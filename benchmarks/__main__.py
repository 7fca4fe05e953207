"""`make bench`: measure, print, and record in docs: measurements.md, headline.md, ladders.md.

`python -m benchmarks NAME …` measures some parts only and leaves the others of the page alone.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import (
    accuracy,
    checks,
    compile_time,
    core,
    headline,
    integers,
    ladders,
    layers,
    scaling,
    speed,
    sweeps,
    variables,
    vgg,
)
from zhisuan.base.files import write_atomically

PAGE = Path(__file__).parent.parent / "docs" / "measurements.md"
HEAD = f"""# Measurements

Written by `make bench`, or section by section by `python -m benchmarks NAME`, on
{platform.machine()}, Python {platform.python_version()}, onnxruntime {onnxruntime.__version__}. \
Photograph: the default one.
"""
SECTIONS: dict[str, tuple[str, Callable[[], str]]] = {
    "layers": ("Where the cycles go", layers.section),
    "speed": ("Host speed", speed.section),
    "size": ("Cost by size", scaling.section),
    "vgg16": ("VGG16", vgg.section),
    "core": ("The native core", core.section),
    "compile": ("Compiling", compile_time.section),
    "variables": ("Variables for a debugger", variables.section),
    "sweeps": ("Sweeps", sweeps.section),
    "checks": ("Checks", checks.section),
    "accuracy": ("Accuracy", accuracy.section),
    "integers": ("INT8", integers.section),
}
"""Name on the command line → title in the page, and what measures it."""
PAGES: dict[str, Callable[[], None]] = {"headline": headline.main, "ladders": ladders.main}
"""Name on the command line → what measures and writes a page of its own."""


def sections_of(page: str) -> dict[str, str]:
    """Title → text of every section of a page."""
    parts = page.split("\n## ")[1:]
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}


def page_of(found: dict[str, str]) -> str:
    """The page: head, then the sections that there are, in the order of SECTIONS."""
    titles = [title for title, _ in SECTIONS.values() if title in found]
    return "\n".join([HEAD, *(f"## {title}\n\n{found[title]}\n" for title in titles)])


def main(names: list[str]) -> None:
    console = Console()
    known = [*SECTIONS, *PAGES]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(
            f"error: no measurement is called {', '.join(unknown)}: {', '.join(known)}"
        )
    for name in names or known:
        console.print(f"{name} …")
        if name in PAGES:
            PAGES[name]()
            continue
        title, section = SECTIONS[name]
        found = sections_of(PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
        found[title] = section()
        console.print(Markdown(found[title]))
        write_atomically(PAGE, page_of(found))


if __name__ == "__main__":
    main(sys.argv[1:])
