"""The package's own finder: it finds what Python would have found, and takes no bytecode that Python would not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
SOURCES: Final = {
    "thing/__init__.py": "from purewasm import light_importing\nlight_importing.install(__name__)\n",
    "thing/part.py": "value = 1\n",
    "thing/inner/__init__.py": "",
    "thing/inner/part.py": "value = 2\n",
}
PROGRAM: Final = (
    "import thing.inner.part, thing.part; print(thing.part.value, thing.inner.part.value, type(thing.part.__loader__).__name__)"
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the finder is for file systems that tell capitals from small letters")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a package that uses the finder."""
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(source: str, *paths: Path, options: tuple[str, ...] = (), **environment: str) -> str:
    """What a process prints that finds packages in these folders too."""
    found = os.pathsep.join([*map(str, paths), *filter(None, sys.path)])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, *options, "-c", source]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env={**inherited, "PYTHONPATH": found, **environment}
    )
    return done.stdout.strip()


def test_every_module_is_described_as_python_would() -> None:
    source = """
import sys
from importlib.machinery import PathFinder
from purewasm import Runtime
Runtime().instantiate('(module)')
names, ours = [name for name in sys.modules if name.startswith("purewasm.")], 0
for name in names:
    module = sys.modules[name]
    wanted = PathFinder.find_spec(name, sys.modules[name.rpartition(".")[0]].__path__)
    for attribute in "name origin cached submodule_search_locations has_location parent".split():
        assert getattr(module.__spec__, attribute) == getattr(wanted, attribute), (name, attribute)
    assert module.__file__ == wanted.origin
    assert getattr(module, "__path__", None) == wanted.submodule_search_locations
    assert module.__loader__.get_source(name) == wanted.loader.get_source(name)
    assert module.__loader__.get_code(name) == wanted.loader.get_code(name)
    ours += type(module.__loader__).__name__ == "_Loader"
print(len(names) > 50, ours > len(names) - 5)
"""
    run(source)  # bytecode is there from now on
    assert run(source) == "True True"


def test_python_imports_what_has_no_bytecode_yet_and_writes_it(tree: Path) -> None:
    assert run(PROGRAM, tree) == "1 2 SourceFileLoader"
    assert run(PROGRAM, tree) == "1 2 _Loader"


@pytest.mark.parametrize(("text", "later"), [("value = 100\n", 0), ("value = 3\n", 5)], ids=["other size", "other time"])
def test_bytecode_of_another_state_of_the_source_is_not_run(tree: Path, text: str, later: int) -> None:
    run(PROGRAM, tree)
    part = tree / "thing/part.py"
    time = part.stat().st_mtime
    part.write_text(text)
    os.utime(part, (time + later, time + later))
    assert run(PROGRAM, tree) == f"{text[8:].strip()} 2 SourceFileLoader"
    assert run(PROGRAM, tree) == f"{text[8:].strip()} 2 _Loader"


@pytest.mark.parametrize("change", [b"", b"\0\0\0\0"], ids=["empty", "another Python's"])
def test_bytecode_that_is_none_is_made_again(tree: Path, change: bytes) -> None:
    run(PROGRAM, tree)
    cached = tree / f"thing/__pycache__/part.{sys.implementation.cache_tag}.pyc"
    cached.write_bytes(change + cached.read_bytes()[4:] if change else b"")
    assert run(PROGRAM, tree) == "1 2 SourceFileLoader"


def test_bytecode_with_a_hash_of_its_source_is_left_to_python(tree: Path) -> None:
    compileall = "import compileall, py_compile, sys\n"
    run(compileall + "compileall.compile_dir(sys.path[1], quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)", tree)
    assert run(PROGRAM, tree) == "1 2 SourceFileLoader"


def test_optimized_bytecode_is_found_under_its_own_name(tree: Path) -> None:
    (tree / "thing/part.py").write_text("value = 1 if __debug__ else 7\n")
    for options, wanted in ((), "1 2 SourceFileLoader"), (("-O",), "7 2 SourceFileLoader"), ((), "1 2 _Loader"), (("-O",), "7 2 _Loader"):
        assert run(PROGRAM, tree, options=options) == wanted


def test_a_tree_that_was_moved_tells_where_it_is_now(tree: Path) -> None:
    (tree / "thing/part.py").write_text("def value(): pass\nvalue = value.__code__.co_filename\n")
    run(PROGRAM, tree)
    moved = tree.rename(tree.with_name("moved"))
    assert run(PROGRAM, moved) == f"{moved / 'thing/part.py'} 2 _Loader"


