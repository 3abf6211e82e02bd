"""Command lines: what a subcommand takes as a table of rows, and the words of a command line sorted by it.

Options and positional words may stand in any order; `--option=value` and `-oVALUE` are one word; behind `--` every word is positional,
and so are `-` and negative numbers. (`argparse` does all that as well, but its import, with those of `re` and `gettext`, took a tenth of
the time from the start of the process to a guest's first output.)
"""

from __future__ import annotations

from purewasm.cli.failure import misuse
from purewasm.light_typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Convert = Callable[[str], object]

_Target = TypeVar("_Target", bound="Parsed")

ONE: Final = ""
OPTIONAL: Final = "?"
ANY: Final = "*"
SOME: Final = "+"
_HELP: Final = ("-h", "--help")


class ArgumentError(Exception):
    """What a word should have been: the message is put behind the name of its option."""


class Parsed:
    """What a command line says: subclasses declare an attribute for each row."""


class Option(NamedTuple):
    """An option. `metavars` names its values; without any it is a flag."""

    flags: tuple[str, ...]
    metavars: tuple[str, ...]
    help: str
    section: str
    target: str
    default: object
    convert: Convert
    choices: tuple[str, ...]
    repeated: bool

    def value_of(self, words: list[str]) -> object:
        """What the words behind it stand for."""
        for word in words if self.choices else ():
            if word not in self.choices:
                raise ArgumentError(f"expected {_either(self.choices)}, got {word!r}")
        values = tuple([self.convert(word) for word in words])
        return values if len(values) != 1 else values[0]


class Positional(NamedTuple):
    """Positional words: `takes` is one of ONE, OPTIONAL, ANY and SOME. Only the last row may take another number of them than one."""

    target: str
    metavar: str
    help: str
    takes: str
    default: object
    choices: tuple[str, ...]


@final
class Arguments:
    """The rows of one subcommand."""

    def __init__(self, command: str, unknown: Callable[[str, Parsed], str] | None = None) -> None:
        """`unknown` explains an option that there is not."""
        self.command, self._unknown = command, unknown
        self.positionals: list[Positional] = []
        self.options: list[Option] = []
        self._section = ""
        self._by_flag: dict[str, Option] = {}

    # ---- rows

    def positional(
        self, target: str, metavar: str, help: str, *, takes: str = ONE, default: object = None, choices: tuple[str, ...] = ()
    ) -> None:
        """A positional word, or all that are left."""
        self.positionals.append(Positional(target, metavar, help, takes, default, choices))

    def section(self, title: str) -> None:
        """Options from here on are listed under a title of their own."""
        self._section = title

    def flag(self, *flags: str, help: str) -> None:
        """An option without a value: True where it is given."""
        self._add(Option(flags, (), help, self._section, _target(flags), False, str, (), False))

    def option(
        self,
        *flags: str,
        metavar: str | tuple[str, ...] = (),
        help: str,
        target: str | None = None,
        default: object = None,
        convert: Convert = str,
        choices: tuple[str, ...] = (),
        repeated: bool = False,
    ) -> None:
        """An option with one value, or as many as there are `metavar`s; with `repeated` it may be given again, and its value is a list."""
        names = (metavar,) if isinstance(metavar, str) else metavar or (f"{{{','.join(choices)}}}",)
        self._add(Option(flags, names, help, self._section, target or _target(flags), default, convert, choices, repeated))

    def _add(self, option: Option) -> None:
        self.options.append(option)
        self._by_flag.update(dict.fromkeys(option.flags, option))

    # ---- words

    def parse(self, words: Sequence[str], into: _Target) -> _Target | None:
        """Fill in what the words say; None where they ask for help. `Failure` for words that do not fit."""
        for option in self.options:
            setattr(into, option.target, [] if option.repeated else option.default)
        rest: list[str] = []
        unknown: list[str] = []
        left = iter(words)
        for word in left:
            if word == "--":
                rest.extend(left)
            elif not is_option(word):
                rest.append(word)
            elif word in _HELP:
                return None
            elif not self._take(word, left, into):
                unknown.append(word)
        self._distribute(rest, into, report=not unknown)
        if unknown:
            self._fail(f"unknown option {unknown[0]}" if self._unknown is None else self._unknown(unknown[0], into))
        return into

    def _take(self, word: str, left: Iterator[str], into: Parsed) -> bool:
        """Read one option with its values; False if there is no such option."""
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            name, equals, value = word[:2], word[2:], word[2:].removeprefix("=")
        option = self._by_flag.get(name)
        if option is None:
            return False
        values = [value] if equals else []
        if not option.metavars:
            if equals and word.startswith("--"):
                self._fail(f"argument {name}: it takes no value, got {value!r}")
            setattr(into, option.target, True)
            return not equals or self._take(f"-{value}", left, into)  # `-ab` is `-a -b`
        while len(values) < len(option.metavars):
            following = next(left, None)
            if following is None or is_option(following):
                self._fail(f"argument {'/'.join(option.flags)}: expected {_amount(len(option.metavars))}")
            values.append(following)
        self._set(option, values, into)
        return True

    def _set(self, option: Option, words: list[str], into: Parsed) -> None:
        try:
            value = option.value_of(words)
        except ArgumentError as error:
            self._fail(f"argument {'/'.join(option.flags)}: {error}")
        except (ValueError, OverflowError):  # digits that are no number: too many of them, or a `_` where none may be
            self._fail(f"argument {'/'.join(option.flags)}: unexpected value {' '.join(words)!r}")
        if option.repeated:
            found: list[Any] = getattr(into, option.target)
            found.append(value)
        else:
            setattr(into, option.target, value)

    def _distribute(self, words: list[str], into: Parsed, *, report: bool) -> None:
        """Give positional words to their rows; without `report` what is missing or too much is another failure's consequence."""
        for row in self.positionals:
            taken = words[:1] if row.takes in (ONE, OPTIONAL) else words
            words = words[len(taken) :]
            if not taken and row.takes in (ONE, SOME) and report:
                self._fail(f"the following arguments are required: {row.metavar}")
            if row.choices and taken and taken[0] not in row.choices:
                self._fail(f"argument {row.metavar}: expected {_either(row.choices)}, got {taken[0]!r}")
            if row.takes in (ANY, SOME):
                setattr(into, row.target, taken)
            else:
                setattr(into, row.target, taken[0] if taken else row.default)
        if words and report:
            self._fail(f"unexpected {'argument' if len(words) == 1 else 'arguments'}: {' '.join(words)}")

    def _fail(self, message: str) -> NoReturn:
        misuse(f"{message}\nTry 'purewasm {self.command} --help'.")


def is_option(word: str) -> bool:
    """True for words that begin as an option does: neither `-` alone nor a negative number."""
    return word[:1] == "-" and word != "-" and not word[1:].removeprefix(".")[:1].isdecimal()


def _target(flags: tuple[str, ...]) -> str:
    return flags[-1].lstrip("-").replace("-", "_")


def _either(choices: tuple[str, ...]) -> str:
    return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]


def _amount(count: int) -> str:
    return "one argument" if count == 1 else f"{count} arguments"
