"""What clang complains of, in the words of the language: what it means, what exists, what to try.

In: clang's complaint about a file.  Out: the error that its author sees.  What clang says of the
insides of headers is left out; it never hides the source line and the caret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhisuan.base import clang
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.bcl import driver, manual

_HEAD = re.compile(
    r"(?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+): "
    r"(?P<kind>fatal error|error|warning|note): (?P<said>.*)"
)
_SUMMARY = re.compile(r"^\d+ errors? generated.*$", re.M)
_SWITCH = re.compile(r" \[-W[\w,-]+\]$", re.M)
_ARITY = re.compile(r"requires .* were? provided|requires .* was provided")
_SHOWN = 20
_MOST_OVERLOADS = 8
_WORDS = (
    ("__host__ __device__ function", "function of both host and kernels"),
    ("__global__ function", "kernel"),
    ("__device__ function", "__mlu_func__"),
    ("__host__ function", "function of the host"),
    ("__host__ variable", "variable of the host"),
)
"""CUDA's words, which clang has, and ours."""
_MEANINGS = (
    (
        r"reference to __host__ variable '(\w+)'",
        "a kernel cannot reach '{0}', a variable of the host",
        "name its memory: __nram__, __wram__, __mlu_shared__, __ldram__, or make it constexpr",
    ),
    (
        r"kernel call to non-global function '?(\w+)'?",
        "launch of '{0}', which is no kernel",
        "mark it __mlu_entry__ or __mlu_global__",
    ),
    (
        r"call to global function '(\w+)' not configured",
        "'{0}' is a kernel, which is launched and not called",
        "{0}<<<dim, type, queue>>>(…) on the host; share code as a __mlu_func__",
    ),
    (
        r"kernel function type .* must have void return type",
        "a kernel returns nothing",
        "void, and a pointer to store the result through",
    ),
    (
        r"initialization is not supported for __shared__ variables",
        "what lies in a memory of the chip has no first value",
        "assign it in the kernel; const data needs no memory's name",
    ),
    (
        r"static assertion failed due to requirement [^:]*: (.*)",
        "{0}",
        None,
    ),
    (
        r"division by zero is undefined",
        "division by a constant that is zero",
        None,
    ),
    (
        r"cannot use '(throw|try)' in",
        "kernels have no exceptions",
        "return a status, or __assert(condition)",
    ),
)
"""(what clang says, what that means, what to try)."""
_OF_CUDA = {
    "threadIdx": "taskId, or taskIdX, taskIdY, taskIdZ",
    "blockIdx": "clusterId, or taskIdY, taskIdZ",
    "blockDim": "coreDim, or taskDimX, taskDimY, taskDimZ",
    "gridDim": "taskDim, or taskDimX, taskDimY, taskDimZ",
    "__syncthreads": "__sync_cluster()",
}


@dataclass(frozen=True)
class _Remark:
    """One thing that clang says; `lines` has all of it, the excerpt too."""

    file: str
    place: str
    kind: str
    said: str
    lines: tuple[str, ...]

    @property
    def is_error(self) -> bool:
        return self.kind.endswith("error")

    @property
    def is_inside(self) -> bool:
        """Whether it is of a header that the user did not write."""
        wheel = clang.lib_dir()
        folders = [str(driver.INCLUDE), *([] if wheel is None else [str(wheel)])]
        return self.file.startswith((*folders, "<")) or Path(self.file).name == driver.INSTRUCTIONS


def explained(error: ZhisuanError, filename: str, folders: Sequence[Path] = ()) -> ZhisuanError:
    """clang's complaint as an error; any other error as it is.  `folders` were searched."""
    if not error.what.startswith("clang: "):
        return error
    remarks = _remarks(_SUMMARY.sub("", error.found or "").rstrip())
    first = next((remark for remark in remarks if remark.is_error), None)
    if first is None:
        return ZhisuanError(error.what.removeprefix("clang: "), where=filename, found=error.found)
    what, expected, hint = _meaning(first, remarks, folders)
    shown = [line for remark in remarks if not remark.is_inside for line in remark.lines]
    shown += dict.fromkeys(m[0] for r in remarks if r.is_inside and (m := _ARITY.search(r.said)))
    caller = next((remark for remark in remarks if not remark.is_inside), None)
    where = first if caller is None or not first.is_inside else caller
    return ZhisuanError(_ours(what), where=where.place, expected=expected,
                        found=_ours("\n".join(_some(shown or list(first.lines)))),
                        hint=hint)  # fmt: skip


