"""The page of the built-ins: docs/bcl.md, written from the headers and the counted uses.

In: the headers as clang's preprocessor expands them, and `builtins.tsv`: names of BANG C, how often
public kernels use them, and their era.  Out: Markdown.  Lists no built-in itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from zhisuan.bcl import architecture, driver
from zhisuan.isa.rules import RULES

FACTS = Path(__file__).parent / "builtins.tsv"
ERAS = {"2": "BANG 2.x", "23": "both", "3": "BANG 3.x", "-": "in no public header"}
OLD_CLASS = 270
"""An architecture whose rules are checked."""
_MARK = re.compile(r'^# \d+ "([^"]*)".*$', re.M)
_FUNCTION = re.compile(
    r"static inline __attribute__\(\(device, always_inline, unused\)\)\s+"
    r"(?P<result>[\w *]+?[ *])(?P<name>\w+)\((?P<parameters>[^()]*)\)\s*(?=\{)"
)
_ROW = re.compile(r"__dlp_(?:ordered_)?([A-Z][A-Z0-9]*)(?=[_(])")
_RULE = re.compile(r"__dlp_refuse_(\w+)")
_CALL = re.compile(r"\b(__\w+)\(")


@dataclass(frozen=True)
class Use:
    """A name of BANG C in public kernels."""

    name: str
    uses: int
    era: str


@dataclass
class Builtin:
    """All overloads of a name; `family` is the header that has it."""

    name: str
    family: str
    parameters: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)


def facts() -> list[Use]:
    """The counted names, most used first."""
    lines = FACTS.read_text(encoding="utf-8").splitlines()
    parts = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Use(name, int(uses), era) for name, uses, era in parts]


@cache
def builtins() -> dict[str, Builtin]:
    """Every function of the headers, those that are for the headers alone as well."""
    text = driver.preprocessed({"__BANG_ARCH__": OLD_CLASS})
    marks = [(match.end(), Path(match[1]).stem) for match in _MARK.finditer(text)]
    found: dict[str, Builtin] = {}
    at = 0
    for match in _FUNCTION.finditer(text):
        while at + 1 < len(marks) and marks[at + 1][0] <= match.start():
            at += 1
        name = match["name"]
        builtin = found.setdefault(name, Builtin(name, marks[at][1]))
        result = " ".join(match["result"].split())
        result = result.replace("__dlp_filtered_f16", "int").replace("__dlp_filtered_f32", "int")
        returned = "" if result == "void" else f" → {result}"
        builtin.parameters.append(" ".join(match["parameters"].split()) + returned)
        builtin.bodies.append(_body(text, match.end()))
    return found


def _body(text: str, start: int) -> str:
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return text[start : match.end()]
    raise ValueError(f"no end of the function at {start}")


def _reached(name: str, pattern: re.Pattern[str]) -> list[str]:
    """What `pattern` finds in a built-in and in those that it calls."""
    pending, seen, found = [name], {name}, []
    while pending:
        builtin = builtins()[pending.pop(0)]
        for body in builtin.bodies:
            found += pattern.findall(body)
            called = [c for c in _CALL.findall(body) if c in builtins() and c not in seen]
            seen.update(called)
            pending += called
    return list(dict.fromkeys(found))


def macros() -> set[str]:
    """Names that the headers define as macros."""
    texts = [path.read_text(encoding="utf-8") for path in driver.INCLUDE.rglob("*.h")]
    return {name for text in texts for name in re.findall(r"^#define (\w+)", text, re.M)}


def missing() -> list[Use]:
    """Counted names that the headers do not have."""
    known = set(builtins()) | macros()
    return [use for use in facts() if use.name not in known]


def page() -> str:
    """The whole of docs/bcl.md."""
    parts = [_introduction(), _coverage(), _missing(), _rules(), *_families()]
    return "\n".join(parts)


def _introduction() -> str:
    return f"""\
# The built-ins of BCL

This file is generated from the headers (`zhisuan/bcl/include`) and from `zhisuan/bcl/builtins.tsv`;
`pytest tests/bcl/test_builtin_page.py --update-golden` writes it again.

`#include <bang.h>`, "mlu.h" and "bcl.h" may stand in a kernel and need not: all of this is there
already. `__BANG_ARCH__` is {architecture.DEFAULT}; with `-D __BANG_ARCH__=270` (or 200) the rules
of the MLU270 class are checked: where sizes are constants the compiler refuses, elsewhere the
program stops, and either names the rule. Later classes take any size, and any address that suits
the element.
The instructions are those of [isa.md](isa.md). Every name is in a test under `tests/bcl`.
"""


def _coverage() -> str:
    gone = {use.name for use in missing()}
    lines = ["## Coverage", "", "Uses are those in public kernels.", ""]
    lines += ["| names | all | here | uses | of those here |", "|---|---|---|---|---|"]
    groups = [(text, [u for u in facts() if u.era == era]) for era, text in ERAS.items()]
    used = [use for use in facts() if use.uses]
    for text, names in [*groups, ("with at least one use", used), ("all", facts())]:
        here = [use for use in names if use.name not in gone]
        uses, covered = sum(u.uses for u in names), sum(u.uses for u in here)
        share = f"{covered} ({100 * covered / uses:.2f} %)" if uses else "0"
        lines.append(f"| {text} | {len(names)} | {len(here)} | {uses} | {share} |")
    return "\n".join([*lines, ""])


def _missing() -> str:
    names = ", ".join(f"`{use.name}` ({use.uses})" for use in missing())
    return f"Missing, with their uses: {names or 'none'}.\n"


def _rules() -> str:
    lines = ["## Rules of the MLU270 class", ""]
    lines += [f"{number}. {rule}" for number, rule in enumerate(RULES, 1)]
    return "\n".join([*lines, ""])


def _families() -> Iterator[str]:
    uses = {use.name: use.uses for use in facts()}
    families: dict[str, list[Builtin]] = {}
    for builtin in builtins().values():
        if not builtin.name.startswith("__dlp_"):
            families.setdefault(builtin.family, []).append(builtin)
    for family, members in families.items():
        header = driver.INCLUDE / "bang" / f"{family}.h"
        title = header.read_text(encoding="utf-8").split("\n")[0].removeprefix("// ").rstrip(".")
        lines = [f"## {title}", "", "`bang/" + f"{family}.h`", ""]
        lines += ["| built-in | types | instructions | rules | uses |", "|---|---|---|---|---|"]
        for builtin in sorted(members, key=lambda b: (-uses.get(b.name, 0), b.name)):
            lines.append(_line(builtin, uses.get(builtin.name, 0)))
        yield "\n".join([*lines, ""])


def _line(builtin: Builtin, uses: int) -> str:
    numbers = [RULES.index(rule.replace("_", " ")) + 1 for rule in _reached(builtin.name, _RULE)
               if rule.replace("_", " ") in RULES]  # fmt: skip
    rows = " ".join(f"`{row}`" for row in _reached(builtin.name, _ROW)) or "scalar code"
    first = builtin.parameters[0]
    count = len(builtin.parameters)
    more = f", {count} overloads" if count > 1 else ""
    rules = " ".join(map(str, sorted(numbers)))
    return f"| `{builtin.name}({first})`{more} | {_types(builtin)} | {rows} | {rules} | {uses} |"


def _types(builtin: Builtin) -> str:
    """Types of the elements that the first pointers of the overloads point to."""
    found = []
    for parameters in builtin.parameters:
        pointer = re.match(r"(?:const )?([\w ]+?) ?[*&]", parameters.split("→")[0])
        found.append(pointer[1] if pointer else "")
    return ", ".join(name for name in dict.fromkeys(found) if name)
