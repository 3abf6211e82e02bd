"""ABI files of version 0: what a host module with a page of cells offers, as TOML. `docs/abi.md` describes the format.

A mistake is an `AbiFileError` that says where it is and what was expected; nothing is guessed and no key is ignored.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple, cast

from purewasm_guest.gen.toml_reader import Table, TomlReader, plain, read_toml

SIZES: Final = {"u32": 4, "u64": 8}
BYTES: Final = "bytes"
_RESERVED: Final = frozenset("cell host i import item length page size source text".split())
"""Names that the SDKs' own functions use inside."""


class PageCell(NamedTuple):
    """A cell, or a buffer with its capacity and length in the two entries before it."""

    name: str
    kind: str
    """`u32`, `u64` or `bytes`."""
    entry: int
    """Its first entry in the page."""
    summary: str
    capacity: int
    """Of a buffer, in guests built with the SDKs."""
    limit: int
    """How much of a buffer the host takes."""

    @property
    def is_buffer(self) -> bool:
        """True where it has three entries."""
        return self.kind == BYTES


class PageCall(NamedTuple):
    """An import: the cells that a guest fills in before, and the one that it reads after."""

    name: str
    imported: str
    summary: str
    takes: tuple[PageCell, ...]
    gives: PageCell | None
    uses_caller: bool
    """True where the host's method gets the `Caller` too."""


class PageStep(NamedTuple):
    """A call of a case, with what has to come of it."""

    call: PageCall
    arguments: tuple[object, ...]
    result: object
    any_result: bool
    ends: bool
    """True where the host module ends the call by an error of its own."""


class PageCase(NamedTuple):
    """A case of the file's own."""

    name: str
    steps: tuple[PageStep, ...]


class PageFile(NamedTuple):
    """What an ABI file of version 0 says."""

    path: Path
    name: str
    aliases: tuple[str, ...]
    version: tuple[int, int]
    summary: str
    class_name: str
    prefix: str
    """The word for it in guest SDKs."""
    export: str
    """The guest's function that returns the page."""
    cells: tuple[PageCell, ...]
    calls: tuple[PageCall, ...]
    cases: tuple[PageCase, ...]
    outputs: dict[str, Path]
    """Where `purewasm gen` writes, by target."""

    @property
    def stem(self) -> str:
        """The word for it in names: `pipe` of `__pipe`."""
        return self.export.removeprefix("__")

    @property
    def entries(self) -> int:
        """How many addresses the page has."""
        return sum(3 if cell.is_buffer else 1 for cell in self.cells)


def load_pages(path: Path) -> PageFile:
    """Read an ABI file of version 0."""
    return _Reader(path).read(read_toml(path))


