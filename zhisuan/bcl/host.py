"""Whole programs: the host part of .mlu files and plain C++ files → one shared object.

In: files, some with kernels.  Out: a shared object with `main`, kept in the cache, that carries
its kernels' programs; what it calls (`zhisuan_call`, `cudaLaunch`, …) the runtime provides.
Never runs anything.
"""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhisuan.base import cache, clang
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.bcl import diagnostics, driver, system_headers
from zhisuan.bcl.compile import compile, compiler_version
from zhisuan.bcl.read_llvm import read_module
from zhisuan.isa.program import Program

KERNEL_FILES = (".mlu", ".bcl")
PLAIN_FILES = (".cpp", ".cc", ".cxx")
HEAD = struct.Struct("<8sQQ")
"""Before the programs in a shared object: magic, bytes of the names, bytes of the program."""
MAGIC = b"ZSHOST1\x00"
_KERNEL = re.compile(r"\b__(?:mlu|dlp)_(?:entry|global)__\b|\b__global__\b")
_BANG = re.compile(r'^\s*#\s*include\s*[<"](bang|mlu|bcl)\.h[>"]', re.M)
_NEEDS_CXX = re.compile(
    rb"_ZNK?St3__1|_ZNK?St\d|__cxa_(?:throw|rethrow|allocate_exception)|__dynamic_cast|__cxxabiv1"
)
_SUPPORT = Path(__file__).with_name("host_support.c")
_FLAGS = (
    "-aux-triple", "riscv64-unknown-unknown", "-x", "cuda", "-std=c++17", "-emit-obj",
    "-fcxx-exceptions", "-fexceptions", "-mrelocation-model", "pic", "-pic-level", "2",
    "-ffp-contract=off", "-funwind-tables=2", "-nobuiltininc", "-w", "-ferror-limit", "20",
)  # fmt: skip
_BUILD_BYTES = 1 << 24


@dataclass(frozen=True)
class _Source:
    path: Path
    text: str
    has_kernels: bool
    takes_built_ins: bool


def build(
    files: Sequence[Path],
    *,
    include_dirs: Sequence[Path | str] = (),
    defines: Mapping[str, object] | None = None,
    optimize: int = 2,
    debug: bool = False,
) -> Path:
    """The shared object of a program's files; errors carry file, line and the line's text.

    With `debug` its kernels' programs have tables of their variables.
    """
    defines = dict(defines or {})
    sources = [_read(path, include_dirs) for path in files]
    key = [*_key(sources, include_dirs, defines, optimize), *(["debug"] if debug else [])]

    def make() -> bytes:
        with cache.scratch(_BUILD_BYTES) as folder:
            objects = [
                _object(source, folder / f"{number}.o", include_dirs, defines, optimize, debug)
                for number, source in enumerate(sources)
            ]
            return _linked(objects, folder)

    return cache.get_or_make("host", key, make, suffix=".so")


def unpack(blob: bytes) -> tuple[dict[str, str], Program]:
    """What a shared object carries of one file: symbol → kernel, and the program."""
    _, names, _ = HEAD.unpack_from(blob)
    kernels = json.loads(blob[HEAD.size : HEAD.size + names])
    return kernels, Program.from_bytes(blob[HEAD.size + names :])


def _read(path: Path, include_dirs: Sequence[Path | str]) -> _Source:
    if path.suffix not in (*KERNEL_FILES, *PLAIN_FILES):
        known = (*KERNEL_FILES, *PLAIN_FILES)
        raise ZhisuanError(
            f"cannot tell what to do with '{path.name}'",
            where=str(path),
            expected="files ending in " + ", ".join(known),
            found=path.suffix or "no extension",
            hint=did_you_mean(path.suffix, known),
        )
    text = read_text(path)
    folders = driver.search_folders(str(path), include_dirs)
    ours = (file for file in driver.included_files(text, folders) if not _is_ours(file))
    texts = [text, *(file.read_text(encoding="utf-8", errors="replace") for file in ours)]
    has_kernels = path.suffix in KERNEL_FILES and any(_KERNEL.search(part) for part in texts)
    takes_built_ins = path.suffix in KERNEL_FILES or any(_BANG.search(part) for part in texts)
    return _Source(path, text, has_kernels, takes_built_ins)


def _is_ours(file: Path) -> bool:
    return file.parent == driver.INCLUDE


