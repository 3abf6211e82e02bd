"""Instructions of the text format, flat and folded, to bytes (spec: text format, instructions).

`(i32.add (local.get 0) (i32.const 1))` and `local.get 0 i32.const 1 i32.add` come out the same. Nesting is kept in a list
of frames, never on Python's stack, so its depth is limited by memory alone.
"""

from __future__ import annotations

from functools import cache

from purewasm.binary.instruction_encoder import OPCODE_BYTES, catch_clause
from purewasm.binary.primitive_encoder import signed, unsigned, value_type, vector
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.text.cursor import Cursor
from purewasm.text.immediates import has_own_opcode, parser_for
from purewasm.text.lexer import BRANCH_HINT, string_bytes
from purewasm.text.names import IndexSpace, ModuleNames
from purewasm.text.types import TypeParser
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purewasm.text.immediates import Parser

_END: Final = OPCODE_BYTES[opcodes.CODE["end"]]
_ELSE: Final = OPCODE_BYTES[opcodes.CODE["else"]]
_IF: Final = OPCODE_BYTES[opcodes.CODE["if"]]
_CATCH_ALL: Final = OPCODE_BYTES[opcodes.CODE["catch_all"]]
_EMPTY_BLOCK: Final = b"\x40"
_CATCH_KINDS: Final = {name: kind for kind, name in enumerate(imm.CATCH_NAMES)}

# What a frame is. Up to _ARM instructions of both forms may stand in it, up to _IF_HEAD folded ones, in the others only their parts.
_ROOT: Final = 0
_FLAT: Final = 1  # block, loop, try_table: until `end`
_FLAT_IF: Final = 2  # until `else` or `end`
_FLAT_ELSE: Final = 3
_FLAT_TRY: Final = 4  # until `catch`, `catch_all`, `delegate` or `end`
_FLAT_CATCH: Final = 5  # until `catch`, `catch_all` or `end`
_FLAT_CATCH_ALL: Final = 6
_BLOCK: Final = 7  # (block …)
_ARM: Final = 8  # (then …), (else …), (do …), (catch …), (catch_all …)
_OPERANDS: Final = 9  # of the instruction in the frame's `code`
_IF_HEAD: Final = 10  # (if …) before (then …)
_THEN_DONE: Final = 11
_ELSE_DONE: Final = 12
_TRY_HEAD: Final = 13  # (try …) before (do …)
_DO_DONE: Final = 14
_CATCH_DONE: Final = 15
_CATCH_ALL_DONE: Final = 16
_DELEGATED: Final = 17


class _Frame(NamedTuple):
    """Something that is open: what it is, code that is still to come, its label until it is in scope, and a branch hint for `code`."""

    kind: int
    code: bytes = b""
    label: str | None = None
    hint: int | None = None


_ROOT_FRAME: Final = _Frame(_ROOT)


@cache
def _plain_instructions(enabled: int, with_br_if: bool) -> Mapping[str, tuple[bytes, Parser | None]]:
    """Opcode and reader of the immediates for each instruction that is enabled and does not open, divide or close a block."""
    table: dict[str, tuple[bytes, Parser | None]] = {}
    for code, row in opcodes.BY_CODE.items():
        name, feature = row[1], row[4]
        if (name in _FLAT_WORDS and name != "br_if") or " " in name or (feature and not feature & enabled):
            continue
        table[name] = (b"" if has_own_opcode(name) else OPCODE_BYTES[code], parser_for(row))
    if not with_br_if:
        del table["br_if"]
    return table