def test_it_stays_out_of_the_way_where_bytecode_is_kept_elsewhere(tree: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run(PROGRAM, tree, PYTHONPYCACHEPREFIX=str(tmp_path / "elsewhere")) == "1 2 SourceFileLoader"


def test_a_package_in_a_zip_file_is_imported(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "things.zip", "w") as archive:
        for name, text in SOURCES.items():
            archive.writestr(name, text)
    assert run(PROGRAM, tmp_path / "things.zip") == "1 2 zipimporter"


def test_other_packages_and_missing_modules_are_none_of_its_business(tree: Path) -> None:
    (tree / "other").mkdir()
    (tree / "other/part.py").write_text("")
    source = """
import purewasm, other.part
try:
    import purewasm.nothing
except ModuleNotFoundError as error:
    print(error, type(other.part.__loader__).__name__)
"""
    run(source, tree)
    assert run(source, tree) == "No module named 'purewasm.nothing' SourceFileLoader"


def test_finders_of_others_are_asked_first() -> None:
    source = """
import sys
class Other:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "purewasm.traps":
            print("asked")
sys.meta_path.insert(PLACE, Other)
import purewasm.traps
"""
    for place in "0", "len(sys.meta_path) - 1":  # before all of Python's, and before the last of them
        assert run(source.replace("PLACE", place)) == "asked"


# ---- modules that come together

TOGETHER: Final = """import sys, thing
from purewasm import light_importing
light_importing.install("thing", {"thing.part": "thing.inner thing.inner.part thing.third"})
"""


def together(tree: Path, source: str) -> str:
    """What a process prints in which `thing.part` brings others along; bytecode is there."""
    (tree / "thing/third.py").write_text("import thing.inner.part as used\n")
    run("import thing.inner.part, thing.part, thing.third", tree)
    return run(TOGETHER + source, tree)


def test_modules_come_together(tree: Path) -> None:
    """Each is as the import system makes it, and found in its package."""
    source = """
import thing.part
made = [sys.modules[name] for name in ("thing.inner", "thing.inner.part", "thing.third")]
print(thing.third.used.value, [module.__spec__.name for module in made], [type(module.__loader__).__name__ for module in made])
print(thing.inner.__path__[0].endswith("inner"), thing.inner.part.__package__, hasattr(thing.third, "__path__"))
"""
    names = "['thing.inner', 'thing.inner.part', 'thing.third'] ['_Loader', '_Loader', '_Loader']"
    assert together(tree, source).splitlines() == [f"2 {names}", "True thing.inner False"]


def test_modules_that_are_there_stay(tree: Path) -> None:
    assert together(tree, "import thing.inner.part as first, thing.part; print(first is sys.modules['thing.inner.part'])") == "True"


@pytest.mark.parametrize("fails", ["raise ValueError('broken')", "import thing.nothing"])
def test_a_module_that_fails_does_so_where_it_is_imported(tree: Path, fails: str) -> None:
    """Those before it are there, it is not, and whoever imports it gets the error."""
    source = """
from pathlib import Path
import py_compile
third = Path(thing.__file__).with_name("third.py")
third.write_text(sys.argv[1])
py_compile.compile(str(third))
import thing.part
print(thing.part.value, "thing.inner.part" in sys.modules, "thing.third" in sys.modules, hasattr(thing, "third"))
try:
    import thing.third
except Exception as error:
    print(error)
""".replace("sys.argv[1]", repr(fails))
    error = "broken" if "broken" in fails else "No module named 'thing.nothing'"
    assert together(tree, source).splitlines() == ["1 True False False", error]


def test_a_module_without_bytecode_is_left_to_the_import_system(tree: Path) -> None:
    source = """
from pathlib import Path
Path(thing.__file__).with_name("inner").joinpath("part.py").write_text("value = 20\\n")
import thing.part
print("thing.inner" in sys.modules, "thing.inner.part" in sys.modules)
import thing.inner.part
print(thing.inner.part.value)
"""
    assert together(tree, source).splitlines() == ["True False", "20"]


PYTHON_THREAD: Final = """
import threading
end = threading.Event()
threading.Thread(target=end.wait).start()
finish = end.set
"""
NATIVE_THREAD: Final = """
import ctypes, _thread
library, number, begun, end = ctypes.CDLL(None), ctypes.c_ulong(), _thread.allocate_lock(), _thread.allocate_lock()
begun.acquire(), end.acquire()

@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def wait(argument):
    begun.release()
    with end:
        return 0

library.pthread_create(ctypes.byref(number), None, wait, None)
begun.acquire()
assert _thread._count() == 0

def finish():
    end.release()
    library.pthread_join(number, None)
"""


@pytest.mark.parametrize("thread", [PYTHON_THREAD, NATIVE_THREAD], ids=["Python's", "native"])
def test_no_module_comes_along_where_a_thread_could_see_it_half_done(tree: Path, thread: str) -> None:
    source = """
import thing.part
print("thing.third" in sys.modules)
finish()
"""
    assert together(tree, thread + source) == "False"


def test_modules_run_without_the_lock_that_all_imports_take(tree: Path) -> None:
    """A thread that Python did not make may import something else meanwhile: each would wait for the other."""
    (tree / "thing/inner/part.py").write_text("import _imp\nvalue = _imp.lock_held()\n")
    assert together(tree, "import thing.part; print(sys.modules['thing.inner.part'].value)") == "False"


def test_looking_for_a_module_imports_none(tree: Path) -> None:
    source = """
import importlib.util
found = importlib.util.find_spec("thing.part")
print(found.name, "thing.inner" in sys.modules)
import thing.part
print("thing.third" in sys.modules)
"""
    assert together(tree, source).splitlines() == ["thing.part False", "True"]


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("name, path, target", "return None"),
        ("name, path, target=None", "if name == 'thing.inner.part': raise ImportError('not this one')"),
    ],
    ids=["takes three arguments", "raises"],
)
def test_finders_of_others_are_asked_as_the_import_system_does(tree: Path, signature: str, body: str) -> None:
    """One that raises does so where its module is imported, not where another one is."""
    source = f"""
class Other:
    @staticmethod
    def find_spec({signature}):
        {body}
sys.meta_path.insert(0, Other)
import thing.part
print(thing.part.value, "thing.inner.part" in sys.modules)
"""
    assert together(tree, source) == f"1 {body == 'return None'}"


