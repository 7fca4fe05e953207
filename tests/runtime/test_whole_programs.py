"""Programs with a main, compiled and run; what they print is in their first comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from zhisuan.base import cache
from zhisuan.bcl import host
from zhisuan.runtime.host_run import HostRun, run
from zhisuan.runtime.status import Status

PROGRAMS = Path(__file__).parent.parent / "programs"
ENDS = {"classes": 7}
SINGLE = sorted(path.stem for path in PROGRAMS.glob("*.mlu") if path.stem != "mistakes")


def printed_by(path: Path) -> str:
    """The indented lines of a program's first comment."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        if line.startswith("//   "):
            lines.append(line.removeprefix("//   "))
    return "".join(f"{line}\n" for line in lines)


def run_files(*files: Path, arguments: Sequence[str] = (), machine: str = "mlu370", **options
              ) -> HostRun:  # fmt: skip
    return run(host.build(files, **options), arguments, machine, name=files[0].name)


@pytest.mark.parametrize("name", SINGLE)
def test_a_program(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    path = PROGRAMS / f"{name}.mlu"
    done = run_files(path)
    said = capfd.readouterr()
    assert said.out == printed_by(path), said.err
    assert done.status == ENDS.get(name, 0)
    assert done.trace is not None
    assert bool(done.trace.launches) == (name != "attributes")


def test_arguments_reach_main(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_files(PROGRAMS / "vector_add.mlu", arguments=["10"]).status == 0
    assert capfd.readouterr().out == "n 10: 0 3 6 … 27, 0 wrong\n"


def test_a_program_of_several_files(capfd: pytest.CaptureFixture[str]) -> None:
    folder = PROGRAMS / "several"
    files = [folder / name for name in ("main.cpp", "fill.mlu", "twice.mlu")]
    done = run_files(*files, include_dirs=[folder / "include"], defines={"STEP": 7})
    said = capfd.readouterr()
    assert said.out == printed_by(files[0]), said.err
    assert done.trace is not None
    assert [entry.label for entry in done.trace.launches] == ["fill_all", "twice_all"]
    assert [entry.task_type for entry in done.trace.launches] == ["UNION1", "BLOCK"]
    assert sorted(done.programs) == ["fill", "twice"]


CXX = """
#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>
#include "bang.h"
#include "cnrt.h"
__mlu_entry__ void twice(int *p) { p[taskId] *= 2; }
int main(int argc, char **argv) {
  std::vector<int> values{3, 1, 2};
  std::sort(values.begin(), values.end());
  int *device;
  CNRT_CHECK(cnrtMalloc(&device, 12));
  CNRT_CHECK(cnrtMemcpy(device, values.data(), 12, cnrtMemcpyHostToDev));
  twice<<<cnrtDim3_t{3, 1, 1}, cnrtFuncTypeBlock, nullptr>>>(device);
  CNRT_CHECK(cnrtMemcpy(values.data(), device, 12, cnrtMemcpyDevToHost));
  for (int value : values) std::cout << value << " ";
  try {
    throw std::runtime_error(std::string("caught ") + argv[1]);
  } catch (const std::exception &error) {
    std::cout << error.what() << std::endl;
  }
}
"""


def test_the_library_of_cxx(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if not (cache.root() / "zig").is_dir():
        pytest.skip("C++'s library is not built: a first C++ program builds it, in a minute or two")
    (tmp_path / "cxx.mlu").write_text(CXX)
    assert run_files(tmp_path / "cxx.mlu", arguments=["it"]).status == 0
    assert capfd.readouterr().out == "2 4 6 caught it\n"


def test_the_header_has_the_statuses() -> None:
    header = (Path(host.__file__).parent / "include" / "cnrt.h").read_text()
    listed = header.partition("} cnrtRet_t;")[0].rpartition("typedef enum {")[2]
    found = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", listed)}
    assert found == {status.name: status.value for status in Status}


def test_a_library_of_operators_and_its_user(capfd: pytest.CaptureFixture[str]) -> None:
    folder = PROGRAMS / "library"
    files = [folder / name for name in ("main.cpp", "scale.mlu", "sum.mlu")]
    done = run_files(*files, include_dirs=[folder / "include"], defines={"DEAL": 768})
    said = capfd.readouterr()
    assert said.out == "status 0, sum 11250\nof an unknown type: 1\n", said.err
    assert done.status == 0
