"""GCC's execute tests on the chip: `python -m benchmarks.torture FOLDER`.

Comes in: gcc/testsuite/gcc.c-torture/execute of GCC's source (Debian: gcc-12-source), which is run
and never copied.  Goes out: how many tests pass, fail and are skipped at -O0 and -O2, with
reasons; with `--write` in docs/bcl-conformance.md.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import c_on_chip
from zhisuan.base.errors import ZhisuanError

TITLE = "GCC's execute tests"
LEVELS = (0, 2)
PERMISSIVE = (
    "-std=gnu89", "-Wno-int-conversion", "-Wno-incompatible-pointer-types",
    "-Wno-return-mismatch", "-Wno-implicit-function-declaration",
    "-Dalloca=__builtin_alloca",
)  # fmt: skip
_OUTSIDE = (
    (r"\b(va_arg|va_list|__builtin_va_\w+|va_start)\b|\w\s*,\s*\.\.\.\s*\)", "variable arguments"),
    (r"\b(setjmp|longjmp|__builtin_setjmp|__builtin_longjmp)\b", "setjmp"),
    (r"\bgoto\s*\*", "computed goto"),
    (r"\blong\s+double\b|\b__float128\b|\b_Float128\b|\b\d+\.\d*[lL]\b", "long double"),
    (r"\b(f?printf|sprintf|snprintf|puts|putchar|fopen|fwrite|stdout)\s*\(", "libc: output"),
    (r"\b(malloc|calloc|realloc|free)\s*\(", "libc: malloc"),
    (r"\b(signal|fork|wait|mmap|sysconf|getpid|time)\s*\(", "libc: the system"),
    (r"\b(sin|cos|tan|pow|exp|log|atan2?|ldexp|frexp|hypot)[fl]?\s*\(", "libc: mathematics"),
    (r"__builtin_(return_address|frame_address|apply|extract_return_addr)\b", "frames of callers"),
    (r"\b_Decimal\d+\b", "decimal floats"),
)
_REFUSED = (
    (r"function definition is not allowed here", "nested functions (clang refuses)"),
    (r"inline assembly", "assembly"),
    (r"indirectbr|blockaddress", "computed goto"),
    (r"function '(printf|sprintf|snprintf|puts|putchar)' has no body", "libc: output"),
    (r"function '(malloc|calloc|realloc|free|qsort|is\w+|to\w+er)' has no body", "libc: other"),
    (
        r"function '(fabs|floor|ceil|sqrt|pow|sin|cos|fmod|ldexp|nan)[fl]?' has no body",
        "libc: mathematics",
    ),
    (r"variable arguments", "variable arguments"),
    (r"'fp128'|fp128", "long double"),
)


@dataclass(frozen=True)
class Outcome:
    name: str
    kind: str  # passed, failed, skipped
    why: str = ""


def skip_reason(source: str) -> str:
    """Why a test is not for this compiler, or nothing."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", " ", source, flags=re.S)
    for pattern, reason in _OUTSIDE:
        if re.search(pattern, code):
            return reason
    if re.search(r"dg-skip-if|dg-require-effective-target\s+(\w+)", source):
        target = re.search(r"dg-require-effective-target\s+(\w+)", source)
        known = (
            "int32plus",
            "int32",
            "stdint_types",
            "int128",
            "size32plus",
            "alloca",
            "untyped",
            "double64plus",
            "longlong64",
            "c99_runtime",
        )
        if target and target[1] not in known:
            return f"asks for another target: {target[1]}"
    return ""


def attempt(path: Path, optimize: int) -> Outcome:
    """One test; one that fails is tried on the host, which tells whose failure it is."""
    outcome = _on_chip(path, optimize)
    if outcome.kind == "failed" and "has no body" not in outcome.why:
        flags = (*PERMISSIVE, *_asked(path.read_text(encoding="latin-1")))
        if not c_on_chip.passes_on_host(path, optimize, flags):
            return Outcome(path.name, "skipped", "fails on the host too: clang is not GCC")
    return outcome


