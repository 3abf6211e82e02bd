"""Options of runtimes on the command lines of test programs."""

from __future__ import annotations

import argparse

import pytest

from core.tests.runtime_options import add_runtime_options, runtime_options


def _given(*words: str, **more: object) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_runtime_options(parser)
    return runtime_options(parser, parser.parse_args(words), more)


def test_values_are_of_their_kind() -> None:
    given = _given("--option", "eager=True", "--option=max_stack_bytes=8192", "--option=timeout=0.5", "--option=engine=interpreter")
    assert given == {"eager": True, "max_stack_bytes": 8192, "timeout": 0.5, "engine": "interpreter"}


def test_what_is_given_wins() -> None:
    assert _given("--option", "fuel=True", fuel=False, explicit_checks=True) == {"fuel": True, "explicit_checks": True}


@pytest.mark.parametrize(
    ("word", "said"),
    [("eager", "'eager' is not NAME=VALUE"), ("speed=1", "unknown option speed"), ("max_stack_bytes=1", "max_stack_bytes is at least")],
)
def test_what_no_runtime_takes(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _given("--option", word)
    assert said in capsys.readouterr().err
