"""Breakpoints of a client: by lines, functions, instructions and data.

Comes in: what the client wants to have from now on, each kind as a whole.  Goes out: what became of
each of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.breakpoints import Breakpoint, Kind
from zhisuan.debug.dap.adapter import Adapter
from zhisuan.debug.dap.code import WORD_BYTES, code_address, pc_of
from zhisuan.debug.dap.references import PartsOf, ScopeOf
from zhisuan.debug.dap.wire import Message


def described(adapter: Adapter, item: Breakpoint) -> Message:
    """A breakpoint as the protocol shows it."""
    body: Message = {"id": item.number, "verified": bool(item.words)}
    if item.problem:
        body["message"] = item.problem
    elif not item.words:
        body["message"] = "waits for a kernel that has this place"
    if item.words:
        item.told = True
        body["instructionReference"] = code_address(item.words[0])
    if item.place is not None:
        body["line"] = item.place.line - 1 + adapter.client.first_line
    return body


def _made(adapter: Adapter, where: str, wanted: dict[str, Any]) -> Breakpoint:
    """A breakpoint with its conditions; one whose place is not known yet waits."""
    points = adapter.breakpoints
    item = Breakpoint(points.take_number(), Kind.LINE, where)
    points.items[item.number] = item
    if adapter.symbols is not None:
        try:
            item.look_up(adapter.symbols)
        except ZhisuanError as error:
            item.problem = error.what
    item.condition = str(wanted.get("condition") or "")
    item.message = str(wanted.get("logMessage") or "")
    hits = str(wanted.get("hitCondition") or "").strip()
    if hits:
        match = re.fullmatch(r"(>=|>|==)?\s*(\d+)", hits)
        if match is None:
            item.problem, item.words = f"'{hits}' is no number of hits", ()
        else:
            item.ignore = max(int(match[2]) - (match[1] != ">"), 0)
    return item


def resolved(adapter: Adapter) -> None:
    """A launch begins: tell of breakpoints whose places are known only now, watch data again."""
    for item in list(adapter.breakpoints.items.values()):
        if item.words and not item.told:
            adapter.wire.event("breakpoint", reason="changed", breakpoint=described(adapter, item))
    watch_all(adapter)


def _replace(adapter: Adapter, old: list[int], new: list[Breakpoint]) -> Message:
    for number in old:
        adapter.breakpoints.items.pop(number, None)
    old[:] = [item.number for item in new]
    return {"breakpoints": [described(adapter, item) for item in new]}


def by_lines(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    source = arguments["source"]
    name = str(source.get("path") or source.get("name"))
    wanted = arguments.get("breakpoints")
    if wanted is None:
        wanted = [{"line": line} for line in arguments.get("lines") or []]
    shift = 1 - adapter.client.first_line
    made = [_made(adapter, f"{name}:{int(one['line']) + shift}", one) for one in wanted]
    return _replace(adapter, adapter.client.lines.setdefault(str(Path(name)), []), made)


def by_functions(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    made = [_made(adapter, str(one["name"]), one) for one in arguments["breakpoints"]]
    return _replace(adapter, adapter.client.functions, made)


def by_instructions(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    made = []
    for one in arguments["breakpoints"]:
        pc = pc_of(str(one["instructionReference"])) + int(one.get("offset") or 0) // WORD_BYTES
        made.append(_made(adapter, f"*{pc}", one))
    return _replace(adapter, adapter.client.instructions, made)


# -- data -----------------------------------------------------------------------------------


def data_info(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """Whether a variable can be watched, and by which id."""
    session = adapter.running()
    name = str(arguments["name"])
    index, frame = session.focus, 0
    if arguments.get("variablesReference"):
        found = adapter.references.find(arguments["variablesReference"])
        if isinstance(found, PartsOf):
            name = part_path(found.path, name)
        if isinstance(found, PartsOf | ScopeOf):
            index, frame = found.frame.index, found.frame.frame
    elif arguments.get("frameId"):
        at = adapter.references.frame(arguments["frameId"])
        index, frame = at.index, at.frame
    try:
        evaluator = session.evaluator(index, frame)
        value = evaluator.value(name)
        address, size = evaluator.reader.address(value), session.types.size_of(value.type)
        if not size:
            raise ZhisuanError(f"'{name}' has no size")
    except ZhisuanError as error:
        return {"dataId": None, "description": error.what}
    data_id = f"{adapter.thread_of(index)}:{address:#x}:{size}"
    adapter.data[data_id] = index, name, value
    return {
        "dataId": data_id,
        "description": f"{name}, {size:,} bytes at {address:#x} of {session.name_of(index)}",
        "accessTypes": ["read", "write", "readWrite"],
        "canPersist": False,
    }


def by_data(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    wanted = []
    for one in arguments["breakpoints"]:
        access = one.get("accessType") or "write"
        wanted.append((str(one["dataId"]), access in ("read", "readWrite"), access != "read"))
    adapter.client.data = wanted
    return {"breakpoints": watch_all(adapter)}


def watch_all(adapter: Adapter) -> list[Message]:
    """Let the session watch what the client wants, and nothing else."""
    if adapter.session is None:
        return []
    adapter.session.watches.items.clear()
    return [_watched(adapter, *wanted) for wanted in adapter.client.data]


def _watched(adapter: Adapter, data_id: str, reads: bool, writes: bool) -> Message:
    session = adapter.running()
    known = adapter.data.get(data_id)
    if known is None:
        return {"verified": False, "message": f"there is no data '{data_id}'"}
    index, name, value = known
    try:
        made = session.watch_value(index, name, value, reads=reads, writes=writes)
    except ZhisuanError as error:
        return {"verified": False, "message": error.what}
    return {"id": made.number, "verified": True}


def part_path(path: str, name: str) -> str:
    """The expression for a member or an element of another."""
    if name == "*":
        return f"*({path})"
    return f"({path}){name}" if name.startswith("[") else f"({path}).{name}"
