"""Clang is found, runs without HOME, and builds shared objects that load."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError

ADD = """
#include <stdint.h>
#include "scale.h"
void add_scaled(float *a, const float *b, int64_t n) {
    for (int64_t i = 0; i < n; i++) a[i] += SCALE * b[i];
}
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "ZHISUAN_CLANG", "ZHISUAN_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_vector_add_is_built_loaded_and_right() -> None:
    path = clang.build_shared({"add.c": ADD}, includes={"scale.h": "#define SCALE 2\n"})
    a, b = np.arange(1000, dtype=np.float32), np.ones(1000, dtype=np.float32)
    ctypes.CDLL(str(path)).add_scaled(a.ctypes, b.ctypes, ctypes.c_int64(1000))
    assert np.array_equal(a, np.arange(1000, dtype=np.float32) + 2)


def test_several_sources_are_linked_and_libc_is_found() -> None:
    sources = {
        "a.c": "long length(const char *);\nlong f(const char *s) { return length(s) + 1; }",
        "b.c": "#include <stddef.h>\nsize_t strlen(const char *);\n"
        "long length(const char *s) { return strlen(s); }",
    }
    library = ctypes.CDLL(str(clang.build_shared(sources)))
    assert library.f(b"four") == 5


def test_the_second_build_comes_from_the_cache(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clang.build_shared({"a.c": "int f(void) { return 1; }"})
    assert [path for path in own_cache.rglob("*") if path.is_file()] == [first]
    monkeypatch.setattr(clang, "run", None)
    assert clang.build_shared({"a.c": "int f(void) { return 1; }"}) == first
    with pytest.raises(TypeError):
        clang.build_shared({"a.c": "int f(void) { return 2; }"})


def test_arithmetic_does_not_depend_on_the_host() -> None:
    source = """
    float fused(float a, float b, float c) { return a * b + c; }
    int wraps(int a) { return a + 1 < a; }
    int punned(float *f, int *i) { *i = 0; *f = 1; return *i; }
    """
    library = ctypes.CDLL(str(clang.build_shared({"a.c": source})))
    library.fused.restype = ctypes.c_float
    a = np.float32(1 + 2**-12)
    found = library.fused(*(ctypes.c_float(float(x)) for x in (a, a, -(a * a))))
    assert found == 0  # rounding once would leave the error of a * a
    assert library.wraps(2**31 - 1) == 1
    cell = ctypes.c_int()
    assert library.punned(ctypes.byref(cell), ctypes.byref(cell)) == 0x3F800000


def test_features_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    features = [name for name in clang.host_features(()) if name in ("+avx512f", "+avx2", "+neon")]
    if not features or features == ["+neon"]:
        pytest.skip("this CPU has no AVX to give up")
    macro = f"__{features[0][1:].upper()}__"
    source = {"a.c": f"int has(void) {{\n#ifdef {macro}\nreturn 1;\n#else\nreturn 0;\n#endif\n}}"}
    without = f"-{features[0][1:]}"
    assert ctypes.CDLL(str(clang.build_shared(source))).has() == 1
    assert ctypes.CDLL(str(clang.build_shared(source, features=[without]))).has() == 0
    monkeypatch.setenv("ZHISUAN_CPU_FEATURES", without)
    assert ctypes.CDLL(str(clang.build_shared(source))).has() == 0


def test_unknown_feature() -> None:
    some = clang.host_features(())[0][1:]
    with pytest.raises(ZhisuanError) as caught:
        clang.host_features([f"-{some}x"])
    assert str(caught.value) == (
        f"error: unknown CPU feature '-{some}x'\n"
        "  where:    ZHISUAN_CPU_FEATURES or the features asked for\n"
        "  expected: a feature that LLVM knows of this CPU, with a leading minus\n"
        f"  try:      did you mean '-{some}'?"
    )


def test_a_mistake_in_the_source(own_cache: Path) -> None:
    with pytest.raises(ZhisuanError) as caught:
        clang.build_shared({"a.c": "int f(void) { return x; }"})
    assert str(caught.value) == (
        "error: clang: use of undeclared identifier 'x'\n"
        "  where:    a.c:1:22\n"
        "  found:    a.c:1:22: error: use of undeclared identifier 'x'\n"
        "                1 | int f(void) { return x; }\n"
        "                  |                      ^\n"
        "            1 error generated."
    )
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


def test_a_mistake_at_link_time() -> None:
    with pytest.raises(ZhisuanError) as caught:
        clang.build_shared({"a.c": "int f(void) { return 1; }", "b.c": "int f(void) { return 2; }"})
    assert caught.value.what == "ld.lld failed"
    assert caught.value.found is not None
    assert caught.value.found.startswith("ld.lld: error: duplicate symbol: f\n")
    assert "make-" not in caught.value.found


def test_long_diagnostics_are_cut() -> None:
    text = "".join(f"int f{i}(void) {{ return x{i}; }}\n" for i in range(18))
    with pytest.raises(ZhisuanError) as caught:
        clang.run(["-cc1", "-fsyntax-only", "-x", "c", "-"], stdin=text)
    assert caught.value.what == "clang: use of undeclared identifier 'x0'"
    assert str(caught.value).count("\n") < 40
    assert str(caught.value).endswith(" more lines")


def test_run_gives_the_output() -> None:
    done = clang.run(["-cc1", "-E", "-P", "-x", "c", "-"], stdin="#define A 5\nA\n")
    assert done.stdout.strip() == "5"


def test_a_full_disk_below_clang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "#!/bin/sh\necho 'fatal error: error in backend: No space left on device' >&2; exit 1\n"
    monkeypatch.setenv("ZHISUAN_CLANG", str(program(tmp_path / "clang", text)))
    with pytest.raises(ZhisuanError) as caught:
        clang.build_shared({"a.c": ""})
    assert caught.value.what == "no room for the cache of compiled code"


def test_the_wheel_is_found() -> None:
    zig, word = clang.clang_command()
    assert (Path(zig).name, word) == ("zig", "clang")
    assert clang.lld_command() == [zig, "ld.lld"]
    folder = clang.lib_dir()
    assert folder is not None and (folder / "libc").is_dir() and (folder / "libcxx").is_dir()
    headers = clang.header_dir()
    assert headers is not None and (headers / "stdint.h").exists()
    assert clang.version().startswith("ziglang 0.")


def test_the_named_clang_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = program(tmp_path / "clang", "#!/bin/sh\necho my clang 22\n")
    monkeypatch.setenv("ZHISUAN_CLANG", str(named))
    assert clang.clang_command() == [str(named)]
    assert clang.version() == f"{named} my clang 22"
    assert clang.lld_command()[-1] == "ld.lld"
    beside = program(tmp_path / "ld.lld")
    assert clang.lld_command() == [str(beside)]


def test_clang_on_the_path_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wheel: None
) -> None:
    named, linker = program(tmp_path / "clang"), program(tmp_path / "ld.lld")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clang.clang_command() == [str(named)]
    assert clang.lld_command() == [str(linker)]
    assert clang.lib_dir() is None


