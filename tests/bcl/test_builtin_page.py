"""docs/bcl.md says what the headers have, and they have what public kernels use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_builtin_dialects import CASES as DIALECTS
from test_builtin_math import CASES as LIBRARY
from test_builtin_shapes import CASES as SHAPES
from test_builtin_vectors import CASES as VECTORS

from zhisuan.bcl import manual

PAGE = Path(__file__).parents[2] / "docs" / "bcl.md"
WITHOUT_A_DEFINITION = {
    "__bang_expand_channel_mul", "__bang_expand_channel_mul_add",
    "__bang_maxpool_value_index",
}  # fmt: skip
"""Used, but there is neither a meaning nor a kernel that shows one."""


def test_the_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    text = manual.page()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "run pytest tests/bcl --update-golden"


def test_99_of_100_uses_are_covered() -> None:
    uses = sum(use.uses for use in manual.facts())
    without = sum(use.uses for use in manual.missing())
    assert uses > 8000 and without <= uses / 100


def test_every_used_name_is_there_or_named_as_missing() -> None:
    assert {use.name for use in manual.missing() if use.uses} <= WITHOUT_A_DEFINITION


def test_rows_and_rules_are_found_through_calls() -> None:
    text = manual.page()
    line = next(line for line in text.split("\n") if line.startswith("| `__bang_square("))
    assert "`VMV`" in line and "| half, float, char," in line
    assert line.split("|")[4].split() == ["1", "3"]


def test_every_name_is_tested() -> None:
    """In a case of a table, or somewhere in these tests."""
    words = " ".join(
        path.read_text(encoding="utf-8") for path in PAGE.parents[1].glob("tests/bcl/*.py")
    )
    words += " ".join(case.call for case in (*VECTORS, *SHAPES, *DIALECTS, *LIBRARY))
    known = set(re.findall(r"\w+", words))
    public = {name for name in manual.builtins() if not name.startswith("__dlp_")}
    assert public - known == set()