def _key(
    sources: Sequence[_Source], include_dirs: Sequence[Path | str],
    defines: Mapping[str, object], optimize: int,
) -> list[str]:  # fmt: skip
    parts = [compiler_version(), clang.version(), Path(__file__).read_text(), str(optimize)]
    parts.append(_SUPPORT.read_text())
    parts += [*_FLAGS, *system_headers.flags()]
    parts.append(json.dumps({name: str(value) for name, value in sorted(defines.items())}))
    for source in sources:
        parts += [str(source.path), source.text]
        folders = driver.search_folders(str(source.path), include_dirs)
        for file in driver.included_files(source.text, folders):
            parts += [str(file), file.read_text(encoding="utf-8", errors="replace")]
    return parts


def _object(
    source: _Source, target: Path, include_dirs: Sequence[Path | str],
    defines: Mapping[str, object], optimize: int, debug: bool,
) -> Path:  # fmt: skip
    """Compile a file for the host, with its kernels' program inside."""
    triple = clang.host_triple()
    name = str(source.path)
    args = ["-cc1", "-triple", triple, *_FLAGS, f"-O{optimize}", "-main-file-name", name]
    if source.has_kernels:
        compiled = compile(
            source.text, name, optimize=optimize, defines=defines, include_dirs=include_dirs,
            debug=debug,
        )  # fmt: skip
        carried = target.with_suffix(".dlp")
        carried.write_bytes(_pack(compiled.llvm, compiled.program))
        args += ["-fcuda-include-gpubinary", str(carried)]
    for folder in driver.search_folders(name, include_dirs):
        args += ["-I", str(folder)]
    args += system_headers.flags(triple.partition("-")[0])
    for macro, value in defines.items():
        args += ["-D", f"{macro}={value}"]
    if source.takes_built_ins:
        args += driver.forced_headers()
    try:
        text = driver.numbered(source.text, name)
        clang.run([*args, "-o", str(target), "-"], stdin=text, lines=driver.COMPLAINT)
    except ZhisuanError as error:
        folders = driver.search_folders(name, include_dirs)
        raise diagnostics.explained(error, name, folders) from None
    return target


def _pack(llvm: str, program: Program) -> bytes:
    """A program and which of its kernels the compiler calls how."""
    functions = read_module(llvm, {}).functions.values()
    names = {f.name: f.source_name for f in functions if f.source_name in program.kernels}
    text, body = json.dumps(names).encode(), program.to_bytes()
    return HEAD.pack(MAGIC, len(text), len(body)) + text + body


def _linked(objects: Sequence[Path], folder: Path) -> bytes:
    target = folder / "program.so"
    if not any(_NEEDS_CXX.search(path.read_bytes()) for path in objects):
        every = [*objects, _support(folder)]
        command = [*clang.lld_command(), "-shared", "-o", str(target), *map(str, every)]
        environment = None
    else:
        command, environment = _link_with_cxx(objects, target)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise ZhisuanError("the program cannot be linked", found=_without(done.stderr, folder))
    return target.read_bytes()


def _support(folder: Path) -> Path:
    """The object of what programs without C++'s library need all the same."""
    target = folder / "support.o"
    flags = ("-triple", clang.host_triple(), "-emit-obj", "-O2", "-std=gnu17", "-ffreestanding",
             "-mrelocation-model", "pic", "-pic-level", "2", "-w")  # fmt: skip
    headers = clang.header_dir()
    search = ["-internal-isystem", str(headers)] if headers is not None else []
    clang.run(["-cc1", *flags, *search, "-o", str(target), str(_SUPPORT)])
    return target


def _link_with_cxx(objects: Sequence[Path], target: Path) -> tuple[list[str], dict[str, str]]:
    """The wheel's own linking with its C++ library, which it builds at first use and keeps."""
    command = clang.clang_command()
    if command[1:] != ["clang"]:
        raise ZhisuanError(
            "the program uses C++'s library, which only the ziglang wheel has",
            where="ZHISUAN_CLANG",
            expected="not set",
            found=command[0],
        )
    kept = str(cache.root() / "zig")
    if not os.path.isdir(kept):
        print("building C++'s library, this once: a minute or two", file=sys.stderr, flush=True)
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": kept, "ZIG_LOCAL_CACHE_DIR": kept}
    triple = f"{clang.host_triple().partition('-')[0]}-linux-gnu.2.{system_headers.GLIBC_MINOR}"
    zig = [command[0], "c++", "-shared", "-target", triple, "-o", str(target)]
    return [*zig, *map(str, objects)], environment


def _without(said: str, folder: Path) -> str:
    lines = [line.replace(f"{folder}{os.sep}", "") for line in said.strip().splitlines()]
    return "\n".join(lines[:20]) or "no message"
