"""Fronts against the definition, and the picture of one."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.explore.pareto import front, fronts, objectives
from zhisuan.explore.picture import Scale, picture

tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 4), min_size=width, max_size=width), min_size=1)
)


@given(tables)
def test_the_front_is_what_nothing_dominates(rows: list[list[int]]) -> None:
    values = np.array(rows)

    def dominated(row: np.ndarray) -> bool:
        return bool(((values <= row).all(axis=1) & (values < row).any(axis=1)).any())

    assert front(values).tolist() == [not dominated(row) for row in values]


def row(point: int, program: str, *measured: str) -> dict[str, str]:
    names = ("milliseconds", "millijoules", "square_millimetres")
    return {"point": str(point), "program": program, **dict(zip(names, measured, strict=False))}


def test_every_program_has_its_front() -> None:
    rows = [
        row(0, "a", "2", "1", "5"),
        row(1, "b", "1", "1", "1"),
        row(2, "a", "1", "9", "9"),
        row(3, "a", "2", "2", "5"),
        row(4, "a"),
    ]
    found = fronts(rows, ["a", "b", "c"])
    assert {name: [r["point"] for r in best] for name, best in found.items()} == {
        "a": ["2", "0"], "b": ["1"], "c": [],
    }  # fmt: skip
    assert objectives([row(0, "a", "2"), row(1, "a")]) == ["milliseconds"]
    assert [r["point"] for r in fronts([row(0, "a", "2"), row(1, "a", "1")], ["a"])["a"]] == ["1"]


def test_the_picture_has_every_point_once() -> None:
    rows = [row(n, "a & b", str(1 + n), str(2 + n % 5), str(20 - n)) for n in range(15)]
    best = fronts(rows, ["a & b", "none"])
    drawing = ET.fromstring(picture(rows, best, {"a & b": {**rows[0], "point": "dlp-s"}}))
    space = "{http://www.w3.org/2000/svg}"
    dots = drawing.findall(f".//{space}circle")
    titles = [dot.findtext(f"{space}title") or "" for dot in dots]
    assert sorted(titles) == sorted(
        f"point {r['point']}: {r['milliseconds']} ms, {r['millijoules']} mJ, "
        f"{r['square_millimetres']} mm²"
        for r in rows
    )
    assert sum(dot.get("r") == "5" for dot in dots) == len(best["a & b"])
    texts = [text.text for text in drawing.findall(f".//{space}text")]
    assert {"dlp-s", "area, mm²", "duration, ms", "energy, mJ"} <= set(texts)


def test_one_point_makes_a_picture() -> None:
    only = [row(0, "a", "1", "1", "1")]
    ET.fromstring(picture(only, fronts(only, ["a"]), {}))
    ET.fromstring(picture([], {}, {}))


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([1.0, 100.0], [1, 2, 5, 10, 20, 50, 100]),
        ([2.8, 4.4], [3, 3.5, 4, 4.5]),
        ([1.48, 1.89], [1.5, 1.6, 1.7, 1.8, 1.9]),
        ([0.1956, 0.2192], [0.2, 0.21, 0.22]),
        ([3.0, 3.0], [2.94, 2.96, 2.98, 3, 3.02, 3.04, 3.06]),
        ([1e-6, 1e6], [10.0**power for power in range(-6, 7)]),
    ],
)
def test_every_axis_has_marks(values: list[float], marks: list[float]) -> None:
    assert Scale(values, 0, 1).marks() == pytest.approx(marks)
