"""A client of the debug adapter for tests: every message either way is checked by the schema.

The schema is the protocol's own, as the package debugpy carries it (MIT).  It describes messages by
what their command or event is called, so each is checked by its own definition.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema

Message = dict[str, Any]
_SCHEMA = "debugProtocol.json"


@functools.cache
def schema() -> Message:
    files = metadata.files("debugpy") or []
    path = next(file for file in files if file.name == _SCHEMA)
    return json.loads(Path(str(path.locate())).read_text(encoding="utf-8"))


@functools.cache
def _validator(name: str) -> jsonschema.Draft4Validator:
    whole = schema()
    assert name in whole["definitions"], f"the protocol has no {name}"
    return jsonschema.Draft4Validator({**whole, "$ref": f"#/definitions/{name}"})


def check(message: Message) -> None:
    """A message must be what the schema says of its kind."""
    if message["type"] == "request":
        name = _named(message["command"], "Request")
    elif message["type"] == "event":
        name = _named(message["event"], "Event")
    else:
        name = _named(message["command"], "Response") if message["success"] else "ErrorResponse"
    _validator(name).validate(message)


def _named(word: str, kind: str) -> str:
    return word[0].upper() + word[1:] + kind


class Client:
    """Talks with `zhisuan dap`, or a stream pair; `events` are those that nobody has asked for."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zhisuan.cli", "dap"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._number = 0
        self.events: list[Message] = []
        self.messages = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    # -- messages -----------------------------------------------------------------------------

    def send_raw(self, raw: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(raw)
        self._process.stdin.flush()

    def send(self, command: str, arguments: Message | None = None, valid: bool = True) -> int:
        self._number += 1
        message: Message = {"seq": self._number, "type": "request", "command": command}
        if arguments is not None:
            message["arguments"] = arguments
        if valid:
            check(message)
        raw = json.dumps(message).encode()
        self.send_raw(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
        self.messages += 1
        return self._number

    def read(self) -> Message:
        stream = self._process.stdout
        assert stream is not None
        header = stream.readline()
        assert header, self._process.stderr.read().decode()  # type: ignore[union-attr]
        assert stream.readline() == b"\r\n"
        message = json.loads(stream.read(int(header.split(b":")[1])))
        check(message)
        self.messages += 1
        return message

    def answer(self, number: int) -> Message:
        """The response to a request; events before it are kept."""
        while True:
            message = self.read()
            if message["type"] == "response" and message["request_seq"] == number:
                return message
            self.events.append(message)

    def ask(self, command: str, arguments: Message | None = None, **named: Any) -> Message:
        """The body of a response, which must be a success."""
        given = arguments if arguments is not None else (named or None)
        response = self.answer(self.send(command, given))
        assert response["success"], response
        return response.get("body", {})

    def refused(self, command: str, valid: bool = True, **arguments: Any) -> str:
        """The message of a response that is none."""
        response = self.answer(self.send(command, arguments, valid))
        assert not response["success"], response
        return response["message"]

    def event(self, *names: str) -> Message:
        """The next event of one of these names; what comes before it is dropped."""
        while True:
            message = self.events.pop(0) if self.events else self.read()
            if message["type"] == "event" and message["event"] in names:
                return message

    # -- what sessions do ---------------------------------------------------------------------

    def begin(self, **launch: Any) -> Message:
        """Up to the moment at which breakpoints are made; what the adapter can do."""
        able = self.ask("initialize", adapterID="zhisuan", linesStartAt1=True, pathFormat="path")
        answer = self.answer(self.send("launch", launch))
        assert answer["success"], answer
        self.event("initialized")
        return able

    def stop(self) -> Message:
        """The body of the next stop; the end of everything is none."""
        event = self.event("stopped", "terminated")
        assert event["event"] == "stopped", event
        return event["body"]

    def move(self, command: str, thread: int, **more: Any) -> Message:
        self.ask(command, threadId=thread, **more)
        return self.stop()

    def top(self, thread: int) -> Message:
        """The innermost frame."""
        return self.ask("stackTrace", threadId=thread)["stackFrames"][0]

    def variables(self, frame: int, scope: str) -> dict[str, Message]:
        scopes = self.ask("scopes", frameId=frame)["scopes"]
        number = next(one["variablesReference"] for one in scopes if one["name"] == scope)
        found = self.ask("variables", variablesReference=number)["variables"]
        return {one["name"]: one for one in found}
