"""Custom sections as annotations: `(@custom "producers" (after data) "…")`, and what needs none because text says it otherwise."""

from __future__ import annotations

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.name_encoder import NAME_SECTION
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.branch_hints import Hints, decode_branch_hints
from purewasm.text.custom import SECTION_WORDS
from purewasm.text.lexer import BRANCH_HINT
from purewasm.text.literals import format_bytes, format_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import CustomSection, WasmModule

_WORD: Final = {id: word for word, id in SECTION_WORDS.items()}
_BYTES_A_LINE: Final = 64
_FIRST: Final = 0


@final
class CustomPrinter:
    """Places a module's custom sections, so that the assembler puts each back where it was."""

    __slots__ = ("_last", "branch_hints", "module")

    def __init__(self, module: WasmModule) -> None:
        self.module = module
        self._last = _last_section(module)
        self.branch_hints: Hints | None = self._find_branch_hints()
        """The hints, where the section is as the assembler would write and place it."""

    def _find_branch_hints(self) -> Hints | None:
        sections = [custom for custom in self.module.customs if custom.name == BRANCH_HINT]
        before_code = [custom for custom in self.module.customs if custom.after == _before_code(self.module)]
        if len(sections) != 1 or before_code[-1:] != sections:
            return None
        return decode_branch_hints(sections[0].data)

    def lines(self, *, names_are_identifiers: bool) -> Iterator[str]:
        """An annotation for each section that is not said otherwise."""
        named = [custom for custom in self.module.customs if custom.name == NAME_SECTION]
        implied = len(named) == 1 and named[0].after == self._last and names_are_identifiers
        is_behind_names = not implied
        for custom in self.module.customs:
            if implied and custom.name == NAME_SECTION:
                is_behind_names = True
            elif not (custom.name == BRANCH_HINT and self.branch_hints is not None):
                yield from self._annotation(custom, is_behind_names)

    def _annotation(self, custom: CustomSection, is_behind_names: bool) -> Iterator[str]:
        head = f"  (@custom {format_name(custom.name)} ({self._place(custom, is_behind_names)})"
        if len(custom.data) <= _BYTES_A_LINE:
            yield f"{head} {format_bytes(custom.data)})"
            return
        yield head
        for start in range(0, len(custom.data), _BYTES_A_LINE):
            yield f"    {format_bytes(custom.data[start : start + _BYTES_A_LINE])}"
        yield "  )"

    def _place(self, custom: CustomSection, is_behind_names: bool) -> str:
        if custom.after != self._last:
            return f"after {_WORD[custom.after]}" if custom.after != _FIRST else "before first"
        # behind the last section that is there, before or behind the name section
        return "after last" if is_behind_names else "after data"


def _present(module: WasmModule) -> list[int]:
    """Ids of the sections that have something in them."""
    contents: dict[int, object] = {
        enc.TYPE: module.rec_groups, enc.IMPORT: module.imports, enc.FUNCTION: module.functions, enc.TABLE: module.tables,
        enc.MEMORY: module.memories, enc.TAG: module.tags, enc.GLOBAL: module.globals, enc.EXPORT: module.exports,
        enc.START: module.start is not None, enc.ELEMENT: module.elements, enc.DATA_COUNT: module.data_count is not None,
        enc.CODE: module.codes, enc.DATA: module.data,
    }  # fmt: skip
    return [id for id, content in contents.items() if content]


_order: Final = enc.SECTION_ORDER.index


def _last_section(module: WasmModule) -> int:
    """Id of the last section that is not custom, `_FIRST` for a module without any."""
    return max(_present(module), key=_order, default=_FIRST)


def _before_code(module: WasmModule) -> int:
    """Id of the last section that stands before the code section."""
    return max((id for id in _present(module) if _order(id) < _order(enc.CODE)), key=_order, default=_FIRST)