def test_an_interrupt_leaves_no_module_half_done_and_the_collector_on(tree: Path) -> None:
    (tree / "thing/inner/part.py").write_text("import sys\nvalue = 2\nif hasattr(sys, 'interrupted'): raise KeyboardInterrupt\n")
    source = """
import gc
sys.interrupted = True
try:
    import thing.part
except KeyboardInterrupt:
    print([name for name in sys.modules if name.startswith("thing.")], gc.isenabled())
del sys.interrupted
import thing.part, thing.third
print(thing.part.value, thing.third.used.value)
"""
    assert together(tree, source).splitlines() == ["['thing.inner'] True", "1 2"]


def test_finders_of_others_see_what_comes_along(tree: Path) -> None:
    source = """
from importlib.machinery import PathFinder
class Other:
    @staticmethod
    def find_spec(name, path, target=None):
        return PathFinder.find_spec(name, path) if name == "thing.inner.part" else None
sys.meta_path.insert(0, Other)
import thing.part, thing.third
print(type(thing.inner.__loader__).__name__, type(thing.inner.part.__loader__).__name__)
"""
    assert together(tree, source) == "_Loader SourceFileLoader"


def test_what_a_start_imports_is_in_order() -> None:
    """Otherwise `python tools/import_order.py` writes it again. Nothing breaks without it, but a start takes longer."""
    done = subprocess.run([sys.executable, ROOT / "tools/import_order.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- the garbage collector


def test_imports_leave_the_garbage_collector_as_it_was() -> None:
    """It is on or off as before, what others froze stays frozen, and garbage from before an import goes with a collection after it."""
    source = """
import gc, sys
class Cycle:
    def __init__(self):
        self.own = self
    def __del__(self):
        print("gone")
if "frozen" in sys.argv:
    gc.freeze()
if "off" in sys.argv:
    gc.disable()
Cycle()
from purewasm import Runtime
Runtime().instantiate("(module)")
print(gc.isenabled(), gc.get_freeze_count() > 1000)
gc.collect()
"""
    for words, first in ((), "True False"), (("frozen",), "True True"), (("off",), "False False"):
        assert set(run(f"import sys; sys.argv[1:] = {words!r}\n{source}").splitlines()) == {first, "gone"}


def test_what_imports_make_is_old_to_the_collector() -> None:
    """On Python 3.12 too, which begins with some objects frozen; but not where the collector is off anyway."""
    source = """
import gc, sys
if "off" in sys.argv:
    gc.disable()
from purewasm import Runtime, errors
print(any(it is vars(errors) for it in gc.get_objects(generation=2)))
"""
    assert [run(f"import sys; sys.argv[1:] = {words!r}\n{source}") for words in ((), ("off",))] == ["True", "False"]
