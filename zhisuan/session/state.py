"""What outlives a run: the variables of a session, and the error of one that holds nothing yet."""

from __future__ import annotations

import numpy as np

from zhisuan.base.errors import ZhisuanError


class State:
    """Variables by name; what state ops of the registry are given."""

    def __init__(self) -> None:
        self.variables: dict[str, np.ndarray] = {}

    def read(self, name: str) -> np.ndarray:
        if name not in self.variables:
            raise ZhisuanError(
                f"Attempting to use uninitialized value {name}",
                expected="a variable that was initialised, assigned or restored",
                hint="session.run(global_variables_initializer()) gives all their first values",
            )
        return self.variables[name]

    def write(self, name: str, value: np.ndarray) -> np.ndarray:
        self.variables[name] = value
        return value
