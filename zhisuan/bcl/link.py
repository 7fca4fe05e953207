"""Several modules → one: definitions meet the names that refer to them.

In: modules as read, and the sources in `library/` (memory and string functions, arithmetic that
the machine lacks).  Out: one module; of the library only what is called.  Names private to a
module that meet another's get a number.  Never decides what a call becomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache as remember
from pathlib import Path

from zhisuan.base import cache, clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import driver, header, ir
from zhisuan.bcl.legalize import legalize
from zhisuan.bcl.read_llvm import read_module

LIBRARY = Path(__file__).parent / "library"


def link(modules: list[ir.Module]) -> ir.Module:
    """One module of several, the first one's names unchanged; that module is changed."""
    whole = modules[0]
    for number, module in enumerate(modules[1:], 1):
        taken = whole.globals.keys() | whole.functions.keys()
        names = {
            name: f"{name}@{number}"
            for name in module.globals.keys() | module.functions.keys()
            if name in taken and (name in module.private or name in whole.private)
        }
        _rename(module, names)
        _join(whole, module)
    return whole


def _join(whole: ir.Module, module: ir.Module) -> None:
    for name, item in module.globals.items():
        known = whole.globals.get(name)
        if known is None or known.initial is None:
            whole.globals[name] = item
    for name, function in module.functions.items():
        if name in whole.functions and name not in module.weak | whole.weak:
            raise ZhisuanError(
                f"function '{function.source_name}' is defined twice", where=function.place
            )
        if name not in whole.functions or name in whole.weak:
            whole.functions[name] = function
    whole.declared |= module.declared
    whole.private |= module.private
    for name, notes in module.annotations.items():
        whole.annotations.setdefault(name, set()).update(notes)


def _rename(module: ir.Module, names: dict[str, str]) -> None:
    if not names:
        return

    def renamed(value: ir.Value) -> ir.Value:
        if isinstance(value, ir.Address) and value.symbol in names:
            return replace(value, symbol=names[value.symbol])
        if isinstance(value, ir.Group):
            return replace(value, parts=tuple(map(renamed, value.parts)))
        if isinstance(value, ir.Expression):
            return replace(value, operands=tuple(map(renamed, value.operands)))
        return value

    for item in module.globals.values():
        item.name = names.get(item.name, item.name)
        item.initial = None if item.initial is None else renamed(item.initial)
    for function in module.functions.values():
        function.name = names.get(function.name, function.name)
        for block in function.blocks:
            for operation in block.body:
                operation.word = names.get(operation.word, operation.word)
                operation.operands = [renamed(value) for value in operation.operands]
    module.globals = {item.name: item for item in module.globals.values()}
    module.functions = {function.name: function for function in module.functions.values()}
    module.private = {names.get(name, name) for name in module.private}
    module.annotations = {names.get(n, n): notes for n, notes in module.annotations.items()}


def symbols(value: ir.Value | None) -> Iterator[str]:
    """The names a value refers to."""
    if isinstance(value, ir.Group):
        for part in value.parts:
            yield from symbols(part)
    elif isinstance(value, ir.Expression):
        for part in value.operands:
            yield from symbols(part)
    elif isinstance(value, ir.Address):
        yield value.symbol


def reachable(module: ir.Module, roots: list[str]) -> list[str]:
    """`roots` and everything they refer to; the module may lack some of it."""
    pending = list(roots)
    seen: dict[str, None] = {}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen[name] = None
        if name in module.functions:
            for block in module.functions[name].blocks:
                for item in block.body:
                    pending += [item.word] if item.op == "call" and item.word else []
                    for operand in item.operands:
                        pending += symbols(operand)
        elif name in module.globals:
            pending += symbols(module.globals[name].initial)
    return list(seen)


def complete(module: ir.Module, roots: list[str]) -> None:
    """Add what `roots` need of the library."""
    found: set[str] = set()
    while True:
        needed = {
            name
            for name in reachable(module, roots)
            if name not in module.functions
            and name not in module.globals
            and name not in header.builtins()
            and not name.startswith("llvm.")
        }
        file = next(
            (f for f, names in _contents().items() if names & needed and f not in found), ""
        )
        if not file:
            return
        found.add(file)
        part = read_module(_llvm(file), {})
        legalize(part, soft_double=True)
        for name in part.functions.keys() - part.private - needed:
            if name in module.functions:  # the program's own comes first
                del part.functions[name]
        link([module, part])


def _file_with(names: set[str]) -> str | None:
    return next((file for file, defined in _contents().items() if defined & names), None)


@remember
def _llvm(file: str) -> str:
    text = (LIBRARY / file).read_text(encoding="utf-8")
    key = [clang.version(), *driver.COMMON_FLAGS, *driver.C_FLAGS, text]
    made = cache.get_or_make(
        "bcl-library", key,
        lambda: driver.to_llvm(text, file, optimize=2, defines={}, include_dirs=(),
                               language="c").encode(),
        suffix=".ll",
    )  # fmt: skip
    return made.read_text(encoding="utf-8")


@remember
def _contents() -> dict[str, set[str]]:
    """The functions that each file of the library defines."""
    return {
        path.name: set(driver.defined_functions(_llvm(path.name)))
        for path in sorted(LIBRARY.glob("*.c"))
    }
