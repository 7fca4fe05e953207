"""The headers are read once: kernels compile from what clang keeps, to the same code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from zhisuan.bcl import driver
from zhisuan.kernels import library


@pytest.mark.parametrize("optimize", [0, 2])
def test_headers_read_before_give_the_same_code(
    optimize: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def translate() -> str:
        return driver.to_llvm(
            library.source("conv2d"), "conv2d.bcl", optimize=optimize, defines={},
            include_dirs=[library.HERE],
        )  # fmt: skip

    quick = translate()
    arguments: list[list[str]] = []
    monkeypatch.setattr(driver, "_header_as_read", lambda level, defines: Path("unused"))
    run = driver.clang.run

    def textual(args: list[str], stdin: str | None = None, lines: int = 0):  # type: ignore[no-untyped-def]
        at = args.index("-include-pch")
        arguments.append([*args[:at], *driver.forced_headers(), *args[at + 2 :]])
        return run(arguments[-1], stdin=stdin)

    monkeypatch.setattr(driver.clang, "run", textual)
    assert translate() == quick
    assert len(arguments) == 1


def test_a_changed_header_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(driver.INCLUDE, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(driver, "INCLUDE", tmp_path)
    source = "__mlu_entry__ void k(int *p) { *p = ANSWER; }\n"
    found = []
    for answer in (41, 42):
        header = tmp_path / "bang.h"
        text = header.read_text(encoding="utf-8").replace("#define ANSWER 41\n", "")
        header.write_text(f"{text}#define ANSWER {answer}\n", encoding="utf-8")
        llvm = driver.to_llvm(source, "k.bcl", optimize=2, defines={}, include_dirs=())
        found.append(llvm.count(f"store i32 {answer}"))
    assert found == [1, 1]
