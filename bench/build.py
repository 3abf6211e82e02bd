"""Program → module and native library, built once into the cache.

Guests are built by the C compiler that the package `ziglang` brings, native libraries by the machine's (`CC`, else `cc`), both
with -O2. The name of a result holds a hash of the command and of our own sources: a change of either builds anew.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.programs import Program
from bench.sources import obtain

GUESTS: Final = Path(__file__).resolve().parent / "guests"

_COMMON: Final = ("-O2", "-ffp-contract=off", "-w")
_WASM: Final = ("-g0", "-s", "-Wl,-z,stack-size=65536")
_BARE: Final = ("--target=wasm32-freestanding", "-nostdlib", "-Wl,--no-entry")
_LIBC: Final = ("--target=wasm32-wasi", "-mexec-model=reactor")
_NATIVE: Final = ("-shared", "-fPIC", "-fvisibility=hidden")
_BUILD_SECONDS: Final = 600


class BuildError(Exception):
    """A compiler is missing or failed."""


def wasm_path(program: Program, cache: Path) -> Path:
    """The program's module, built if need be."""
    zig = [sys.executable, "-m", "ziglang", "cc"]
    # A guest with a C library gets one that asks nothing of the host.
    extra = [str(GUESTS / "ports/wasi/no_wasi.c")] if program.libc else []
    flags = [*(_LIBC if program.libc else _BARE), *_WASM, *program.wasm_flags]
    return _build([*zig, *_COMMON, *flags], program, extra, cache, ".wasm")


def native_path(program: Program, cache: Path) -> Path:
    """The program as a shared library of this machine, built if need be."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        raise BuildError(f"no C compiler {compiler[0]} on this machine: install one, or name it in the environment variable CC")
    return _build([*compiler, *_COMMON, *_NATIVE], program, ["-lm"], cache, ".so")


def _build(compiler: list[str], program: Program, extra: list[str], cache: Path, suffix: str) -> Path:
    folder = obtain(program.package, cache) if program.package is not None else None
    includes = [f"-I{GUESTS / path}" for path in program.include] + [f"-I{GUESTS}"]
    sources = [str(GUESTS / source) for source in program.sources]
    if folder is not None:
        includes.append(f"-I{folder}")
        sources += [str(folder / source) for source in program.package_sources]
    command = [*compiler, *program.flags, *includes, *sources, *extra]
    target = cache / "built" / f"{program.name}-{_fingerprint(program, command)}{suffix}"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        _run(command, program.name, target)
    return target


def _run(command: list[str], name: str, target: Path) -> None:
    unfinished = target.with_name(f"{os.getpid()}-{target.name}")
    try:
        done = subprocess.run([*command, "-o", str(unfinished)], capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{name}: the compiler did not end within {_BUILD_SECONDS} s") from error
    if done.returncode != 0 or not unfinished.is_file():
        unfinished.unlink(missing_ok=True)
        if "No module named ziglang" in done.stderr:
            raise BuildError("no compiler for guests: pip install ziglang")
        raise BuildError(f"{name}: {' '.join(command[:4])} … failed:\n{done.stderr[-2000:]}")
    unfinished.replace(target)


def _fingerprint(program: Program, command: list[str]) -> str:
    """Of everything of ours that goes into the result; the package's files are named by their version in the command."""
    digest = hashlib.sha256("\0".join(command).encode())
    shared = [*GUESTS.glob("*.h"), *GUESTS.glob("ports/**/*.[ch]")]
    for path in [*sorted(shared), *(GUESTS / source for source in program.sources)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
