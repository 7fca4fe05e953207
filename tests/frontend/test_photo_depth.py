"""Pictures deeper than 8 bits keep their tones; odd files are refused in plain words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend import photo

RAMP = np.linspace(0, 1, 64 * 64).reshape(64, 64)
DEEP = {
    "sixteen.png": (RAMP * 65535).astype(np.uint16),
    "thirty-two.tif": (RAMP * 65535).astype(np.int32),
    "float.tif": RAMP.astype(np.float32),
    "bright.tif": (RAMP * 1000).astype(np.float32),
    "eight.png": np.rint(RAMP * 255).astype(np.uint8),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_ramp_of_greys_stays_a_ramp(tmp_path: Path, name: str) -> None:
    Image.fromarray(DEEP[name]).save(tmp_path / name)
    loaded = np.asarray(photo.load(tmp_path / name, (64, 64), 4), np.float64)
    assert loaded.shape == (64, 64, 3)
    assert np.max(np.abs(loaded - RAMP[:, :, None] * 255)) <= 2


def test_nan_is_black(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32)
    values[5, 5] = np.nan
    Image.fromarray(values).save(tmp_path / "nan.tif")
    loaded = np.asarray(photo.load(tmp_path / "nan.tif", (64, 64), 4))
    assert loaded[5, 5].tolist() == [0, 0, 0] and loaded.max() == 255


def test_a_folder_is_no_photo(tmp_path: Path) -> None:
    with pytest.raises(ZhisuanError) as caught:
        photo.load(tmp_path, 64, 4)
    assert str(caught.value) == (
        "error: the photograph cannot be opened\n"
        f"  where:    {tmp_path}\n"
        "  expected: a picture file\n"
        "  found:    is a directory\n"
        "  try:      name a picture that you may read"
    )


@pytest.mark.parametrize("text", ["9" * 5000, "1x" + "9" * 10, "٣٢", "1e3", "+32", ""])
def test_sizes_that_are_no_numbers(text: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        photo.parse_size(text)
    assert "is not understood" in caught.value.what
    assert len(str(caught.value)) < 400
