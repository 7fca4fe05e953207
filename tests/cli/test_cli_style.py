"""`zhisuan style`: what it hands to the pipeline, what it writes, and what it refuses first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zhisuan import pipeline
from zhisuan.arch.load import load
from zhisuan.report.model import Layer, RunReport
from zhisuan.sim.timing import replay
from zhisuan.sim.trace import ROW, TraceBuilder

Command = Callable[..., Any]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The pipeline's `style`, replaced by one that only remembers its arguments."""
    builder = TraceBuilder()
    run = np.zeros(1, ROW)
    run["a"][0, 0] = 10
    builder.add("only", "p", "k", [run])
    trace = builder.build()
    machine = load("dlp-s")
    timing = replay(trace, machine, "reference")
    report = RunReport("a run", machine, timing, trace, (Layer("only", (0,), 99),))
    seen: list[tuple[Any, ...]] = []

    def style(photo, style, size, machine, emit, progress, checks, int8):  # type: ignore[no-untyped-def]
        assert (checks, int8) == (None, False)
        seen.append((photo, style, size, machine, emit))
        progress(0, 1, "only")
        progress(1, 1, "done")
        if emit is not None:
            (emit / "01.graph").write_text("graph")
        return SimpleNamespace(report=report, picture=Image.new("RGB", (4, 3)), trace=trace)

    monkeypatch.setattr(pipeline, "style", style)
    return seen


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_defaults(zhisuan: Command, calls: list[Any], here: Path) -> None:
    done = zhisuan("style", "pics/cat.jpg")
    assert (done.code, done.err) == (0, "")
    assert calls == [(Path("pics/cat.jpg"), "19", "384", "dlp-s", None)]
    assert names(here) == ["cat-style-19.html", "cat-style-19.png"]
    assert done.out.endswith("\npicture  cat-style-19.png\nreport   cat-style-19.html\n")
    with Image.open(here / "cat-style-19.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (4, 3))


def test_everything_named(zhisuan: Command, calls: list[Any], here: Path) -> None:
    arguments = "-o out/a.jpg --style 7 --size 203x317 --machine m.toml --emit steps"
    done = zhisuan("style", *arguments.split(), "--report", "r.html", "--trace", "t.trace")
    assert (done.code, done.err) == (0, "")
    photo, style, size, machine, emit = calls[0]
    assert (photo, style, size, machine) == (None, "7", "203x317", "m.toml")
    assert emit is not None and emit.name != "steps"  # filled aside, then renamed
    assert [n for n in names(here) if not n.startswith("steps/.")] == [
        "out/a.jpg",
        "r.html",
        "steps/01.graph",
        "t.trace",
    ]
    with Image.open(here / "out/a.jpg") as picture:
        assert picture.format == "JPEG"


def test_json_alone_on_standard_output(zhisuan: Command, calls: list[Any]) -> None:
    done = zhisuan("style", "--json")
    assert json.loads(done.out)["title"] == "a run"
    assert "photo-style-19.png" in done.err


def test_a_picture_of_no_known_kind(zhisuan: Command, calls: list[Any], here: Path) -> None:
    done = zhisuan("style", "-o", "a.pgn")
    assert (done.code, done.out, calls) == (1, "", [])
    assert done.err == (
        "error: cannot write a picture called 'a.pgn'\n"
        "  where:    --output\n"
        "  expected: a name ending in .png, .jpg, .jpeg, .webp, .bmp\n"
        "  found:    .pgn\n"
        "  try:      did you mean '.png'?\n"
    )


def test_the_photo_is_not_overwritten(zhisuan: Command, calls: list[Any], here: Path) -> None:
    (here / "cat.png").write_bytes(b"the photo")
    done = zhisuan("style", "cat.png", "-o", "./cat.png")
    assert (done.code, calls) == (1, [])
    assert done.err == (
        "error: --output would overwrite PHOTO\n"
        "  where:    cat.png\n"
        "  expected: a different file for each\n"
        "  found:    the same file twice\n"
        "  try:      name another file\n"
    )
    assert (here / "cat.png").read_bytes() == b"the photo"


def test_two_outputs_in_one_file(zhisuan: Command, calls: list[Any]) -> None:
    done = zhisuan("style", "-o", "a.png", "--report", "a.png")
    assert (done.code, calls) == (1, [])
    assert done.err.startswith("error: --report would overwrite --output\n")


def test_unwritable_places_are_found_before_the_work(
    zhisuan: Command, calls: list[Any], here: Path
) -> None:
    (here / "file").write_text("not a folder")
    done = zhisuan("style", "-o", "a.png", "--emit", "file")
    assert (done.code, calls) == (1, [])
    assert names(here) == []


def test_a_failure_leaves_nothing(
    zhisuan: Command, monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    from zhisuan.base.errors import ZhisuanError

    def fail(*_: Any) -> None:
        raise ZhisuanError("no such style", hint="0 to 25")

    monkeypatch.setattr(pipeline, "style", fail)
    done = zhisuan("style", "-o", "a.png", "--emit", "steps", "--trace", "t.trace")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: no such style\n  try:      0 to 25\n"
    assert list(here.iterdir()) == []
