"""The named tuples that are made without `typing` are those that `typing` makes, and nothing that a start loads uses `typing`."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing

import pytest

from core.tests.repo.source_tree import CORE, tree_imports
from purewasm.light_typing import NamedTuple


class Light(NamedTuple):
    """A class of ours."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = ()

    def total(self) -> int:
        return self.first + len(self.second)


class Heavy(typing.NamedTuple):
    """The same class of `typing`."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = ()

    def total(self) -> int:
        return self.first + len(self.second)


class Nothing(NamedTuple):
    pass


def test_an_object_is_a_tuple_with_names() -> None:
    made = Light(1, third=(3,))
    assert isinstance(made, tuple)
    assert type(Light) is type
    assert tuple(made) == (1, "two", (3,))
    assert (made.first, made.second, made.third, made.total()) == (1, "two", (3,), 4)
    assert repr(made) == repr(Heavy(1, third=(3,))).replace("Heavy", "Light")
    assert made._replace(first=5) == Light(5, "two", (3,))
    assert made._asdict() == Heavy(1, third=(3,))._asdict()
    assert Light._make([1, "2", ()]) == Light(1, "2", ())
    assert hash(made) == hash((1, "two", (3,)))
    assert Nothing() == ()
    assert repr(Nothing()) == "Nothing()"


def test_the_class_is_described_as_one_of_typing() -> None:
    for name in ("_fields", "_field_defaults", "__match_args__", "__slots__"):
        assert getattr(Light, name) == getattr(Heavy, name)
    assert list(inspect.signature(Light).parameters) == list(inspect.signature(Heavy).parameters)
    assert inspect.signature(Light).parameters["second"].default == "two"
    assert (Light.__name__, Light.__module__, Light.__doc__) == ("Light", __name__, "A class of ours.")
    match Light(1):
        case Light(first, second):
            assert (first, second) == (1, "two")


def test_it_travels() -> None:
    made = Light(1, "x")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(made, protocol))
        assert again == made
        assert type(again) is Light
    assert type(copy.copy(made)) is Light
    assert copy.deepcopy(made) == made


def test_wrong_use_says_what_is_wrong() -> None:
    with pytest.raises(TypeError, match=r"Light\.__new__\(\) missing 1 required positional argument: 'first'"):
        Light()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'fourth'"):
        Light(1, fourth=4)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="fourth"):
        Light(1)._replace(fourth=4)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Expected 3 arguments, got 1"):
        Light._make([1])
    with pytest.raises(AttributeError):
        Light(1).first = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Light(1).other = 2  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="without a default"):
        exec("class Wrong(NamedTuple):\n    a: int = 1\n    b: int\n", {"NamedTuple": NamedTuple})
    fields = "".join(f"    f{number}: int\n" for number in range(40))
    with pytest.raises(TypeError, match="Wide has 40 fields"):
        exec(f"class Wide(NamedTuple):\n{fields}", {"NamedTuple": NamedTuple})


@pytest.mark.parametrize("count", range(17))
def test_every_constructor_puts_each_field_in_its_place(count: int) -> None:
    names: dict[str, typing.Any] = {"NamedTuple": NamedTuple}
    exec("class Made(NamedTuple):\n    pass\n" + "".join(f"    f{number}: int\n" for number in range(count)), names)
    made = names["Made"](*range(count))
    assert [getattr(made, f"f{number}") for number in range(count)] == list(range(count))
    assert names["Made"](**{f"f{number}": number for number in reversed(range(count))}) == made


def test_only_what_looks_at_annotations_imports_typing() -> None:
    """`hostmod` and `testing` do; the names of annotated host functions are made when one is asked for."""
    found = {module for module, imported in tree_imports(CORE) if imported.name.partition(".")[0] == "typing"}
    others = {module for module in found if not module.startswith(("purewasm.hostmod", "purewasm.testing"))}
    assert others == {"purewasm.light_typing", "purewasm.runtime.hostmodule"}
