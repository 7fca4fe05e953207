"""The shape of the house, kept by a test: rows, towers, cycles, names and sizes.

Reads every module under zhisuan/ as text (never imports it) and checks who imports whom.
`ROWS` is the one table; ARCHITECTURE.md shows the same as a picture.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "zhisuan"

ROWS: dict[str, int] = {
    "base": 0,
    "graph": 1,
    "arch": 1,
    "isa": 1,
    "quantize": 2,
    "session": 2,
    "sim": 2,
    "bcl": 2,
    "cpu": 3,
    "eager": 3,
    "runtime": 3,
    "frontend": 4,
    "debug": 4,
    "kernels": 4,
    "report": 4,
    "models": 5,
    "lower": 6,
    "pipeline": 7,
    "explore": 8,
    "labs": 8,
    "cli": 9,
}
MATHS = frozenset({"graph", "quantize", "session", "cpu", "eager", "frontend", "models"})
MACHINE = frozenset({"arch", "isa", "sim", "bcl", "runtime", "debug", "kernels", "report"})

VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
MAX_LINES = 700
TABLES: dict[str, str] = {}  # path under zhisuan/ -> why one table may be longer than MAX_LINES


@dataclass(frozen=True)
class Import:
    """`importer` names `target`, both dotted module names, on `line` of the importer's file."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def read_modules(root: Path) -> dict[str, ast.Module]:
    """Dotted name -> syntax tree, for every .py file of the package under `root`."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports_of(name: str, tree: ast.Module, known: set[str]) -> Iterator[Import]:
    """What module `name` imports from this package, wherever in the file it stands."""
    is_package = any(other.startswith(name + ".") for other in known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    yield Import(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")
                keep = len(parents) - node.level + (1 if is_package else 0)
                base = ".".join([*parents[:keep], *([base] if base else [])])
            if base.split(".")[0] != PACKAGE:
                continue
            for alias in node.names:
                member = f"{base}.{alias.name}"
                yield Import(name, member if member in known else base, node.lineno)
        elif isinstance(node, ast.Call) and node.args and _is_import_module(node.func):
            target = node.args[0]
            if isinstance(target, ast.Constant) and str(target.value).startswith(PACKAGE + "."):
                yield Import(name, str(target.value), node.lineno)


def _is_import_module(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in {"import_module", "__import__"}


def all_imports(modules: dict[str, ast.Module]) -> list[Import]:
    known = set(modules)
    return [item for name, tree in modules.items() for item in imports_of(name, tree, known)]


def room(module: str) -> str:
    """The top-level part under zhisuan/ that a module belongs to; '' for zhisuan itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def row_violations(imports: list[Import]) -> list[str]:
    """Imports that do not go to a strictly lower row, or that cross between the towers."""
    wrong = []
    for item in imports:
        here, there = room(item.importer), room(item.target)
        if here == there or not there:
            continue
        if ROWS.get(here, 99) <= ROWS.get(there, 99):
            wrong.append(f"{item} (row {ROWS.get(here)} -> row {ROWS.get(there)})")
        for tower, other in ((MATHS, MACHINE), (MACHINE, MATHS)):
            if here in tower and there in other:
                wrong.append(f"{item} (from one tower into the other)")
    return wrong


def find_cycle(imports: list[Import]) -> list[str]:
    """The modules of one import cycle, first repeated at the end; empty when there is none."""
    edges: dict[str, list[str]] = {}
    for item in imports:
        edges.setdefault(item.importer, []).append(item.target)
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        on_path: set[str] = set()
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            name, leaving = pending.pop()
            if leaving:
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif name in on_path:
                return [*path[path.index(name) :], name]
            elif name not in done:
                path.append(name)
                on_path.add(name)
                pending.append((name, True))
                pending.extend((target, False) for target in edges.get(name, ()))
    return []


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    return read_modules(ROOT)


@pytest.fixture(scope="module")
def imports(modules: dict[str, ast.Module]) -> list[Import]:
    return all_imports(modules)


