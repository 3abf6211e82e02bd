"""ABI files: what is wrong is said, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm_guest.gen.abi_file import load
from purewasm_guest.gen.command import main
from purewasm_guest.gen.toml_reader import AbiFileError

MODULE = '[module]\nname = "acme/my-kv"\nversion = [2, 1]\nsummary = "s"\n'
OPERATION = '[[operation]]\nnumber = 1\nname = "get"\nsummary = "s"\n'


def _load(folder: Path, text: str) -> object:
    file = folder / "abi.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_names_that_follow(tmp_path: Path) -> None:
    (tmp_path / "abi.toml").write_text(MODULE + OPERATION)
    abi = load(tmp_path / "abi.toml")
    assert (abi.import_name, abi.stem, abi.prefix, abi.class_name) == ("acme/my-kv@2", "my_kv", "acme_my_kv", "MyKv")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "no TOML"),
        (OPERATION, "the file: 'module' is missing"),
        (MODULE, r"there is no \[\[operation\]\]"),
        (MODULE.replace("acme/my-kv", "kv") + OPERATION, "the name is owner/name"),
        (MODULE.replace("acme/my-kv", "acme/kv@1") + OPERATION, "the name is owner/name"),
        (MODULE.replace("[2, 1]", "[0, 1]") + OPERATION, "major 1 or more"),
        (MODULE.replace("[2, 1]", '["2", 1]') + OPERATION, "major 1 or more"),
        (MODULE + "what = 1\n" + OPERATION, r"\[module\]: unknown key 'what'"),
        (MODULE + OPERATION + "what = 1\n", "operation get: unknown key 'what'"),
        (MODULE + OPERATION + OPERATION, "operation get: same number or name as get"),
        (MODULE + OPERATION.replace("1", "0"), "the number is 1 to"),
        (MODULE + OPERATION.replace('"get"', '"Get"'), "snake_case"),
        (MODULE + OPERATION.replace('"get"', '"return"'), "no keyword"),
        (MODULE + OPERATION + 'arguments = [{ name = "a", type = "int" }]', "operation get, a: unknown type 'int'"),
        (MODULE + OPERATION + 'arguments = [{ name = "a", type = "str", what = 1 }]', "operation get, a: unknown key 'what'"),
        (
            MODULE + OPERATION + 'arguments = [{ name = "a", type = "u32", default = 1 }, { name = "b", type = "u32" }]',
            "without a default follows",
        ),
        (MODULE + OPERATION + 'arguments = [{ name = "a", type = "list<u32>", default = [] }]', "have a default"),
        (MODULE + OPERATION + '[[plain]]\nname = "p"\nsummary = "s"\nresult = "u32"', "plain p: plain imports have numbers alone"),
        (MODULE + OPERATION + 'arguments = [{ name = "status", type = "u32" }]', "'status' is a name that the SDKs use"),
        (MODULE + OPERATION + 'arguments = [{ name = "get", type = "u32" }]', "'get' is the name of an operation too"),
        (MODULE + OPERATION + 'errors = ["NO"]', "operation get: unknown status 'NO'"),
        (MODULE + OPERATION + '[[status]]\nnumber = 9\nname = "X"\nsummary = "s"', "status X: a number from 100 on"),
        (MODULE + OPERATION + '[[case]]\nname = "c"\nsteps = [{ call = "put" }]', "case c: unknown operation 'put'"),
        (MODULE + OPERATION + '[[case]]\nname = "c"\nsteps = [{ call = "get", status = "NO" }]', "case c: unknown status 'NO'"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(AbiFileError, match=problem):
        _load(tmp_path, text)


def test_the_command_says_so_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "abi.toml").write_text(MODULE)
    assert main([str(tmp_path / "abi.toml")]) == 2
    assert main([str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.count("purewasm gen: ") == 2
