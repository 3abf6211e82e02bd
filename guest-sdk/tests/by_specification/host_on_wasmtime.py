"""A host of both versions of the ABI on another runtime, written from `docs/abi.md` alone: nothing of purewasm is imported here.

It has `purewasm/globals@1` and `pantopic/wazero-global`, which read the same values, and `pantopic/wazero-atomic`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Final

import msgpack  # type: ignore[import-untyped]
import wasmtime

_HEADER: Final = struct.Struct("<IHHIiIIIIQ")
_MAGIC: Final = int.from_bytes(b"HMB1", "little")
_MAILBOX_BYTES: Final = 40
_FETCH: Final = 1
_KEPT: Final = 2
_NOT_FOUND: Final = 1
_INVALID: Final = 3
_TOO_LARGE: Final = 5
_UNSUPPORTED: Final = 8
_REQUEST_LIMIT: Final = 1 << 20
_NAME_LIMIT: Final = 65_536


class Refused(Exception):  # noqa: N818 (the specification's word)
    """The guest broke the ABI: its call is ended."""


class Answer(Exception):  # noqa: N818 (it is an answer)
    """A status other than OK."""

    def __init__(self, status: int, message: str, data: object = None) -> None:
        super().__init__(status, message, data)
        self.status = status
        self.body: bytes = msgpack.packb([status, message, data])


class View:
    """The memory of the guest that calls, for one call."""

    def __init__(self, caller: wasmtime.Caller) -> None:
        memory = caller.get("memory")
        if not isinstance(memory, wasmtime.Memory):
            raise Refused("the guest has no memory")
        self._memory, self._caller = memory, caller
        self.size = memory.data_len(caller)

    def check(self, what: str, address: int, size: int) -> None:
        if address + size > self.size:
            raise Refused(f"{what} lies outside the memory")

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._memory.read(self._caller, address, address + size))

    def write(self, address: int, data: bytes) -> None:
        self._memory.write(self._caller, data, address)

    def u32(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def u64(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")


def asked_address(caller: wasmtime.Caller, export: str) -> int:
    """The address that the guest's own function returns."""
    function = caller.get(export)
    if not isinstance(function, wasmtime.Func):
        raise Refused(f"the guest exports no function {export}")
    found = function(caller)
    if not isinstance(found, int):
        raise Refused(f"{export} returns no address")
    return found & 0xFFFF_FFFF


class Page:
    """Cells of version 0: sizes of the entries, in order; None for the bytes of a buffer, whose capacity and length come before it."""

    def __init__(self, caller: wasmtime.Caller, export: str, sizes: list[int | None]) -> None:
        self.view = View(caller)
        address = asked_address(caller, export)
        self.view.check("the page", address, 4 * len(sizes))
        self.entries = [self.view.u32(address + 4 * entry) for entry in range(len(sizes))]
        self._cells = [(at, at + size) for at, size in zip(self.entries, sizes, strict=True) if size is not None]
        for number, (start, end) in enumerate(self._cells):
            self.view.check("a cell", start, end - start)
            if any(start < other_end and other < end for other, other_end in self._cells[:number]):
                raise Refused("two cells overlap")

    def bytes_of(self, entry: int, limit: int) -> bytes:
        """The content of a buffer."""
        capacity, length, at = self.view.u32(self.entries[entry - 2]), self.view.u32(self.entries[entry - 1]), self.entries[entry]
        if length > capacity or length > limit:
            raise Refused("the length is too large")
        self.view.check("the buffer", at, capacity)
        if any(at < end and start < at + capacity for start, end in self._cells):
            raise Refused("the buffer overlaps a cell")
        return self.view.read(at, length)