def test_every_room_has_a_row(modules: dict[str, ast.Module]) -> None:
    assert {room(name) for name in modules} - {""} - ROWS.keys() == set()


def test_imports_go_to_lower_rows(imports: list[Import]) -> None:
    wrong = row_violations(imports)
    assert not wrong, "\n".join(wrong)


def test_the_package_itself_imports_nothing_of_its_own(imports: list[Import]) -> None:
    assert [str(item) for item in imports if item.importer == PACKAGE] == []


def test_no_import_cycles(imports: list[Import]) -> None:
    cycle = find_cycle(imports)
    assert not cycle, " -> ".join(cycle)


def test_imported_modules_exist(imports: list[Import], modules: dict[str, ast.Module]) -> None:
    missing = [str(item) for item in imports if item.target not in modules]
    assert not missing, "\n".join(missing)


def test_no_star_imports(modules: dict[str, ast.Module]) -> None:
    stars = [
        f"{name}:{node.lineno}"
        for name, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    assert not stars, "\n".join(stars)


def test_every_module_says_what_it_is(modules: dict[str, ast.Module]) -> None:
    silent = [name for name, tree in modules.items() if not ast.get_docstring(tree)]
    assert not silent, "\n".join(silent)


def test_no_vague_names() -> None:
    paths = [path for path in (ROOT / PACKAGE).rglob("*") if path.stem.lower() in VAGUE_NAMES]
    assert paths == []


def test_files_stay_readable() -> None:
    long = {}
    for path in (ROOT / PACKAGE).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        name = path.relative_to(ROOT / PACKAGE).as_posix()
        if lines > MAX_LINES and name not in TABLES:
            long[name] = lines
    assert long == {}


def test_the_picture_names_every_room() -> None:
    picture = ROOT / "ARCHITECTURE.md"
    if not picture.exists():
        pytest.skip("ARCHITECTURE.md is not written yet")
    text = picture.read_text(encoding="utf-8")
    missing = [
        name
        for name in ROWS
        if (ROOT / PACKAGE / name).exists() and not re.search(rf"\b{name}\b", text)
    ]
    assert missing == []


def _imports_in(sources: dict[str, str]) -> list[Import]:
    return all_imports({name: ast.parse(text) for name, text in sources.items()})


@pytest.mark.parametrize(
    ("importer", "text", "expected"),
    [
        (
            "zhisuan.graph.ir",
            "import zhisuan.arch",
            [
                "zhisuan.graph.ir:1 imports zhisuan.arch (row 1 -> row 1)",
                "zhisuan.graph.ir:1 imports zhisuan.arch (from one tower into the other)",
            ],
        ),
        (
            "zhisuan.base.cache",
            "def f():\n    from ..cli import main",
            ["zhisuan.base.cache:2 imports zhisuan.cli (row 0 -> row 9)"],
        ),
        (
            "zhisuan.report.page",
            "from importlib import import_module\nimport_module('zhisuan.graph')",
            ["zhisuan.report.page:2 imports zhisuan.graph (from one tower into the other)"],
        ),
        ("zhisuan.lower.plan", "from zhisuan.graph import ir\nimport zhisuan.sim", []),
        ("zhisuan.sim.core", "from .state import State\nfrom zhisuan.base import dtype", []),
    ],
)
def test_the_row_check_can_fail(importer: str, text: str, expected: list[str]) -> None:
    assert row_violations(_imports_in({importer: text})) == expected


def test_the_cycle_check_can_fail() -> None:
    sources = {
        "zhisuan.sim": "from zhisuan.sim.a import x",
        "zhisuan.sim.a": "from zhisuan.sim import b",
        "zhisuan.sim.b": "def late():\n    from zhisuan.sim import x",
    }
    assert find_cycle(_imports_in(sources)) == [
        "zhisuan.sim",
        "zhisuan.sim.a",
        "zhisuan.sim.b",
        "zhisuan.sim",
    ]
    assert find_cycle(_imports_in({"zhisuan.sim.a": "from zhisuan.sim import b"})) == []
