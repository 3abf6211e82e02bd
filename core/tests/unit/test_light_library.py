"""Names of the standard library that are had without its modules: the same things, on every Python."""

from __future__ import annotations

import bisect
import collections
import copy
import functools
import operator
import pickle
import subprocess
import sys
import weakref
from collections.abc import Sequence

import pytest

from purewasm import light_library

MODULES = (bisect, collections, functools, operator, weakref)


@pytest.mark.parametrize("name", [name for name in light_library.__all__ if name not in ("cache", "lru_cache", "Sequence")])
def test_names_are_those_of_the_standard_library(name: str) -> None:
    (original,) = [vars(module)[name] for module in MODULES if name in vars(module)]
    assert getattr(light_library, name) is original


def test_sequences_are_sequences() -> None:
    assert light_library.Sequence is Sequence


def test_results_are_kept() -> None:
    calls: list[int] = []

    @light_library.cache
    def square(x: int) -> int:
        """Of a number."""
        calls.append(x)
        return x * x

    assert [square(3), square(4), square(3)] == [9, 16, 9]
    assert calls == [3, 4]
    assert (square.__name__, square.__doc__, square.__wrapped__(2)) == ("square", "Of a number.", 4)
    square.cache_clear()
    square(3)
    assert calls == [3, 4, 2, 3]


@light_library.cache
def half(x: int) -> int:
    return x // 2


def test_functions_that_keep_results_are_found_by_name() -> None:
    assert (half.__module__, half.__qualname__) == (__name__, "half")
    assert pickle.loads(pickle.dumps(half)) is half
    assert copy.deepcopy(half) is half


def test_no_more_results_are_kept_than_asked_for() -> None:
    calls: list[int] = []

    @light_library.lru_cache(maxsize=2)
    def same(x: int) -> int:
        calls.append(x)
        return x

    for x in (1, 2, 1, 3, 1, 2):
        same(x)
    assert calls == [1, 2, 3, 2]


def test_a_python_without_the_c_uses_the_modules() -> None:
    source = """
import sys
sys.modules["_functools"] = None
from purewasm import light_library as library
assert [getattr(library, name) for name in library.__all__]
print(library.lru_cache.__module__, library.cache(lambda x: x + 1)(2), library.length_hint(iter([1, 2])))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["functools", "3", "2"]
