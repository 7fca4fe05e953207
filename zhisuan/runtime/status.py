"""What the functions of cnrt.h return; the header has the same numbers."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """A return value; `text` is what cnrtGetErrorStr says."""

    cnrtSuccess = 0
    cnrtErrorArgsInvalid = 1
    cnrtErrorNoMem = 2
    cnrtErrorNoDevice = 3
    cnrtErrorNotReady = 4
    cnrtErrorKernelFault = 5

    @property
    def text(self) -> str:
        return f"{self.name}: {_TEXTS[self]}"


_TEXTS = {
    Status.cnrtSuccess: "no error",
    Status.cnrtErrorArgsInvalid: "an argument is not valid",
    Status.cnrtErrorNoMem: "the card has no room",
    Status.cnrtErrorNoDevice: "there is no such device",
    Status.cnrtErrorNotReady: "a notifier was not placed",
    Status.cnrtErrorKernelFault: "a kernel stopped",
}


class CallError(Exception):
    """A call of the host that fails with a status, and is reported with what was wrong."""

    def __init__(self, status: Status, what: str, **details: str | None) -> None:
        super().__init__(what)
        self.status, self.what, self.details = status, what, details
