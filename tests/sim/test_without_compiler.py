"""Without a compiler the reference executor runs, and says so once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sim_programs import ROUND, run_text

from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.sim import native_core
from zhisuan.sim.execute import native_is_possible
from zhisuan.sim.timing import replay

TEXT = "SLOAD $1, #0x1000000\nSLOAD $2, #100\nVEXP.f16 $1, $2, $1\nSYNC #1\nHALT"


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def missing() -> list[str]:
        raise ZhisuanError("no clang found")

    def unreachable(*_: object) -> None:
        raise AssertionError("nothing is compiled")

    monkeypatch.setattr(clang, "clang_command", missing)
    monkeypatch.setattr(native_core, "library", unreachable)
    native_is_possible.cache_clear()
    yield
    native_is_possible.cache_clear()


def test_reference_takes_over(no_compiler: None, capsys: pytest.CaptureFixture[str]) -> None:
    _, trace = run_text(TEXT)
    _, trace = run_text(TEXT)
    assert replay(trace, ROUND).total > 0
    assert capsys.readouterr().err == (
        "warning: no clang found: the chip is simulated slowly, in Python\n"
    )


def test_a_compiler_is_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    run_text(TEXT)
    assert capsys.readouterr().err == ""
