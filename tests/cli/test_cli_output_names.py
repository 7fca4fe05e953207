"""Names that outputs cannot have, or can although they are odd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from zhisuan import pipeline
from zhisuan.cli import style as command

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline and the report, replaced: only the names are of interest."""
    done = SimpleNamespace(picture=Image.new("RGB", (4, 3)), report=None)
    monkeypatch.setattr(pipeline, "style", lambda *_: done)
    monkeypatch.setattr(command, "_write_page", lambda report, path: path.write_text("page"))
    monkeypatch.setattr("zhisuan.cli.screen.show_report", lambda *_: None)


def test_the_steps_may_not_replace_the_picture(zhisuan: Command, here: Path) -> None:
    done = zhisuan("style", "-o", "z.png", "--emit", "z.png")
    assert done.code == 1
    assert done.err.startswith("error: --emit would overwrite --output\n")
    assert list(here.iterdir()) == []


def test_a_picture_inside_the_folder_of_steps(zhisuan: Command, here: Path) -> None:
    done = zhisuan("style", "-o", "steps/z.png", "--emit", "steps", "--report", "r.html")
    assert done.code == 1
    assert done.err == (
        "error: --output would lie inside --emit\n"
        "  where:    steps/z.png\n"
        "  expected: a place outside, because the whole folder is put in place at the end\n"
        "  found:    a file in steps\n"
        "  try:      name another folder for --emit\n"
    )
    assert list(here.iterdir()) == []


def test_the_longest_name_the_disk_takes(zhisuan: Command, here: Path) -> None:
    name = "é" * 125 + ".png"  # 254 bytes
    assert zhisuan("style", "-o", name, "--report", "r.html").code == 0
    assert sorted(path.name for path in here.iterdir()) == sorted([name, "r.html"])


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "x/" * 3000 + "y.png"])
def test_a_longer_one(zhisuan: Command, here: Path, name: str) -> None:
    done = zhisuan("style", "-o", name, "--report", "r.html")
    assert done.code == 1
    assert "file name too long" in done.err and "Traceback" not in done.err
    assert [path for path in here.iterdir() if path.name != "x"] == []


def test_an_empty_name(zhisuan: Command, here: Path) -> None:
    done = zhisuan("style", "-o", "")
    assert done.code == 1
    assert done.err.startswith("error: cannot write a picture called '.'\n")
    assert done.err.endswith("  try:      --output picture.png\n")