@final
class BodyParser:
    """Reads instruction sequences of one function, or constant expressions, into `output`."""

    __slots__ = (
        "cursor", "enabled", "frames", "hints", "label_names", "labels", "locals", "names", "opened", "output", "plain", "scopes",
        "types", "uses_data",
    )  # fmt: skip

    def __init__(self, cursor: Cursor, names: ModuleNames, types: TypeParser, enabled: int) -> None:
        self.cursor, self.names, self.types, self.enabled = cursor, names, types, enabled
        self.plain = _plain_instructions(enabled, not cursor.has_branch_hints())
        self.frames: list[_Frame] = [_ROOT_FRAME]
        self.uses_data = False
        self.begin(IndexSpace("local", cursor), bytearray())

    def begin(self, locals_: IndexSpace, output: bytearray) -> None:
        """Get ready for another function: its locals, and where its code goes."""
        self.locals, self.output = locals_, output
        self.labels: list[str | None] = []
        self.scopes: dict[str, list[int]] = {}
        self.hints: list[tuple[int, int]] = []
        """(offset in `output`, 0 or 1) of each branch hint."""
        self.opened = 0
        self.label_names: dict[int, str] = {}
        """Identifiers of blocks, by their number in the function."""

    # ---- sequences

    def sequence(self) -> None:
        """Instructions up to a closing parenthesis that belongs to whoever asked."""
        self._run(single=False)

    def folded(self) -> None:
        """One instruction in parentheses."""
        if self.cursor.items[self.cursor.position] != "(":
            raise self.cursor.unexpected("an instruction in parentheses")
        self._run(single=True)

    def constant(self, keyword: str) -> bytes:
        """The bytes of a constant expression: `(keyword …)`, or one instruction in parentheses."""
        self.begin(IndexSpace("local", self.cursor), bytearray())
        if self.cursor.take_open(keyword):
            self.sequence()
            self.cursor.expect(")")
        else:
            self.folded()
        return bytes(self.output + _END)

    def constant_sequence(self) -> bytes:
        """The bytes of the constant expression up to a closing parenthesis."""
        self.begin(IndexSpace("local", self.cursor), bytearray())
        self.sequence()
        return bytes(self.output + _END)

    def _run(self, *, single: bool) -> None:
        cursor, items, plain, output = self.cursor, self.cursor.items, self.plain, self.output
        frames = self.frames
        del frames[1:]
        while True:
            position = cursor.position
            token = items[position]
            if token == "(":
                row = plain.get(items[position + 1])
                if row is None:
                    self._open(items[position + 1])
                elif frames[-1].kind > _IF_HEAD:
                    raise cursor.unexpected(at=position + 1)
                else:
                    code, parse = row
                    cursor.position = position + 2
                    if parse is not None:
                        code += parse(self)
                    if items[cursor.position] != ")":
                        frames.append(_Frame(_OPERANDS, code))
                        continue
                    cursor.position += 1
                    output += code
            elif token == ")":
                if len(frames) == 1:
                    return
                self._close()
            else:
                row = plain.get(token)
                if row is None or frames[-1].kind > _ARM:
                    self._flat(token)
                    continue
                cursor.position = position + 1
                code, parse = row
                output += code
                if parse is not None:
                    output += parse(self)
                continue
            if single and len(frames) == 1:
                return

    def _open(self, word: str) -> None:
        """A parenthesis before something that is no plain instruction."""
        handler = _FOLDED_WORDS.get(word)
        if handler is None:
            self._refuse(1)
            raise self.cursor.unexpected(at=self.cursor.position + 1)
        handler(self)

    def _flat(self, word: str) -> None:
        """A word that is no plain instruction, or stands where none may."""
        handler = _FLAT_WORDS.get(word)
        if handler is None or self.frames[-1].kind > _ARM:
            self._refuse(0)
            raise self.cursor.unexpected()
        handler(self)

    def _refuse(self, ahead: int) -> None:
        """UnsupportedError if the token is an instruction of a feature that is off."""
        at = self.cursor.position + ahead
        code = opcodes.CODE.get(self.cursor.items[at])
        if code is not None and opcodes.BY_CODE[code][4]:
            self.cursor.require(self.enabled, opcodes.BY_CODE[code][4], f"the instruction {opcodes.NAME[code]}", at)

    # ---- labels

    def label(self) -> int:
        """A label, as the number of blocks to leave."""
        cursor = self.cursor
        token = cursor.items[cursor.position]
        if token[:1] != "$":
            return cursor.unsigned(32)
        positions = self.scopes.get(token)
        if not positions:
            raise cursor.unexpected() if token == "$" else cursor.error(f"unknown label {token}")
        cursor.position += 1
        return len(self.labels) - 1 - positions[-1]

    def at_label(self) -> bool:
        first = self.cursor.items[self.cursor.position][:1]
        return first == "$" or first.isdigit()

    def field(self, type_index: int) -> int:
        """A field of a structure type."""
        space = self.names.fields.get(type_index)
        if space is not None:
            return space.resolve()
        if self.cursor.items[self.cursor.position][:1] == "$":
            raise self.cursor.error(f"unknown field: type {type_index} is no structure")
        return self.cursor.unsigned(32)

    def _enter(self, label: str | None) -> None:
        if label is not None:
            self.scopes.setdefault(label, []).append(len(self.labels))
            self.label_names[self.opened] = label[1:]
        self.opened += 1
        self.labels.append(label)

    def _leave(self) -> None:
        label = self.labels.pop()
        if label is not None:
            self.scopes[label].pop()

    def _repeated_label(self) -> None:
        """The label that may be repeated behind `else` and `end`."""
        at = self.cursor.position
        repeated = self.cursor.take_identifier()
        if repeated is not None and repeated != self.labels[-1]:
            raise self.cursor.error(f"mismatching label {repeated}, where the block has {self.labels[-1] or 'none'}", at)

    # ---- block types and hints

    def _block_type(self) -> bytes:
        cursor = self.cursor
        if cursor.items[cursor.position] != "(":
            return _EMPTY_BLOCK
        if not cursor.is_open("type"):
            signature = self.types.signature(None, names_allowed=False)
            if not signature.params and len(signature.results) < 2:
                return value_type(signature.results[0]) if signature.results else _EMPTY_BLOCK
            return signed(self.types.index_of(signature))
        return signed(self.types.type_use(names_allowed=False).type_index)

    def _catches(self) -> bytes:
        """The catch clauses of a try_table."""
        cursor, clauses = self.cursor, []
        while cursor.items[cursor.position] == "(":
            kind = _CATCH_KINDS.get(cursor.items[cursor.position + 1])
            if kind is None:
                break
            cursor.position += 2
            tag = self.names.tags.resolve() if kind < imm.CATCH_ALL else -1
            clauses.append(catch_clause(kind, tag, self.label()))
            cursor.expect(")")
        return vector(clauses)

    def _take_hint(self) -> int | None:
        """The branch hint in front of the next token."""
        found = self.cursor.take_annotations(BRANCH_HINT)
        if not found:
            return None
        if len(found) > 1:
            raise self.cursor.annotation_error(found[1], "@metadata.code.branch_hint annotation: duplicate annotation")
        tokens = found[0].tokens
        content = string_bytes(tokens[0]) if len(tokens) == 1 and tokens[0][:1] == '"' else b""
        if content not in (b"\0", b"\1"):
            raise self.cursor.annotation_error(found[0], '@metadata.code.branch_hint annotation: "\\00" or "\\01" expected')
        return content[0]

    def _emit_hinted(self, code: bytes, hint: int | None) -> None:
        if hint is not None:
            self.hints.append((len(self.output), hint))
        self.output += code

    # ---- flat words

    def _head(self, skip: int) -> tuple[bytes, str | None]:
        """Opcode, block type and clauses of a block whose word is `skip` tokens ahead, and its label."""
        cursor = self.cursor
        self._refuse(skip)
        word = cursor.items[cursor.position + skip]
        cursor.position += skip + 1
        label = cursor.take_identifier()
        code = opcodes.CODE[word]
        head = OPCODE_BYTES[code] + self._block_type()
        if opcodes.BY_CODE[code][2] == imm.TRY_TABLE:
            head += self._catches()
        return head, label

    def _flat_block(self) -> None:
        self._open_flat(_FLAT)

    def _flat_if(self) -> None:
        self._open_flat(_FLAT_IF)

    def _flat_try(self) -> None:
        self._open_flat(_FLAT_TRY)

    def _open_flat(self, kind: int) -> None:
        hint = self._take_hint() if kind == _FLAT_IF else None
        head, label = self._head(0)
        self._emit_hinted(head, hint)
        self._enter(label)
        self.frames.append(_Frame(kind))

    def _flat_br_if(self) -> None:
        hint = self._take_hint()
        self.cursor.position += 1
        code, parse = _plain_instructions(self.enabled, True)["br_if"]
        self._emit_hinted(code + (parse(self) if parse else b""), hint)

    def _flat_else(self) -> None:
        self._divide((_FLAT_IF,), _FLAT_ELSE, _ELSE)
        self._repeated_label()

    def _flat_catch_all(self) -> None:
        self._divide((_FLAT_TRY, _FLAT_CATCH), _FLAT_CATCH_ALL, _CATCH_ALL)

    def _divide(self, before: tuple[int, ...], after: int, code: bytes) -> None:
        if self.frames[-1].kind not in before:
            raise self.cursor.unexpected()
        self.cursor.position += 1
        self.output += code
        self.frames[-1] = _Frame(after)

    def _flat_catch(self) -> None:
        if self.frames[-1].kind not in (_FLAT_TRY, _FLAT_CATCH):
            raise self.cursor.unexpected()
        self.frames[-1] = _Frame(_FLAT_CATCH)
        self._catch_head(0)

    def _flat_delegate(self) -> None:
        if self.frames[-1].kind != _FLAT_TRY:
            raise self.cursor.unexpected()
        self.frames.pop()
        self._delegate_head(0)

    def _catch_head(self, skip: int) -> None:
        """`catch tag` of a legacy try."""
        self.cursor.position += skip + 1
        self.output += OPCODE_BYTES[opcodes.CODE["catch"]] + unsigned(self.names.tags.resolve())

    def _delegate_head(self, skip: int) -> None:
        """`delegate label`, which ends its try: the label is one outside of it."""
        self.cursor.position += skip + 1
        self._leave()
        self.output += OPCODE_BYTES[opcodes.CODE["delegate"]] + unsigned(self.label())

    def _flat_end(self) -> None:
        if not _FLAT <= self.frames[-1].kind <= _FLAT_CATCH_ALL:
            raise self.cursor.unexpected()
        self.cursor.position += 1
        self._repeated_label()
        self._end()

    def _end(self) -> None:
        self.output += _END
        self._leave()
        self.frames.pop()

    # ---- folded words

    def _folded_block(self) -> None:
        self._operand_allowed()
        head, label = self._head(1)
        self.output += head
        self._enter(label)
        self.frames.append(_Frame(_BLOCK))

    def _folded_if(self) -> None:
        self._operand_allowed()
        hint = self._take_hint()
        head, label = self._head(1)
        self.frames.append(_Frame(_IF_HEAD, head, label, hint))

    def _folded_br_if(self) -> None:
        self._operand_allowed()
        hint = self._take_hint()
        self.cursor.position += 2
        code, parse = _plain_instructions(self.enabled, True)["br_if"]
        self.frames.append(_Frame(_OPERANDS, code + (parse(self) if parse else b""), hint=hint))

    def _folded_try(self) -> None:
        self._operand_allowed()
        head, label = self._head(1)
        self.output += head
        self._enter(label)
        self.frames.append(_Frame(_TRY_HEAD))

    def _operand_allowed(self) -> None:
        if self.frames[-1].kind > _IF_HEAD:
            raise self.cursor.unexpected(at=self.cursor.position + 1)

    def _arm(self, before: tuple[int, ...], after: int) -> None:
        """Step into a part in parentheses; the frame that it belongs to goes from `before` to `after`."""
        if self.frames[-1].kind not in before:
            raise self.cursor.unexpected(at=self.cursor.position + 1)
        self.frames[-1] = _Frame(after)
        self.frames.append(_Frame(_ARM))

    def _folded_then(self) -> None:
        head = self.frames[-1]
        self._arm((_IF_HEAD,), _THEN_DONE)
        self.cursor.position += 2
        self._emit_hinted(head.code, head.hint)
        self._enter(head.label)

    def _folded_else(self) -> None:
        self._arm((_THEN_DONE,), _ELSE_DONE)
        self.cursor.position += 2
        self.output += _ELSE

    def _folded_do(self) -> None:
        self._arm((_TRY_HEAD,), _DO_DONE)
        self.cursor.position += 2

    def _folded_catch(self) -> None:
        self._arm((_DO_DONE, _CATCH_DONE), _CATCH_DONE)
        self._catch_head(1)

    def _folded_catch_all(self) -> None:
        self._arm((_DO_DONE, _CATCH_DONE), _CATCH_ALL_DONE)
        self.cursor.position += 2
        self.output += _CATCH_ALL

    def _folded_delegate(self) -> None:
        if self.frames[-1].kind != _DO_DONE:
            raise self.cursor.unexpected(at=self.cursor.position + 1)
        self.frames[-1] = _Frame(_DELEGATED)
        self._delegate_head(1)
        self.cursor.expect(")")

    def _close(self) -> None:
        """A closing parenthesis."""
        frame = self.frames[-1]
        if frame.kind == _OPERANDS:
            self._emit_hinted(frame.code, frame.hint)
            self.frames.pop()
        elif frame.kind in (_ARM, _DELEGATED):
            self.frames.pop()
        elif frame.kind in (_BLOCK, _THEN_DONE, _ELSE_DONE, _DO_DONE, _CATCH_DONE, _CATCH_ALL_DONE):
            self._end()
        else:
            raise self.cursor.unexpected("(then" if frame.kind == _IF_HEAD else "(do" if frame.kind == _TRY_HEAD else "end")
        self.cursor.position += 1


_FLAT_WORDS: Final[dict[str, Callable[[BodyParser], None]]] = {
    "block": BodyParser._flat_block,
    "loop": BodyParser._flat_block,
    "try_table": BodyParser._flat_block,
    "if": BodyParser._flat_if,
    "else": BodyParser._flat_else,
    "try": BodyParser._flat_try,
    "catch": BodyParser._flat_catch,
    "catch_all": BodyParser._flat_catch_all,
    "delegate": BodyParser._flat_delegate,
    "end": BodyParser._flat_end,
    "br_if": BodyParser._flat_br_if,  # comes here only where there are branch hints
}
_FOLDED_WORDS: Final[dict[str, Callable[[BodyParser], None]]] = {
    "block": BodyParser._folded_block,
    "loop": BodyParser._folded_block,
    "try_table": BodyParser._folded_block,
    "if": BodyParser._folded_if,
    "then": BodyParser._folded_then,
    "else": BodyParser._folded_else,
    "try": BodyParser._folded_try,
    "do": BodyParser._folded_do,
    "catch": BodyParser._folded_catch,
    "catch_all": BodyParser._folded_catch_all,
    "delegate": BodyParser._folded_delegate,
    "br_if": BodyParser._folded_br_if,
}
