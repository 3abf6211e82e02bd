"""What the compiler says of a source that it refuses."""

from __future__ import annotations

import ast
from pathlib import Path


class CompileError(Exception):
    """A guest's source is outside the subset: `file:line:column: what is wrong; what to do`."""

    def __init__(self, path: Path, node: ast.AST | None, problem: str) -> None:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", -1)
        where = f"{path}:{line}:{column + 1}" if line else str(path)
        super().__init__(f"{where}: {problem}")
        self.path, self.line, self.problem = path, line, problem
