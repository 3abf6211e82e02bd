"""Files with a module and its machine code: what is in them, where they run, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from core.tests.processors import PROCESSORS, processor
from purewasm import Features, Runtime, Trap, UnsupportedError, WasmError
from purewasm.engine.native import saved_code
from purewasm.engine.protocol import GROUP_BITS
from purewasm.runtime import precompiled
from purewasm.runtime.storage import StoredEntry, pack_entry
from purewasm.text.assembler import assemble

GUEST: Final = """(module $guest
  (memory (export "memory") 1)
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $load (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "loop") (loop (br 0)))
)"""
BYTES: Final = assemble(GUEST, Features.WASM3)
MANIFEST: Final = 15 << GROUP_BITS


def _reason() -> str | None:
    try:
        Runtime(engine="compiler").close()
    except WasmError as error:
        return str(error)
    return None


_MISSING: Final = _reason()
native = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")


def make(path: Path, **options: object) -> Path:
    target = options.pop("target", "x86_64-linux")
    with Runtime(engine="interpreter", **options) as runtime:
        path.write_bytes(runtime.precompile(GUEST, target=target))  # type: ignore[arg-type]
    path.chmod(0o644)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make(tmp_path / "guest.pwasm")


def refused(file: Path, **options: object) -> str:
    with Runtime(engine=options.pop("engine", "compiler"), **options) as runtime, pytest.raises(WasmError) as caught:
        runtime.load(file)
    return str(caught.value)


def change(file: Path, number: int, content: bytes) -> None:
    """Put another part into a file, all checksums right."""
    entry = StoredEntry(file.read_bytes())
    parts = {one: entry.get(one) or b"" for one in entry.numbers()}
    file.write_bytes(pack_entry(entry.key, {**parts, number: content}))


# ---- what runs


@native
@pytest.mark.parametrize("target", ["x86_64-linux", None])
def test_it_runs_without_validating_or_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str | None) -> None:
    file = make(tmp_path / "guest.pwasm", target=target)
    monkeypatch.setattr("purewasm.runtime.module.validate_module", lambda *_: pytest.fail("validated"))
    monkeypatch.setattr("purewasm.engine.native.saved_code.save_code", lambda *args: pytest.fail("compiled"))
    with Runtime(engine="compiler") as runtime:
        module = runtime.load(file)
        assert module.source == BYTES
        assert module.name == "guest"
        exports = [runtime.instantiate(module).exports for _ in range(2)][1]
        assert (exports.fib(20), exports.load(8)) == (6765, 0)
        with pytest.raises(Trap, match="out of bounds memory access") as trap:
            exports.load(-1)
        assert "load" in str(trap.value.frames[0])
        with pytest.raises(WasmError, match=r"interrupted|timeout|time"):
            exports.loop.with_options(timeout=0.05)()


@native
def test_a_path_may_be_a_string_and_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    with Runtime(engine="compiler") as runtime:
        assert runtime.instantiate(runtime.load(str(link))).exports.fib(10) == 55


def test_the_same_bytes_every_time_and_in_every_process(file: Path, tmp_path: Path) -> None:
    script = "import sys; from purewasm import Runtime; sys.stdout.buffer.write(Runtime().precompile(sys.argv[1], target='x86_64-linux'))"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", script, GUEST], env=environment, capture_output=True, check=True)
        assert done.stdout == file.read_bytes()
    assert make(tmp_path / "other", workers=2).read_bytes() == file.read_bytes()


def test_what_is_not_a_module_is_not_compiled() -> None:
    with Runtime() as runtime, pytest.raises(WasmError):
        runtime.precompile(b"\0asm\1\0\0\0nonsense", target="x86_64-linux")


def test_an_unknown_target_names_the_known_ones() -> None:
    with Runtime() as runtime, pytest.raises(ValueError, match="unknown target 'z80-cpm': one of x86_64-linux"):
        runtime.precompile(GUEST, target="z80-cpm")


def test_a_module_that_the_compiler_does_not_take_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purewasm.engine.native.ahead_of_time.unsupported", lambda module, cpu: "tables of tables are not compiled yet")
    with Runtime() as runtime, pytest.raises(UnsupportedError, match="cannot be compiled ahead of time: tables of tables"):
        runtime.precompile(GUEST, target="x86_64-linux")


# ---- what is refused, with a message that says what to do


def test_the_interpreter_cannot_run_it(file: Path) -> None:
    assert "it holds machine code for x86_64-linux, and this runtime has the interpreter" in refused(file, engine="interpreter")


def test_another_version(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precompiled, "__version__", "99.0")
    message = refused(file, engine="interpreter")
    assert "was made by purewasm" in message
    assert "this is 99.0: make it again with purewasm compile" in message


@native
def test_another_state_of_the_compiler(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purewasm.engine.native.saved_code.compiler_digest", lambda: "changed")
    assert "made by another state of the compiler: make it again" in refused(file)


@native
def test_the_compiler_that_made_a_file_for_its_own_machine_is_known_by_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its source files are read where they may have changed, or where the file has come from another machine."""
    file, digest, state = make(tmp_path / "guest.pwasm", target=None), saved_code.compiler_digest(), saved_code.compiler_state()
    digests: list[str] = []

    def read_sources() -> str:
        digests.append(digest)
        return digest

    monkeypatch.setattr("purewasm.engine.native.saved_code.compiler_digest", read_sources)
    with Runtime(engine="compiler") as runtime:
        assert runtime.instantiate(runtime.load(file)).exports.fib(10) == 55
        assert digests == []
        monkeypatch.setattr("purewasm.engine.native.saved_code.compiler_state", lambda: f"not {state}")
        assert runtime.instantiate(runtime.load(file)).exports.fib(10) == 55
        assert digests == [digest]
    monkeypatch.setattr("purewasm.engine.native.saved_code.compiler_digest", lambda: "changed")
    assert "made by another state of the compiler: make it again" in refused(file)


