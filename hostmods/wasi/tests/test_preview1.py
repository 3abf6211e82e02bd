"""The table of functions, against the interface's own list."""

from __future__ import annotations

from typing import Any

import pytest

from hostmods.wasi.tests.guest import ByteMemory, FakeCaller, direct
from purewasm import Interrupted, LinkError, MemoryAccessError
from purewasm_wasi import Wasi, preview1
from purewasm_wasi.errno import NAMES
from purewasm_wasi.preview1 import FUNCTIONS, host_functions, host_modules

# i is i32, l is i64: parameters and result of each function, as compiled guests import them.
SIGNATURES = {
    "args_get": "ii:i", "args_sizes_get": "ii:i", "environ_get": "ii:i", "environ_sizes_get": "ii:i", "clock_res_get": "ii:i",
    "clock_time_get": "ili:i", "fd_advise": "illi:i", "fd_allocate": "ill:i", "fd_close": "i:i", "fd_datasync": "i:i",
    "fd_fdstat_get": "ii:i", "fd_fdstat_set_flags": "ii:i", "fd_fdstat_set_rights": "ill:i", "fd_filestat_get": "ii:i",
    "fd_filestat_set_size": "il:i", "fd_filestat_set_times": "illi:i", "fd_pread": "iiili:i", "fd_prestat_get": "ii:i",
    "fd_prestat_dir_name": "iii:i", "fd_pwrite": "iiili:i", "fd_read": "iiii:i", "fd_readdir": "iiili:i", "fd_renumber": "ii:i",
    "fd_seek": "ilii:i", "fd_sync": "i:i", "fd_tell": "ii:i", "fd_write": "iiii:i", "path_create_directory": "iii:i",
    "path_filestat_get": "iiiii:i", "path_filestat_set_times": "iiiilli:i", "path_link": "iiiiiii:i", "path_open": "iiiiillii:i",
    "path_readlink": "iiiiii:i", "path_remove_directory": "iii:i", "path_rename": "iiiiii:i", "path_symlink": "iiiii:i",
    "path_unlink_file": "iii:i", "poll_oneoff": "iiii:i", "proc_exit": "i:", "proc_raise": "i:i", "sched_yield": ":i",
    "random_get": "ii:i", "sock_accept": "iii:i", "sock_recv": "iiiiii:i", "sock_send": "iiiii:i", "sock_shutdown": "ii:i",
}  # fmt: skip


def test_all_46_functions_have_their_signature() -> None:
    modules = host_modules(lambda _: None, lambda _: None)  # type: ignore[arg-type, return-value]
    for module, expected in zip(modules, (SIGNATURES, SIGNATURES.keys() - {"sock_accept"}), strict=True):
        assert set(expected) == set(module.definitions)
    assert 46 == len(SIGNATURES) == len(FUNCTIONS)
    for row in FUNCTIONS:
        letters = {"i32": "i", "i64": "l"}
        parameters = "".join(letters[preview1.KINDS[kind][0]] for kind in row.kinds())
        assert SIGNATURES[row.name] == f"{parameters}:{''.join(letters[result] for result in row.results())}", row.name


def test_names_of_the_modules() -> None:
    wasi = Wasi()
    assert ["wasi_snapshot_preview1", "wasi_unstable"] == [module.name for module in wasi.host_modules()]
    assert (wasi.name, *wasi.aliases) == tuple(module.name for module in wasi.host_modules())
    assert (1, 0) == wasi.abi


def test_errnos_are_numbered_as_the_specification_numbers_them() -> None:
    assert 77 == len(NAMES)
    assert {0: "success", 1: "toobig", 8: "badf", 28: "inval", 44: "noent", 63: "perm", 76: "notcapable"}.items() <= NAMES.items()


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_arguments_reach_the_function_unsigned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in FUNCTIONS if row.name == name)
    seen: list[tuple[int, ...]] = []
    recording = row._replace(implementation=lambda process, memory, *args: seen.append(args))
    monkeypatch.setattr(preview1, "FUNCTIONS", (recording,))
    ((_, function),) = host_functions(unstable=False)
    function(FakeCaller(None, ByteMemory(), object()), *[-1 for _ in row.kinds()])
    widths = {"i32": 0xFFFF_FFFF, "i64": 0xFFFF_FFFF_FFFF_FFFF}
    assert [tuple(-1 if kind == "delta" else widths[preview1.KINDS[kind][0]] for kind in row.kinds())] == seen


class NoMemory:
    """The caller of a guest that has no memory."""

    state = object()

    @property
    def memory(self) -> Any:
        raise LinkError("no memory")


def test_a_guest_without_memory_can_use_what_needs_none() -> None:
    functions = {row.name: function for row, function in host_functions(unstable=False)}
    wasi = Wasi()
    guest = direct(wasi)
    caller = NoMemory()
    caller.state = guest.machine.process  # type: ignore[attr-defined]
    assert 0 == functions["sched_yield"](caller)
    assert 0 == functions["fd_close"](caller, 0)
    with pytest.raises(LinkError):
        functions["args_get"](caller, 0, 0)


def test_a_closed_instance_is_interrupted() -> None:
    functions = {row.name: function for row, function in host_functions(unstable=False)}
    with pytest.raises(Interrupted, match="closed"):
        functions["sched_yield"](FakeCaller(None, ByteMemory(), None))


def test_a_bad_pointer_names_the_function_and_its_arguments() -> None:
    with Wasi() as wasi, pytest.raises(MemoryAccessError, match="out of bounds memory access") as caught:
        direct(wasi).call("fd_write", 1, 0xFFFF_FFF8, 1, 0)
    assert ["in fd_write(1, 4294967288, 1, 0), called by the guest"] == caught.value.__notes__
