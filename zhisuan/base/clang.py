"""Clang: where it is, how to run it, and C compiled to a shared object for this very host.

In: C sources as text, or the arguments after `clang -cc1`.  Out: clang's output, or the path of
a loadable .so kept in the cache.  Needs no HOME, no libc headers and no compiler on the machine:
the `ziglang` wheel carries clang and lld, and its one executable is called directly.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zhisuan.base import cache, knobs
from zhisuan.base.errors import ZhisuanError, did_you_mean

CODE_FLAGS = (
    "-emit-obj",
    "-O3",
    "-std=gnu17",
    "-ffreestanding",
    "-nobuiltininc",
    "-vectorize-loops",
    "-vectorize-slp",
    "-mrelocation-model",
    "pic",
    "-pic-level",
    "2",
    "-ffp-contract=off",  # a * b + c rounds twice on every host, with or without FMA
    "-ffloat16-excess-precision=none",  # so does _Float16, with or without AVX512-FP16
    "-fwrapv",  # the machine's integers wrap
    "-relaxed-aliasing",  # its memories are bytes that are read as any type
)
_DIAGNOSTIC = re.compile(r"^(?P<where>[^\n]*?:\d+:\d+): (?:fatal )?error: (?P<what>.*)$", re.M)
_SHOWN_LINES = 30
_BUILD_BYTES = 1 << 20  # objects and the linked library together stay well below this
_DISK_FULL = "No space left on device"


def clang_command() -> list[str]:
    """The command to which `-cc1 …` is appended: $ZHISUAN_CLANG, the ziglang wheel, or PATH."""
    named = knobs.clang_path()
    if named is not None:
        if not os.access(named, os.X_OK) or named.is_dir():
            raise ZhisuanError(
                "ZHISUAN_CLANG names no program",
                where=str(named),
                expected="the path of a clang executable",
                found="a file that cannot be run" if named.exists() else "no such file",
            )
        return [str(named)]
    if zig := _zig():
        return [str(zig), "clang"]
    if found := shutil.which("clang"):
        return [found]
    raise _missing("clang")


def lld_command() -> list[str]:
    """The ELF linker's command: beside $ZHISUAN_CLANG, the ziglang wheel, or PATH."""
    named = knobs.clang_path()
    if named is not None and (beside := named.with_name("ld.lld")).exists():
        return [str(beside)]
    if zig := _zig():
        return [str(zig), "ld.lld"]
    if found := shutil.which("ld.lld"):
        return [found]
    raise _missing("ld.lld")


def lib_dir() -> Path | None:
    """The ziglang wheel's `lib` folder (clang, libc and libc++ headers); None without it."""
    zig = _zig()
    return None if zig is None else zig.parent / "lib"


def header_dir() -> Path | None:
    """The folder of clang's own headers (stdint.h, immintrin.h, …) for `clang_command()`."""
    command = clang_command()
    if command[1:] == ["clang"]:
        return Path(command[0]).parent / "lib" / "include"
    shown = subprocess.run([*command, "-print-resource-dir"], capture_output=True, text=True)
    folder = Path(shown.stdout.strip()) / "include"
    return folder if shown.stdout.strip() and folder.is_dir() else None


def version() -> str:
    """Which clang this is, for cache keys and messages; cheap for the wheel."""
    command = clang_command()
    if command[1:] == ["clang"]:
        return f"ziglang {importlib.metadata.version('ziglang')}"
    return _version_of(command[0])


@functools.cache
def _version_of(program: str) -> str:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True)
    return f"{program} {shown.stdout.strip()}"


def _zig() -> Path | None:
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        zig = Path(folder) / "zig"
        if zig.exists():
            return zig
    return None


def _missing(program: str) -> ZhisuanError:
    return ZhisuanError(
        f"no {program} found",
        expected="ZHISUAN_CLANG, the Python package ziglang, or clang and ld.lld on PATH",
        found="none of them",
        hint=f"{Path(sys.executable).name} -m pip install ziglang==0.17.1",
    )


def run(
    args: Sequence[str], *, stdin: str | None = None, lines: int = _SHOWN_LINES
) -> subprocess.CompletedProcess[str]:
    """Run clang with `args` (first `-cc1`); its diagnostics become the error's text, `lines` of
    them at most."""
    return _run([*clang_command(), *args], "clang", stdin, lines)


