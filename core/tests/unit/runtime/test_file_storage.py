"""Files: who may own them, what happens to broken ones, and writers that fail, race or die."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from purewasm import WasmError
from purewasm.runtime import file_storage
from purewasm.runtime.file_storage import FileStorage, choose_for_removal, folder_name, remove_file, stored_files

KEY = bytes(range(32))
posix = pytest.mark.skipif(os.name != "posix", reason="owners and permissions of POSIX systems")


def entry_path(directory: Path, key: bytes = KEY) -> Path:
    return directory / folder_name() / key.hex()


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


def test_what_was_added_is_found(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    storage = FileStorage(directory)
    assert storage.get(KEY) is None
    assert not directory.exists()
    storage.add(KEY, b"one")
    storage.add(KEY, b"other")
    assert storage.get(KEY) == b"other"
    assert files_in(directory) == [KEY.hex()]
    storage.delete(KEY)
    storage.delete(KEY)
    assert (storage.get(KEY), files_in(directory), storage.last_error) == (None, [], None)


def test_the_folder_tells_version_machine_and_system() -> None:
    prefix, version, machine, system = folder_name().split("-", 3)
    assert (prefix, system) == ("purewasm", sys.platform)
    assert version[0].isdigit()
    assert machine


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Path(FileStorage("~/cache").directory) == tmp_path / "cache"


@pytest.mark.parametrize("size", [0, 10, (1 << 20) - 1, 1 << 20, 3 << 20])
def test_every_size(tmp_path: Path, size: int) -> None:
    storage = FileStorage(tmp_path / "cache")
    content = os.urandom(size)
    storage.add(KEY, content)
    found = storage.get(KEY)
    storage.add(KEY, b"other")
    storage.delete(KEY)
    assert found == content, "what was found outlives the file"


def test_the_first_write_makes_room(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    for number in range(5):
        key = bytes([number]) * 32
        FileStorage(directory).add(key, bytes(1000))
        os.utime(entry_path(directory, key), (time.time() - 86_400 * number,) * 2)
    storage = FileStorage(directory, max_bytes=2500)
    storage.add(KEY, bytes(1000))
    storage.add(bytes(32), bytes(1000))
    assert files_in(directory) == sorted([(bytes([number]) * 32).hex() for number in (0, 1)] + [KEY.hex()])
    assert len(FileStorage(directory).get(KEY) or b"") == 1000


# ---- who may write


@posix
def test_everything_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileStorage(tmp_path / "a" / "b").add(KEY, b"x")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a", *sorted((tmp_path / "a").rglob("*")))]
    assert modes == [0o700, 0o700, 0o700, 0o600]


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(WasmError, match=r"can be written to by other users, .*: chmod go-w .*cache"):
        FileStorage(directory)


@posix
def test_a_folder_in_it_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = entry_path(tmp_path).parent
    tmp_path.chmod(0o700)
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(WasmError, match="chmod go-w"):
        FileStorage(tmp_path)


@posix
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(WasmError, match=r"belongs to another user \(number \d+\).*choose a directory of your own"):
        FileStorage(tmp_path)


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(WasmError, match=r"is no directory.*name another path"):
        FileStorage(file)
    if os.name == "posix":
        with pytest.raises(WasmError, match="a part of the path is a file"):
            FileStorage(file / "cache")


@posix
def test_a_directory_that_becomes_unsafe_is_not_written_to(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    storage = FileStorage(directory)
    directory.mkdir()
    directory.chmod(0o777)
    storage.add(KEY, b"x")
    assert files_in(directory) == []
    assert "chmod go-w" in str(storage.last_error)


@posix
def test_a_file_that_others_can_write_to_is_removed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, b"x")
    entry_path(tmp_path / "cache").chmod(0o622)
    assert storage.get(KEY) is None
    assert files_in(tmp_path / "cache") == []


@posix
def test_links_pipes_and_directories_are_no_entries(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, b"x")
    path, elsewhere = entry_path(tmp_path / "cache"), tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert storage.get(KEY) is None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert storage.get(KEY) is None
    path.mkdir()
    assert storage.get(KEY) is None
    storage.add(KEY, b"y")
    assert storage.get(KEY) is None
    assert files_in(tmp_path / "cache") == []


# ---- what can fail


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, b"before")
    real = os.write
    written: list[int] = []

    def write(file: int, content: memoryview) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real(file, content[:3]))
        return written[0]

    monkeypatch.setattr(os, "write", write)
    storage.add(KEY, b"after")
    assert storage.last_error is not None
    assert storage.last_error.errno == errno.ENOSPC
    assert (storage.get(KEY), files_in(tmp_path / "cache")) == (b"before", [KEY.hex()])


_LIMITED = """
import resource, signal, sys
from purewasm.runtime.file_storage import FileStorage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
storage = FileStorage(sys.argv[1])
storage.add(bytes(32), bytes(10_000))
print(type(storage.last_error).__name__, storage.get(bytes(32)))
"""


@posix
@pytest.mark.slow
def test_a_file_that_cannot_grow(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LIMITED, str(tmp_path / "cache")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["OSError", "None"]
    assert files_in(tmp_path / "cache") == []


_READ_ONLY = """
import os, sys
from purewasm.runtime.file_storage import FileStorage
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
storage = FileStorage(sys.argv[1])
storage.add(bytes(32), b"new")
storage.delete(bytes(range(32)))
print(type(storage.last_error).__name__, storage.get(bytes(32)), bytes(storage.get(bytes(range(32)))))
missing = FileStorage(sys.argv[1] + "/none/cache")
missing.add(bytes(32), b"new")
print(type(missing.last_error).__name__, missing.get(bytes(32)))
"""


@posix
@pytest.mark.slow
def test_a_read_only_directory_is_read() -> None:
    """As a user whom permissions mean something to, and so in a folder that such a user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "cache")
        FileStorage(directory).add(KEY, b"old")
        for path in (*directory.rglob("*"), directory):
            path.chmod(0o500 if path.is_dir() else 0o400)
            if os.geteuid() == 0:
                os.chown(path, 65534, 65534)
        Path(folder).chmod(0o711)
        finished = subprocess.run([sys.executable, "-c", _READ_ONLY, str(directory)], capture_output=True, text=True, check=False)
        assert (finished.stdout.splitlines(), finished.stderr) == (["PermissionError None b'old'", "PermissionError None"], "")
        for path in (directory, *directory.glob("*")):
            path.chmod(0o700)


