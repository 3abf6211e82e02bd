"""The same program in every language, on both engines, against the same expectations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import Runtime, Trap
from purewasm.hostmod.versions import built_against
from purewasm.testing import FakeHost
from purewasm_global import Globals
from purewasm_guest.build import build, rust_targets
from purewasm_kv import Kv, SqliteStore
from purewasm_kv.abi import KvAbi

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parents[1] / "guests" / "program"
SOURCES = {path.parent.name: path for path in sorted(PROGRAM.glob("*/guest.*")) if path.suffix != ".wasm"}
TEXT = b"the quick brown fox\njumps over the lazy dog  the end\n"


CHECKED_IN = {f"{path.parent.name}, checked in": path for path in sorted(PROGRAM.glob("*/guest.wasm"))}


@pytest.fixture(scope="session")
def rust_with_wasi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in Rust for its other target, whose standard library calls WASI."""
    rustc = shutil.which("rustc")
    target = next((name for name in (rust_targets(rustc) if rustc else []) if "wasi" in name), None)
    if target is None:
        pytest.skip("needs rustc with a target for WASI")
    return build(SOURCES["rust"], tmp_path_factory.mktemp("rust") / "guest.wasm", target=target)


@pytest.fixture(params=[*SOURCES, "rust with WASI", *CHECKED_IN])
def program(request: pytest.FixtureRequest, guest: Callable[..., Path]) -> Path:
    """The program in each language whose compiler is here, and as it is checked in for some."""
    name = str(request.param)
    if name == "rust with WASI":
        built: Path = request.getfixturevalue("rust_with_wasi")
        return built
    return guest(SOURCES[name] if name in SOURCES else CHECKED_IN[name])


class Hosts:
    """What the program is granted."""

    def __init__(self, runtime: Runtime) -> None:
        self.settings, self.store = Globals(), SqliteStore()
        self.settings.register(runtime)
        Kv(self.store).register(runtime)
        if not runtime.provides("wasi_snapshot_preview1"):
            wasi = pytest.importorskip("purewasm_wasi")
            wasi.Wasi().register(runtime)


def test_there_is_one_in_each_language() -> None:
    assert {"assemblyscript", "c", "go", "python", "rust", "zig"} <= SOURCES.keys()
    assert set(CHECKED_IN) == {"c, checked in", "zig, checked in"}


def test_defaults_and_overrides(runtime: Runtime, program: Path) -> None:
    hosts = Hosts(runtime)
    exports = runtime.instantiate(program).exports
    exports.testGet()
    hosts.settings.update({"TEST_BOOL": 0, "TEST_UINT64": 43, "TEST_DURATION": 1_000_000_000})
    exports.testOverride()
    hosts.settings.clear()
    exports.testGet()


def test_a_wrong_value_is_found(runtime: Runtime, program: Path) -> None:
    Hosts(runtime)
    with pytest.raises((Trap, Exception)):
        runtime.instantiate(program).exports.testOverride()


def test_words_are_counted(runtime: Runtime, program: Path) -> None:
    hosts = Hosts(runtime)
    exports = runtime.instantiate(program).exports
    assert exports.countWords() == -1
    hosts.store.set(b"text", TEXT, 0)
    assert exports.countWords() == 11
    assert exports.countWords() == 11
    counts = dict.fromkeys(TEXT.split(), 0)
    for word in TEXT.split():
        counts[word] += 2
    keys = list(hosts.store.keys(b"count/", b"", 100))
    values = hosts.store.get_many(keys)
    found = {key.removeprefix(b"count/"): int(value or b"0") for key, value in zip(keys, values, strict=True)}
    assert found == counts


def test_a_text_larger_than_the_first_buffer(runtime: Runtime, program: Path) -> None:
    hosts = Hosts(runtime)
    hosts.store.set(b"text", b"word " * 1_500, 0)
    assert runtime.instantiate(program).exports.countWords() == 1_500
    assert hosts.store.get_many([b"count/word"]) == [b"1500"]


def test_what_it_was_built_against(runtime: Runtime, program: Path) -> None:
    module = runtime.compile(program)
    needs = {need.module: need for need in runtime.resolve(module)}
    assert needs.keys() - {"wasi_snapshot_preview1"} == {"pantopic/wazero-global", "purewasm/kv@1"}
    assert needs["purewasm/kv@1"].abi == 1


def test_with_a_fake(runtime: Runtime, program: Path) -> None:
    fake = FakeHost(KvAbi)
    fake.on("get").returns(b"5")
    fake.on("get", "text").returns(b"a b")
    fake.on("set").returns(None)
    Globals().register(runtime)
    wasi = pytest.importorskip("purewasm_wasi")
    wasi.Wasi().register(runtime)
    assert runtime.instantiate(program, imports=fake.module).exports.countWords() == 2
    assert [call for call in fake.calls if call.name == "set"] == [("set", ("count/a", b"6", 0)), ("set", ("count/b", b"6", 0))]


@pytest.mark.parametrize("language", ["c", "zig", "rust", "python"])
def test_the_version_is_in_a_custom_section(guest: Callable[..., Path], language: str) -> None:
    with Runtime() as runtime:
        module = runtime.compile(guest(SOURCES[language]))
        assert built_against(module.custom_sections["hostmods"]) == {"purewasm/kv": (1, 0)}
