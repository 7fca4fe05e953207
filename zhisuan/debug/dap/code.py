"""Code and memory as a client sees them: addresses as text, bytes, instructions.

Instructions have no addresses on this chip: a client is told eight times the index of the word,
which no memory has.  An address of data is told with the thread whose memory it means, as in
`6:0x1000400`.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug import answers
from zhisuan.debug.dap.adapter import Adapter
from zhisuan.debug.dap.wire import Message
from zhisuan.isa.address import NRAM, space_of

WORD_BYTES = 8


def code_address(pc: int) -> str:
    return f"{WORD_BYTES * pc:#x}" if pc >= 0 else f"-{-WORD_BYTES * pc:#x}"


def pc_of(reference: str) -> int:
    """The word at a code address."""
    try:
        address = int(reference, 0)
    except ValueError:
        raise ZhisuanError(f"'{reference}' is no address of code") from None
    if not 0 <= address < NRAM.base:
        raise ZhisuanError(f"'{reference}' is no address of code")
    return address // WORD_BYTES


def data_reference(adapter: Adapter, index: int, address: int) -> str:
    return f"{adapter.thread_of(index)}:{address:#x}"


def _place(adapter: Adapter, reference: str) -> tuple[int, int]:
    """The task and the address that a reference means."""
    thread, _, text = reference.rpartition(":")
    session = adapter.running()
    try:
        address = int(text, 0)
        index = adapter.index_of(int(thread)) if thread else session.focus
    except ValueError:
        raise ZhisuanError(f"'{reference}' is no address") from None
    return index, address


def read(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """Bytes of a memory, or of the program; fewer than asked for where it ends."""
    index, start = _place(adapter, str(arguments["memoryReference"]))
    address, count = start + int(arguments.get("offset") or 0), int(arguments["count"])
    session = adapter.running()
    if 0 <= start < NRAM.base:
        raw = session.launch.program.words.astype("<u8").tobytes()[max(address, 0) :][:count]
    else:
        space = space_of(address)
        if space is None:
            raise ZhisuanError(f"{address:#x} is in no memory")
        memory = session.memory(index)
        count = min(count, space.base + memory.size_of(space) - address)
        raw = memory.read(address, np.uint8, count).tobytes() if count > 0 else b""
    unread = int(arguments["count"]) - len(raw)
    body: Message = {"address": f"{address:#x}", "data": base64.b64encode(raw).decode()}
    return body | ({"unreadableBytes": unread} if unread else {})


def write(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """Change bytes of a memory; what came after this moment is forgotten."""
    index, start = _place(adapter, str(arguments["memoryReference"]))
    raw = base64.b64decode(str(arguments["data"]))
    session = adapter.running()
    session.poke(index, start + int(arguments.get("offset") or 0), raw)
    return {"bytesWritten": len(raw)}


def disassemble(adapter: Adapter, arguments: dict[str, Any]) -> Message:
    """As many instructions as asked for; those outside of the program are marked as none."""
    session = adapter.running()
    first = pc_of(str(arguments["memoryReference"]))
    first += int(arguments.get("offset") or 0) // WORD_BYTES
    first += int(arguments.get("instructionOffset") or 0)
    count = int(arguments["instructionCount"])
    found: list[Message] = []
    before = None
    for pc in range(first, first + count):
        if not 0 <= pc < session.symbols.words:
            found.append({"address": code_address(pc), "instruction": "??",
                          "presentationHint": "invalid"})  # fmt: skip
            continue
        word = int(session.launch.program.words[pc])
        text = answers.instruction(session, pc)
        one: Message = {"address": code_address(pc), "instruction": text,
                        "instructionBytes": f"{word:016x}"}  # fmt: skip
        span = session.symbols.function_at(pc)
        if span is not None and span.start == pc:
            one["symbol"] = span.name
        place = session.symbols.place(pc)
        if place is not None and place != before:
            one["line"] = place.line - 1 + adapter.client.first_line
            one["location"] = source(adapter, place.file)
            before = place
        found.append(one)
    return {"instructions": found}


def source(adapter: Adapter, file: int) -> Message:
    """A source file; one that is not here is given by its number."""
    assert adapter.symbols is not None
    name = adapter.symbols.program.files[file]
    path = adapter.symbols.path(file)
    if path is not None:
        return {"name": path.name, "path": str(path.resolve())}
    return {"name": name, "sourceReference": file + 1}