def test_no_clang_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wheel: None) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(clang.sys, "executable", f"/bin{os.sep}python3")
    with pytest.raises(ZhisuanError) as caught:
        clang.clang_command()
    assert str(caught.value) == (
        "error: no clang found\n"
        "  expected: ZHISUAN_CLANG, the Python package ziglang, or clang and ld.lld on PATH\n"
        "  found:    none of them\n"
        "  try:      python3 -m pip install ziglang==0.17.1"
    )


def test_a_named_clang_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_CLANG", "/no/such/clang")
    with pytest.raises(ZhisuanError) as caught:
        clang.clang_command()
    assert str(caught.value) == (
        "error: ZHISUAN_CLANG names no program\n"
        "  where:    /no/such/clang\n"
        "  expected: the path of a clang executable\n"
        "  found:    no such file"
    )


def test_a_host_we_cannot_build_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clang.sys, "platform", "darwin")
    monkeypatch.setattr(clang.platform, "machine", lambda: "arm64")
    with pytest.raises(ZhisuanError) as caught:
        clang.host_triple()
    assert str(caught.value) == (
        "error: native code cannot be built for this host\n"
        "  expected: Linux on x86_64 or aarch64\n"
        "  found:    darwin on arm64\n"
        "  try:      ZHISUAN_EXECUTOR=reference"
    )