def _run(
    command: Sequence[str], name: str, stdin: str | None = None, lines: int = _SHOWN_LINES
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    if done.returncode != 0:
        raise _failure(name, done.returncode, done.stderr.strip(), lines)
    return done


def _failure(name: str, status: int, output: str, most: int) -> ZhisuanError:
    lines = output.splitlines() or [f"exit status {status} and no message"]
    if len(lines) > most:
        more = len(lines) - most
        lines = [*lines[:most], f"… and {more} more lines"]
    first = _DIAGNOSTIC.search(output)
    return ZhisuanError(
        f"{name}: {first['what']}" if first else f"{name} failed",
        where=first["where"] if first else None,
        found="\n".join(lines),
    )


def host_triple() -> str:
    """The host as LLVM names it; only Linux on x86_64 and aarch64 can load what we build."""
    machine = platform.machine().lower()
    known = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    if sys.platform != "linux" or machine not in known:
        raise ZhisuanError(
            "native code cannot be built for this host",
            expected="Linux on x86_64 or aarch64",
            found=f"{sys.platform} on {machine}",
            hint="ZHISUAN_EXECUTOR=reference",
        )
    return f"{known[machine]}-unknown-linux-gnu"


def host_features(without: Iterable[str]) -> list[str]:
    """The host CPU's features as `+name` and `-name`, and last the restrictions `without`."""
    from llvmlite import binding  # slow to import, and needed only when something is compiled

    host = binding.get_host_cpu_features()
    refused = list(without)
    for feature in refused:
        if feature[0] != "-" or feature[1:] not in host:
            raise ZhisuanError(
                f"unknown CPU feature '{feature}'",
                where=f"{knobs.CPU_FEATURES.name} or the features asked for",
                expected="a feature that LLVM knows of this CPU, with a leading minus",
                hint=did_you_mean(feature, [f"-{name}" for name in host]),
            )
    return [f"{'+' if has else '-'}{name}" for name, has in sorted(host.items())] + refused


def build_shared(
    sources: Mapping[str, str],
    *,
    features: Sequence[str] | None = None,
    includes: Mapping[str, str] | None = None,
) -> Path:
    """Compile C `sources` (file name -> text) into one shared object and return its path.

    `includes` are headers (file name -> text) that sources include by name.  `features` such as
    ("-avx512f",) are given up; None means those in ZHISUAN_CPU_FEATURES.  The code is
    freestanding: clang's own headers only; `memcpy`, `memset` and mathematical functions
    resolve to the libc of the process that loads it.  Cached by everything it depends on.
    """
    flags = _target_flags(knobs.cpu_features() if features is None else features)
    texts = {**(includes or {}), **sources}
    key = [version(), *flags, *(part for name in sorted(texts) for part in (name, texts[name]))]
    return cache.get_or_make(
        "native", [*key, *sources], lambda: _compile(texts, list(sources), flags), suffix=".so"
    )


def _target_flags(without: Sequence[str]) -> list[str]:
    from llvmlite import binding

    flags = [
        "-triple",
        host_triple(),
        "-target-cpu",
        binding.get_host_cpu_name() or "generic",
        *CODE_FLAGS,
    ]
    for feature in host_features(without):
        flags += ["-target-feature", feature]
    return flags


def _compile(texts: Mapping[str, str], sources: Sequence[str], flags: Sequence[str]) -> bytes:
    """The bytes of the shared object; works in a folder of its own inside the cache."""
    with cache.scratch(_BUILD_BYTES) as folder:
        for file_name, text in texts.items():
            (folder / file_name).parent.mkdir(parents=True, exist_ok=True)
            (folder / file_name).write_text(text, encoding="utf-8")
        headers = header_dir()
        search = ["-internal-isystem", str(headers)] if headers else []

        def compile_one(source: str) -> str:
            target = str(folder / f"{source}.o")
            paths = ["-I", str(folder), "-main-file-name", source]
            try:
                run(["-cc1", *flags, *search, *paths, "-o", target, str(folder / source)])
            except ZhisuanError as error:
                raise _as_seen_by_caller(error, folder) from error
            return target

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
            objects = list(workers.map(compile_one, sources))
        linked = folder / "linked.so"
        try:
            _run([*lld_command(), "-shared", "-o", str(linked), *objects], "ld.lld")
        except ZhisuanError as error:
            raise _as_seen_by_caller(error, folder) from error
        return linked.read_bytes()


def _as_seen_by_caller(error: ZhisuanError, folder: Path) -> ZhisuanError:
    """The same error with sources named as the caller did, or that of a full disk."""
    if _DISK_FULL in (error.found or ""):
        return cache.full(folder, _BUILD_BYTES)
    prefix = f"{folder}{os.sep}"
    where = error.where.replace(prefix, "") if isinstance(error.where, str) else error.where
    found = error.found.replace(prefix, "") if error.found else None
    return ZhisuanError(error.what, where=where, found=found, hint=error.hint)