class Mailbox:
    """What a host knows of version 1 for one instance."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: tuple[int, bytes] | None = None

    def call(self, caller: wasmtime.Caller) -> None:
        view, address = View(caller), asked_address(caller, "__globals")
        view.check("the mailbox", address, _MAILBOX_BYTES)
        magic, major, _, operation, _, buffer, capacity, length, flags, handle = _HEADER.unpack(view.read(address, _MAILBOX_BYTES))
        if magic != _MAGIC or major != 1:
            raise Refused("another magic or major version")
        view.check("the buffer", buffer, capacity)
        if capacity and buffer < address + _MAILBOX_BYTES and address < buffer + capacity:
            raise Refused("the buffer overlaps the mailbox")
        if length > capacity:
            raise Refused("the length is over the capacity")
        try:
            status, body = 0, self._answer(operation, flags, view.read(buffer, length))
        except Answer as answer:
            status, body = answer.status, answer.body
        fits = len(body) <= capacity
        kept = status == 0 and not fits
        if kept:
            self._kept = (operation, body)
        elif flags == _FETCH and status == 0:
            self._kept = None
        if fits:
            view.write(buffer, body)
        view.write(address + 12, status.to_bytes(4, "little", signed=True))
        view.write(address + 24, struct.pack("<IIQ", len(body) if fits or kept else 0, _KEPT if kept else 0, handle))

    def _answer(self, operation: int, flags: int, request: bytes) -> bytes:
        if len(request) > _REQUEST_LIMIT:
            raise Answer(_TOO_LARGE, "the request is too large", _REQUEST_LIMIT)
        if flags == _FETCH:
            if self._kept is None or self._kept[0] != operation:
                raise Answer(_NOT_FOUND, "nothing is kept")
            return self._kept[1]
        if flags:
            raise Answer(_UNSUPPORTED, "unknown flags")
        self._kept = None
        if operation not in (1, 2):
            raise Answer(_UNSUPPORTED, "unknown operation")
        try:
            arguments = msgpack.unpackb(request, raw=False, strict_map_key=True)
        except (ValueError, msgpack.UnpackException, RecursionError) as error:
            raise Refused(f"the request is no msgpack: {error}") from None
        if not isinstance(arguments, list):
            raise Refused("the request is no array")
        packed: bytes = msgpack.packb(self._host.get_many(arguments) if operation == 1 else self._host.list(arguments))
        return packed


class Host:
    """What the guests of one store are granted."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = values
        self.counters: dict[tuple[int, int], int] = {}
        self.store = wasmtime.Store()
        self._linker = wasmtime.Linker(self.store.engine)
        self._linker.allow_shadowing = True
        self._define("pantopic/wazero-global", "__global_get", self._global_get)
        for name in ("add", "load", "store", "del"):
            self._define("pantopic/wazero-atomic", f"__atomic_uint64_{name}", partial(self._atomic, name))

    def _define(self, module: str, name: str, call: Callable[[wasmtime.Caller], None]) -> None:
        self._linker.define_func(module, name, wasmtime.FuncType([], []), call, access_caller=True)

    def instantiate(self, module: bytes | str) -> wasmtime.Instance:
        """An instance with a mailbox of its own."""
        self._define("purewasm/globals@1", "__globals_call", Mailbox(self).call)
        return self._linker.instantiate(self.store, wasmtime.Module(self.store.engine, module))

    # ---- purewasm/globals@1

    def get_many(self, arguments: list[object]) -> object:
        if len(arguments) != 2:
            raise Refused("two arguments")
        names, defaults = arguments
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Refused("names are list<str>")
        if not isinstance(defaults, list) or not all(type(default) is int and 0 <= default < 1 << 64 for default in defaults):
            raise Refused("defaults are list<u64>")
        if len(names) != len(defaults):
            raise Answer(_INVALID, "a default for each name")
        return [self.values.get(name, default) for name, default in zip(names, defaults, strict=True)]

    def list(self, arguments: list[object]) -> object:
        if not 1 <= len(arguments) <= 2:
            raise Refused("one argument, or two")
        prefix, after = arguments[0], arguments[1] if len(arguments) == 2 else ""
        if not isinstance(prefix, str) or not isinstance(after, str):
            raise Refused("prefix and after are str")
        return [name for name in sorted(self.values) if name.startswith(prefix) and name > after][:1_000]

    # ---- version 0

    def _global_get(self, caller: wasmtime.Caller) -> None:
        page = Page(caller, "__global", [8, 4, 4, None])
        try:
            name = page.bytes_of(3, _NAME_LIMIT).decode()
        except UnicodeDecodeError:
            raise Refused("the name is no UTF-8") from None
        if name in self.values:
            page.view.write(page.entries[0], self.values[name].to_bytes(8, "little"))

    def _atomic(self, name: str, caller: wasmtime.Caller) -> None:
        page = Page(caller, "__atomic", [4, 8, 8])
        view, (number, at, value) = page.view, page.entries
        key = view.u32(number), view.u64(at)
        if name == "del":
            self.counters.pop(key, None)
        elif name == "store":
            self.counters[key] = view.u64(value)
        else:
            if name == "add":
                self.counters[key] = (self.counters.get(key, 0) + view.u64(value)) % (1 << 64)
            view.write(value, self.counters.get(key, 0).to_bytes(8, "little"))
