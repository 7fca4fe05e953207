"""What a client sees of a stopped launch: stacks, scopes, variables, values of expressions.

Comes in: arguments of requests.  Goes out: bodies of responses.  Only the `set…` requests change
anything.
"""

from __future__ import annotations

from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl.layout import SPECIALS
from zhisuan.debug import answers
from zhisuan.debug.dap import code
from zhisuan.debug.dap.adapter import Adapter
from zhisuan.debug.dap.points import part_path
from zhisuan.debug.dap.references import FrameOf, PartsOf, ScopeOf
from zhisuan.debug.dap.wire import Message
from zhisuan.debug.evaluate import Evaluator
from zhisuan.debug.values import InMemory, Value
from zhisuan.isa import debug_query
from zhisuan.isa.debug_table import Array
from zhisuan.isa.registry import REGISTERS

_SCOPES = ("Arguments", "Locals", "Arrays", "Built-ins", "Registers")
_HINTS = {"Arguments": "arguments", "Locals": "locals", "Registers": "registers"}
_EXPENSIVE = ("Arrays", "Built-ins", "Registers")


def stack(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    session = adapter.running()
    index = adapter.index_of(arguments["threadId"])
    frames = session.frames(index)
    first, most = int(arguments.get("startFrame") or 0), int(arguments.get("levels") or 0)
    found = []
    for number, frame in enumerate(frames):
        file, line = frame.place
        one: Message = {
            "id": adapter.references.add(FrameOf(index, number)),
            "name": frame.function or "?",
            "line": line - 1 + adapter.client.first_line if file >= 0 else 0,
            "column": adapter.client.first_line if file >= 0 else 0,
            "instructionPointerReference": code.code_address(frame.pc),
        }
        if file >= 0:
            one["source"] = code.source(adapter, file)
        found.append(one)
    return {"stackFrames": found[first : first + most if most else None],
            "totalFrames": len(frames)}  # fmt: skip


def scopes(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    frame = adapter.references.frame(arguments["frameId"])
    found = []
    for name in _SCOPES:
        one: Message = {
            "name": name,
            "variablesReference": adapter.references.add(ScopeOf(frame, name)),
            "expensive": name in _EXPENSIVE,
        }
        if name in _HINTS:
            one["presentationHint"] = _HINTS[name]
        found.append(one)
    return {"scopes": found}


def variables(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """Those of a scope, or the parts of a value, of an array as many as asked for."""
    item = adapter.references.find(arguments["variablesReference"])
    form = "x" if (arguments.get("format") or {}).get("hex") else ""
    if isinstance(item, ScopeOf):
        named = _of_scope(adapter, item)
        found = [(name, name, value) for name, value in named]
    else:
        first, most = int(arguments.get("start") or 0), arguments.get("count")
        reader = _evaluator(adapter, item.frame).reader
        is_array = isinstance(reader.types.plain(item.value.type), Array)
        if is_array and arguments.get("filter") == "named":
            return {"variables": []}
        parts = reader.parts(item.value, first, int(most) if most else None)
        found = [(name, part_path(item.path, name), value) for name, value in parts]
        if not is_array:
            found = found[first : first + int(most) if most else None]
    shown = [{"name": name, **_shown(adapter, item.frame, path, value, form)}
             for name, path, value in found]  # fmt: skip
    return {"variables": shown}


def _evaluator(adapter: Adapter, frame: FrameOf) -> Evaluator:
    return adapter.running().evaluator(frame.index, frame.frame)


def _of_scope(adapter: Adapter, item: ScopeOf) -> list[tuple[str, Value]]:
    session, frame = adapter.running(), item.frame
    evaluator = _evaluator(adapter, frame)
    if item.name in ("Arguments", "Locals"):
        return answers.variables(session, frame.frame, item.name == "Arguments", frame.index)
    if item.name == "Built-ins":
        return [(name, evaluator.value(name)) for name in SPECIALS]
    if item.name == "Registers":
        names = ["$pc", *(f"${number}" for number in range(REGISTERS))]
        return [(name, evaluator.value(name)) for name in names]
    names = {local.name for local in debug_query.globals_of(session.launch.program)}
    names |= {array.name for array in session.launch.program.arrays}
    found = []
    for name in sorted(names):
        try:
            found.append((name, evaluator.value(name)))
        except ZhisuanError:  # an array of another function
            continue
    return found


def _shown(adapter: Adapter, frame: FrameOf, path: str, value: Value, form: str = "") -> Message:
    """A value as the protocol shows it, with numbers for its parts and its memory."""
    session = adapter.running()
    reader = _evaluator(adapter, frame).reader
    value = reader.follow(value)
    body: Message = {
        "value": reader.text(value, form),
        "type": session.types.name_of(value.type),
        "variablesReference": 0,
        "evaluateName": path,
    }
    kind = session.types.plain(value.type)
    try:
        has_parts = bool(reader.parts(value, 0, 1))
    except ZhisuanError:
        has_parts = False
    if has_parts:
        body["variablesReference"] = adapter.references.add(PartsOf(frame, value, path))
        if isinstance(kind, Array):
            body["indexedVariables"] = kind.counts[0]
    if isinstance(value.where, InMemory):
        body["memoryReference"] = code.data_reference(adapter, frame.index, value.where.address)
    return body


def evaluate(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """A value; in the console also an assignment."""
    session, text = adapter.running(), str(arguments["expression"])
    number = arguments.get("frameId")
    frame = adapter.references.frame(number) if number else FrameOf(session.focus, 0)
    if arguments.get("context") == "repl" and _is_assignment(text):
        session.assign(text, frame.index, frame.frame)
        text = text.partition("=")[0].strip()
    value = _evaluator(adapter, frame).value(text)
    form = "x" if (arguments.get("format") or {}).get("hex") else ""
    body = _shown(adapter, frame, text, value, form)
    body["result"] = body.pop("value")
    del body["evaluateName"]
    return body


def _is_assignment(text: str) -> bool:
    bare = text
    for word in ("==", "!=", "<=", ">="):
        bare = bare.replace(word, "")
    return "=" in bare


def set_variable(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    item = adapter.references.find(arguments["variablesReference"])
    name = str(arguments["name"])
    path = part_path(item.path, name) if isinstance(item, PartsOf) else name
    return _changed(adapter, item.frame, path, str(arguments["value"]))


def set_expression(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    number = arguments.get("frameId")
    session = adapter.running()
    frame = adapter.references.frame(number) if number else FrameOf(session.focus, 0)
    return _changed(adapter, frame, str(arguments["expression"]), str(arguments["value"]))


def _changed(adapter: Adapter, frame: FrameOf, path: str, text: str) -> Message:
    adapter.running().assign(f"{path} = {text}", frame.index, frame.frame)
    value = _evaluator(adapter, frame).value(path)
    body = _shown(adapter, frame, path, value)
    body.pop("evaluateName")
    body.pop("memoryReference", None)
    return body


def source_text(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """A source file that the client does not have: the lines that the program carries."""
    named = arguments.get("sourceReference") or (arguments.get("source") or {})["sourceReference"]
    number = int(named)
    symbols = adapter.symbols
    if symbols is None or not 0 < number <= len(symbols.program.files):
        raise ZhisuanError(f"there is no source {number}")
    text = symbols.text(number - 1)
    if text is None:
        known = {line: one for (file, line), one in symbols.program.texts.items()
                 if file == number - 1}  # fmt: skip
        text = [known.get(line, "") for line in range(1, max(known, default=0) + 1)]
    return {"content": "\n".join(text) + "\n"}


def exception_info(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    session = adapter.running()
    error = session.last.error
    if error is None:
        raise ZhisuanError("no kernel has stopped with a fault")
    return {"exceptionId": error.what, "description": str(error), "breakMode": "always"}
