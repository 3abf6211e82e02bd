"""Guests in Python: the same functions in CPython and compiled, on both engines."""

from __future__ import annotations

import importlib.util
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purewasm import Instance, Runtime, Trap
from purewasm_guest.python import fixed_width
from purewasm_guest.python.compiler import compile_guest

SOURCE: Final = Path(__file__).parent / "guests_in_python" / "same_in_cpython.py"
FORMATS: Final = {"list[int]": "q", "list[f64]": "d", "list[i32]": "i"}


def _integers(bits: int, *, is_signed: bool) -> st.SearchStrategy[int]:
    low = -(1 << (bits - 1)) if is_signed else 0
    return st.one_of(st.integers(-20, 20).filter(lambda n: n >= low), st.integers(low, low + (1 << bits) - 1))


VALUES: Final[dict[str, st.SearchStrategy[object]]] = {
    "i32": _integers(32, is_signed=True),
    "u32": _integers(32, is_signed=False),
    "i64": _integers(64, is_signed=True),
    "u64": _integers(64, is_signed=False),
    "int": st.integers(-(10**6), 10**6),
    "float": st.floats(),
    "f64": st.floats(-1e6, 1e6),
    "f32": st.floats(width=32),
    "str": st.text(max_size=12) | st.text("ab,", max_size=12) | st.integers().map(str),
    "bytes": st.binary(max_size=12),
    "list[int]": st.lists(st.integers(-50, 50), max_size=10),
    "list[f64]": st.lists(st.floats(allow_nan=False), max_size=6),
    "list[i32]": st.lists(st.integers(-50, 50), max_size=6),
}
SMALL: Final = st.integers(-4, 70)
OWN: Final[dict[str, list[st.SearchStrategy[object]]]] = {
    "left_i32": [VALUES["i32"], SMALL],
    "right_i32": [VALUES["i32"], SMALL],
    "left_u64": [VALUES["u64"], st.integers(0, 70)],
    "right_u32": [VALUES["u32"], st.integers(0, 70)],
    "power_i64": [VALUES["i64"], st.integers(-2, 60)],
    "ranges": [st.integers(-2000, 2000), st.integers(-2000, 2000), st.integers(-9, 9)],
    "sieve": [st.integers(0, 300)],
    "item": [VALUES["list[i32]"], st.integers(-8, 8)],
    "slices": [VALUES["str"], SMALL, SMALL],
    "character_at": [VALUES["str"], st.integers(-8, 8)],
    "data": [VALUES["bytes"], SMALL],
    "read": [st.integers(-(2**65), 2**65).map(str) | st.text("0123456789+- x", max_size=6)],
}


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CPYTHON: Final = _load(SOURCE)
NAMES: Final = sorted(
    name for name, found in vars(CPYTHON).items() if callable(found) and getattr(found, "__module__", "") == SOURCE.stem and name != "Point"
)


def _annotation(kind: object) -> str:
    if isinstance(kind, type) and not hasattr(kind, "__args__"):
        return kind.__name__
    return str(kind).replace("purewasm_guest.python.fixed_width.", "")


def _kinds(name: str) -> dict[str, str]:
    return {key: _annotation(kind) for key, kind in vars(CPYTHON)[name].__annotations__.items()}


def call(instance: Instance, name: str, arguments: list[object]) -> object:
    """Call a guest's function as `docs/guests-in-python.md` says."""
    *kinds, result = _kinds(name).values()
    memory = instance.exports.memory
    passed: list[object] = []
    for kind, value in zip(kinds, arguments, strict=True):
        if isinstance(value, str | bytes | list):
            content = value.encode() if isinstance(value, str) else value
            if isinstance(content, list):
                content = struct.pack(f"<{len(content)}{FORMATS[kind]}", *content)
            address = instance.exports.allocate(len(content))
            memory.write(address, content)
            passed += [address, len(value) if isinstance(value, list) else len(content)]
        else:
            passed.append(value)
    found = getattr(instance.exports, name)(*passed)
    if result in ("u32", "u64"):
        return int(getattr(fixed_width, result)(found))
    if result not in ("str", "bytes", *FORMATS):
        return found
    address, size = found
    if result in FORMATS:
        return list(struct.unpack(f"<{size}{FORMATS[result]}", memory.read(address, size * struct.calcsize(FORMATS[result]))))
    content = bytes(memory.read(address, size))
    return content.decode() if result == "str" else content


def expected(name: str, arguments: list[object]) -> object:
    """What CPython gives; None where it raises, or has a number that no guest has."""
    *kinds, result = _kinds(name).values()
    fixed = [getattr(fixed_width, kind, lambda value: value)(value) for kind, value in zip(kinds, arguments, strict=True)]
    try:
        found = vars(CPYTHON)[name](*fixed)
    except (ArithmeticError, ValueError, IndexError):
        return None
    if isinstance(found, int) and result == "int" and not -(2**63) <= found < 2**63:
        return None
    return found


def same(left: object, right: object) -> bool:
    """Equal, where NaN equals itself and zeroes have signs."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or (left == right and math.copysign(1, left) == math.copysign(1, right))
    return left == right


@pytest.fixture(scope="module")
def instances() -> Iterator[list[tuple[Runtime, Instance]]]:
    """The guest on both engines."""
    content = compile_guest(SOURCE)
    runtimes = [Runtime(engine=engine) for engine in ("interpreter", "compiler")]
    yield [(runtime, runtime.instantiate(content)) for runtime in runtimes]
    for runtime in runtimes:
        runtime.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_guest_gives_what_cpython_gives(instances: list[tuple[Runtime, Instance]], name: str) -> None:
    strategies = OWN.get(name) or [VALUES[kind] for kind in list(_kinds(name).values())[:-1]]

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.tuples(*strategies))
    def check(arguments: tuple[object, ...]) -> None:
        wanted = expected(name, list(arguments))
        for _, instance in instances:
            if wanted is None:
                with pytest.raises(Trap):
                    call(instance, name, list(arguments))
            else:
                found = call(instance, name, list(arguments))
                assert same(wanted, found), (arguments, wanted, found)

    check()


@pytest.mark.parametrize("name", ["float_modulo", "float_floor"])
@pytest.mark.parametrize("right", [5e-324, -2.225073858507203e-309, 2.2250738585072014e-308, 3.0, -1e300, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("left", [0.0, -0.0, 5e-324, 1.0, -7.5, 1.7976931348623157e308, math.inf, math.nan])
def test_floats_at_the_edges(instances: list[tuple[Runtime, Instance]], name: str, left: float, right: float) -> None:
    for _, instance in instances:
        assert same(expected(name, [left, right]), call(instance, name, [left, right]))
