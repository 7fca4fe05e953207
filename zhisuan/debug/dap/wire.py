"""Messages of the protocol on a pair of streams: a header with the length, then JSON.

Comes in: bytes.  Goes out: dictionaries, and the other way round.  What is no message is skipped.
"""

from __future__ import annotations

import json
import threading
from typing import Any, BinaryIO

Message = dict[str, Any]
_LONGEST = 1 << 26
"""Bytes of a message; a longer one is none."""


class NoMessage(Exception):
    """What came is not a message; the next one may be."""


class Wire:
    def __init__(self, source: BinaryIO, target: BinaryIO) -> None:
        self._source, self._target = source, target
        self._number = 0
        self._lock = threading.Lock()

    def read(self) -> Message | None:
        """The next message; None at the end.  `NoMessage` for anything else."""
        length = self._length()
        if length is None:
            return None
        raw = self._source.read(length)
        if len(raw) < length:
            return None
        try:
            message = json.loads(raw)
        except ValueError as error:
            raise NoMessage(f"not JSON: {error}") from error
        if not isinstance(message, dict):
            raise NoMessage("a message is a JSON object")
        return message

    def _length(self) -> int | None:
        """Of the message behind the header that comes next."""
        length = None
        while True:
            line = self._source.readline(_LONGEST)
            if not line:
                return None
            text = line.strip().decode("ascii", "replace")
            if not text and length is not None:
                return length
            name, _, value = text.partition(":")
            if name.lower() == "content-length":
                value = value.strip()
                if not value.isdecimal() or int(value) > _LONGEST:
                    raise NoMessage(f"'{text}' is no length")
                length = int(value)

    def send(self, message: Message) -> None:
        """Number a message and write it; a reader that has left is not told."""
        with self._lock:
            self._number += 1
            raw = json.dumps({"seq": self._number, **message}).encode()
            try:
                self._target.write(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
                self._target.flush()
            except (BrokenPipeError, ValueError):
                return

    def event(self, event: str, **body: Any) -> None:
        self.send({"type": "event", "event": event, "body": body})

    def answer(self, request: Message, body: Message | None = None) -> None:
        message = {"type": "response", "request_seq": _seq(request), "success": True,
                   "command": str(request.get("command", ""))}  # fmt: skip
        self.send(message | ({"body": body} if body is not None else {}))

    def refuse(self, request: Message, why: str) -> None:
        self.send({
            "type": "response", "request_seq": _seq(request), "success": False,
            "command": str(request.get("command", "")), "message": why,
            "body": {"error": {"id": 1, "format": why.replace("{", "(").replace("}", ")"),
                               "showUser": True}},
        })  # fmt: skip


def _seq(request: Message) -> int:
    seq = request.get("seq")
    return seq if isinstance(seq, int) else 0
