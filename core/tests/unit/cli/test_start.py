"""What a start with all code in the cache does not load: who runs a program does not wait for a compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from purewasm import Runtime, WasmError

_RUN: Final = """
import sys
from purewasm.cli.main import main
status = main(sys.argv[1:])
print(status, *sorted(name for name in sys.modules if name.startswith("purewasm") or name in {"importlib.metadata", "subprocess"}))
"""
NOT_NEEDED: Final = (
    "purewasm.frontend",
    "purewasm.passes",
    "purewasm.isa.x64.emit",
    "purewasm.isa.x64.compile",
    "purewasm.validate",
    "purewasm.text",
    "purewasm.engine.interpreter",
    "purewasm.engine.native.ahead_of_time",
    "purewasm.cli.values",
    "importlib.metadata",
    "subprocess",
)


def loaded(folder: Path, *words: str) -> list[str]:
    environment = {**os.environ, "PUREWASM_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, "-c", _RUN, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    status, *modules = done.stdout.split()
    assert status == "0", done.stderr
    return modules


def needless(modules: list[str]) -> list[str]:
    return [name for name in modules if any(name == other or name.startswith(f"{other}.") for other in NOT_NEEDED)]


@pytest.mark.slow
def test_a_warm_start_loads_no_compiler(tmp_path: Path) -> None:
    try:
        Runtime(engine="compiler").close()
    except WasmError as error:
        pytest.skip(str(error))
    program = tmp_path / "program.wasm"
    with Runtime() as runtime:
        text = '(module (memory 1) (func $f (result i32) (i32.const 7)) (func (export "_start") (drop (call $f))))'
        program.write_bytes(runtime.compile(text).source)
    command = ("run", "--engine", "compiler", "program.wasm")
    assert "purewasm.isa.x64.compile" in loaded(tmp_path, *command)
    assert needless(loaded(tmp_path, *command)) == []
    assert loaded(tmp_path, "compile", "program.wasm", "-q") != []
    (tmp_path / "cache").rename(tmp_path / "gone")
    assert needless(loaded(tmp_path, "run", "--engine", "compiler", "program.pwasm")) == []
