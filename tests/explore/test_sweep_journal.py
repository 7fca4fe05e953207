"""The journal: every row once, however the process that wrote it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.explore.journal import Journal

COLUMNS = ["point", "program", "impossible"]
IDENTITY = {"machine": {"nram.size": 5}, "vary": {"a.b": (1, 2)}}


def row(number: int) -> dict[str, str]:
    return {"point": str(number), "program": "a, b", "impossible": 'no "room"\nat all'}


def opened(folder: Path, resume: bool = True) -> Journal:
    return Journal(folder, IDENTITY, COLUMNS, resume)


def begun(folder: Path, *numbers: int) -> bytes:
    journal = opened(folder, resume=False)
    for number in numbers:
        journal.add(number, row(number))
    journal.close()
    return (folder / "results.csv").read_bytes()


def test_rows_come_back(tmp_path: Path) -> None:
    begun(tmp_path / "new" / "deep", 4, 2)
    journal = opened(tmp_path / "new" / "deep")
    assert list(journal.rows) == [4, 2]
    assert journal.rows[4] == {**row(4), "impossible": 'no "room" at all'}
    journal.add(3, row(3))
    journal.finish()
    journal.close()
    lines = (tmp_path / "new" / "deep" / "results.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["point", "2", "3", "4"]


def test_a_table_cut_anywhere_loses_only_the_torn_row(tmp_path: Path) -> None:
    whole = begun(tmp_path, 4, 2, 3)
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        (tmp_path / "results.csv").write_bytes(whole[:length])
        journal = opened(tmp_path)
        assert len(journal.rows) == max(sum(end <= length for end in ends) - 1, 0)
        for number in (4, 2, 3):
            if number not in journal.rows:
                journal.add(number, row(number))
        journal.close()
        assert (tmp_path / "results.csv").read_bytes() == whole


def test_results_are_not_overwritten(tmp_path: Path) -> None:
    begun(tmp_path, 1)
    with pytest.raises(ZhisuanError, match="already has the results of a sweep"):
        opened(tmp_path, resume=False)


def test_another_sweep_is_refused(tmp_path: Path) -> None:
    before = begun(tmp_path, 1)
    other = {"machine": {"nram.size": 6}, "vary": {"a.b": (1, 2)}}
    with pytest.raises(ZhisuanError) as caught:
        Journal(tmp_path, other, COLUMNS, True)
    assert str(caught.value) == (
        "error: the results are of another sweep\n"
        f"  where:    {tmp_path}/sweep.json\n"
        "  expected: the same sweep file, machine, programs and version\n"
        "  found:    another machine\n"
        "  try:      start anew in another folder"
    )
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(ZhisuanError, match="what sweep the results are of cannot be read"):
        opened(tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == before


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(ZhisuanError, match="another sweep is writing these results"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


@pytest.mark.parametrize("line", ["1,a,b\n1,a,b\n", "x,a,b\n", "1,a\n", "\n"])
def test_a_damaged_table_is_refused(tmp_path: Path, line: str) -> None:
    text = begun(tmp_path).decode() + line
    (tmp_path / "results.csv").write_text(text)
    with pytest.raises(ZhisuanError, match="the results are damaged") as caught:
        opened(tmp_path)
    assert f"results.csv:{1 + line.count(chr(10))}" in str(caught.value)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ZhisuanError, match="cannot write"):
        opened(tmp_path / "file" / "results")
