"""For the tests of every package."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Ctrl-C works in the tests that press it, also where a shell has started them in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
