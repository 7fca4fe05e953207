"""Programs of the library name their sources, and no folder of the host that compiled them."""

from __future__ import annotations

import pytest

from zhisuan.kernels import library


@pytest.mark.parametrize("name", library.NAMES)
def test_places_are_files_of_the_library(name: str) -> None:
    program = library.compiled(name).program
    files = {program.place(pc).rsplit(":", 1)[0] for pc in range(len(program.words))}
    assert f"{name}.bcl" in files
    assert files <= {f"{name}.bcl", *library.HEADERS}