def _remarks(text: str) -> list[_Remark]:
    found: list[_Remark] = []
    for line in text.splitlines():
        if head := _HEAD.match(line):
            place = f"{head['file']}:{head['line']}:{head['column']}"
            found.append(_Remark(head["file"], place, head["kind"], head["said"], (line,)))
        elif found and not line.startswith("In file included from"):
            last = found[-1]
            found[-1] = _Remark(last.file, last.place, last.kind, last.said, (*last.lines, line))
    return found


def _some(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return lines if rest <= 0 else [*lines[:_SHOWN], f"… and {rest} more lines"]


def _ours(text: str) -> str:
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return _SWITCH.sub("", text)


def _meaning(
    first: _Remark, remarks: list[_Remark], folders: Sequence[Path]
) -> tuple[str, str | None, str | None]:
    """What is wrong, what was expected, what to try."""
    said = first.said
    for pattern, what, hint in _MEANINGS:
        if match := re.search(pattern, said):
            return what.format(*match.groups()), None, hint and hint.format(*match.groups())
    if match := re.match(r"use of undeclared identifier '(\w+)'", said):
        return said, *_unknown(match[1], "did you mean" in said)
    if match := re.match(r"'(.+)' file not found", said):
        return said, _searched(folders), did_you_mean(match[1], _headers(folders))
    if match := re.match(r"no matching function for call to '(\w+)'", said):
        return _no_match(match[1], said, remarks)
    return said, None, None


def _unknown(name: str, suggested: bool) -> tuple[str | None, str | None]:
    """What was expected, and what to try, in place of a name that nothing has."""
    if name in _OF_CUDA:
        return None, _OF_CUDA[name]
    public = next((use for use in manual.facts() if use.name == name), None)
    expected = None
    if public is not None:
        expected = f"{name} is a built-in ({manual.ERAS[public.era]}) that is not here yet"
    if name in _host_names():
        return expected, "#include <cnrt.h>"
    if suggested or not name.startswith(("__", "cnrt", "CNRT")):
        return expected, None
    close = difflib.get_close_matches(name, sorted(_names()), n=3, cutoff=0.6)
    return expected, f"did you mean {_either(close)}?" if close else "docs/bcl.md lists all names"


def _names() -> set[str]:
    """Every name of the headers that a program may use."""
    known = {*manual.builtins(), *manual.macros(), *_host_names()}
    return {name for name in known if not name.startswith(("__dlp_", "__DLP", "__CNRT"))}


def _host_names() -> set[str]:
    """What cnrt.h has for host code."""
    text = (driver.INCLUDE / "cnrt.h").read_text(encoding="utf-8")
    return set(re.findall(r"\b(?:cnrt|CNRT)\w+", text))


def _either(names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _searched(folders: Sequence[Path]) -> str:
    own = [str(folder) for folder in folders if folder != driver.INCLUDE]
    rest = ["Zhisuan's headers: " + ", ".join(sorted(p.name for p in driver.INCLUDE.glob("*.h"))),
            "the headers of C and C++"]  # fmt: skip
    return "\n".join(["a file in one of these, in this order:", *own, *rest])


def _headers(folders: Sequence[Path]) -> list[str]:
    return sorted({path.name for folder in folders for path in folder.glob("*.h*")})


def _no_match(name: str, said: str, remarks: list[_Remark]) -> tuple[str, str | None, str | None]:
    if any("call to __host__ function from" in remark.said for remark in remarks):
        ours = any(remark.kind == "note" and not remark.is_inside for remark in remarks)
        hint = "mark it __mlu_func__" if ours else "kernels have the functions of docs/bcl.md"
        return f"a kernel cannot call '{name}', a function of the host", None, hint
    builtin = manual.builtins().get(name)
    if builtin is None:
        return said, None, None
    overloads = [f"{name}({parameters})" for parameters in builtin.parameters]
    more = len(overloads) - _MOST_OVERLOADS
    listed = overloads if more <= 0 else [*overloads[:_MOST_OVERLOADS], f"and {more} more"]
    return said, "\n".join(listed), None
