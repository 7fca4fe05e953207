"""Programs from source follow the machine that they are to run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhisuan import pipeline
from zhisuan.isa.disasm import disassemble

SOURCE = "#include <bang.h>\n__mlu_entry__ void k(int *p) { p[0] = __BANG_ARCH__; }\n"


@pytest.mark.parametrize(
    ("machine", "architecture"), [("mlu270", 270), ("mlu370", 372), (None, 372)]
)
def test_the_architecture_follows_the_machine(
    tmp_path: Path, machine: str | None, architecture: int
) -> None:
    path = tmp_path / "k.bcl"
    path.write_text(SOURCE, encoding="utf-8")
    assert f"#{architecture}" in disassemble(pipeline.load_program(path, machine))
