"""What `run` grants a guest: host modules, and through WASI arguments, environment, streams and directories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from purewasm.cli import plugins
from purewasm.cli.failure import failed, misuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from purewasm.runtime.module import Module
    from purewasm.runtime.runtime import Runtime

WASI: Final = ("wasi_snapshot_preview1", "wasi_unstable")
READ_ONLY: Final = "ro"
_SHORT_PREFIX: Final = "purewasm-"


class HostModuleLike(Protocol):
    """What every host module can do."""

    def register(self, runtime: Runtime) -> None:
        """Offer it to the runtime's instances."""

    def close(self) -> None:
        """Give back what it holds."""


class WasiClass(Protocol):
    """The class behind the entry point of WASI."""

    def inherit_stdio(
        self,
        *,
        args: Sequence[str],
        env: Mapping[str, str],
        dirs: Mapping[str, str],
        read_only_dirs: Mapping[str, str],
    ) -> HostModuleLike:
        """WASI with the process's own streams."""


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


def imports_wasi(module: Module) -> bool:
    """True where the module imports from WASI."""
    return any(wanted.module in WASI for wanted in module.wasm.imports)


def make_wasi(
    arguments: Sequence[str], environment: Mapping[str, str], directories: tuple[Mapping[str, str], Mapping[str, str]]
) -> HostModuleLike:
    """WASI with these grants; fails where its package is not installed."""
    found = plugins.find(plugins.HOST_MODULES).get(WASI[0])
    if found is None:
        failed(f"the module imports WASI ({WASI[0]}), which is not installed: {plugins.how_to_get(WASI[0])}")
    wasi_class: WasiClass = found.load()  # type: ignore[assignment]  # what the entry point promises
    try:
        return wasi_class.inherit_stdio(args=arguments, env=environment, dirs=directories[0], read_only_dirs=directories[1])
    except (OSError, ValueError) as error:
        misuse(str(error))


def make_host_module(name: str) -> HostModuleLike:
    """An installed host module with its defaults, by import module name or distribution (`global` for `purewasm-global`)."""
    installed, short = plugins.find(plugins.HOST_MODULES), name.removeprefix(_SHORT_PREFIX)
    of_distribution = (plugin for plugin in installed.values() if plugin.distribution.removeprefix(_SHORT_PREFIX) == short)
    found = installed.get(name) or next(of_distribution, None)
    if found is None:
        known = plugins.how_to_get(name) or plugins.how_to_get_distribution(name)
        listed = ", ".join(installed) or "none"
        misuse(f"--hostmod {name}: not installed{f': {known}' if known else ''} (installed host modules: {listed})")
    host_class = found.load()
    made: HostModuleLike = host_class()  # type: ignore[operator]  # what the entry point promises
    return made


def is_wasi(name: str) -> bool:
    """True for the names of WASI's host module: what `run` grants by itself."""
    return name in (*WASI, plugins.KNOWN_HOST_MODULES[WASI[0]], plugins.KNOWN_HOST_MODULES[WASI[0]].removeprefix(_SHORT_PREFIX))


def hints(module: Module) -> str:
    """How to get what the module imports: a line for each import module that a package is known to provide."""
    installed = plugins.find(plugins.HOST_MODULES)
    lines = []
    for name in dict.fromkeys(item.module for item in module.wasm.imports):
        if name in installed:
            if not is_wasi(name):
                lines.append(f"\n{name} is provided by {installed[name].distribution}: grant it with --hostmod {name}")
        elif (how := plugins.how_to_get(name)) is not None:
            lines.append(f"\n{name} is provided by another package: {how}")
    return "".join(lines)
