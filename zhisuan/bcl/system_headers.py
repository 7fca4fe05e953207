"""The headers of C and C++ that host code includes, as arguments for clang.

In: a processor's name.  Out: folders of the ziglang wheel, in the order they need, and the macros
that configure them.  The device part of a file is parsed with the same ones: it includes them too.
"""

from __future__ import annotations

from pathlib import Path

from zhisuan.base import clang

GLIBC_MINOR = 31
"""Programs need a C library at least as new as 2.31, of the year 2020."""
_PROCESSORS = {"x86_64": "x86", "aarch64": "aarch64"}
_LIBCXX = (
    "_LIBCPP_ABI_VERSION=1", "_LIBCPP_ABI_NAMESPACE=__1", "_LIBCPP_HAS_THREADS=1",
    "_LIBCPP_HAS_MONOTONIC_CLOCK=1", "_LIBCPP_HAS_TERMINAL=1", "_LIBCPP_HAS_MUSL_LIBC=0",
    "_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0", "_LIBCPP_HAS_FILESYSTEM=1",
    "_LIBCPP_HAS_RANDOM_DEVICE=1", "_LIBCPP_HAS_LOCALIZATION=1", "_LIBCPP_HAS_UNICODE=1",
    "_LIBCPP_HAS_WIDE_CHARACTERS=1", "_LIBCPP_HAS_TIME_ZONE_DATABASE=1",
    "_LIBCPP_PSTL_BACKEND_SERIAL=1", "_LIBCPP_ASSERTION_SEMANTIC_DEFAULT=2",
    "_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE",
)  # fmt: skip


def flags(processor: str = "x86_64") -> list[str]:
    """Arguments after `-cc1`; without the wheel only clang's own headers are there."""
    builtin, lib = clang.header_dir(), clang.lib_dir()
    own = [builtin] if builtin is not None else []
    if lib is None:
        return _search(own)
    short = _PROCESSORS[processor]
    libc = (f"{short}-linux-gnu", "generic-glibc", f"{short}-linux-any", "any-linux-any")
    cxx = [lib / "libcxx" / "include", lib / "libcxxabi" / "include"]
    args = _search([*cxx, *own, *(lib / "libc" / "include" / name for name in libc)])
    for macro in ("_GNU_SOURCE=1", f"__GLIBC_MINOR__={GLIBC_MINOR}", *_LIBCXX):
        args += ["-D", macro]
    return ["-fgnuc-version=4.2.1", *args]


def _search(folders: list[Path]) -> list[str]:
    return [part for folder in folders for part in ("-internal-isystem", str(folder))]
