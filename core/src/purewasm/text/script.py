"""Scripts of the official testsuite, `.wast` files, as lists of commands (spec: the testsuite's script language).

A command knows the line that it begins on. Modules are kept as they are written and assembled by whoever runs the script, since many
are there to be refused.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.text.cursor import Cursor
from purewasm.text.immediates import LANES, parse_lane, vector_constant
from purewasm.text.lexer import END, Tokens, tokenize
from purewasm.text.numbers import F32, F64, FloatFormat

if TYPE_CHECKING:
    from collections.abc import Callable

# ---- values and what is expected


class Value(NamedTuple):
    """A value: `i32`, `i64`, `f32`, `f64` with their bits, `v128` with its bytes, or a reference.

    A reference's type is the word in the script (`ref.null`, `ref.extern`, `ref.host`, `ref.func`, `ref.i31`, …); its content is
    the number of an external reference, or None where any reference of this type will do.
    """

    type: str
    content: int | bytes | None


class NanPattern(NamedTuple):
    """Any canonical NaN (all bits of the payload zero but the first), or any arithmetic one (the first bit is set)."""

    type: str
    canonical: bool


class LanesPattern(NamedTuple):
    """A v128 with lanes that are given one by one, some of them as NaN patterns."""

    shape: str
    lanes: tuple[Value | NanPattern, ...]


class Either(NamedTuple):
    """Any of these."""

    choices: tuple[Expected, ...]


Expected = Value | NanPattern | LanesPattern | Either

# ---- commands


class ModuleSource(NamedTuple):
    """A module in a script: its text, its bytes (`is_binary`), or a quoted text (bytes, since it need not be UTF-8)."""

    content: str | bytes
    is_binary: bool
    name: str | None


class ModuleCommand(NamedTuple):
    """Compile a module, and instantiate it unless it is only a definition."""

    line: int
    source: ModuleSource
    is_definition: bool


class InstanceCommand(NamedTuple):
    """Instantiate a definition: the named or the last one."""

    line: int
    name: str | None
    definition: str | None


class Register(NamedTuple):
    """Make an instance, the named or the last one, importable."""

    line: int
    name: str
    instance: str | None


class Invoke(NamedTuple):
    """Call an exported function."""

    line: int
    instance: str | None
    field: str
    arguments: tuple[Value, ...]


class Get(NamedTuple):
    """Read an exported global."""

    line: int
    instance: str | None
    field: str


Action = Invoke | Get


class AssertReturn(NamedTuple):
    line: int
    action: Action
    expected: tuple[Expected, ...]


class AssertAction(NamedTuple):
    """An action that must fail: `kind` is `trap`, `exhaustion` or `exception` (which has no message)."""

    line: int
    kind: str
    action: Action
    message: str


class AssertModule(NamedTuple):
    """A module that must be refused: `kind` is `malformed`, `invalid`, `malformed_custom`, `invalid_custom`, `unlinkable` or `trap`."""

    line: int
    kind: str
    source: ModuleSource
    message: str


class Thread(NamedTuple):
    """Run commands in a thread of their own, which sees the shared modules alone (threads proposal)."""

    line: int
    name: str | None
    shared: tuple[str, ...]
    commands: tuple[Command, ...]


class Wait(NamedTuple):
    """Wait until a thread is through."""

    line: int
    thread: str | None


Command = ModuleCommand | InstanceCommand | Register | Invoke | Get | AssertReturn | AssertAction | AssertModule | Thread | Wait

# ---- reading


def parse_script(text: str | bytes) -> list[Command]:
    """The commands of a script. A text that is no script is taken for a module without its parentheses.

    Raises MalformedError with line and column where it is neither.
    """
    tokens = tokenize(text)
    cursor = Cursor(tokens)
    if cursor.items[0] == "(" and cursor.items[1] not in _COMMANDS:
        return [ModuleCommand(1, ModuleSource(tokens.text, False, None), False)]
    return _Script(tokens, cursor).commands(END)


@final
class _Script:
    """A script being read."""

    __slots__ = ("_counted", "_line", "cursor", "tokens")

    def __init__(self, tokens: Tokens, cursor: Cursor) -> None:
        self.tokens, self.cursor = tokens, cursor
        self._counted, self._line = 0, 1

    def commands(self, closing: str) -> list[Command]:
        """Commands up to `closing`, which is not stepped over."""
        found: list[Command] = []
        cursor = self.cursor
        while cursor.items[cursor.position] != closing:
            cursor.expect("(")
            read = _COMMANDS.get(cursor.items[cursor.position])
            if read is None:
                raise cursor.unexpected("a command")
            found.append(read(self))
            cursor.expect(")")
        return found

    def begin(self) -> int:
        """Step over the word of a command. Returns the line that it is on."""
        start = self.tokens.starts[self.cursor.position]
        self._line += self.tokens.text.count("\n", self._counted, start)
        self._counted = start
        self.cursor.position += 1
        return self._line

    # ---- modules

    def module(self) -> Command:
        cursor = self.cursor
        if cursor.items[cursor.position + 1] == "instance":
            line = self.begin()
            cursor.position += 1
            return InstanceCommand(line, cursor.take_identifier(), cursor.take_identifier())
        is_definition = cursor.items[cursor.position + 1] == "definition"
        line, source = self.module_source()
        return ModuleCommand(line, source, is_definition)

    def module_source(self) -> tuple[int, ModuleSource]:
        """A module whose parenthesis has been stepped over; the closing one is left."""
        cursor, starts = self.cursor, self.tokens.starts
        opening = starts[cursor.position - 1]
        line = self.begin()
        head = ""
        if cursor.take("definition"):
            opening, head = starts[cursor.position], "(module "
        name = cursor.take_identifier()
        if cursor.take("binary"):
            return line, ModuleSource(cursor.strings(), True, name)
        if cursor.take("quote"):
            return line, ModuleSource(self._quoted(), False, name)
        while not cursor.at_close():
            if cursor.items[cursor.position] != "(":
                raise cursor.unexpected("a field of a module")
            cursor.skip_group()
        return line, ModuleSource(head + self.tokens.text[opening : starts[cursor.position] + 1], False, name)

    def _quoted(self) -> bytes:
        """Quoted text; its strings are apart as if there were a space between them."""
        pieces = []
        while not self.cursor.at_close():
            pieces.append(self.cursor.string())
        return b" ".join(pieces)

    def register(self) -> Command:
        return Register(self.begin(), self.cursor.name(), self.cursor.take_identifier())

    # ---- actions

    def invoke(self) -> Command:
        line = self.begin()
        instance, field = self.cursor.take_identifier(), self.cursor.name()
        arguments = []
        while not self.cursor.at_close():
            arguments.append(self._argument())
        return Invoke(line, instance, field, tuple(arguments))

    def get(self) -> Command:
        return Get(self.begin(), self.cursor.take_identifier(), self.cursor.name())

    def _action(self) -> Action:
        """An action in parentheses."""
        self.cursor.expect("(")
        word = self.cursor.items[self.cursor.position]
        action = self.invoke() if word == "invoke" else self.get() if word == "get" else None
        if not isinstance(action, Invoke | Get):
            raise self.cursor.unexpected("invoke or get")
        self.cursor.expect(")")
        return action

    # ---- assertions

    def assert_return(self) -> Command:
        line = self.begin()
        action = self._action()
        expected = []
        while not self.cursor.at_close():
            expected.append(self._expected())
        return AssertReturn(line, action, tuple(expected))

    def assert_failure(self) -> Command:
        """Something in parentheses, an action or a module, and a message that is missing for exceptions."""
        kind = self.cursor.items[self.cursor.position].removeprefix("assert_")
        line = self.begin()
        if self.cursor.is_open("module"):
            self.cursor.position += 1
            _, source = self.module_source()
            self.cursor.expect(")")
            return AssertModule(line, kind, source, self.cursor.name())
        action = self._action()
        return AssertAction(line, kind, action, "" if self.cursor.at_close() else self.cursor.name())

    # ---- threads

    def thread(self) -> Command:
        line = self.begin()
        name = self.cursor.take_identifier()
        shared = []
        while self.cursor.take_open("shared"):
            self.cursor.expect_open("module")
            instance = self.cursor.take_identifier()
            if instance is None:
                raise self.cursor.unexpected("a module's identifier")
            shared.append(instance)
            self.cursor.expect(")")
            self.cursor.expect(")")
        return Thread(line, name, tuple(shared), tuple(self.commands(")")))

    def wait(self) -> Command:
        return Wait(self.begin(), self.cursor.take_identifier())

    # ---- values

    def _argument(self) -> Value:
        value = self._expected()
        if not isinstance(value, Value):
            raise self.cursor.unexpected("a value", self.cursor.position - 1)
        return value

    def _expected(self) -> Expected:
        """A value or a pattern, in parentheses."""
        cursor = self.cursor
        cursor.expect("(")
        word = cursor.items[cursor.position]
        cursor.position += 1
        value: Expected
        if word == "either":
            choices = []
            while not cursor.at_close():
                choices.append(self._expected())
            value = Either(tuple(choices))
        elif word.startswith("ref."):
            value = self._reference(word)
        elif word == "v128.const":
            value = self._vector()
        elif word in _SCALARS:
            value = self._scalar(word.removesuffix(".const"), *_SCALARS[word])
        else:
            raise cursor.unexpected("a value", cursor.position - 1)
        cursor.expect(")")
        return value

    def _reference(self, word: str) -> Value:
        cursor = self.cursor
        if cursor.at_close():
            return Value(word, None)
        if word == "ref.null":  # every null is the same
            cursor.position += 1
            return Value(word, None)
        return Value(word, cursor.unsigned(32))

    def _scalar(self, type: str, bits: int, form: FloatFormat | None) -> Value | NanPattern:
        cursor = self.cursor
        token = cursor.items[cursor.position]
        if form is not None and token in _NAN_PATTERNS:
            cursor.position += 1
            return NanPattern(type, token == "nan:canonical")
        return Value(type, parse_lane(cursor, bits, form))

    def _vector(self) -> Value | LanesPattern:
        cursor = self.cursor
        start = cursor.position
        shape = cursor.items[start]
        bits, form = LANES.get(shape, (128, None))
        if form is None or not any(token in _NAN_PATTERNS for token in cursor.items[start + 1 : start + 1 + 128 // bits]):
            return Value("v128", vector_constant(cursor))
        cursor.position += 1
        return LanesPattern(shape, tuple([self._scalar(form.name, bits, form) for _ in range(128 // bits)]))


_NAN_PATTERNS: Final = ("nan:canonical", "nan:arithmetic")
_SCALARS: Final[dict[str, tuple[int, FloatFormat | None]]] = {
    "i32.const": (32, None), "i64.const": (64, None), "f32.const": (32, F32), "f64.const": (64, F64),
}  # fmt: skip
_COMMANDS: Final[dict[str, Callable[[_Script], Command]]] = {
    "module": _Script.module,
    "register": _Script.register,
    "invoke": _Script.invoke,
    "get": _Script.get,
    "assert_return": _Script.assert_return,
    "assert_trap": _Script.assert_failure,
    "assert_exhaustion": _Script.assert_failure,
    "assert_exception": _Script.assert_failure,
    "assert_malformed": _Script.assert_failure,
    "assert_malformed_custom": _Script.assert_failure,
    "assert_invalid": _Script.assert_failure,
    "assert_invalid_custom": _Script.assert_failure,
    "assert_unlinkable": _Script.assert_failure,
    "thread": _Script.thread,
    "wait": _Script.wait,
}
