"""Imports between the core's layers point one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.tests.repo.layers import STEPS, violations
from core.tests.repo.source_tree import CORE, tree_imports


def test_every_import_of_the_core_points_one_way() -> None:
    assert violations(CORE) == []


def test_every_folder_of_the_core_is_a_layer() -> None:
    folders = {path.name for path in CORE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= {layer for layers in STEPS for layer in layers}


def test_the_walk_sees_the_imports_that_there_are() -> None:
    found = {(module, imported.name) for module, imported in tree_imports(CORE)}
    assert ("purewasm.runtime.source", "purewasm.text.assembler.assemble") in found  # inside a function
    assert ("purewasm.errors", "purewasm.traps.Frame") in found  # under TYPE_CHECKING
    assert len(found) > 500


def make_tree(root: Path, files: dict[str, str]) -> Path:
    package = root / "purewasm"
    for layer in ("wasm", "store", "engine/interpreter", "engine/native", "isa/x64", "isa/arm64", "runtime", "cli"):
        (package / layer).mkdir(parents=True)
        (package / layer / "thing.py").write_text("x = 1\n")
    (package / "errors.py").write_text("x = 1\n")
    (package / "__init__.py").write_text("from purewasm.runtime import thing\n")
    for name, text in files.items():
        (package / name).write_text(text)
    return package


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("wasm/bad.py", "from purewasm.store.thing import x\n"),
        ("wasm/bad.py", "import purewasm.store.thing\n"),
        ("wasm/bad.py", "from purewasm.store import thing\n"),
        ("wasm/bad.py", "from purewasm import store\n"),
        ("wasm/bad.py", "from ..store import thing\n"),
        ("store/bad.py", "def f():\n    from purewasm.runtime.thing import x\n    return x\n"),
        ("store/bad.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from purewasm.engine.native.thing import x\n"),
        ("store/bad.py", "class A:\n    try:\n        import purewasm.cli.thing as t\n    except ImportError:\n        t = None\n"),
        ("store/bad.py", "import importlib\nx = importlib.import_module('purewasm.cli.thing')\n"),
        ("store/bad.py", "x = __import__('purewasm.cli')\n"),
        ("runtime/bad.py", "from purewasm import Runtime\n"),
        ("errors.py", "from purewasm.store.thing import x\n"),
        ("engine/interpreter/bad.py", "from purewasm.engine.native import thing\n"),
        ("engine/native/bad.py", "from purewasm.engine.interpreter.thing import x\n"),
        ("isa/x64/bad.py", "from purewasm.isa.arm64 import thing\n"),
        ("isa/arm64/bad.py", "from ..x64.thing import x\n"),
        ("misplaced.py", "from purewasm.errors import x\n"),
        ("wasm/bad.py", "from purewasm.misplaced import x\n"),
    ],
)
def test_an_import_that_points_the_other_way_is_found(tmp_path: Path, file: str, text: str) -> None:
    extra = {"misplaced.py": "x = 1\n"} if "misplaced" in text else {}
    package = make_tree(tmp_path, {**extra, file: text})
    assert len(violations(package)) == 1
    assert str(package / file) in violations(package)[0]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("store/good.py", "from purewasm.wasm.thing import x\n"),
        ("store/good.py", "from purewasm.store.thing import x\n"),
        ("store/good.py", "import struct\nfrom os import path\n"),
        ("engine/native/good.py", "from purewasm.isa.x64.thing import x\nfrom purewasm.errors import x as y\n"),
        ("cli/good.py", "from purewasm import Runtime\nimport purewasm\n"),
        ("cli/good.py", "x = 'purewasm.cli.thing'\n"),
    ],
)
def test_an_import_that_points_the_right_way_is_fine(tmp_path: Path, file: str, text: str) -> None:
    assert violations(make_tree(tmp_path, {file: text})) == []