class _Reader(TomlReader):
    def read(self, content: Table) -> PageFile:
        module = cast("Table", self._get(content, "module", dict, "the file"))
        page = cast("Table", self._get(content, "page", dict, "the file"))
        generate = cast("Table", self._get(content, "generate", dict, "the file", {}))
        name = self._module_name(module)
        version = cast("list[object]", self._get(module, "version", list, "[module]"))
        if len(version) != 2 or version[0] != 0 or type(version[1]) is not int:
            raise self._fail("[module]", f"the version of a page is [0, minor], not {version!r}")
        aliases = tuple(map(str, cast("list[object]", self._get(module, "aliases", list, "[module]", []))))
        export = str(self._get(page, "export", str, "[page]", f"__{re.sub(r'[^a-z0-9]', '_', name.rpartition('/')[2])}"))
        if not re.fullmatch(r"__[a-z][a-z0-9_]*", export):
            raise self._fail("[page]", f"the export is __ and a name in snake_case, not {export!r}")
        stem = re.sub(r"\W", "_", f"{name.partition('/')[0]}_{export.removeprefix('__')}", flags=re.ASCII)
        prefix = str(self._get(module, "prefix", str, "[module]", stem))
        class_name = str(self._get(module, "class", str, "[module]"))
        summary = str(self._get(module, "summary", str, "[module]"))
        self._done(module, "[module]")
        cells = self._cells(cast("list[Table]", self._get(page, "cells", list, "[page]")))
        self._done(page, "[page]")
        calls = tuple(self._call(table, cells) for table in self._tables(content, "call"))
        if not calls:
            raise self._fail("the file", "there is no [[call]]")
        cases = tuple(self._case(table, calls) for table in self._tables(content, "case"))
        outputs = self._outputs(generate)
        self._done(content, "the file")
        return PageFile(
            self._path, name, aliases, (0, version[1]), summary, class_name, prefix, export, cells, calls, cases, outputs
        )

    def _cells(self, tables: list[Table]) -> tuple[PageCell, ...]:
        found: list[PageCell] = []
        entry = 0
        for table in tables:
            if not isinstance(table, dict):
                raise self._fail("[page]", f"cells are {{ name = …, type = … }}, not {table!r}")
            name = self._field_name(self._get(table, "name", str, "[page]"), "[page]")
            where = f"cell {name}"
            if name in _RESERVED or any(cell.name == name for cell in found):
                raise self._fail(where, "a name of its own, which the SDKs do not use themselves")
            kind = str(self._get(table, "type", str, where))
            if kind not in (*SIZES, BYTES):
                raise self._fail(where, f"unknown type {kind!r}: there are {', '.join((*SIZES, BYTES))}")
            capacity = limit = 0
            if kind == BYTES:
                capacity, limit = cast("int", self._get(table, "capacity", int, where)), cast("int", self._get(table, "limit", int, where))
            summary = str(self._get(table, "summary", str, where))
            self._done(table, where)
            found.append(PageCell(name, kind, entry, summary, capacity, limit))
            entry += 3 if kind == BYTES else 1
        if not found:
            raise self._fail("[page]", "there are no cells")
        return tuple(found)

    def _call(self, table: Table, cells: tuple[PageCell, ...]) -> PageCall:
        name = self._snake(self._get(table, "name", str, "[[call]]"), "[[call]]")
        where = f"call {name}"
        known = {cell.name: cell for cell in cells}
        if name in known:
            raise self._fail(where, "this is the name of a cell too: not every language can tell them apart")
        taken = cast("list[object]", self._get(table, "takes", list, where, []))
        given = self._get(table, "gives", str, where, None)
        for wanted in (*taken, *([] if given is None else [given])):
            if wanted not in known:
                raise self._fail(where, f"there is no cell {wanted!r}")
        imported, summary = str(self._get(table, "import", str, where)), str(self._get(table, "summary", str, where))
        uses_caller = bool(self._get(table, "caller", bool, where, False))
        self._done(table, where)
        takes, gives = tuple(known[str(cell)] for cell in taken), None if given is None else known[str(given)]
        return PageCall(name, imported, summary, takes, gives, uses_caller)

    def _case(self, table: Table, calls: tuple[PageCall, ...]) -> PageCase:
        name = str(self._get(table, "name", str, "[[case]]"))
        where = f"case {name}"
        steps = cast("list[Table]", self._get(table, "steps", list, where))
        self._done(table, where)
        return PageCase(name, tuple(self._step(step, calls, where) for step in steps))

    def _step(self, step: Table, calls: tuple[PageCall, ...], where: str) -> PageStep:
        called = self._get(step, "call", str, where)
        call = next((call for call in calls if call.name == called), None)
        if call is None:
            raise self._fail(where, f"unknown call {called!r}")
        arguments = cast("list[object]", self._get(step, "arguments", list, where, []))
        if len(arguments) != len(call.takes):
            raise self._fail(where, f"{call.name} takes {len(call.takes)} arguments, not {len(arguments)}")
        ends = bool(self._get(step, "ends", bool, where, False))
        any_result = "result" not in step
        result = plain(step.pop("result", None))
        self._done(step, where)
        return PageStep(call, tuple(map(plain, arguments)), result, any_result, ends)
