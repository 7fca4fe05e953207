"""Environment switches: values, defaults and whole messages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import zhisuan
from zhisuan.base import knobs
from zhisuan.base.errors import ZhisuanError


@pytest.fixture(autouse=True)
def no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(knobs.PREFIX)]:
        monkeypatch.delenv(name)


def test_unset_and_empty_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", *knobs.KNOBS):
        if name:
            monkeypatch.setenv(name, " ")
        assert knobs.cache_folder() is None
        assert knobs.clang_path() is None
        assert knobs.executor() == "native"
        assert knobs.cpu_features() == ()
        assert knobs.check() is None
        knobs.check_environment()


def test_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_CACHE", "some/where")
    monkeypatch.setenv("ZHISUAN_CLANG", "/opt/clang")
    monkeypatch.setenv("ZHISUAN_EXECUTOR", "reference")
    monkeypatch.setenv("ZHISUAN_CHECK", "memcheck,racecheck")
    assert knobs.check() == "memcheck,racecheck"
    monkeypatch.setenv("ZHISUAN_CPU_FEATURES", "-avx512f, -sse4.2")
    assert knobs.cache_folder() == Path.cwd() / "some/where"
    assert knobs.clang_path() == Path("/opt/clang")
    assert knobs.executor() == "reference"
    assert knobs.cpu_features() == ("-avx512f", "-sse4.2")
    knobs.check_environment()


@pytest.mark.parametrize("read", [knobs.executor, knobs.check_environment])
def test_unknown_executor(monkeypatch: pytest.MonkeyPatch, read: Callable[[], object]) -> None:
    monkeypatch.setenv("ZHISUAN_EXECUTOR", "natve")
    with pytest.raises(ZhisuanError) as caught:
        read()
    assert str(caught.value) == (
        "error: ZHISUAN_EXECUTOR has an unknown value\n"
        "  where:    environment variable ZHISUAN_EXECUTOR (how the chip is simulated)\n"
        "  expected: native or reference\n"
        "  found:    'natve'\n"
        "  try:      did you mean 'native'?"
    )


@pytest.mark.parametrize("value", ["+avx2", "avx2", "-avx2;-fma", "- avx2"])
def test_cpu_features_can_only_be_given_up(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ZHISUAN_CPU_FEATURES", value)
    with pytest.raises(ZhisuanError) as caught:
        knobs.cpu_features()
    assert str(caught.value) == (
        "error: ZHISUAN_CPU_FEATURES has a value of the wrong form\n"
        "  where:    environment variable ZHISUAN_CPU_FEATURES "
        "(host CPU features the native core must do without)\n"
        "  expected: names with a leading minus, separated by commas, such as '-avx512f,-avx2'\n"
        f"  found:    '{value}'"
    )


def test_unknown_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_CASHE", "/tmp")
    with pytest.raises(ZhisuanError) as caught:
        knobs.check_environment()
    assert str(caught.value) == (
        "error: unknown environment variable ZHISUAN_CASHE\n"
        "  expected: one of ZHISUAN_CACHE, ZHISUAN_CLANG, ZHISUAN_EXECUTOR, "
        "ZHISUAN_CHECK, ZHISUAN_CPU_FEATURES, ZHISUAN_THREADS, ZHISUAN_LIMIT\n"
        "  try:      did you mean 'ZHISUAN_CACHE'?"
    )


def test_nobody_else_reads_the_switches() -> None:
    package = Path(zhisuan.__file__).parent
    readers = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"(environ|getenv)[^\n]*ZHISUAN_", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["base/knobs.py"]


def test_every_switch_is_documented() -> None:
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in knobs.KNOBS if f"`{name}`" not in text] == []
