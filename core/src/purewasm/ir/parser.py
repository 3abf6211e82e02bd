"""The text of `printer` back into IR: for tests that begin in the middle of the compiler. Lines must be complete and in order."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.ir.function import Function
from purewasm.light_typing import Any, Final

_NUMBERS: Final = {name: number for number, name in enumerate(ops.NAMES) if name}


def parse_function(text: str) -> Function:
    """Raises ValueError, which says the line, where the text is not what `format_function` writes."""
    header, *lines = [line.strip() for line in text.strip().splitlines()]
    words = header.split(" ", 3)
    if words[0] != "function" or words[2] != "results":
        raise ValueError(f"expected 'function INDEX results (…) labels N': {header}")
    results, _, labels = words[3].rpartition(" labels ")
    function = Function(int(words[1]), [], [])
    function.results, function.labels = _Immediate(results).read(), int(labels)
    # Arguments of an edge to a loop's parameters are one list in the branch and in the loop: edges are shared by label again below.
    for line in lines:
        if line.startswith("c"):
            name, _, constant = line.partition(" = ")
            if name != f"c{len(function.constants)}":
                raise ValueError(f"constants are out of order: {line}")
            function.constants.append(_Immediate(constant).read())
            continue
        value, _, rest = line.partition(": ")
        parts = rest.split(" ", 3)
        if len(parts) != 4 or value != str(len(function.insts)):
            raise ValueError(f"expected '{len(function.insts)}: operation a b immediate': {line}")
        if parts[0] not in _NUMBERS:
            raise ValueError(f"unknown operation: {line}")
        function.insts.append((_NUMBERS[parts[0]], _operand(parts[1]), _operand(parts[2]), _Immediate(parts[3]).read()))
    heads: list[int] = []
    for position, inst in enumerate(function.insts):
        if inst[0] == ops.LOOP:
            heads.append(position)
        elif inst[0] == ops.ENDLOOP and heads:
            function.loops.append((heads.pop(), position))
    function.pads = {inst[3]: value for value, inst in enumerate(function.insts) if inst[0] == ops.LANDING}
    function.places = dict.fromkeys(range(len(function.insts)), 0)
    return function


def _operand(text: str) -> int:
    if text == "_":
        return ops.NO
    if text == "mem":
        return ops.MEM
    return ~int(text[1:]) if text.startswith("c") else int(text)


class _Immediate:
    """A recursive descent over the text of an immediate."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def read(self) -> Any:
        value = self._value()
        if self._at != len(self._text):
            raise ValueError(f"something follows the immediate: {self._text}")
        return value

    def _value(self) -> Any:
        opening = self._text[self._at]
        if opening in "([":
            items = self._items(")" if opening == "(" else "]")
            return tuple(items) if opening == "(" else items
        end = self._at
        while end < len(self._text) and self._text[end] not in ",)]":
            end += 1
        word, self._at = self._text[self._at : end], end
        return bytes.fromhex(word[1:]) if word.startswith("x") else int(word)

    def _items(self, closing: str) -> list[Any]:
        self._at += 1
        items = []
        while self._text[self._at] != closing:
            items.append(self._value())
            if self._text.startswith(", ", self._at):
                self._at += 2
        self._at += 1
        return items
