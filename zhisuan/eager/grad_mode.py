"""Whether calls are recorded for the way back: `no_grad`, `enable_grad`, `set_grad_enabled`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class _Mode(threading.local):
    enabled = True


_mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether calls on tensors that require gradients are recorded on this thread."""
    return _mode.enabled


@contextlib.contextmanager
def set_grad_enabled(enabled: bool) -> Iterator[None]:
    """Record calls, or not, within; also a decorator."""
    before, _mode.enabled = _mode.enabled, enabled
    try:
        yield
    finally:
        _mode.enabled = before


def no_grad() -> contextlib.AbstractContextManager[None]:
    """Nothing is recorded within; also a decorator."""
    return set_grad_enabled(False)


def enable_grad() -> contextlib.AbstractContextManager[None]:
    """Calls are recorded within, whatever holds outside; also a decorator."""
    return set_grad_enabled(True)
