"""The functions of preview 1 as one table, and the two host modules made from it.

A row is the specification's name, its parameters in their order, and what implements it: for `wasi_snapshot_preview1`, and for
`wasi_unstable` where that is another function or none. Parameters have the specification's names and a kind, which decides the
WebAssembly type and how its bits are read: everything is unsigned but `delta`.
"""

# ruff: noqa: E501 (a row of the table is a line)
# No `from __future__ import annotations`: the host module API looks at the annotation of the first parameter.

from collections.abc import Callable, Iterator

from purewasm import Caller, HostModule, Instance, Interrupted, Memory, MemoryAccessError
from purewasm.light_typing import Final, NamedTuple
from purewasm_wasi import args_environ, clocks, descriptor_calls, entropy, io_calls, path_calls, poll, process_calls, socket_calls, straight
from purewasm_wasi.errno import WasiError, number_of
from purewasm_wasi.layout import U32_MAX, U64_MAX
from purewasm_wasi.process import CLOSED, Process

SNAPSHOT_NAME: Final = "wasi_snapshot_preview1"
UNSTABLE_NAME: Final = "wasi_unstable"

Implementation = Callable[..., None]
HostFunction = Callable[..., int]

KINDS: Final = {
    "fd": ("i32", U32_MAX),
    "ptr": ("i32", U32_MAX),
    "size": ("i32", U32_MAX),
    "u32": ("i32", U32_MAX),
    "flags": ("i32", U32_MAX),
    "enum": ("i32", U32_MAX),
    "u64": ("i64", U64_MAX),
    "rights": ("i64", U64_MAX),
    "delta": ("i64", -1),
}
"""WebAssembly type, and the bits to keep of the signed integer that a host function gets."""


class Function(NamedTuple):
    """One row."""

    name: str
    parameters: str
    implementation: Implementation
    unstable: Implementation | None

    def kinds(self) -> list[str]:
        """The kind of each parameter."""
        return [parameter.rpartition(":")[2] for parameter in self.parameters.split()]

    def results(self) -> tuple[str, ...]:
        """An errno, but for `proc_exit`, which does not return."""
        return () if self.name == "proc_exit" else ("i32",)


def _same(name: str, parameters: str, implementation: Implementation) -> Function:
    return Function(name, parameters, implementation, implementation)


FUNCTIONS: Final = (
    _same("args_get", "argv:ptr argv_buf:ptr", args_environ.args_get),
    _same("args_sizes_get", "argc:ptr argv_buf_size:ptr", args_environ.args_sizes_get),
    _same("environ_get", "environ:ptr environ_buf:ptr", args_environ.environ_get),
    _same("environ_sizes_get", "environc:ptr environ_buf_size:ptr", args_environ.environ_sizes_get),
    _same("clock_res_get", "id:enum resolution:ptr", clocks.clock_res_get),
    _same("clock_time_get", "id:enum precision:u64 time:ptr", clocks.clock_time_get),
    _same("fd_advise", "fd:fd offset:u64 len:u64 advice:enum", descriptor_calls.fd_advise),
    _same("fd_allocate", "fd:fd offset:u64 len:u64", descriptor_calls.fd_allocate),
    _same("fd_close", "fd:fd", descriptor_calls.fd_close),
    _same("fd_datasync", "fd:fd", descriptor_calls.fd_datasync),
    _same("fd_fdstat_get", "fd:fd stat:ptr", descriptor_calls.fd_fdstat_get),
    _same("fd_fdstat_set_flags", "fd:fd flags:flags", descriptor_calls.fd_fdstat_set_flags),
    _same("fd_fdstat_set_rights", "fd:fd fs_rights_base:rights fs_rights_inheriting:rights", descriptor_calls.fd_fdstat_set_rights),
    Function("fd_filestat_get", "fd:fd stat:ptr", descriptor_calls.fd_filestat_get, descriptor_calls.fd_filestat_get_unstable),
    _same("fd_filestat_set_size", "fd:fd size:u64", descriptor_calls.fd_filestat_set_size),
    _same("fd_filestat_set_times", "fd:fd atim:u64 mtim:u64 fst_flags:flags", descriptor_calls.fd_filestat_set_times),
    _same("fd_pread", "fd:fd iovs:ptr iovs_len:size offset:u64 nread:ptr", io_calls.fd_pread),
    _same("fd_prestat_get", "fd:fd prestat:ptr", descriptor_calls.fd_prestat_get),
    _same("fd_prestat_dir_name", "fd:fd path:ptr path_len:size", descriptor_calls.fd_prestat_dir_name),
    _same("fd_pwrite", "fd:fd iovs:ptr iovs_len:size offset:u64 nwritten:ptr", io_calls.fd_pwrite),
    _same("fd_read", "fd:fd iovs:ptr iovs_len:size nread:ptr", io_calls.fd_read),
    _same("fd_readdir", "fd:fd buf:ptr buf_len:size cookie:u64 bufused:ptr", io_calls.fd_readdir),
    _same("fd_renumber", "fd:fd to:fd", descriptor_calls.fd_renumber),
    Function("fd_seek", "fd:fd offset:delta whence:enum newoffset:ptr", io_calls.fd_seek, io_calls.fd_seek_unstable),
    _same("fd_sync", "fd:fd", descriptor_calls.fd_sync),
    _same("fd_tell", "fd:fd offset:ptr", io_calls.fd_tell),
    _same("fd_write", "fd:fd iovs:ptr iovs_len:size nwritten:ptr", io_calls.fd_write),
    _same("path_create_directory", "fd:fd path:ptr path_len:size", path_calls.path_create_directory),
    Function("path_filestat_get", "fd:fd flags:flags path:ptr path_len:size stat:ptr", path_calls.path_filestat_get, path_calls.path_filestat_get_unstable),
    _same("path_filestat_set_times", "fd:fd flags:flags path:ptr path_len:size atim:u64 mtim:u64 fst_flags:flags", path_calls.path_filestat_set_times),
    _same("path_link", "old_fd:fd old_flags:flags old_path:ptr old_path_len:size new_fd:fd new_path:ptr new_path_len:size", path_calls.path_link),
    _same("path_open", "fd:fd dirflags:flags path:ptr path_len:size oflags:flags fs_rights_base:rights fs_rights_inheriting:rights fdflags:flags opened_fd:ptr", path_calls.path_open),
    _same("path_readlink", "fd:fd path:ptr path_len:size buf:ptr buf_len:size bufused:ptr", path_calls.path_readlink),
    _same("path_remove_directory", "fd:fd path:ptr path_len:size", path_calls.path_remove_directory),
    _same("path_rename", "fd:fd old_path:ptr old_path_len:size new_fd:fd new_path:ptr new_path_len:size", path_calls.path_rename),
    _same("path_symlink", "old_path:ptr old_path_len:size fd:fd new_path:ptr new_path_len:size", path_calls.path_symlink),
    _same("path_unlink_file", "fd:fd path:ptr path_len:size", path_calls.path_unlink_file),
    Function("poll_oneoff", "in:ptr out:ptr nsubscriptions:size nevents:ptr", poll.poll_oneoff, poll.poll_oneoff_unstable),
    _same("proc_exit", "rval:u32", process_calls.proc_exit),
    _same("proc_raise", "sig:enum", process_calls.proc_raise),
    _same("sched_yield", "", process_calls.sched_yield),
    _same("random_get", "buf:ptr buf_len:size", entropy.random_get),
    Function("sock_accept", "fd:fd flags:flags connection:ptr", socket_calls.sock_accept, None),
    _same("sock_recv", "fd:fd ri_data:ptr ri_data_len:size ri_flags:flags ro_datalen:ptr ro_flags:ptr", socket_calls.sock_recv),
    _same("sock_send", "fd:fd si_data:ptr si_data_len:size si_flags:flags so_datalen:ptr", socket_calls.sock_send),
    _same("sock_shutdown", "fd:fd how:flags", socket_calls.sock_shutdown),
)
"""In the order of the specification."""


