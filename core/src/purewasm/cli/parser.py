"""Parsers of the subcommands: they look alike, and a wrong command line is one line that says what is wrong."""

from __future__ import annotations

from purewasm.cli.arguments import Arguments, Parsed
from purewasm.cli.failure import misuse
from purewasm.light_typing import TYPE_CHECKING, TypeVar, final
from purewasm.wasm.features import NAMES, Features

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Target = TypeVar("_Target", bound=Parsed)
_VERSIONS = {"wasm1": Features.WASM1, "wasm2": Features.WASM2, "wasm3": Features.WASM3, "all": Features.all()}


@final
class CommandParser:
    """The rows of a subcommand, and the texts of its help."""

    def __init__(
        self,
        command: str,
        summary: str,
        examples: Sequence[str] = (),
        usage: str | None = None,
        unknown: Callable[[str, Parsed], str] | None = None,
    ) -> None:
        self.rows = Arguments(command, unknown)
        self._summary, self._examples, self._usage = summary, examples, usage

    def parse(self, words: Sequence[str], into: _Target) -> _Target:
        """Fill in what the words say. `Failure` for words that do not fit; where they ask for help it is printed, and the command ends."""
        found = self.rows.parse(words, into)
        if found is None:
            from purewasm.cli.usage import format_help

            print(format_help(self.rows, self._summary, self._examples, self._usage))
            raise SystemExit(0)
        return found


def add_features(rows: Arguments, default: str = "wasm3") -> None:
    """`--features` and `--disable`, for `FeatureOptions`."""

    def with_version(text: str) -> str:
        return text if any(word in _VERSIONS for word in _words(text)) else f"{default},{text}"

    rows.option(
        "--features",
        metavar="LIST",
        default=default,
        convert=with_version,
        help=f"proposals to accept, with commas between: a version (wasm1, wasm2, wasm3, all; {default} where none is given) and names",
    )
    rows.option("--disable", metavar="LIST", default="", help=f"proposals to refuse: {', '.join(NAMES)}")


class FeatureOptions(Parsed):
    """What `add_features` adds to what a command line says."""

    features: str
    disable: str

    @property
    def chosen_features(self) -> Features:
        """The proposals that the command accepts."""
        features = Features.from_bits(0)
        try:
            for word in _words(self.features):
                features = features.with_(*_VERSIONS.get(word, (word,)))
            return features.without(*_words(self.disable))
        except ValueError as error:
            misuse(str(error))


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]
