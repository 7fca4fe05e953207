"""Kernels that stop: each tells why, and the process and the other queues live on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import host
from zhisuan.runtime.host_run import run
from zhisuan.runtime.kernel_module import KernelModule

KERNELS = """__nram__ int q[64];
__mlu_entry__ void endless(int *p, int n) { while (n) p[0] = p[0] + n; }
__mlu_entry__ void copies(int *p, int n) { while (n) __memcpy(q, p, 256, GDRAM2NRAM); }
__mlu_entry__ void overrun(int *p, int n) { __memcpy(q, p, n << 20, GDRAM2NRAM); p[0] = q[0]; }
__mlu_entry__ void divide(int *p, int n) { p[1] = n / p[0]; }
__mlu_entry__ void good(int *p, int n) { p[0] += n; }
"""
STOPS = ("endless", "copies", "overrun", "divide")
REASONS = (
    "the kernel does not end",
    "the kernel does not end",
    "read past the end of gdram",
    "integer division by zero",
)
MAIN = """#include <cnrt.h>
#include <stdio.h>
static void say(const char *what, cnrtRet_t status) {
  printf("%s %s\\n", what, cnrtGetErrorStr(status));
}
int main() {
  int *bad, *fine, host = 0, zero = 0;
  cnrtQueue_t doomed[4], living;
  cnrtMalloc(&bad, 4096), cnrtMalloc(&fine, 4);
  cnrtMemset(bad, 0, 4096), cnrtMemcpy(fine, &zero, 4, cnrtMemcpyHostToDev);
  cnrtQueueCreate(&living);
  cnrtDim3_t one = {1, 1, 1};
  for (int i = 0; i < 4; i++) {
    cnrtQueueCreate(&doomed[i]);
    good<<<one, cnrtFuncTypeBlock, living>>>(fine, 1);
    if (i == 0) endless<<<one, cnrtFuncTypeBlock, doomed[i]>>>(bad, 1);
    if (i == 1) copies<<<one, cnrtFuncTypeBlock, doomed[i]>>>(bad, 1);
    if (i == 2) overrun<<<one, cnrtFuncTypeBlock, doomed[i]>>>(bad, 1);
    if (i == 3) divide<<<one, cnrtFuncTypeBlock, doomed[i]>>>(bad, 1);
    good<<<one, cnrtFuncTypeBlock, doomed[i]>>>(fine, 100);  // never runs
    good<<<one, cnrtFuncTypeBlock, living>>>(fine, 1);
  }
  for (int i = 0; i < 4; i++) say("doomed", cnrtQueueSync(doomed[i]));
  say("living", cnrtQueueSync(living));
  void *huge;
  cnrtRet_t last = cnrtSuccess;
  for (int i = 0; i < 5; i++) last = cnrtMalloc(&huge, 10ull << 30);
  say("huge", last);
  cnrtMemcpy(&host, fine, 4, cnrtMemcpyDevToHost);
  printf("%d\\n", host);
}
"""
PRINTED = """doomed cnrtErrorKernelFault: a kernel stopped
doomed cnrtErrorKernelFault: a kernel stopped
doomed cnrtErrorKernelFault: a kernel stopped
doomed cnrtErrorKernelFault: a kernel stopped
living cnrtSuccess: no error
huge cnrtErrorNoMem: the card has no room
8
"""


def test_a_host_program_lives_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHISUAN_LIMIT", "100000")
    (tmp_path / "m.mlu").write_text(KERNELS + MAIN)
    done = run(host.build([tmp_path / "m.mlu"]), [], "mlu370", name="m.mlu", checks=())
    said = capfd.readouterr()
    assert (said.out, done.status) == (PRINTED, 1)
    reports = said.err.replace(str(tmp_path), "").split("error: ")[1:]
    assert [text.split("\n")[0] for text in reports[:4]] == list(REASONS)
    for text, kernel in zip(reports, STOPS, strict=False):
        assert re.search(rf"where:    kernel '{kernel}', \S*m\.mlu:\d+, pc \d+: ", text)
        assert "\n     " in text and "^\n" in text  # the line and its caret
    assert reports[4].startswith("the DRAM of machine 'mlu370' has no room for an allocation\n")


@pytest.mark.parametrize("kernel", STOPS)
def test_python_lives_on(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_LIMIT", "100000")
    module = KernelModule(KERNELS, "k.mlu", machine="mlu370", checks=())
    doomed, living = module.queue(), module.queue()
    held = module.to_device(np.full(1024, 5, np.int32))
    module.good[1, "BLOCK", living](held, 1)
    with pytest.raises(ZhisuanError) as caught:
        module[kernel][1, "BLOCK", doomed](module.to_device(np.zeros(1024, np.int32)), 1)
    assert caught.value.what == REASONS[STOPS.index(kernel)]
    module.good[1, "BLOCK", living](held, 1)
    assert held.get()[0] == 7
    assert len(living.cycles) == 1  # since the fault


def test_python_asks_for_too_much() -> None:
    module = KernelModule(KERNELS, "k.mlu", machine="dlp-s", checks=())
    size = module.card.machine.dram.size
    with pytest.raises(ZhisuanError, match="has no room for an allocation"):
        module.card.allocate(size + 1)
    out = np.zeros(1, np.int32)
    module.good(out, 3)
    assert out[0] == 3


def test_memory_given_again_is_empty() -> None:
    card = KernelModule(KERNELS, "k.mlu", machine="dlp-s", checks=()).card
    first = card.allocate(4096)
    card.write(first, np.ones(1024, np.int32))
    card.free(first)
    assert card.allocate(8192) == first
    assert not card.read(first, np.int32, 2048).any()


PRINTING = """#include <cnrt.h>
#include <stdio.h>
__mlu_entry__ void one(int n) { printf("kernel %d\\n", n); }
__mlu_entry__ void two(int n) { printf("before\\n"); printf("%d\\n", 7 / n); }
int main() {
  cnrtDim3_t dim = {1, 1, 1};
  printf("host\\n");
  one<<<dim, cnrtFuncTypeBlock, nullptr>>>(1);
  two<<<dim, cnrtFuncTypeBlock, nullptr>>>(0);
  printf("still here\\n");
  return 3;
}
"""


def test_what_was_printed_before_a_stop(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    (tmp_path / "p.mlu").write_text(PRINTING)
    done = run(host.build([tmp_path / "p.mlu"]), [], "mlu370", name="p.mlu", checks=())
    assert done.status == 3
    assert capfd.readouterr().out == "host\nkernel 1\nbefore\nstill here\n"
