"""The test guests as they are checked in: their interface, and that they do what they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm import Function, Runtime
from purewasm_global import Globals

GUESTS = Path(__file__).parents[1] / "guests"
MODULES = sorted(GUESTS.glob("global/*/guest.wasm"))


def test_there_is_one_in_each_language() -> None:
    assert [path.parent.name for path in MODULES] == ["c", "zig"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.parent.name)
def test_the_interface(path: Path) -> None:
    with Runtime() as runtime:
        module = runtime.compile(path)
        assert [(wanted.module, wanted.name) for wanted in module.imports] == [("pantopic/wazero-global", "__global_get")]
        assert {export.name for export in module.exports} >= {"memory", "__global", "testGet", "testOverride"}
        Globals().register(runtime)
        exports = runtime.instantiate(module).exports
        functions = {name: str(export.type) for name, export in exports.items() if isinstance(export, Function)}
        assert functions == {"__global": "() -> i32", "testGet": "() -> ()", "testOverride": "() -> ()"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.parent.name)
def test_it_holds_no_path_of_the_machine_that_built_it(path: Path) -> None:
    content = path.read_bytes()
    assert len(content) < 2_000
    assert b"/" not in content.replace(b"pantopic/wazero-global", b"")
