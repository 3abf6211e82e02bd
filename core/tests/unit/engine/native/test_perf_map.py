"""The map for Linux `perf`: a line for each function when it is compiled, nothing unless it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import os
from purewasm import Runtime
source = '''(module (func $first (export "f") (result i32) (i32.add (call $second) (i32.const 1)))
  (func $second (result i32) (i32.const 6)) (func $never))'''
assert Runtime(engine="compiler").instantiate(source).exports.f() == 7
print(os.getpid())
"""


_TIERS = """
import os
from purewasm import Runtime
source = '''(module (func $loops (export "f") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))'''
run = Runtime(engine="compiler", optimize_after=5).instantiate(source).exports.f
run(100)
run(100)
print(os.getpid())
"""


def _map_of(value: str | None, program: str = _PROGRAM) -> tuple[Path, list[list[str]]]:
    environment = {name: word for name, word in os.environ.items() if name != "PUREWASM_PERF_MAP"}
    if value is not None:
        environment["PUREWASM_PERF_MAP"] = value
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    path = Path(f"/tmp/perf-{int(done.stdout)}.map")
    try:
        return path, [line.split(maxsplit=2) for line in path.read_text().splitlines()] if path.exists() else []
    finally:
        path.unlink(missing_ok=True)


def test_each_compiled_function_has_a_line() -> None:
    _, lines = _map_of("1")
    assert [name for _, _, name in lines] == ["first", "second"]
    (first, first_size), (second, second_size) = [(int(start, 16), int(size, 16)) for start, size, _ in lines]
    assert min(first_size, second_size) > 0
    assert first + first_size <= second or second + second_size <= first


def test_code_of_each_tier_has_a_name() -> None:
    _, lines = _map_of("1", _TIERS)
    names = [name for _, _, name in lines]
    assert [names[0], names[2]] == ["loops [baseline]", "loops"]
    assert names[1].startswith("loops [loop 0x")


@pytest.mark.parametrize("value", [None, "", "0"])
def test_there_is_no_map_unless_it_is_asked_for(value: str | None) -> None:
    path, lines = _map_of(value)
    assert lines == []
    assert not path.exists()


def test_a_name_stays_on_its_line() -> None:
    from purewasm.engine.native import perf_map

    path = Path(f"/tmp/perf-{os.getpid()}.map")
    path.unlink(missing_ok=True)
    try:
        perf_map.note_function(0x1000, 16, "two\nlines\tand more")
        assert path.read_text() == "1000 10 two lines and more\n"
    finally:
        path.unlink(missing_ok=True)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    from purewasm.engine.native import perf_map

    path, target = Path(f"/tmp/perf-{os.getpid()}.map"), tmp_path / "target"
    path.unlink(missing_ok=True)
    target.write_text("mine")
    path.symlink_to(target)
    try:
        with pytest.raises(OSError, match="symbolic link"):
            perf_map.note_function(0x1000, 16, "f")
        assert target.read_text() == "mine"
    finally:
        path.unlink()
