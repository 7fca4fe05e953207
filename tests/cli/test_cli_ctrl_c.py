"""Ctrl-C while a kernel runs: the program ends at once, with 130 and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENDLESS = """#include <cnrt.h>
#include <stdio.h>
__mlu_entry__ void spin(volatile int *p) { while (*p == 0) { } }
int main() {
  int *p;
  cnrtMalloc((void **)&p, 4);
  printf("spinning\\n");
  spin<<<cnrtDim3_t{1, 1, 1}, cnrtFuncTypeBlock, nullptr>>>(p);
  return 0;
}
"""


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_during_a_launch(tmp_path: Path, built: bool, whole_group: bool) -> None:
    (tmp_path / "spin.mlu").write_text(ENDLESS)
    start = [sys.executable, "-m", "zhisuan.cli", "bcl"]
    command = [*start, "run", "-q", "--check", "none", "spin.mlu"]
    if built:
        subprocess.run([*start, "build", "spin.mlu", "-o", "spin"], cwd=tmp_path, check=True)
        command = [str(tmp_path / "spin")]
    environment = {**os.environ, "ZHISUAN_LIMIT": "999999999999", "ZHISUAN_CHECK": "none"}
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job ignores it
    try:
        run = subprocess.Popen(command, cwd=tmp_path, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    assert run.stdout is not None
    assert run.stdout.readline() == "spinning\n"
    if whole_group:
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (130, "")
