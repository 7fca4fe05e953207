"""What stops a program early, before anybody says where it was.

An executor raises `Fault`; `execute` turns it into the message with kernel, line and
instruction.
"""

from __future__ import annotations

from zhisuan.base.errors import ZhisuanError

NULL = "null pointer"
NOWHERE = "the address is in no memory"


NOTED = "scalar loads and stores, under checks"
QUEUED = "instructions that leave rows in the trace"


class Fault(Exception):
    """A program's mistake at instruction `pc`; `error` says what, but not where."""

    def __init__(self, error: ZhisuanError, pc: int) -> None:
        super().__init__(error.what)
        self.error = error
        self.pc = pc


def outside(pc: int, words: int) -> ZhisuanError:
    """The next instruction to execute is not in the program."""
    return ZhisuanError(
        "the program counter left the program",
        expected=f"an instruction index from 0 to {words - 1}",
        found=str(pc),
    )


class Runaway(ZhisuanError):
    """A task that did too much for one that ends; `of` says of what."""

    def __init__(self, limit: int, of: str = "instructions", found: str | None = None) -> None:
        self.limit, self.of = limit, of
        super().__init__(
            "the kernel does not end",
            expected=f"HALT within {limit} {of}",
            found=found,
            hint="look for a loop that never ends, or raise the limit: ZHISUAN_LIMIT",
        )


def no_special(index: int) -> ZhisuanError:
    return ZhisuanError("no such special register", expected="0 to 15", found=str(index))


def no_cluster(cluster: int, clusters: int) -> ZhisuanError:
    """CDMA to a cluster that the job does not have."""
    return ZhisuanError(
        "the job has no such cluster",
        expected=f"a clusterId from 0 to {clusters - 1}" if clusters else "a UNION launch",
        found=str(cluster),
    )


def leaves_memory(error: ZhisuanError) -> bool:
    return error.what in (NOWHERE, NULL)


def stack_full(access: ZhisuanError) -> ZhisuanError:
    """An access relative to the stack pointer that left all memories, for what it is."""
    return ZhisuanError(
        "the stack is full",
        expected="variables and calls that fit the memory on the chip below its top",
        found=access.found,
        hint="is there a recursion that never ends, or a large local array without __nram__?",
    )


def trapped(reason: str) -> ZhisuanError:
    """The program asked for it: TRAP, or operands that an instruction refuses."""
    return ZhisuanError(reason)
