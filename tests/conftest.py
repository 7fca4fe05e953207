"""What all tests share: a cache inside the clone, repeatable examples, golden files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"

os.environ.setdefault("ZHISUAN_CACHE", str(ROOT / ".cache" / "zhisuan"))
os.environ.setdefault("ZHISUAN_CHECK", "all")

settings.register_profile("zhisuan", deadline=None, derandomize=True, database=None)
settings.load_profile("zhisuan")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/ from what is found"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: `text` must equal the file tests/golden/`name`."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"no golden file {name}: run pytest --update-golden, then read it"
        assert text == path.read_text(encoding="utf-8")

    return check