def _on_chip(path: Path, optimize: int) -> Outcome:
    source = re.sub("[\x80-\xff]", _escaped, path.read_text(encoding="latin-1"))
    if reason := skip_reason(source):
        return Outcome(path.name, "skipped", reason)
    try:
        llvm = c_on_chip.translate(source, path, optimize, (*PERMISSIVE, *_options(source)))
    except ZhisuanError as error:
        return _refused(path.name, str(error), "clang: " + error.what.removeprefix("clang: "))
    try:
        ended = c_on_chip.run(c_on_chip.build(llvm, path.stem))
    except ZhisuanError as error:
        return _refused(path.name, str(error), error.what, fails=True)
    except Exception as error:  # a crash of the compiler is a result to count
        return Outcome(path.name, "failed", f"{type(error).__name__}: {error}"[:120])
    if ended.code == 0:
        return Outcome(path.name, "passed")
    return Outcome(path.name, "failed", ended.fault or f"exit code {ended.code}")


def _escaped(match: re.Match[str]) -> str:
    """A byte beyond ASCII, in a string of some encoding that need not be UTF-8."""
    return f"\\{ord(match[0]):03o}"


def _asked(source: str) -> list[str]:
    """The options that a test's own header asks for, of those that change the language."""
    asked = re.findall(r"dg-(?:additional-)?options\s+\"([^\"]*)\"", source)
    words = " ".join(asked).split()
    known = ("-fwrapv", "-fno-strict-aliasing", "-funsigned-char", "-fsigned-char", "-std=c99",
             "-std=gnu99", "-std=c11", "-std=gnu11")  # fmt: skip
    return [word for word in words if word in known]


def _options(source: str) -> list[str]:
    """The same as the compiler proper spells them."""
    spelled = {"-fno-strict-aliasing": "-relaxed-aliasing", "-funsigned-char": "-fno-signed-char"}
    return [spelled.get(word, word) for word in _asked(source)]


def _refused(name: str, text: str, what: str, fails: bool = False) -> Outcome:
    for pattern, reason in _REFUSED:
        if re.search(pattern, text):
            return Outcome(name, "skipped", reason)
    return Outcome(name, "failed" if fails else "skipped", what)


def run_all(
    paths: list[Path], optimize: int, processes: int, tell: Callable[[str], None]
) -> list[Outcome]:
    with ProcessPoolExecutor(processes) as pool:
        outcomes = []
        for outcome in pool.map(partial(attempt, optimize=optimize), paths, chunksize=8):
            if outcome.kind == "failed":
                tell(f"-O{optimize} {outcome.name}: {outcome.why}")
            outcomes.append(outcome)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="*.c", help="a pattern of file names")
    parser.add_argument("--levels", type=int, nargs="+", default=LEVELS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="record the run in docs/")
    args = parser.parse_args()
    paths = sorted(args.folder.glob(args.only))
    found: dict[int, list[Outcome]] = {}
    for level in args.levels:
        start = time.perf_counter()
        found[level] = run_all(paths, level, args.processes, print)
        counts = Counter(outcome.kind for outcome in found[level])
        print(f"-O{level}: {dict(counts)} in {time.perf_counter() - start:.0f} s")
    print(page(found))
    if args.write:
        c_on_chip.record(TITLE, page(found))


def page(found: dict[int, list[Outcome]]) -> str:
    """The counts, the failures and the reasons for leaving tests out, as Markdown."""
    lines = [
        "`make torture TESTS=gcc/testsuite/gcc.c-torture/execute`, with the tests of GCC 12.2",
        "(Debian: gcc-12-source).\n",
        "| level | tests | passed | failed | left out | passed of those that ran |",
        "|---|---|---|---|---|---|",
    ]
    for level, outcomes in found.items():
        counts = Counter(outcome.kind for outcome in outcomes)
        passed, failed = counts["passed"], counts["failed"]
        share = 100 * passed / max(passed + failed, 1)
        lines.append(
            f"| -O{level} | {len(outcomes):,} | {passed:,} | {failed} | {counts['skipped']} |"
            f" {share:.1f} % |"
        )
    lines += ["\nFailed:\n"]
    for level, outcomes in found.items():
        failed = [outcome for outcome in outcomes if outcome.kind == "failed"]
        lines += [f"- -O{level} {outcome.name}: {outcome.why}" for outcome in failed]
    lines += ["\nLeft out, and why:\n", f"| reason | {' | '.join(f'-O{x}' for x in found)} |"]
    lines += ["|---" * (1 + len(found)) + "|"]
    reasons = {x: Counter(o.why for o in os if o.kind == "skipped") for x, os in found.items()}
    together = sum(reasons.values(), Counter())
    for reason, _ in together.most_common():
        counts_of = " | ".join(str(reasons[level][reason]) for level in found)
        lines.append(f"| {reason} | {counts_of} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
