"""The host module `spectest`, which the testsuite's modules import from."""

from __future__ import annotations

from purewasm import Features, HostModule
from purewasm.light_typing import Final

_PRINTS: Final = {
    "print": (), "print_i32": ("i32",), "print_i64": ("i64",), "print_f32": ("f32",), "print_f64": ("f64",),
    "print_i32_f32": ("i32", "f32"), "print_f64_f64": ("f64", "f64"),
}  # fmt: skip
_GLOBALS: Final = {"global_i32": ("i32", 666), "global_i64": ("i64", 666), "global_f32": ("f32", 666.6), "global_f64": ("f64", 666.6)}


def _print(*values: object) -> None:
    """Nobody reads what a test prints."""


def spectest(features: Features) -> HostModule:
    """The module, with what the features allow."""
    module = HostModule("spectest")
    for name, params in _PRINTS.items():
        module.add_function(name, _print, params, ())
    for name, (type, value) in _GLOBALS.items():
        module.add_global(name, type, value)
    module.add_table("table", "funcref", 10, 20)
    module.add_memory("memory", 1, 2)
    if "memory64" in features:
        module.add_table("table64", "funcref", 10, 20, is_64=True)
    if "threads" in features:
        module.add_memory("shared_memory", 1, 2, shared=True)
    return module
