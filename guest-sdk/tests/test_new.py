"""Projects that `purewasm new` makes: each is generated, built to a wheel, and its own tests run from built wheels, offline."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from purewasm import Runtime
from purewasm.hostmod import MailboxModule, operation
from purewasm_guest.build import BuildError, ToolMissingError, build
from purewasm_guest.new.command import main
from purewasm_guest.new.project import LANGUAGES
from purewasm_wasi import Wasi

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "hostmods/wasi", "hostmods/global", "hostmods/kv", "guest-sdk")
pytestmark = pytest.mark.slow


def _wheel(project: Path, folder: Path, path: Path | None = None) -> Path:
    """The wheel of a project, built without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of this repository as their wheels install them."""
    if find_spec("hatchling") is None:
        pytest.skip("needs hatchling, which builds the wheels")
    site = tmp_path_factory.mktemp("site")
    for package in PACKAGES:
        wheel = _wheel(ROOT / package, tmp_path_factory.mktemp("wheel"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    return site


def _run_tests(project: Path, site: Path, folder: Path) -> str:
    """Build the project's wheel, and run its tests with that and the site."""
    own = folder / "own"
    wheel = _wheel(project, folder / "wheel", site)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(own)
    environment = {**os.environ, "PYTHONPATH": f"{own}{os.pathsep}{site}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_host_module(site: Path, tmp_path: Path) -> None:
    assert main(["hostmod", "acme-my-greeter", "--in", str(tmp_path)]) == 0
    project = tmp_path / "acme-my-greeter"
    output = _run_tests(project, site, tmp_path)
    assert "failed" not in output
    assert "passed" in output
    entry_points = next((tmp_path / "own").glob("*.dist-info")) / "entry_points.txt"
    assert "acme/my-greeter@1 = acme_my_greeter:MyGreeter" in entry_points.read_text()
    checks = [[sys.executable, "-m", "purewasm", "gen", "--check", "abi.toml"]]
    checks += [[sys.executable, "-m", tool, *words] for tool, words in _CHECKS.items() if find_spec(tool) is not None]
    for command in checks:
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'own'}{os.pathsep}{site}"}
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


GUESTS = {
    "guest.c": """
        #include <acme_my_greeter.h>
        __attribute__((export_name("size"))) int32_t size(void) {
            purewasm_text found;
            return acme_my_greeter_greet(PUREWASM_TEXT("you"), &found) == PUREWASM_OK ? (int32_t)found.size : -1;
        }
        """,
    "guest.zig": """
        const greeter = @import("acme_my_greeter");
        export fn size() i32 {
            const found = greeter.greet("you") catch return -1;
            return @intCast(found.len);
        }
        """,
    "guest.go": """
        package main
        import "purewasm/my_greeter"
        //go:wasmexport size
        func size() int32 {
            found, err := my_greeter.Greet("you")
            if err != nil {
                return -1
            }
            return int32(len(found))
        }
        func main() {}
        """,
    "guest.ts": """
        import { box, myGreeterGreet } from "./purewasm/my_greeter";
        export { __my_greeter } from "./purewasm/my_greeter";
        export function size(): i32 {
          const found = myGreeterGreet("you");
          return box.status == 0 ? found.length : -1;
        }
        """,
    "guest.rs": """
        #[no_mangle]
        pub extern "C" fn size() -> i32 {
            purewasm_guest::my_greeter::greet("you").map_or(-1, |found| found.len() as i32)
        }
        """,
    "guest.py": """
        from purewasm_guest.python import export, i32
        from purewasm_guest.sdk.python import my_greeter

        @export
        def size() -> i32:
            found = my_greeter.greet("you")
            return i32(len(found)) if my_greeter.status() == 0 else -1
        """,
}


class Greeter(MailboxModule):
    """What the project's host module is."""

    name = "acme/my-greeter@1"
    abi = (1, 0)

    @operation(1)
    def greet(self, who: str) -> str:
        return f"hello, {who}"


@pytest.mark.parametrize("source", GUESTS)
def test_the_sdk_of_a_new_host_module(runtime: Runtime, guest: Callable[..., Path], tmp_path: Path, source: str) -> None:
    assert main(["hostmod", "acme-my-greeter", "--in", str(tmp_path)]) == 0
    (tmp_path / source).write_text(textwrap.dedent(GUESTS[source]))
    Greeter().register(runtime)
    Wasi().register(runtime)
    module = guest(tmp_path / source, sdk=[tmp_path / "acme-my-greeter"])
    assert runtime.instantiate(module).exports.size() == len("hello, you")
    assert {need.module for need in runtime.resolve(module)} - {"wasi_snapshot_preview1"} == {"acme/my-greeter@1"}


def test_an_sdk_that_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "guest.py").write_text("")
    for name in ("acme-none", "../x", "purewasm-kv"):
        with pytest.raises(LookupError, match="it is a folder, or an installed distribution whose package has a folder `sdk`"):
            build(tmp_path / "guest.py", tmp_path / "guest.wasm", sdk=[name])


_CHECKS = {"ruff": ["check", "--no-cache", "."], "mypy": ["--cache-dir", os.devnull, "src"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guest(site: Path, tmp_path: Path, language: str) -> None:
    name = f"acme-{language}-guest"
    assert main(["guest", "--lang", language, name, "--in", str(tmp_path)]) == 0
    project = tmp_path / name
    source = project / "src" / name.replace("-", "_") / LANGUAGES[language].source
    try:
        build(source, tmp_path / "first.wasm")
    except ToolMissingError as error:
        pytest.skip(str(error))
    output = _run_tests(project, site, tmp_path)
    assert "passed" in output
    assert (tmp_path / "own" / name.replace("-", "_") / "guest.wasm").read_bytes()[:4] == b"\0asm"


@pytest.mark.parametrize("name", ["acme", "Acme-greeter", "acme-", "-greeter", "acme_greeter", "../acme-greeter", "acme-greeter/x", ""])
def test_names_that_cannot_be(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hostmod", f"--in={tmp_path}", "--", name]) == 2
    assert "a name is owner-name in lower case" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "acme-greeter").mkdir()
    assert main(["hostmod", "acme-greeter", "--in", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_guest_that_does_not_compile(tmp_path: Path) -> None:
    if find_spec("ziglang") is None:
        pytest.skip("needs the compiler in the package ziglang")
    (tmp_path / "guest.c").write_text("int broken( {\n")
    with pytest.raises(BuildError, match=r"error: "):
        build(tmp_path / "guest.c", tmp_path / "guest.wasm")
    with pytest.raises(BuildError, match=r"no language of guests has the ending '\.txt'"):
        build(tmp_path / "guest.txt", tmp_path / "guest.wasm")
