"""The order of the core's layers as a rule, and what breaks it.

A module imports from its own layer and from those left of it:

    import_order, light_importing, light_typing, light_library, errors, traps, wasm → binary, text → validate → store → ir → frontend →
    passes → backend → isa → engine → runtime → hostmod → wast → testing, cli

Layers with a comma between them are one step: `errors` and `traps` name each other's types. The two engines, and the two instruction
sets, do not know of each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.tests.repo.source_tree import tree_imports

STEPS: Final = (
    ("_version", "import_order", "light_importing", "light_typing", "light_library", "errors", "traps", "wasm"),
    ("binary", "text"),
    ("validate",),
    ("store",),
    ("ir",),
    ("frontend",),
    ("passes",),
    ("backend",),
    ("isa",),
    ("engine",),
    ("runtime",),
    ("hostmod",),
    ("", "importer"),  # the package itself: the public names
    ("wast",),
    ("cli", "testing"),
    ("__main__",),
)
STRANGERS: Final = (("engine.interpreter", "engine.native"), ("isa.x64", "isa.arm64"))
_STEP_OF: Final = {layer: number for number, layers in enumerate(STEPS) for layer in layers}


def violations(root: Path) -> list[str]:
    """A line for each import below the package's folder that points the wrong way."""
    found: list[str] = []
    package = root.name
    for module, imported in tree_imports(root):
        if imported.name != package and not imported.name.startswith(f"{package}."):
            continue
        problem = _problem(module.removeprefix(package).lstrip("."), _resolve(imported.name.removeprefix(package).lstrip("."), root))
        if problem:
            found.append(f"{imported}: {problem}")
    return found


def _resolve(name: str, root: Path) -> str:
    """A name inside the package as a module: `runtime.engines.make_engine` is of `runtime.engines`, `Runtime` of the package itself."""
    parts = name.split(".") if name else []
    while parts and not _exists(root.joinpath(*parts)):
        parts.pop()
    return ".".join(parts)


def _exists(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


def _problem(module: str, imported: str) -> str:
    layer, other = module.partition(".")[0], imported.partition(".")[0]
    for name in (layer, other):
        if name not in _STEP_OF:
            return f"{name!r} is in no layer"
    if _STEP_OF[other] > _STEP_OF[layer]:
        return f"{layer or 'the package'} must not import from {other or 'the package'}"
    for pair in STRANGERS:
        for one, stranger in (pair, pair[::-1]):
            if _within(module, one) and _within(imported, stranger):
                return f"{one} must not import from {stranger}"
    return ""


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
