"""What a guest needs, and where it can come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.tests.unit.hostmod.greeter import Greeter
from purewasm import Runtime
from purewasm.runtime.discovery import installed, other_majors, split_import_name


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions, one of which provides `acme/greeter@1`."""
    info = tmp_path / "acme_greeter-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-greeter\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[purewasm.hostmods]\nacme/greeter@1 = core.tests.unit.hostmod.greeter:Greeter\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def _module(*names: str) -> str:
    return "(module " + "".join(f'(import "{name}" "f" (func))(import "{name}" "g" (func))' for name in names) + ")"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("acme/kv@2", ("acme/kv", 2)),
        ("acme/kv", ("acme/kv", None)),
        ("acme/kv@", ("acme/kv@", None)),
        ("@1", ("@1", None)),
        ("a@b@10", ("a@b", 10)),
        ("acme/kv@-1", ("acme/kv@-1", None)),
        ("acme/kv@²", ("acme/kv@²", None)),
    ],
)
def test_the_major_version_is_part_of_the_name(name: str, parts: tuple[str, int | None]) -> None:
    assert split_import_name(name) == parts


def test_other_majors_are_of_the_same_module() -> None:
    assert other_majors("acme/kv@2", ["acme/kv@1", "acme/kv@2", "acme/log@1", "acme/kv"]) == ["acme/kv@1", "acme/kv"]
    assert other_majors("acme/kv", ["acme/kv@1"]) == []


@pytest.mark.usefixtures("site")
def test_each_need_says_where_it_can_come_from() -> None:
    with Runtime() as runtime:
        found = runtime.resolve(_module("acme/greeter@1", "acme/greeter@2", "purewasm/no@9", "pantopic/wazero-pipe", "purewasm/kv@2"))
        assert [(need.module, need.abi, need.distribution, need.version, need.satisfied) for need in found] == [
            ("acme/greeter@1", 1, "acme-greeter", "1.5", True),
            ("acme/greeter@2", 2, "acme-greeter", None, False),
            ("purewasm/no@9", 9, None, None, False),
            ("pantopic/wazero-pipe", None, "purewasm-pipe", *_present("pantopic/wazero-pipe")),
            ("purewasm/kv@2", 2, "purewasm-kv", None, False),
        ]
        assert found[0].names == ("f", "g")
        notes = [need.note for need in found]
        assert notes[0] == "provided by acme-greeter 1.5, installed"
        assert "provides acme/greeter@1, another major version: install a release that provides acme/greeter@2" in notes[1]
        assert notes[2] == "provided by no package that is known here: the embedder's own"
        assert "purewasm/kv@1" in notes[4]


def _present(name: str) -> tuple[str | None, bool]:
    found = installed().get(name)
    return (None, False) if found is None else (found.version, True)


@pytest.mark.usefixtures("site")
def test_finding_grants_nothing() -> None:
    with Runtime() as runtime:
        assert not runtime.resolve(_module("acme/greeter@1"))[0].registered
        assert not runtime.provides("acme/greeter@1")
        host_class = installed()["acme/greeter@1"].load()
        assert host_class is Greeter
        host_class().register(runtime)
        (need,) = runtime.resolve(_module("acme/greeter@1"))
        assert need.registered


def test_a_module_without_imports_needs_nothing() -> None:
    with Runtime() as runtime:
        assert runtime.resolve("(module)") == []