def host_modules(
    attach: Callable[[Instance], Process], detach: Callable[[object], None], trace: Callable[[str], object] | None = None
) -> tuple[HostModule, HostModule]:
    """`wasi_snapshot_preview1` and `wasi_unstable`, working on the process that `attach` gives for an instance."""
    modules = (HostModule(SNAPSHOT_NAME, attach=attach, detach=detach), HostModule(UNSTABLE_NAME, attach=attach, detach=detach))
    for module, unstable in zip(modules, (False, True), strict=True):
        for function, call in host_functions(unstable=unstable, trace=trace):
            types = tuple(KINDS[kind][0] for kind in function.kinds())
            module.add_function(function.name, call, types, function.results())
    return modules


def host_functions(*, unstable: bool, trace: Callable[[str], object] | None = None) -> Iterator[tuple[Function, HostFunction]]:
    """The rows that one version of the interface has, each with its host function."""
    for function in FUNCTIONS:
        implementation = function.unstable if unstable else function.implementation
        if implementation is None:
            continue
        if trace is not None:
            implementation = _traced(function, implementation, trace)
        call = _bind(function, implementation)
        way = None if trace is not None else straight.WAYS.get(implementation)
        yield function, call if way is None else way(call)


def _traced(function: Function, implementation: Implementation, write: Callable[[str], object]) -> Implementation:
    """Tells of each call of a function, and what came of it."""
    from purewasm_wasi.trace import Tracer  # few guests are traced

    tracer = Tracer(function.name, function.parameters, write)

    def call(process: Process, memory: Memory | None, *args: int) -> None:
        told = tracer.called(memory, args)
        number = 0
        try:
            implementation(process, memory, *args)
        except (WasiError, OSError) as error:
            number = error.number if isinstance(error, WasiError) else number_of(error)
            raise
        except BaseException as error:
            tracer.raised(told, error)
            number = -1
            raise
        finally:
            if number >= 0:
                tracer.ended(told, memory, args, number)

    return call


def _bind(function: Function, implementation: Implementation) -> HostFunction:
    """Arguments made unsigned, the caller's process and memory found, failures turned into an errno."""
    kinds = function.kinds()
    masks = tuple(KINDS[kind][1] for kind in kinds)
    needs_memory, returns_errno = "ptr" in kinds, bool(function.results())

    def call(caller: Caller, *args: int) -> int:
        # Hardly ever is an argument negative: asking for the least of them is cheaper than masking all.
        if args and min(args) < 0:
            args = tuple(arg & mask for arg, mask in zip(args, masks, strict=True))
        process = caller.state
        if process is None:
            raise Interrupted(CLOSED)
        try:
            implementation(process, caller.memory if needs_memory else None, *args)
        except WasiError as error:
            return error.number
        except OSError as error:
            if not returns_errno:
                raise
            return number_of(error)
        except MemoryAccessError as error:
            error.add_note(f"in {function.name}({', '.join(map(str, args))}), called by the guest")
            raise
        return 0

    return call
