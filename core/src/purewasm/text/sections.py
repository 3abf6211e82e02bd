"""What a module's text has produced so far, and its bytes: one list of encoded entries for each section."""

from __future__ import annotations

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.name_encoder import NAME_SECTION, encode_names
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.custom import FIRST, LAST
from purewasm.text.lexer import BRANCH_HINT

if TYPE_CHECKING:
    from purewasm.binary.name_encoder import NameSection
    from purewasm.text.custom import CustomText

_HINT_SIZE: Final = 1


@final
class Sections:
    """Encoded entries by section id; what is not a vector of entries has an attribute of its own."""

    __slots__ = ("customs", "entries", "hints", "start", "uses_data")

    def __init__(self) -> None:
        self.entries: dict[int, list[bytes]] = {id: [] for id in enc.SECTION_ORDER}
        self.start: int | None = None
        self.uses_data = False
        """Whether code names a data segment, so that the number of them must be known before it."""
        self.customs: list[CustomText] = []
        self.hints: list[tuple[int, list[tuple[int, int]]]] = []
        """(function index, [(offset in the body, 0 or 1)])."""

    def add(self, id: int, entry: bytes) -> None:
        self.entries[id].append(entry)

    def add_import(self, module: str, name: str, kind: int, type: bytes) -> None:
        self.add(enc.IMPORT, enc.name(module) + enc.name(name) + bytes((kind,)) + type)

    def add_export(self, name: str, kind: int, index: int) -> None:
        self.add(enc.EXPORT, enc.name(name) + bytes((kind,)) + enc.unsigned(index))

    def encode(self, names: NameSection) -> bytes:
        """The module. A name section is made of `names`, unless the text brings one along."""
        parts = [enc.MAGIC_AND_VERSION, *self._customs(FIRST, before=True)]
        for id in enc.SECTION_ORDER:
            parts += self._customs(id, before=True)
            if id == enc.CODE and self.hints:
                parts.append(enc.custom_section(BRANCH_HINT, self._hints()))
            content = self._content(id)
            if content is not None:
                parts.append(enc.section(id, content))
            parts += self._customs(id, before=False)
        name_section = encode_names(names)
        if name_section and all(custom.name != NAME_SECTION for custom in self.customs):
            parts.append(enc.custom_section(NAME_SECTION, name_section))
        parts += self._customs(LAST, before=False)
        return b"".join(parts)

    def _content(self, id: int) -> bytes | None:
        if id == enc.START:
            return None if self.start is None else enc.unsigned(self.start)
        if id == enc.DATA_COUNT:
            return enc.unsigned(len(self.entries[enc.DATA])) if self.uses_data else None
        entries = self.entries[id]
        return enc.vector(entries) if entries else None

    def _customs(self, place: int, *, before: bool) -> list[bytes]:
        return [
            enc.custom_section(custom.name, custom.data) for custom in self.customs if custom.place == place and custom.before == before
        ]

    def _hints(self) -> bytes:
        return enc.vector(
            [
                enc.unsigned(function)
                + enc.vector([enc.unsigned(offset) + enc.unsigned(_HINT_SIZE) + bytes((hint,)) for offset, hint in hints])
                for function, hints in self.hints
            ]
        )
