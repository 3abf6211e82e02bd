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
print(status, *sorted(sys.modules))
"""
NOT_NEEDED: Final = (
    "purewasm.frontend",
    "purewasm.passes",
    "purewasm.isa.x64.emit.body",
    "purewasm.isa.x64.compile",
    "purewasm.isa.x64.machine",
    "purewasm.ir.ops",
    "purewasm.validate",
    "purewasm.text",
    "purewasm.engine.interpreter",
    "purewasm.engine.native.ahead_of_time",
    "purewasm.cli.values",
    "argparse",
    "enum",
    "_hashlib",
    "hashlib",
    "importlib.metadata",
    "re",
    "subprocess",
    "typing",
)


def loaded(folder: Path, *words: str) -> list[str]:
    environment = {**os.environ, "PUREWASM_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    command = [sys.executable, "-S", "-c", _RUN, *words]  # without what installed packages load at each start
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
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
    # which compiler made a file that travels is told by the bytes of its sources, which are many
    assert loaded(tmp_path, "compile", "program.wasm", "-q", "--target", "x86_64-linux") != []
    assert needless(loaded(tmp_path, "run", "--engine", "compiler", "program.pwasm")) == ["_hashlib"]


# ---- the end of the process


def process(folder: Path, setup: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process, with something done before it."""
    code = f"import sys\nsys.argv[:] = ['purewasm', *{list(words)}]\n{setup}\nfrom purewasm.cli.process import run\nrun()"
    environment = {**os.environ, "PUREWASM_CACHE_DIR": str(folder / "cache")}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_end_of_the_process_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "add.wat").write_text('(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))')
    call = ("run", "add.wat", "--invoke", "add", "2", "3")
    done = process(tmp_path, "import atexit; atexit.register(lambda: print('last words'))", *call)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5\nlast words\n", "")
    assert list((tmp_path / "cache").rglob("*")) != []
    done = process(tmp_path, "", "run", "missing.wasm")
    assert (done.returncode, done.stderr) == (2, "purewasm: missing.wasm: no such file\n")
    # a file that nobody closed, of a package that is not ours, is written in Python's own end
    (tmp_path / "stranger.py").write_text("kept = open('kept.txt', 'w')\nkept.write('kept')\n")
    later = "sys.path.insert(0, '.')\nimport purewasm.cli.main as m\nold = m.main\nm.main = lambda: (__import__('stranger'), old())[1]"
    assert process(tmp_path, later, *call).stdout == "5\n"
    assert (tmp_path / "kept.txt").read_text() == "kept"
    # and so is it where a thread goes on
    thread = "import threading\nthreading.Thread(target=lambda: (threading.main_thread().join(), print('thread'))).start()"
    assert process(tmp_path, thread, *call).stdout == "5\nthread\n"


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_output_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "add.wat").write_text('(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))')
    for arguments in (["--version"], ["--help"], ["wat", "add.wat"], ["run", "add.wat", "--no-cache", "--invoke", "add", "2", "3"]):
        command = [sys.executable, "-m", "purewasm", *arguments]
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "purewasm: standard output cannot be written: No space left on device\n")
