"""A device refuses memories that its addresses cannot reach."""

from __future__ import annotations

import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime.device import Device


@pytest.mark.parametrize(
    ("key", "window"), [("nram", 16 << 20), ("wram", 32 << 20), ("dram", 1 << 40)]
)
def test_memories_beyond_their_windows(key: str, window: int) -> None:
    Device(vary(load("dlp-s"), {f"{key}.size": window}))
    with pytest.raises(ZhisuanError) as caught:
        Device(vary(load("dlp-s"), {f"{key}.size": 2 * window}))
    assert f"at most {window:,} bytes" in str(caught.value)
    assert str(caught.value).endswith(f"  try:      {key}.size = {window}")
