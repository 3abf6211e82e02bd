"""Work that waits for the network, on a thread beside the guest's: so the guest's can look whether it has to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar, final

T = TypeVar("T")
_SLICE_SECONDS: Final = 0.02


@final
class Beside(Generic[T]):
    """Runs `work`, which has to come to an end by itself, on a thread of its own."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self._work = work
        self._done = threading.Event()
        self._found: list[T] = []
        self._failure: BaseException | None = None
        threading.Thread(target=self._run, daemon=True, name=name).start()

    def _run(self) -> None:
        try:
            self._found.append(self._work())
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
            self._failure = error
        finally:
            self._done.set()

    def result(self, poll: Callable[[], None]) -> T:
        """What it returns or raises. `poll` is called meanwhile: what that raises ends the waiting, and nobody asks for the result."""
        while not self._done.wait(_SLICE_SECONDS):
            poll()
        if self._failure is not None:
            raise self._failure
        return self._found[0]
