"""Imports of a tree of Python files, found by reading, not by running.

Every import counts, wherever it stands: at the top, inside a function, under `TYPE_CHECKING` (a type is as much of a dependency as a
value, and hiding one there would hide the direction it points in), and calls of `import_module` and `__import__` with a constant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]
CORE: Final = ROOT / "core" / "src" / "purewasm"

_IMPORTERS: Final = frozenset(("import_module", "__import__", "find_spec", "lazy_import"))


class Import(NamedTuple):
    """One import: the absolute dotted name of what is imported, and where it stands."""

    file: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}"


def python_files(folder: Path) -> list[Path]:
    """All Python files below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(file: Path, package: str) -> Iterator[Import]:
    """Imports of a file that belongs to the package `package` (a dotted name). `from a import b` is `a.b`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
        for name in _names(node, package):
            yield Import(file, getattr(node, "lineno", 0), name)


def _names(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _base(node, package)
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and _called(node.func) in _IMPORTERS and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return [first.value]
    return []


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parent = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parent, *([node.module] if node.module else [])])


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def module_name(file: Path, root: Path) -> str:
    """Dotted name of a file below `root`, which is the folder of the package."""
    parts = [root.name, *file.relative_to(root).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_name(file: Path, root: Path) -> str:
    """Dotted name of the package that a file belongs to."""
    return ".".join([root.name, *file.relative_to(root).parts[:-1]])


@cache
def tree_imports(root: Path) -> list[tuple[str, Import]]:
    """(importing module, import) of every import below the folder of a package."""
    return [
        (module_name(file, root), found) for file in python_files(root) for found in imports_of(file, package_name(file, root))
    ]