_KILLED = """
import os, signal, sys
from purewasm.runtime.file_storage import FileStorage
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
FileStorage(sys.argv[1]).add(bytes(range(32)), b"never whole")
"""


@posix
@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_no_entry(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(directory)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = stored_files(str(directory))
    assert left.is_temporary
    storage = FileStorage(directory)
    assert storage.get(KEY) is None
    os.utime(left.path, (time.time() - 7200,) * 2)
    storage.add(KEY, b"whole")
    assert files_in(directory) == [KEY.hex()], "what the dead writer left is swept up"
    assert storage.get(KEY) == b"whole"


_WRITER = """
import sys
from purewasm.runtime.file_storage import FileStorage
storage = FileStorage(sys.argv[1])
for round in range(150):
    storage.add(bytes(range(32)), sys.argv[2].encode() * (4000 + round))
assert storage.last_error is None, storage.last_error
"""


@pytest.mark.slow
def test_two_processes_write_the_same_entry(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(directory), letter]) for letter in "ab"]
    storage = FileStorage(directory)
    seen = set()
    while any(writer.poll() is None for writer in writers):
        content = storage.get(KEY)
        if content is not None:
            text = bytes(content)
            assert len(set(text)) == 1
            assert 4000 <= len(text) < 4150
            seen.add(text[:1])
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen
    assert files_in(directory) == [KEY.hex()]


@posix
def test_without_descriptors_nothing_is_found(tmp_path: Path) -> None:
    import resource

    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, bytes(2 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        found = storage.get(KEY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found is None
    assert storage.last_error is not None
    assert storage.get(KEY) == bytes(2 << 20)


# ---- upkeep


def test_use_is_noted(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, b"x")
    path = entry_path(tmp_path / "cache")
    os.utime(path, (0, 0))
    storage.get(KEY)
    assert time.time() - path.stat().st_mtime < 1000


def test_what_is_removed_for_size_and_age(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "cache")
    for number in range(5):
        storage.add(bytes([number]) * 32, bytes(100))
        os.utime(entry_path(tmp_path / "cache", bytes([number]) * 32), (time.time() - 100 * number,) * 2)
    (tmp_path / "cache" / "other.txt").write_text("not ours")
    (entry_path(tmp_path / "cache").parent / "readme").write_text("not ours")
    files = list(stored_files(storage.directory))

    def chosen(max_bytes: int | None = None, max_age: float | None = None) -> list[int]:
        return [bytes.fromhex(Path(file.path).name)[0] for file in choose_for_removal(files, max_bytes, max_age)]

    assert chosen() == []
    assert chosen(max_bytes=250) == [4, 3, 2]
    assert chosen(max_bytes=0) == [4, 3, 2, 1, 0]
    assert chosen(max_age=150) == [4, 3, 2]
    assert chosen(max_bytes=400, max_age=350) == [4]
    assert all(map(remove_file, files))
    assert files_in(tmp_path / "cache") == ["other.txt", "readme"]
    assert list(stored_files(storage.directory)) == list(stored_files(str(tmp_path / "none"))) == []


def test_removing_what_is_gone_is_fine(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, b"x")
    (file,) = stored_files(storage.directory)
    assert remove_file(file)
    assert remove_file(file)
    assert not (tmp_path / "cache" / folder_name()).exists(), "an empty folder of a version goes as well"
    storage.add(KEY, b"y")
    assert storage.get(KEY) == b"y"


def test_a_mapping_that_is_refused_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mmap

    def refuse(*arguments: object, **options: object) -> object:
        raise OSError(errno.ENODEV, "no mappings here")

    storage = FileStorage(tmp_path / "cache")
    storage.add(KEY, bytes(file_storage._MAPPED_BYTES))
    monkeypatch.setattr(mmap, "mmap", refuse)
    assert isinstance(storage.get(KEY), bytes)
    assert storage.get(KEY) == bytes(file_storage._MAPPED_BYTES)
