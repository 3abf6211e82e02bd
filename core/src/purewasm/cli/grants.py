"""The host modules that `run` grants a guest by name, and how to get those that it lacks."""

from __future__ import annotations

from purewasm.cli import plugins, wasi
from purewasm.cli.failure import misuse
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.cli.wasi import HostModuleLike
    from purewasm.runtime.module import Module
    from purewasm.runtime.runtime import Runtime

_SHORT_PREFIX: Final = "purewasm-"


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
    distribution = plugins.KNOWN_HOST_MODULES[wasi.NAMES[0]]
    return name in (*wasi.NAMES, distribution, distribution.removeprefix(_SHORT_PREFIX))


def hints(module: Module, runtime: Runtime) -> str:
    """How to get what the module imports and `runtime` lacks: a line for each import module that a package is known to provide."""
    installed = plugins.find(plugins.HOST_MODULES)
    lines = []
    for name in dict.fromkeys(item.module for item in module.wasm.imports):
        if runtime.provides(name):
            continue  # it was granted, and lacks something else
        if name in installed:
            if not is_wasi(name):
                lines.append(f"\n{name} is provided by {installed[name].distribution}: grant it with --hostmod {name}")
        elif (how := plugins.how_to_get(name)) is not None:
            lines.append(f"\n{name} is provided by another package: {how}")
    return "".join(lines)
