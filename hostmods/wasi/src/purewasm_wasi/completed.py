"""How a program ended: the result of `Wasi.run`, in the form of `subprocess.run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from purewasm import WasmError


@final
@dataclass(frozen=True, slots=True)
class CompletedProcess:
    """A program that has ended. `stdout` and `stderr` are bytes if they were captured, else None."""

    args: tuple[str, ...]
    returncode: int
    """What it gave to `proc_exit`, 0 to 2**32 - 1; 0 if it returned."""
    stdout: bytes | None = None
    stderr: bytes | None = None

    def check_returncode(self) -> None:
        """Raise `CalledProcessError` unless the program succeeded."""
        if self.returncode:
            raise CalledProcessError(self)


@final
class CalledProcessError(WasmError):
    """A program that was to succeed did not. `.process` is the `CompletedProcess`, whose attributes are here too."""

    def __init__(self, process: CompletedProcess) -> None:
        program = f"{process.args[0]!r} " if process.args else ""
        message = f"the program {program}ended with status {process.returncode}"
        if process.stderr:
            message += f"; its last words: {tail(process.stderr)}"
        super().__init__(message)
        self.process = process
        self.args_of_program, self.returncode = process.args, process.returncode
        self.stdout, self.stderr = process.stdout, process.stderr

    def __reduce__(self) -> tuple[type[CalledProcessError], tuple[CompletedProcess]]:
        return (CalledProcessError, (self.process,))


def tail(output: bytes) -> str:
    """The last line or so of what a program wrote, to be shown in a message."""
    return output.rstrip()[-300:].decode(errors="replace").rpartition("\n")[2]
