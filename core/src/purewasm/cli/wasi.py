"""What `run` grants a guest through WASI: arguments, environment, streams, directories, sockets, and how much of it all.

This layer knows the package that implements WASI only by its entry point: everything is passed on as plain Python objects, and
what the user did not ask for is not passed at all.
"""

from __future__ import annotations

import os
import sys

from purewasm.cli import plugins
from purewasm.cli.arguments import Parsed
from purewasm.cli.failure import failed, misuse
from purewasm.cli.sizes import parse_bytes, parse_count
from purewasm.cli.sources import STDIN
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from purewasm.cli.arguments import Arguments
    from purewasm.runtime.module import Module
    from purewasm.runtime.runtime import Runtime

NAMES: Final = ("wasi_snapshot_preview1", "wasi_unstable")
READ_ONLY: Final = "ro"
_LOOPBACK: Final = "127.0.0.1"


class WasiOptions(Parsed):
    """What `add_options` adds to a parser's result."""

    env: list[str]
    inherit_env: bool
    dir: list[str]
    listen: list[str]
    stdin: str | None
    deterministic: bool
    max_open_files: int | None
    max_file_bytes: int | None
    max_output: int | None
    trace: str | None


class HostModuleLike(Protocol):
    """What every host module can do."""

    def register(self, runtime: Runtime) -> None:
        """Offer it to the runtime's instances."""

    def close(self) -> None:
        """Give back what it holds."""


class WasiClass(Protocol):
    """The class behind the entry point of WASI."""

    def inherit_stdio(self, *, args: Sequence[str], **options: object) -> HostModuleLike:
        """WASI with the process's own streams."""


def add_options(rows: Arguments) -> None:
    """The options that only programs that import WASI can use."""
    rows.section("what a program that imports WASI may have")
    rows.option("--dir", metavar="HOST[:GUEST[:ro]]", repeated=True, help="let it use a directory")
    rows.option("--env", metavar="NAME[=VALUE]", repeated=True, help="give it an environment variable")
    rows.flag("--inherit-env", help="give it the whole environment of this process")
    rows.option("--stdin", metavar="FILE", help="its standard input (default: that of this process)")
    rows.option("--listen", metavar="[HOST:]PORT", repeated=True, help=f"give it a socket that listens there (HOST: {_LOOPBACK})")
    rows.flag("--deterministic", help="clocks that only it moves, random numbers that are always the same")
    rows.option("--max-open-files", metavar="N", convert=parse_count, help="how many descriptors it may have at once")
    rows.option("--max-file-bytes", metavar="SIZE", convert=parse_bytes, help="how much it may write to files: bytes, or 64MiB")
    rows.option("--max-output", metavar="SIZE", convert=parse_bytes, help="how much it may write to standard output and error")
    rows.option("--trace", choices=("wasi",), help="print each of its calls, with arguments and errno, to standard error")


def given_options(options: WasiOptions) -> list[str]:
    """The options of `add_options` that are on the command line."""
    names = ("dir", "env", "inherit_env", "stdin", "listen", "deterministic", "max_open_files", "max_file_bytes", "max_output", "trace")
    return [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) not in (None, False, [])]


def is_wanted(module: Module) -> bool:
    """True where the module imports from WASI."""
    return any(wanted.module in NAMES for wanted in module.wasm.imports)


def make(options: WasiOptions, arguments: Sequence[str]) -> HostModuleLike:
    """WASI with what is granted; fails where its package is not installed."""
    found = plugins.find_host_module(NAMES[0])
    if found is None:
        failed(f"the module imports WASI ({NAMES[0]}), which is not installed: {plugins.how_to_get(NAMES[0])}")
    wasi_class: WasiClass = found.load()  # type: ignore[assignment]  # what the entry point promises
    writable, read_only = parse_directories(options.dir)
    granted: dict[str, object] = {
        "env": parse_environment(options.env, options.inherit_env),
        "dirs": writable,
        "read_only_dirs": read_only,
        "stdin": None if options.stdin in (None, STDIN) else _open_input(options.stdin),
        "sockets": [_listen(word) for word in options.listen],
        "deterministic": options.deterministic,
        "max_open_files": options.max_open_files,
        "max_file_bytes": options.max_file_bytes,
        "max_output_bytes": options.max_output,
        "trace": None if options.trace is None else _print_trace,
    }
    asked_for = {name: value for name, value in granted.items() if value is not None and value is not False}
    try:
        return wasi_class.inherit_stdio(args=arguments, **asked_for)
    except (OSError, ValueError) as error:
        misuse(str(error))
    except TypeError as error:
        failed(f"{found.distribution} {found.version} does not do what is asked of it: {error}; pip install --upgrade {found.distribution}")


def parse_environment(words: Sequence[str], inherit: bool) -> dict[str, str]:
    """`NAME=VALUE` sets a variable, `NAME` alone passes the process's own on."""
    found = dict(os.environ) if inherit else {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or "\0" in word:
            misuse(f"--env {word}: expected NAME=VALUE, or NAME for a variable of this environment")
        if not equals and name not in os.environ:
            misuse(f"--env {name}: there is no such variable in this environment; to set one: --env {name}=VALUE")
        found[name] = value if equals else os.environ[name]
    return found


def parse_directories(words: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """`HOST[:GUEST[:ro]]`: (directories, read-only ones), host path by the guest's name."""
    writable: dict[str, str] = {}
    read_only: dict[str, str] = {}
    for word in words:
        host, guest, mode = _split(word)
        guest = guest or host
        if mode not in ("", READ_ONLY):
            misuse(f"--dir {word}: expected HOST[:GUEST[:ro]], got {mode!r} in the place of ro")
        if not host:
            misuse(f"--dir {word}: expected HOST[:GUEST[:ro]], got no directory")
        if not os.path.isdir(host):
            misuse(f"--dir {word}: {host!r} is {'not a directory' if os.path.exists(host) else 'no file or directory'}")
        if guest in writable or guest in read_only:
            misuse(f"--dir {word}: the guest's name {guest!r} is given twice")
        (read_only if mode else writable)[guest] = host
    return writable, read_only


def _split(word: str) -> tuple[str, str, str]:
    """The three parts. A letter and a colon in front are a drive where there are drives."""
    drive, rest = os.path.splitdrive(word)
    host, _, rest = rest.partition(":")
    guest, _, mode = rest.partition(":")
    return drive + host, guest, mode


def _open_input(word: str) -> int:
    """The descriptor of a file to read from; it is closed with the process."""
    try:
        return os.open(word, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        misuse(f"--stdin {word}: {error.strerror}")


def _listen(word: str) -> socket.socket:
    """A socket for `[HOST:]PORT`. Where it listens is told, for port 0 is any that is free."""
    import socket  # few programs need it, and it takes as long to import as the rest of a short command

    host, _, port = word.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or _LOOPBACK
    if not port.isdecimal() or int(port) > 0xFFFF:
        _wrong_address(word, "expected [HOST:]PORT, such as 8080 or 0.0.0.0:8080")
    try:
        family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, int(port)), family=family)
    except OSError as error:
        _wrong_address(word, error.strerror or str(error))
    shown = made.getsockname()
    print(f"purewasm: listening on {f'[{shown[0]}]' if ':' in shown[0] else shown[0]}:{shown[1]}", file=sys.stderr, flush=True)
    return made


def _wrong_address(word: str, what: str) -> NoReturn:
    misuse(f"--listen {word}: {what}")


def _print_trace(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
