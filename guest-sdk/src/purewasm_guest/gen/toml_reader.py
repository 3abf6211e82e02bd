"""What both kinds of ABI files are read with: tables of TOML whose every key is asked for, and messages that say where."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final, cast

TARGETS: Final = ("host", "c", "zig", "go", "rust", "assemblyscript", "python", "docs", "cases")
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_]*")
_NAME: Final = re.compile(r"[a-z0-9._-]+/[a-z0-9._-]+")
_KEYWORDS: Final = frozenset(
    "as async await break case class const continue crate def default defer else enum export extern fn for func function if impl import in "
    "interface let loop map match mod mut new package pub range ref return self static struct super switch this type "
    "use var void while".split()
)

Table = dict[str, object]


class AbiFileError(ValueError):
    """An ABI file is wrong: the message says where."""


def read_toml(path: Path) -> Table:
    """The content of a file. `AbiFileError` where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AbiFileError(f"{path}: no TOML: {error}") from None


def plain(value: object) -> object:
    """A value of the file: `{ hex = "…" }` is bytes."""
    if isinstance(value, dict) and value.keys() == {"hex"}:
        return bytes.fromhex(str(value["hex"]))
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class TomlReader:
    """The walk through one file; `where` goes into every message."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _fail(self, where: str, problem: str) -> AbiFileError:
        return AbiFileError(f"{self._path}: {where}: {problem}")

    def _get(self, table: Table, key: str, kind: type, where: str, default: object = ...) -> object:
        if key not in table:
            if default is ...:
                raise self._fail(where, f"{key!r} is missing")
            return default
        value = table.pop(key)
        if type(value) is not kind:
            raise self._fail(where, f"{key!r} is a {kind.__name__}, not {value!r}")
        return value

    def _done(self, table: Table, where: str) -> None:
        if table:
            raise self._fail(where, f"unknown key {next(iter(table))!r}")

    def _tables(self, table: Table, key: str) -> list[Table]:
        found = self._get(table, key, list, "the file", [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._fail("the file", f"[[{key}]] is a table each")
        return cast("list[Table]", found)

    def _module_name(self, module: Table) -> str:
        name = str(self._get(module, "name", str, "[module]"))
        if not _NAME.fullmatch(name):
            raise self._fail("[module]", f"the name is owner/name, without a version, not {name!r}")
        return name

    def _outputs(self, generate: Table) -> dict[str, Path]:
        """Where each target is written."""
        wanted: list[str] = [target for target in TARGETS if target in generate]
        outputs = {target: self._path.parent / str(self._get(generate, target, str, "[generate]")) for target in wanted}
        self._done(generate, "[generate]")
        return outputs

    def _snake(self, name: object, where: str) -> str:
        if not isinstance(name, str) or not _SNAKE.fullmatch(name) or name in _KEYWORDS:
            raise self._fail(where, f"a name is snake_case and no keyword, not {name!r}")
        return name
