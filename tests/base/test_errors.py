"""Error messages, whole."""

from zhisuan.base.errors import SourcePos, ZhisuanError, did_you_mean, nearest


def test_a_full_message() -> None:
    error = ZhisuanError(
        "unknown instruction 'vad'",
        where=SourcePos("add.dlps", 3, 5, "    vad r1, r2\n"),
        expected="one of vadd,\nvsub",
        found="vad",
        hint=did_you_mean("vad", ["vadd", "load"]),
    )
    assert str(error) == (
        "error: unknown instruction 'vad'\n"
        "  where:    add.dlps:3:5\n"
        "        vad r1, r2\n"
        "        ^\n"
        "  expected: one of vadd,\n"
        "            vsub\n"
        "  found:    vad\n"
        "  try:      did you mean 'vadd'?"
    )


def test_the_shortest_message() -> None:
    assert str(ZhisuanError("no photo")) == "error: no photo"


def test_positions() -> None:
    assert str(SourcePos("a.bcl")) == "a.bcl"
    assert str(SourcePos("a.bcl", 2)) == "a.bcl:2"
    assert SourcePos("a.bcl", 2).excerpt() == ""
    assert SourcePos("a.bcl", 2, text="x\ty").excerpt() == "    x y"


def test_nothing_is_offered_when_nothing_is_close() -> None:
    assert nearest("conv", ["relu", "pool"]) is None
    assert did_you_mean("conv", ["relu", "pool"]) is None
