"""Where a profile has the text of its lines from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zhisuan.report.model import RunReport
from zhisuan.report.profile.profile import profile
from zhisuan.report.profile.sources import numbered, read_sources, short_names

SOURCE = "\n__mlu_entry__ void k(int *out, int n) {\n  // why\n  out[n] = n * 3;\n}\n"


def test_a_program_carries_the_lines_it_has_code_of(run_of: Callable[..., RunReport]) -> None:
    report = run_of(SOURCE, out="i32[8]", n="2")
    found = profile(report)
    line = next(i for i, entry in enumerate(found.table.lines) if entry.number == 5)
    assert found.text(line).strip() == "out[n] = n * 3;"
    assert 4 not in found.sources["k.bcl"]


def test_the_file_is_shown_where_it_says_the_same(
    run_of: Callable[..., RunReport], tmp_path: Path
) -> None:
    programs = run_of(SOURCE, out="i32[8]", n="2").programs
    whole = '#include "bang.h"\n' + SOURCE
    (tmp_path / "03-k.bcl").write_text(whole)
    assert read_sources(programs, [tmp_path])["k.bcl"] == numbered(whole)
    (tmp_path / "03-k.bcl").write_text(whole.replace("n * 3", "n * 4"))
    assert 4 not in read_sources(programs, [tmp_path])["k.bcl"]


def test_files_of_one_name_keep_their_folders() -> None:
    assert short_names(["a/x.h", "b/x.h", "b/y.h"]) == {
        "a/x.h": "a/x.h", "b/x.h": "b/x.h", "b/y.h": "y.h",
    }  # fmt: skip
