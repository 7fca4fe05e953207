"""Running outside C programs on the chip: how they end, what is left out, what is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import c_on_chip, torture

ENDINGS = {
    "int main(void) { return 0; }": (0, ""),
    "int main(void) { exit(3); }": (3, ""),
    "void deep(int n) { if (n == 0) exit(0); deep(n - 1); } int main() { deep(9); }": (0, ""),
    "int main() { abort(); }": (None, "abort"),
}


@pytest.mark.parametrize("source", ENDINGS)
def test_a_program_ends_as_it_says(source: str) -> None:
    llvm = c_on_chip.translate(source, Path("t.c"), 1, ("-std=gnu89",))
    ended = c_on_chip.run(c_on_chip.build(llvm, "t"))
    assert (ended.code, ended.fault) == ENDINGS[source]


def test_a_failing_test_is_told_from_one_that_is_left_out(tmp_path: Path) -> None:
    tests = {
        "passes.c": "main() { int a[alloca_size()]; return 0; } alloca_size() { return 3; }",
        "varargs.c": "#include <stdarg.h>\nint f(int n, ...) { va_list a; } main() {}",
        "output.c": 'main() { printf("x"); return 0; }',
        "not_c.c": "main() { return }",
    }
    for name, source in tests.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    found = [torture.attempt(tmp_path / name, 2) for name in tests]
    assert [(outcome.kind, outcome.why) for outcome in found] == [
        ("passed", ""),
        ("skipped", "variable arguments"),
        ("skipped", "libc: output"),
        ("skipped", "clang: expected expression"),
    ]
    page = torture.page({2: found})
    assert "| -O2 | 4 | 1 | 0 | 3 | 100.0 % |" in page
    assert "| libc: output | 1 |" in page


def test_a_section_of_the_page_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## One\n\nold\n\n## Two\n\nkept\n", encoding="utf-8")
    monkeypatch.setattr(c_on_chip, "PAGE", page)
    c_on_chip.record("One", "new")
    assert page.read_text(encoding="utf-8") == "# Page\n\n## Two\n\nkept\n\n## One\n\nnew\n"
