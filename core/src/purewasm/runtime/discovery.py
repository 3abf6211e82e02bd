"""Which package provides an import module: installed ones by their entry points, and those that are known of.

The group `purewasm.hostmods` holds classes of host modules; an entry is named like the import module. Finding one grants nothing: the
embedder registers what it wants to grant.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from purewasm.light_importing import import_module
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from purewasm.runtime.module import Module

    class Provider(Protocol):
        """What is known of an installed entry point."""

        @property
        def distribution(self) -> str: ...

        @property
        def version(self) -> str: ...


HOST_MODULES: Final = "purewasm.hostmods"
_INFO: Final = ".dist-info"

KNOWN_HOST_MODULES: Final = {
    "wasi_snapshot_preview1": "purewasm-wasi",
    "wasi_unstable": "purewasm-wasi",
    "pantopic/wazero-global": "purewasm-global",
    "purewasm/globals@1": "purewasm-global",
    "pantopic/wazero-atomic": "purewasm-atomic",
    "pantopic/ext-atomic": "purewasm-atomic",
    "pantopic/wazero-pipe": "purewasm-pipe",
    "purewasm/kv@1": "purewasm-kv",
    "purewasm/log@1": "purewasm-log",
    "purewasm/http@1": "purewasm-http",
}
"""Import modules, by the distribution to install."""


class Installed(NamedTuple):
    """An entry point and the distribution that it belongs to."""

    name: str
    value: str
    """`module:attribute`."""
    distribution: str
    version: str

    def load(self) -> object:
        """The object behind it: this imports the distribution, and raises whatever that raises."""
        module, _, attribute = self.value.partition("[")[0].partition(":")
        found: object = import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            found = getattr(found, part)
        return found


def installed(group: str = HOST_MODULES) -> dict[str, Installed]:
    """Installed entry points of a group by name; of several with one name the first."""
    # `importlib.metadata` takes as long to import as the rest of a short command: only those who need it pay.
    from importlib.metadata import entry_points

    found: dict[str, Installed] = {}
    for entry in entry_points(group=group):
        owner = ("an unknown package", "") if entry.dist is None else (entry.dist.name, entry.dist.version)
        found.setdefault(entry.name, Installed(entry.name, entry.value, *owner))
    return found


def installed_host_module(name: str) -> Installed | None:
    """The installed host module of an import module name, or None.

    A distribution that is known to provide it is looked for by its name, which takes a fraction of the time that looking at all takes.
    """
    distribution = KNOWN_HOST_MODULES.get(name)
    known = None if distribution is None else _installed_in(distribution, name)
    return known if known is not None else installed().get(name)


def _installed_in(distribution: str, name: str) -> Installed | None:
    """The host module of a distribution that is installed in a directory, found without `importlib.metadata`."""
    start = f"{distribution.replace('-', '_')}-"
    for folder in sys.path:
        with suppress(OSError), os.scandir(folder or ".") as items:
            for item in items:
                if item.name.startswith(start) and item.name.endswith(_INFO):
                    value = _entry_points(os.path.join(item.path, "entry_points.txt")).get(name)
                    if value is not None:
                        return Installed(name, value, distribution, item.name[len(start) : -len(_INFO)])
    return None


def _entry_points(file: str) -> dict[str, str]:
    """Host modules in a file of entry points (packaging specification, entry points)."""
    found: dict[str, str] = {}
    section = ""
    with open(file, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line.strip("[] ")
            elif "=" in line and section == HOST_MODULES:
                key, _, value = line.partition("=")
                found[key.strip()] = value.strip()
    return found


def split_import_name(name: str) -> tuple[str, int | None]:
    """`acme/kv@2` is `acme/kv` of major version 2; a name without a version has None."""
    base, at, major = name.rpartition("@")
    return (base, int(major)) if at and base and major.isascii() and major.isdecimal() else (name, None)


def other_majors(name: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that are the same host module in another major version."""
    base, major = split_import_name(name)
    return [] if major is None else [other for other in names if other != name and split_import_name(other)[0] == base]


@final
class Need(NamedTuple):
    """One import module that a guest needs, and where it can come from."""

    module: str
    names: tuple[str, ...]
    """What the guest imports from it."""
    registered: bool
    """True where this runtime offers it already."""
    distribution: str | None
    """The package that provides it, or None where none is known."""
    version: str | None
    """The version that is installed, or None."""
    note: str
    """A sentence for people: what to do."""

    @property
    def abi(self) -> int | None:
        """The major version that the guest asks for by its name; None for names without one (version 0 of the ABI, WASI)."""
        return split_import_name(self.module)[1]

    @property
    def satisfied(self) -> bool:
        """True where nothing has to be installed: registered, or installed and waiting to be granted."""
        return self.registered or self.version is not None


def needs(module: Module, registered: Iterable[str] = ()) -> list[Need]:
    """What a module needs, in the order of its imports."""
    names: dict[str, list[str]] = {}
    for wanted in module.wasm.imports:
        names.setdefault(wanted.module, []).append(wanted.name)
    offered = set(registered)
    present = installed() if names else {}
    return [need(name, tuple(items), offered, present) for name, items in names.items()]


def need(name: str, names: tuple[str, ...], offered: set[str], present: Mapping[str, Provider]) -> Need:
    """Where one import module can come from: what is `offered` already, `present` as an entry point, or known of."""
    found = present.get(name)
    known = KNOWN_HOST_MODULES.get(name)
    if found is not None:
        note = f"provided by {found.distribution} {found.version}, installed"
        return Need(name, names, name in offered, found.distribution, found.version, note)
    if name in offered:
        return Need(name, names, True, known, None, "registered with this runtime")
    if known is not None:
        return Need(name, names, False, known, None, f"not installed, pip install {known}")
    for other in other_majors(name, present):
        near = present[other]
        note = f"{near.distribution} {near.version} provides {other}, another major version: install a release that provides {name}"
        return Need(name, names, False, near.distribution, None, note)
    for other in other_majors(name, KNOWN_HOST_MODULES):
        package = KNOWN_HOST_MODULES[other]
        return Need(name, names, False, package, None, f"not installed, and only {other} is known, of {package}: look for a newer release")
    return Need(name, names, False, None, None, "provided by no package that is known here: the embedder's own")
