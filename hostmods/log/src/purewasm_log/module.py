"""The host module: checks what a guest wants to log, makes it harmless, and hands it to `logging`."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, final

from purewasm import Caller
from purewasm.hostmod import Call, MailboxState, OperationError, Status, i32, u32
from purewasm_log.abi import LogAbi

if TYPE_CHECKING:
    from purewasm import Instance

_MAX_NAME: Final = 200
_MAX_FIELDS: Final = 64
_MAX_LOGGERS: Final = 100
_HIGHEST: Final = logging.CRITICAL


@final
class Budget:
    """How many messages an instance may still write this second."""

    __slots__ = ("left", "loggers", "lost", "name", "rate", "second")

    def __init__(self, name: str, rate: int) -> None:
        self.name, self.rate, self.left, self.lost, self.second = name, rate, rate, 0, 0.0
        self.loggers: dict[str, logging.Logger] = {}
        """By the guest's own name for them. `logging` never forgets a logger, so a guest has a bounded number."""

    def logger(self, name: str, parts: tuple[str, ...]) -> logging.Logger:
        """The logger of a name; that of the instance for the name that is one too many."""
        found = self.loggers.get(name)
        if found is None:
            if len(self.loggers) >= _MAX_LOGGERS:
                return logging.getLogger(".".join(filter(None, parts)))
            words = (*parts, _harmless(name, _MAX_NAME).strip("."))
            found = self.loggers[name] = logging.getLogger(".".join(filter(None, words)))
        return found

    def take(self) -> int:
        """-1 if the message is one too many; else how many were lost since the last one that was not."""
        now = time.monotonic()
        if now - self.second >= 1:
            self.second, self.left = now, self.rate
        if not self.left:
            self.lost += 1
            return -1
        self.left -= 1
        lost, self.lost = self.lost, 0
        return lost


@final
class Log(LogAbi):
    """Messages of guests, into the logger of that name: `Log("guests").register(runtime)`."""

    def __init__(self, logger: str = "purewasm.guest", *, max_message: int = 8_192, rate_per_second: int = 10_000) -> None:
        super().__init__()
        self._logger, self._max_message, self._rate = logger, max_message, rate_per_second

    def new_state(self, instance: Instance) -> Budget:
        """The instance's name and its budget of messages."""
        return Budget(_harmless(instance.name or "", _MAX_NAME), self._rate)

    def _find(self, call: Call, level: int, name: str) -> tuple[logging.Logger, Budget]:
        if not 0 < level <= _HIGHEST:
            raise OperationError(Status.INVALID, f"a level is 1 to {_HIGHEST}, not {level}")
        if len(name) > _MAX_NAME:
            raise OperationError(Status.INVALID, f"the name of a logger has at most {_MAX_NAME} characters")
        budget = call.state
        if not isinstance(budget, Budget):
            raise TypeError(f"no state of this host module: {budget!r}")
        return budget.logger(name, (self._logger, budget.name)), budget

    def on_write(self, call: Call, level: u32, logger: str, message: str, fields: list[str]) -> None:
        """Log a message."""
        target, budget = self._find(call, level, logger)
        if len(fields) % 2 or len(fields) > 2 * _MAX_FIELDS:
            raise OperationError(Status.INVALID, f"fields are at most {_MAX_FIELDS} names and values in turn")
        if len(message) > self._max_message:
            raise OperationError(Status.TOO_LARGE, f"a message has at most {self._max_message} characters", self._max_message)
        if not target.isEnabledFor(level):
            return
        lost = budget.take()
        if lost < 0:
            return
        if lost:
            target.warning("%d messages of this guest were lost: it writes more than %d in a second", lost, self._rate)
        named = dict(zip(fields[::2], fields[1::2], strict=True))
        # The guest's text is an argument, never the format: a guest may write "%s".
        target.log(level, "%s", _harmless(message, self._max_message), extra={"fields": named})

    def on_enabled(self, call: Call, level: u32, logger: str) -> bool:
        """True if it would be kept."""
        return self._find(call, level, logger)[0].isEnabledFor(level)

    def on_lowest_level(self, caller: Caller) -> i32:
        """The lowest level that is kept."""
        state = caller.state
        if not isinstance(state, MailboxState) or not isinstance(state.own, Budget):
            raise TypeError(f"no state of this host module: {state!r}")
        target = state.own.logger("", (self._logger, state.own.name))
        if not target.isEnabledFor(_HIGHEST):
            return _HIGHEST + 1
        return max(target.getEffectiveLevel(), target.manager.disable + 1, 1)


def _harmless(text: str, most: int) -> str:
    """One line, without control characters, of bounded length: no guest forges a line of somebody else."""
    if text.isprintable() and len(text) <= most:
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text[:most])
