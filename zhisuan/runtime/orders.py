"""Results of the same launches under two orders of their tasks: they must be the same bits.

Comes in: outputs by name of both.  Goes out: nothing, or an error that names the first difference.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zhisuan.base.errors import ZhisuanError


def refuse_differences(
    usual: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], seed: int
) -> None:
    """Refuse outputs that depend on the order of tasks; `seed` made the other order."""
    for name, values in usual.items():
        ours, theirs = _bytes_by_element(values), _bytes_by_element(other[name])
        differ = np.flatnonzero((ours != theirs).any(axis=1))
        if len(differ):
            first = int(differ[0])
            raise ZhisuanError(
                f"'{name}' depends on the order of tasks",
                where=f"--schedule {seed}",
                expected="the same bits in every order",
                found=f"{len(differ)} of {values.size} elements differ, the first at {first}: "
                f"{values.reshape(-1)[first]}, and {other[name].reshape(-1)[first]} under the seed",
                hint="--check racecheck",
            )


def _bytes_by_element(values: np.ndarray) -> np.ndarray:
    raw = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    return raw.reshape(values.size, values.itemsize)
