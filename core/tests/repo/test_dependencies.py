"""The core needs nothing but Python, and no more of Python than it has to."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.tests.repo.source_tree import CORE, ROOT, imports_of, package_name, tree_imports
from purewasm import Features
from purewasm.text.assembler import assemble

# Modules of the standard library that the first `Runtime` may load: small ones. The names with an underscore are C parts.
ALLOWED = frozenset(
    """
    nt ntpath os posix posixpath stat _stat
    __future__ _ast _bisect _collections _collections_abc _functools _heapq _operator _string _struct _thread
    _weakref _weakrefset abc bisect collections contextlib copy functools gc
    genericpath heapq importlib itertools keyword linecache math operator reprlib
    string struct sys textwrap time types warnings weakref
    """.split()
)
NEVER = frozenset(
    """
    argparse asyncio concurrent ctypes dataclasses decimal difflib email enum
    glob hashlib http importlib.metadata inspect json locale logging
    mmap multiprocessing pathlib pickle platform random re secrets select shutil signal socket ssl subprocess tempfile threading traceback
    typing unittest urllib zipfile
    """.split()
)

ADD = b"\0asm\1\0\0\0\1\7\1\x60\2\x7f\x7f\1\x7f\3\2\1\0\7\7\1\3add\0\0\x0a\x09\1\7\0\x20\0\x20\1\x6a\x0b"


def test_the_distribution_has_no_dependency() -> None:
    project = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dependencies"] == []
    assert project["optional-dependencies"].keys() == {"hostmod", "testing"}
    assert "dependencies" not in project["dynamic"]


def test_every_import_is_of_the_standard_library_or_of_the_core() -> None:
    allowed = sys.stdlib_module_names | {"purewasm"}
    others = {(module, found.name.partition(".")[0]) for module, found in tree_imports(CORE)}
    assert sorted((module, name) for module, name in others if name not in allowed and name not in optional(module)) == []


def optional(module: str) -> tuple[str, ...]:
    """What a module may import that an extra of the distribution brings."""
    return ("msgpack",) if module == "purewasm.hostmod.codec" else ("pytest",) if module.startswith("purewasm.testing") else ()


def test_the_core_never_imports_itself_relatively_or_by_star() -> None:
    assert [str(found) for _, found in tree_imports(CORE) if found.name.endswith(".*")] == []


def uses_ctypes(root: Path) -> list[str]:
    """Imports of ctypes, and any text that is its name (`sys.modules["ctypes"]`, `import_module(name)` with the name elsewhere)."""
    found = [str(item) for _, item in tree_imports(root) if item.name.partition(".")[0] in ("ctypes", "_ctypes")]
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and text.partition(".")[0].strip("_") == "ctypes":
                found.append(f"{file}:{getattr(node, 'lineno', 0)}: {text!r}")
    return found


def test_ctypes_is_used_in_the_native_engine_and_the_instruction_sets_only() -> None:
    allowed = (str(CORE / "engine" / "native"), str(CORE / "isa"))
    assert [use for use in uses_ctypes(CORE) if not use.startswith(allowed)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import ctypes\n",
        "from ctypes import CDLL\n",
        "import ctypes.util\n",
        "def f():\n    import _ctypes\n    return _ctypes\n",
        "import importlib\nx = importlib.import_module('ctypes')\n",
        "NAME = 'ctypes'\nx = __import__(NAME)\n",
        "import sys\nx = sys.modules['ctypes']\n",
    ],
)
def test_every_way_to_ctypes_is_found(tmp_path: Path, text: str) -> None:
    package = tmp_path / "purewasm"
    package.mkdir()
    (package / "bad.py").write_text(text)
    assert uses_ctypes(package)


def modules_after(statement: str) -> set[str]:
    """Modules that a statement loads in a new interpreter, which has loaded nothing before."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(CORE.parent)})
    return set(done.stdout.split())


def test_import_loads_nothing_but_the_package_itself() -> None:
    own = {"purewasm", "purewasm._version", "purewasm.import_order", "purewasm.light_importing", "gc"}
    assert modules_after("import purewasm") <= {*own, "__future__", *modules_after("import os")}  # but for -S, each Python has `os`


def test_an_interpreter_loads_no_heavy_module() -> None:
    made = modules_after("import purewasm; purewasm.Runtime(engine='interpreter')")
    loaded = {name for name in made if not name.startswith("purewasm")}
    assert sorted(loaded & NEVER) == []
    assert sorted(name for name in loaded if name.partition(".")[0] not in ALLOWED) == []


def test_a_runtime_loads_nothing_of_text_format_command_line_and_importer() -> None:
    loaded = modules_after("import purewasm; purewasm.Runtime()")
    assert sorted(name for name in loaded if name.startswith(("purewasm.cli", "purewasm.text", "purewasm.importer"))) == []


@pytest.mark.parametrize(("engine", "needed"), [("interpreter", set()), ("auto", {"ctypes", "enum", "mmap", "re"})])
def test_running_a_binary_module_loads_no_heavy_module_either(engine: str, needed: set[str]) -> None:
    loaded = modules_after(f"import purewasm; assert purewasm.Runtime(engine={engine!r}).instantiate({ADD!r}).exports.add(2, 3) == 5")
    assert sorted(loaded & NEVER - needed) == []


def test_a_start_does_without_the_python_halves_of_modules_in_c() -> None:
    """`light_library` has what is used of them: importing `functools` and what it needs takes longer than the validator."""
    loaded = modules_after(f"import purewasm; purewasm.Runtime().instantiate({ADD!r}).exports.add(2, 3)") - modules_after("import ctypes")
    halves = {"array", "bisect", "collections", "contextlib", "enum", "functools", "math", "operator", "re", "typing", "weakref"}
    assert sorted(loaded & halves) == []


_RUN = '(memory 1) (func (export "run") '
RARE_FAMILIES = {
    "": f"{_RUN})",
    "atomic": f"{_RUN} (i32.atomic.store (i32.const 0) (i32.const 1)))",
    "exceptions": f"(tag $tag) {_RUN} (block $caught (try_table (catch $tag $caught) (throw $tag))))",
    "float": f"{_RUN} (f64.store (i32.const 0) (f64.sqrt (f64.load (i32.const 0)))))",
    "vector": f"{_RUN} (v128.store (i32.const 0) (i8x16.add (v128.load (i32.const 0)) (v128.load (i32.const 16)))))",
    # the collector's own code fills structures with vectors
    "aggregate vector": f"(type $pair (struct (field i32))) {_RUN} (drop (struct.get $pair 0 (struct.new_default $pair))))",
}


@pytest.mark.parametrize("families", RARE_FAMILIES)
def test_a_compiler_of_few_instructions_loads_few_families(families: str) -> None:
    """What the others need is imported with the first of their instructions."""
    source = assemble(f"(module {RARE_FAMILIES[families]})", Features.all())
    loaded = modules_after(f"from purewasm import *; Runtime(features=Features.all()).instantiate({source!r}).exports.run()")
    if "purewasm.isa.x64.compile" not in loaded:
        pytest.skip("no compiler here")
    found = {name.rpartition(".")[2] for name in loaded if name.startswith("purewasm.isa.x64.emit.")}
    assert found & set(" ".join(RARE_FAMILIES).split()) == set(families.split())


def test_the_walk_names_the_package_of_a_file() -> None:
    file = CORE / "runtime" / "runtime.py"
    assert package_name(file, CORE) == "purewasm.runtime"
    assert any(found.name == "purewasm.errors.LinkError" for found in imports_of(file, package_name(file, CORE)))