def test_files_that_travel_do_not_say_where_they_were_made(file: Path) -> None:
    assert saved_code.compiler_digest().encode() in file.read_bytes()
    assert saved_code.compiler_state().encode() not in file.read_bytes()


@native
def test_another_processor_and_another_system(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("purewasm.engine.native.engine._features", [0])
        message = refused(file)
    assert "cannot run here: it is for a processor with" in message
    assert "this one lacks" in message
    assert "--target x86_64-linux" in message
    manifest = bytes(StoredEntry(file.read_bytes()).get(MANIFEST) or b"")
    change(file, MANIFEST, manifest.replace(b"x86_64-linux", b"riscv64-plan9"))
    assert "it is for riscv64-plan9, this is x86_64-linux: compile the module again" in refused(file)


@native
def test_code_for_a_level_of_processors(tmp_path: Path) -> None:
    """It runs where all of the level is there, and is refused elsewhere; code for any processor runs on each."""
    from purewasm.engine.native.engine import cpu_features
    from purewasm.engine.native.target import TARGETS

    made = {target: make(tmp_path / target, target=target) for target in ("x86_64-linux", "x86_64-linux-v2", "x86_64-linux-v3")}
    assert len({file.read_bytes() for file in made.values()}) == 3
    for name, newest in (("penryn", 1), ("sandy-bridge", 2), ("haswell", 3)):
        with processor(PROCESSORS[name]):
            for level, (target, file) in enumerate(made.items(), 1):
                if level <= newest and not TARGETS[target] & ~cpu_features():
                    with Runtime(engine="compiler") as runtime:
                        assert runtime.instantiate(runtime.load(file)).exports.fib(10) == 55
                else:
                    message = refused(file)
                    assert f"it is for a processor with x86-64-v{target[-1]}, this one lacks" in message
                    assert "compile the module again with --target x86_64-linux" in message


@native
@pytest.mark.parametrize(("options", "message"), [({"fuel": True}, "fuel=False"), ({"interruptible": False}, "interruptible=True")])
def test_other_options(file: Path, options: dict[str, object], message: str) -> None:
    assert f"was made with {message}, and this runtime has" in refused(file, **options)


@native
def test_features_that_the_runtime_does_not_allow(file: Path) -> None:
    message = refused(file, features=Features.WASM1)
    assert "was made with" in message
    assert "which this runtime does not allow" in message
    with Runtime(engine="compiler", features=Features.all()) as runtime:
        assert runtime.instantiate(runtime.load(file)).exports.fib(10) == 55


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no precompiled module"),
        (b"purewas", "is no precompiled module"),
        (BYTES, "it is a module that is not compiled, use compile()"),
        (b"purewasm" + bytes(200), "is damaged or was made by another version"),
        (pack_entry(bytes(32), {}), "is no precompiled module"),
        (pack_entry(bytes(32), {MANIFEST: b"x", MANIFEST + 1: BYTES}), "made by a version of purewasm that this one"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    file.chmod(0o644)
    assert message in refused(file, engine="interpreter")
    with Runtime() as runtime, pytest.raises(FileNotFoundError):
        runtime.load(tmp_path / "missing")
    with Runtime() as runtime, pytest.raises((WasmError, OSError)):
        runtime.load(tmp_path)


@native
@pytest.mark.slow
def test_a_change_of_any_byte_is_noticed_or_harmless(file: Path) -> None:
    """Damaged code never runs; what is not looked at before a trap is noticed then."""
    good = file.read_bytes()
    noticed: list[str] = []
    for at in range(8, len(good), 19):
        damaged = bytearray(good)
        damaged[at] ^= 0x21
        file.write_bytes(damaged)
        with Runtime(engine="compiler") as runtime:
            try:
                exports = runtime.instantiate(runtime.load(file)).exports
            except WasmError as error:
                noticed.append(str(error))
                continue
            assert exports.fib(10) == 55
            with pytest.raises(WasmError, match=r"out of bounds memory access|damaged"):
                exports.load(-1)
    assert len(noticed) > 30
    assert all("damaged" in message for message in noticed)


@native
def test_truncated_files(file: Path) -> None:
    good = file.read_bytes()
    for size in (8, 70, len(good) // 2, len(good) - 1):
        file.write_bytes(good[:size])
        assert "damaged" in refused(file)


@pytest.mark.skipif(os.name != "posix", reason="owners and permissions of POSIX systems")
def test_files_that_others_can_write_to_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in (0o664, 0o646):
        file.chmod(mode)
        message = refused(file, engine="interpreter")
        assert "can be written to by other users" in message
        assert f"chmod go-w {file}" in message
    file.chmod(0o644)
    owner = file.stat().st_uid
    monkeypatch.setattr(precompiled, "_ADMINISTRATOR", -1)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    message = refused(file, engine="interpreter")
    assert f"belongs to another user (number {owner})" in message
    assert "copy it, if you trust that user" in message


def test_code_for_another_machine_is_made_without_what_only_that_machine_has() -> None:
    """On a system where there is no ctypes, and no executable memory."""
    script = """
import sys
sys.modules["ctypes"] = None
from purewasm import Runtime
sys.stdout.buffer.write(Runtime().precompile(sys.argv[1], target="x86_64-linux"))
"""
    done = subprocess.run([sys.executable, "-c", script, GUEST], capture_output=True, check=True)
    with Runtime() as runtime:
        assert done.stdout == runtime.precompile(GUEST, target="x86_64-linux")
    native_one = script.replace(', target="x86_64-linux"', "")
    refusal = subprocess.run([sys.executable, "-c", native_one, GUEST], capture_output=True, text=True, check=False)
    assert "there is no compiler for this machine's processor" in refusal.stderr
    assert "name a target to compile for another one" in refusal.stderr
