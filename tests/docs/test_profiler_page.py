"""What docs/profiler.md says of its three kernels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zhisuan import pipeline
from zhisuan.cli.launch import launch
from zhisuan.report.profile.advice import advise
from zhisuan.report.profile.profile import Profile, profile
from zhisuan.report.profile.sources import read_sources

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "profiling"


@pytest.fixture(scope="module")
def softmax() -> dict[int, Profile]:
    found = {}
    arguments = ["out=f32[262144]", "in=f32[262144]", "rows=256"]
    for number in (1, 2, 3):
        program = pipeline.load_program(EXAMPLES / f"softmax_{number}.bcl")
        report = launch(program, None, arguments, None).report
        found[number] = profile(report, read_sources(report.programs, [EXAMPLES]))
    return found


@pytest.fixture(scope="module")
def text() -> str:
    quoted = re.sub(r"^> ?", "", (ROOT / "docs" / "profiler.md").read_text("utf-8"), flags=re.M)
    return re.sub(r"\s+", " ", quoted)


def test_the_cycles(softmax: dict[int, Profile], text: str) -> None:
    told = [float(number) * 1e6 for number in re.findall(r"([\d.]+) million cycles", text)]
    assert told == pytest.approx([found.total for found in softmax.values()], rel=0.05)


def test_the_advice(softmax: dict[int, Profile], text: str) -> None:
    said = re.sub(r"\b\d+ %", "… %", text)
    for number in (1, 2):
        for entry in advise(softmax[number]):
            assert re.sub(r"\b\d+ %", "… %", entry.what) in said
            bounds = [float(x) for x in re.findall(r"At most ([\d.]+) × faster", text)]
            assert any(entry.gain == pytest.approx(bound, rel=0.1) for bound in bounds)
    assert advise(softmax[3]) == []


def test_all_rules_are_in_the_table(text: str) -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "zhisuan" / "report" / "profile" / "advice").glob("*_rules.py")
    )
    rules = re.findall(r'Advice\(\s*"([\w ]+)",', source)
    assert len(rules) == 17
    assert all(f"| {rule} |" in text for rule in rules)
