"""ABI files: what is wrong is said, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm_guest.gen.abi_file import load
from purewasm_guest.gen.command import main
from purewasm_guest.gen.pages.page_file import load_pages
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
        (MODULE + OPERATION + 'arguments = [{ name = "unsigned", type = "u32" }]', "'unsigned' is a word of one of the SDKs' languages"),
        (MODULE + OPERATION + 'results = [{ name = "string", type = "str" }]', "'string' is a word of one of the SDKs' languages"),
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


PAGE = 'module = { name = "acme/tally", version = [0, 0], class = "Tally", summary = "s" }\n'
CELLS = 'page = { cells = [{ name = "amount", type = "u64", summary = "s" }] }\n'
CALL = '[[call]]\nname = "add"\nimport = "__tally_add"\nsummary = "s"\n'


def test_names_of_a_page_that_follow(tmp_path: Path) -> None:
    (tmp_path / "abi.toml").write_text(PAGE + CELLS + CALL)
    abi = load_pages(tmp_path / "abi.toml")
    assert (abi.name, abi.export, abi.stem, abi.prefix, abi.entries) == ("acme/tally", "__tally", "tally", "acme_tally", 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PAGE + CALL, "the file: 'page' is missing"),
        (PAGE + CELLS, r"there is no \[\[call\]\]"),
        (PAGE.replace("[0, 0]", "[1, 0]") + CELLS + CALL, r"the version of a page is \[0, minor\]"),
        (PAGE + "page = { cells = [] }\n" + CALL, "there are no cells"),
        (PAGE + CELLS.replace("u64", "i64") + CALL, "cell amount: unknown type 'i64': there are u32, u64, bytes"),
        (PAGE + CELLS.replace("u64", "bytes") + CALL, "cell amount: 'capacity' is missing"),
        (PAGE + CELLS.replace('"amount"', '"page"') + CALL, "cell page: a name of its own"),
        (PAGE + CELLS.replace('"amount"', '"long"') + CALL, "'long' is a word of one of the SDKs' languages"),
        (PAGE + CELLS.replace("cells", 'export = "tally", cells') + CALL, "the export is __ and a name in snake_case, not 'tally'"),
        (PAGE + CELLS + CALL + 'takes = ["set"]', "call add: there is no cell 'set'"),
        (PAGE + CELLS + CALL + 'gives = "set"', "call add: there is no cell 'set'"),
        (PAGE + CELLS + CALL.replace('"add"', '"amount"'), "call amount: this is the name of a cell too"),
        (PAGE + CELLS + CALL + "what = 1", "call add: unknown key 'what'"),
        (PAGE + CELLS + CALL + '[[case]]\nname = "c"\nsteps = [{ call = "get" }]', "case c: unknown call 'get'"),
        (PAGE + CELLS + CALL + '[[case]]\nname = "c"\nsteps = [{ call = "add", arguments = [1] }]', "add takes 0 arguments, not 1"),
    ],
)
def test_what_is_wrong_with_a_page(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "abi.toml").write_text(text)
    with pytest.raises(AbiFileError, match=problem):
        load_pages(tmp_path / "abi.toml")
