"""Running clang: BCL source → LLVM IR text of the device code.

In: source text and its name.  Out: LLVM IR, or clang's complaint as it is (`diagnostics` puts it
in words).  Host code in the same file is parsed and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from zhisuan.base import cache, clang
from zhisuan.bcl import header, system_headers

INCLUDE = Path(__file__).parent / "include"
COMMON_FLAGS = (
    "-triple", "riscv64-unknown-unknown", "-debug-info-kind=limited",
    "-fexperimental-assignment-tracking=disabled",  # one form of note for each variable
    "-ffp-contract=off",  # CUDA mode would fuse a * b + c
    "-ffloat16-excess-precision=none",  # every half operation rounds
    "-fno-finite-loops",  # a loop that never ends is the author's mistake, to be told as one
    "-ffreestanding", "-fno-builtin", "-nobuiltininc",
    "-Wno-everything",  # nobody would see them
    "-ferror-limit", "20",
)  # fmt: skip
BCL_FLAGS = (
    "-aux-triple", "x86_64-unknown-linux-gnu", "-fcuda-is-device", "-x", "cuda", "-std=c++17",
    "-Wdivision-by-zero", "-Werror=division-by-zero",  # code behind it would be dropped
    "-mllvm", "-inline-threshold=2500",  # calls spill; CUDA's own target inlines as eagerly
    "-cl-single-precision-constant",  # 0.5 is a float: kernels are written so
)  # fmt: skip
C_FLAGS = (
    "-x", "c",
    "-nostdsysteminc",
    "-complex-range=basic",  # no library calls for a product
)  # fmt: skip
_INCLUDED = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
_PCH_BYTES = 8 << 20  # the headers as read take 3 MB
INSTRUCTIONS = "dlp_instructions.h"
ARCHITECTURE = "__BANG_ARCH__"
COMPLAINT = 300
"""Lines of a complaint that are kept, for `diagnostics` to choose from."""


def included_files(source: str, folders: Sequence[Path]) -> Iterator[Path]:
    """Files that `source` includes with quotes, directly or not, found in `folders`."""
    seen: set[Path] = set()
    pending = [(source, tuple(folders))]
    while pending:
        text, search = pending.pop()
        for name in _INCLUDED.findall(text):
            found = next((f / name for f in search if (f / name).is_file()), None)
            if found is None or found in seen:
                continue
            seen.add(found)
            yield found
            inner = found.read_text(encoding="utf-8", errors="replace")
            pending.append((inner, (found.parent, *folders)))


def search_folders(filename: str, include_dirs: Sequence[Path | str]) -> list[Path]:
    """Where quoted includes are looked for: beside the file, then `include_dirs`, then ours."""
    return [Path(filename).parent, *(Path(folder) for folder in include_dirs), INCLUDE]


def to_llvm(
    source: str,
    filename: str,
    *,
    optimize: int,
    defines: Mapping[str, object],
    include_dirs: Sequence[Path | str],
    language: str = "bcl",
    flags: Sequence[str] = (),
) -> str:
    """The LLVM IR of the kernels in `source`; `flags` are more arguments for clang."""
    args = ["-cc1", *_language_flags(language), *flags, "-emit-llvm", f"-O{optimize}"]
    args += ["-main-file-name", Path(filename).name]
    for folder in include_dirs:
        if Path(folder).is_absolute():  # programs name no folder of the host
            args.append(f"-fdebug-prefix-map={folder}/=")
    for folder in search_folders(filename, include_dirs):
        args += ["-I", str(folder)]
    for name, value in defines.items():
        args += ["-D", f"{name}={value}"]
    if language == "bcl":
        args += ["-include-pch", str(_header_as_read(optimize, defines))]
    args += ["-o", "-", "-"]
    return clang.run(args, stdin=numbered(source, filename), lines=COMPLAINT).stdout


def numbered(source: str, filename: str) -> str:
    """The source as clang reads it from its standard input, under its own name."""
    return f'#line 1 "{_quoted(filename)}"\n{source}'


def preprocessed(defines: Mapping[str, object]) -> str:
    """What stands before every kernel, with macros expanded, for the page of the built-ins."""
    flags = [flag for flag in (*COMMON_FLAGS, *BCL_FLAGS) if flag != "-emit-llvm"]
    args = ["-cc1", *flags, "-E", *(f"-D{name}={value}" for name, value in defines.items())]
    args += system_headers.flags()
    args += ["-include", str(_instructions()), "-include", str(INCLUDE / "bang.h"), "-o", "-", "-"]
    return clang.run(args, stdin="").stdout


def _libc_folders() -> list[Path]:
    """Where the declarations of C's library are; its functions are those of our `library/`."""
    lib = clang.lib_dir()
    names = ("riscv64-linux-musl", "generic-musl")
    return [] if lib is None else [lib / "libc" / "include" / name for name in names]


def _instructions() -> Path:
    return cache.get_or_make(
        "bcl-header", [INSTRUCTIONS, header.text()], lambda: header.text().encode(), suffix=".h"
    )


def defined_functions(llvm: str) -> list[str]:
    """The names of the functions that LLVM IR text defines for others."""
    return re.findall(r"^define (?!internal).*?@([\w.$]+)\(", llvm, re.M)


def _language_flags(language: str) -> list[str]:
    """What clang must be told of a language, its own headers included."""
    if language == "bcl":
        return [*COMMON_FLAGS, *BCL_FLAGS, *system_headers.flags()]
    flags = [*COMMON_FLAGS, *C_FLAGS]
    builtin = clang.header_dir()
    for folder in [*([] if builtin is None else [builtin]), *_libc_folders()]:
        flags += ["-internal-isystem", str(folder)]
    return flags


def forced_headers() -> list[str]:
    """What is included before every kernel."""
    return ["-include", str(_instructions()), "-include", str(INCLUDE / "bang.h")]


def _header_as_read(optimize: int, defines: Mapping[str, object]) -> Path:
    """The headers as clang keeps them once read: parsing them takes longer than most kernels.

    Of what the user defines they look at the architecture alone.
    """
    args = [*_language_flags("bcl"), f"-O{optimize}", *forced_headers(), "-I", str(INCLUDE)]
    if ARCHITECTURE in defines:
        args += ["-D", f"{ARCHITECTURE}={defines[ARCHITECTURE]}"]
    texts = [path.read_text(encoding="utf-8") for path in sorted(INCLUDE.rglob("*.h"))]
    key = [clang.version(), *args, header.text(), *texts]
    return cache.get_or_make("bcl-header", key, lambda: _read_header(args), suffix=".pch")


def _read_header(args: Sequence[str]) -> bytes:
    with cache.scratch(_PCH_BYTES) as folder:
        path = folder / "header.pch"
        clang.run(["-cc1", *args, "-emit-pch", "-fno-pch-timestamp", "-x", "cuda-header",
                   "-o", str(path), "-"], stdin="")  # fmt: skip
        return path.read_bytes()


def _quoted(filename: str) -> str:
    return filename.replace("\\", "\\\\").replace('"', '\\"')
