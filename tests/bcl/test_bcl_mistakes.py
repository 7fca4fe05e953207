"""Every mistake of a kernel's author, with the whole message: tests/golden/bcl/mistakes-*.txt.

The messages of kernels that stop must be the same from both executors.  Which registers an
instruction has, and where it lies, is the compiler's business: … stands for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_mistakes import COMPILING, OLD, OLD_RUNNING, RUNNING

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import host
from zhisuan.runtime.kernel_module import KernelModule

Golden = Callable[[str, str], None]


def section(name: str, source: str, message: str) -> str:
    rule = f"==== {name} "
    return f"{rule:=<80}\n{source}---- is told\n{message}\n\n"


def refused(source: str, **defines: int) -> str:
    with pytest.raises(ZhisuanError) as caught:
        bcl.compile(source, "k.mlu", defines=defines)
    return str(caught.value)


def refused_program(source: str) -> str:
    Path("k.mlu").write_text(source)
    with pytest.raises(ZhisuanError) as caught:
        host.build([Path("k.mlu")])
    return str(caught.value)


def test_what_the_compiler_refuses(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = [
        section(name, text, refused_program(text) if "main()" in text else refused(text))
        for name, text in COMPILING.items()
    ]
    told += [section(name, text, refused(text, __BANG_ARCH__=270)) for name, text in OLD.items()]
    golden("bcl/mistakes-compiling.txt", "".join(told))


def stopped(source: str, number: int, machine: str = "mlu370") -> str:
    with pytest.raises(ZhisuanError) as caught:
        module = KernelModule(source, "k.mlu", machine=machine, checks=())
        module.k(np.zeros(256, np.float16), number)
    return re.sub(r", pc \d+: (\S+).*", r", pc …: \1 …", str(caught.value))


@pytest.mark.parametrize("executor", ["native", "reference"])
def test_what_stops_a_kernel(
    executor: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHISUAN_EXECUTOR", executor)
    told = [section(name, text, stopped(text, n)) for name, (text, n) in RUNNING.items()]
    told += [section(name, text, stopped(text, n, "mlu270"))
             for name, (text, n) in OLD_RUNNING.items()]  # fmt: skip
    golden("bcl/mistakes-running.txt", "".join(told))
