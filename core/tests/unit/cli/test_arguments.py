"""Words of a command line, sorted by the rows of a subcommand."""

from __future__ import annotations

import pytest

from purewasm.cli.arguments import ANY, OPTIONAL, SOME, ArgumentError, Arguments, Parsed, is_option
from purewasm.cli.failure import MISUSED, Failure
from purewasm.cli.usage import format_help


class Options(Parsed):
    file: str
    rest: list[str]
    number: int | None
    many: list[str]
    pair: tuple[str, str] | None
    quiet: bool
    verbose: bool
    how: str


def number(word: str) -> int:
    if not word.removeprefix("-").isdecimal():
        raise ArgumentError(f"expected a number, got {word!r}")
    return int(word)


def rows() -> Arguments:
    made = Arguments("try")
    made.positional("file", "FILE", "the file")
    made.positional("rest", "WORD", "what is left", takes=ANY)
    made.option("-n", "--number", metavar="N", convert=number, help="a number")
    made.option("--many", metavar="X", repeated=True, help="may be given again")
    made.option("--pair", metavar=("A", "B"), help="two words")
    made.section("more")
    made.option("--how", choices=("fast", "slow"), default="fast", help="a choice")
    made.flag("-q", "--quiet", help="say nothing")
    made.flag("-v", "--verbose", help="say more")
    return made


def parse(*words: str) -> Options:
    found = rows().parse(words, Options())
    assert found is not None
    return found


def test_defaults() -> None:
    assert vars(parse("f")) == {
        "file": "f", "rest": [], "number": None, "many": [], "pair": None, "how": "fast", "quiet": False, "verbose": False,
    }  # fmt: skip
    assert parse("f").many is not parse("f").many


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--number", "3", "f"), {"number": 3}),
        (("f", "--number=3"), {"number": 3}),
        (("f", "-n3"), {"number": 3}),
        (("f", "-n=3"), {"number": 3}),
        (("f", "-n", "-3"), {"number": -3}),
        (("f", "--number=1", "-n", "2"), {"number": 2}),
        (("f", "a", "-5", "--quiet", "-", "-.5"), {"rest": ["a", "-5", "-", "-.5"], "quiet": True}),
        (("-q", "--", "-f", "--", "-v"), {"file": "-f", "rest": ["--", "-v"], "quiet": True, "verbose": False}),
        (("f", "-qv"), {"quiet": True, "verbose": True}),
        (("f", "-qn7"), {"quiet": True, "number": 7}),
        (("--many", "a", "f", "--many=b=c", "--many="), {"many": ["a", "b=c", ""]}),
        (("--pair", "x", "y", "f"), {"pair": ("x", "y")}),
        (("f", "--how", "slow"), {"how": "slow"}),
        (("f", ""), {"rest": [""]}),
    ],
)
def test_words(words: tuple[str, ...], expected: dict[str, object]) -> None:
    found = vars(parse(*words))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the following arguments are required: FILE"),
        (("f", "--number"), "argument -n/--number: expected one argument"),
        (("f", "--number", "--quiet"), "argument -n/--number: expected one argument"),
        (("f", "--number", "x"), "argument -n/--number: expected a number, got 'x'"),
        (("f", "--pair", "x"), "argument --pair: expected 2 arguments"),
        (("f", "--how=well"), "argument --how: expected one of fast, slow, got 'well'"),
        (("f", "--quiet=yes"), "argument --quiet: it takes no value, got 'yes'"),
        (("f", "--num", "3"), "unknown option --num"),
        (("f", "-x"), "unknown option -x"),
        (("f", "-qx"), "unknown option -qx"),
        (("--loud",), "unknown option --loud"),
    ],
)
def test_words_that_do_not_fit(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(Failure) as caught:
        parse(*words)
    assert (caught.value.message, caught.value.status) == (f"{message}\nTry 'purewasm try --help'.", MISUSED)


def test_an_unknown_option_may_be_explained() -> None:
    made = Arguments("try", lambda word, into: f"{word} of {vars(into)['file']}")
    made.positional("file", "FILE", "the file")
    with pytest.raises(Failure, match=r"^--odd=1 of f\n"):
        made.parse(("--odd=1", "f"), Options())


def test_numbers_of_positional_words() -> None:
    some = Arguments("try")
    some.positional("rest", "WORD", "what is left", takes=SOME)
    found = some.parse(("a", "b"), Options())
    assert found is not None
    assert found.rest == ["a", "b"]
    with pytest.raises(Failure, match="required: WORD"):
        some.parse((), Options())
    one = Arguments("try")
    one.positional("how", "{fast,slow}", "a choice", takes=OPTIONAL, default="fast", choices=("fast", "slow"))
    for words, expected in (((), "fast"), (("slow",), "slow")):
        found = one.parse(words, Options())
        assert found is not None
        assert found.how == expected
    with pytest.raises(Failure, match="expected one of fast, slow, got 'well'"):
        one.parse(("well",), Options())
    with pytest.raises(Failure, match="unexpected arguments: a b"):
        one.parse(("fast", "a", "b"), Options())


def test_help_is_asked_for_before_anything_is_wrong() -> None:
    assert rows().parse(("--help",), Options()) is None
    assert rows().parse(("f", "-h", "--odd"), Options()) is None


def test_what_begins_as_an_option() -> None:
    assert [word for word in ("-", "--", "-a", "--a", "-1", "-.5", "-.a", "a", "", "-é") if is_option(word)] == [
        "--",
        "-a",
        "--a",
        "-.a",
        "-é",
    ]


def test_help_lists_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert (
        format_help(rows(), "Try things.", ("try f",), None)
        == """\
usage: purewasm try [-h] [-n N] [--many X] [--pair A B]
                    [--how {fast,slow}] [-q] [-v] FILE
                    [WORD ...]

Try things.

positional arguments:
  FILE                  the file
  WORD                  what is left

options:
  -h, --help            show this help message and exit
  -n N, --number N      a number
  --many X              may be given again
  --pair A B            two words

more:
  --how {fast,slow}     a choice
  -q, --quiet           say nothing
  -v, --verbose         say more

examples:
  try f"""
    )
