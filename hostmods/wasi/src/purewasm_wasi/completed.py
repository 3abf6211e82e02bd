"""How a program ended: the result of `Wasi.run`, in the form of `subprocess.run`."""

from __future__ import annotations

from purewasm import WasmError
from purewasm.light_typing import Never, final


@final
class CompletedProcess:
    """A program that has ended. `stdout` and `stderr` are bytes if they were captured, else None."""

    __slots__ = ("args", "returncode", "stderr", "stdout")
    __match_args__ = ("args", "returncode", "stdout", "stderr")

    args: tuple[str, ...]
    returncode: int
    """What it gave to `proc_exit`, 0 to 2**32 - 1; 0 if it returned."""
    stdout: bytes | None
    stderr: bytes | None

    def __init__(self, args: tuple[str, ...], returncode: int, stdout: bytes | None = None, stderr: bytes | None = None) -> None:
        for name, value in zip(self.__match_args__, (args, returncode, stdout, stderr), strict=True):
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[tuple[str, ...], int, bytes | None, bytes | None]:
        return self.args, self.returncode, self.stdout, self.stderr

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"a program has ended as it has: {name!r} cannot be set")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"a program has ended as it has: {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, CompletedProcess) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        values = zip(self.__match_args__, self._values(), strict=True)
        return f"CompletedProcess({', '.join(f'{name}={value!r}' for name, value in values)})"

    def __reduce__(self) -> tuple[type[CompletedProcess], tuple[tuple[str, ...], int, bytes | None, bytes | None]]:
        return CompletedProcess, self._values()

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
