"""The command `purewasm`: finds the subcommand, and turns every way in which it can end into an exit status.

0: success. `run` passes the guest's exit status on. 1: the module failed (invalid, not linkable, trapped). 2: the command line is
wrong. 130: Ctrl-C. 141: whoever read the output went away.
"""

from __future__ import annotations

import errno
import os
import sys

from purewasm._version import __version__
from purewasm.cli.failure import FAILED, MISUSED, Failure, misuse
from purewasm.light_importing import import_module
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
_FULL: Final = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Why a stream that is open cannot be written."""


class Command(NamedTuple):
    """A subcommand: what it does in a few words, and the module whose function `main` does it, imported when it is asked for."""

    summary: str
    module: str

    def main(self, arguments: Sequence[str]) -> int:
        """Run it: the exit status."""
        run: Callable[[Sequence[str]], int] = import_module(self.module).main
        return run(arguments)


COMMANDS: Final = {
    "run": Command("run a program, or call one function of a module", "purewasm.cli.run"),
    "compile": Command("compile a module ahead of time, into a file that starts at once", "purewasm.cli.compile"),
    "validate": Command("say whether files are valid modules", "purewasm.cli.validate"),
    "inspect": Command("show imports, exports and parts of a module", "purewasm.cli.inspect"),
    "wat": Command("print a module in the text format", "purewasm.cli.wat"),
    "wasm": Command("translate the text format to a binary module", "purewasm.cli.wasm"),
    "wast": Command("run scripts of the official testsuite", "purewasm.cli.wast"),
    "stubs": Command("write the types of a module's exports for `import guest`", "purewasm.cli.stubs"),
    "cache": Command("show or remove code that was compiled for later", "purewasm.cli.cache"),
    "version": Command("print versions of what is installed", "purewasm.cli.version"),
}
_EXAMPLES: Final = (
    "purewasm run program.wasm --dir . -- input.txt",
    "purewasm run add.wat --invoke add 2 3",
    "purewasm inspect guest.wasm",
    "purewasm wat guest.wasm -o guest.wat",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's own): the exit status."""
    try:
        status = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        _flush()
    except Failure as failure:
        return _fail(failure)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            raise
        _abandon_output()
        return _fail(Failure(f"standard output cannot be written: {error.strerror}", FAILED))
    return status


def _abandon_output() -> None:
    """What is still in the buffer must not fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    """Write what is left in the buffer. There is no `stdout` where the process was started with it closed."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _fail(failure: Failure) -> int:
    try:
        _flush()
        print(f"purewasm: {failure.message}", file=sys.stderr)
    except BrokenPipeError:
        pass  # the message has nobody to read it, the status still tells
    return failure.status


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        print(_help(), file=sys.stderr)
        return 2
    name, rest = arguments[0], arguments[1:]
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        print(f"purewasm {__version__}")
        return 0
    try:
        command = COMMANDS.get(name)
        return command.main(rest) if command is not None else _run_plugin(name, rest)
    except SystemExit as end:  # help was printed
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _run_plugin(name: str, arguments: list[str]) -> int:
    if name.startswith("-"):
        misuse(f"unknown option {name}; a command comes first\nTry 'purewasm --help'.")
    from purewasm.cli import plugins

    plugin = plugins.find(plugins.COMMANDS).get(name)
    if plugin is not None:
        command: Callable[[list[str]], int | None] = plugin.load()  # type: ignore[assignment]  # what the entry point promises
        return command(arguments) or 0
    raise Failure(_explain_unknown(name), MISUSED)


def _explain_unknown(name: str) -> str:
    import difflib

    from purewasm.cli import plugins

    package = plugins.KNOWN_COMMANDS.get(name)
    if package is not None:
        return f"the command {name!r} is part of another package: pip install {package}"
    near = difflib.get_close_matches(name, [*COMMANDS, *plugins.KNOWN_COMMANDS], 1)
    if os.path.exists(name):
        hint = f"to run a file: purewasm run {name}"
    elif near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"there are: {', '.join(COMMANDS)}"
    return f"unknown command {name!r}: {hint}\nTry 'purewasm --help'."


def _help() -> str:
    from purewasm.cli import plugins

    installed = plugins.find(plugins.COMMANDS)
    summaries = {name: command.summary for name, command in COMMANDS.items()}
    summaries.update({name: f"not installed: pip install {package}" for name, package in plugins.KNOWN_COMMANDS.items()})
    summaries.update({name: f"from {plugin.distribution}" for name, plugin in installed.items() if name not in COMMANDS})
    width = max(map(len, summaries))
    return "\n".join(
        [
            "usage: purewasm COMMAND [arguments …]\n",
            "Run WebAssembly modules, and look into them.\n",
            "commands:",
            *(f"  {name:{width}}  {summary}" for name, summary in summaries.items()),
            "\noptions:",
            "  -h, --help     show this; `purewasm COMMAND --help` tells more about one",
            "  -V, --version  show the version",
            "\nexamples:",
            *(f"  {example}" for example in _EXAMPLES),
            "\nexit status: 0 success (run: the guest's own), 1 the module failed, 2 wrong use, 130 Ctrl-C",
        ]
    )
