"""The conformance cases of an ABI file of version 0, run against any host module with a page.

    from purewasm.testing import PageCase, page_conformance_cases

    @pytest.mark.parametrize("case", page_conformance_cases(FOLDER / "abi_cases.json"), ids=str)
    def test_conformance(case: PageCase, runtime: Runtime) -> None:
        case.run(runtime, Atomics())

A case is a new instance with a page, and steps: what the guest writes into its cells, the import that it calls, and what the cells
hold then. Cells are named by their entry in the page, bytes are hexadecimal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, final

from purewasm.errors import WasmError
from purewasm.hostmod.status import AbiError
from purewasm.testing.expectation import expect
from purewasm.testing.raw_guests import PAGE, PageGuest

if TYPE_CHECKING:
    from pathlib import Path

    from purewasm.hostmod import PageModule
    from purewasm.runtime.runtime import Runtime

_FORMAT: Final = 1
_FIRST_CELL: Final = 256
_APART: Final = 8
_FIRST_BUFFER: Final = 1_024
_BUFFERS_APART: Final = 8_192

Cells = dict[int, "int | bytes"]


class PageStep(NamedTuple):
    """One call, and what has to come of it."""

    imported: str
    write: Cells
    read: Cells
    refused: bool
    """True where the guest breaks the ABI and has its call ended."""
    ended: bool
    """True where the host module ends the call by an error of its own."""


@final
class PageCase(NamedTuple):
    """A named list of steps on one instance."""

    module: str
    name: str
    kinds: tuple[str, ...]
    """`u32`, `u64` or `bytes`, for each entry of the page."""
    page: int | None
    """The address of a page that is not where it should be."""
    entries: dict[int, int]
    """Addresses of entries that are not where they should be."""
    steps: tuple[PageStep, ...]

    def __str__(self) -> str:
        return self.name

    def run(self, runtime: Runtime, host: PageModule[Any]) -> None:
        """`AssertionError` where the host module does not do as it should."""
        expect(host.name == self.module, f"these are cases of {self.module}, not of {host.name}")
        expect(host.entries == len(self.kinds), f"these are cases of a page of {len(self.kinds)} entries, not of {host.entries}")
        cells = [self.entries.get(entry, place) for entry, place in enumerate(_places(self.kinds))]
        guest = PageGuest(runtime, host, cells, page=PAGE if self.page is None else self.page)
        for number, step in enumerate(self.steps, 1):
            self._run(guest, step, f"{self.name}, step {number}")

    def _run(self, guest: PageGuest, step: PageStep, where: str) -> None:
        for entry, value in step.write.items():
            data = self._packed(entry, value)
            if guest.cells[entry] + len(data) <= guest.memory.size:
                guest.memory.write(guest.cells[entry], data)
        try:
            guest.call(step.imported)
        except AbiError as error:
            expect(step.refused, f"{where}: the call was ended: {error}")
            expect(error.module == self.module, f"{where}: the error names {error.module}")
            return
        except WasmError as error:
            expect(step.ended, f"{where}: the call was ended: {error}")
            return
        expect(not step.refused, f"{where}: the guest broke the ABI, and its call returned")
        expect(not step.ended, f"{where}: the call returned")
        for entry, value in step.read.items():
            data = self._packed(entry, value)
            found = guest.memory.read(guest.cells[entry], len(data))
            expect(found == data, f"{where}: entry {entry} holds {found.hex()} instead of {data.hex()}")

    def _packed(self, entry: int, value: int | bytes) -> bytes:
        return value if isinstance(value, bytes) else value.to_bytes(8 if self.kinds[entry] == "u64" else 4, "little")


def _places(kinds: tuple[str, ...]) -> list[int]:
    """Where the cells of an honest guest lie."""
    found, buffer = [], _FIRST_BUFFER
    for entry, kind in enumerate(kinds):
        found.append(buffer if kind == "bytes" else _FIRST_CELL + _APART * entry)
        buffer += _BUFFERS_APART if kind == "bytes" else 0
    return found


def page_conformance_cases(file: Path) -> list[PageCase]:
    """The cases of a file that `purewasm gen` has written."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if content.get("format") != _FORMAT or "page" not in content:
        raise ValueError(f"{file}: this version reads cases of pages of format {_FORMAT}, and this is format {content.get('format')!r}")
    kinds = tuple(content["page"]["entries"])
    return [
        PageCase(
            content["module"],
            case["name"],
            kinds,
            case.get("page"),
            {int(entry): address for entry, address in case.get("entries", {}).items()},
            tuple(_step(cast("dict[str, object]", step)) for step in case["steps"]),
        )
        for case in content["cases"]
    ]


def _step(step: dict[str, object]) -> PageStep:
    return PageStep(
        str(step["import"]), _cells(step.get("write", {})), _cells(step.get("read", {})),
        bool(step.get("refused", False)), bool(step.get("ended", False)),
    )  # fmt: skip


def _cells(table: object) -> Cells:
    found = cast("dict[str, int | str]", table)
    return {int(entry): bytes.fromhex(value) if isinstance(value, str) else value for entry, value in found.items()}
