"""Arguments and environment: the functions that hand them out, and their bytes as the guest gets them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from purewasm.light_typing import TYPE_CHECKING, TypeAlias
from purewasm_wasi.guest_memory import check, write_u32
from purewasm_wasi.layout import U32
from purewasm_wasi.stdio import Inherit

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.process import Process

Args: TypeAlias = "Iterable[str | bytes] | Inherit"
"""All arguments, the program's name first, or `INHERIT`."""
Env: TypeAlias = "Mapping[str, str] | Iterable[str] | Inherit | None"
"""Variables by name, or as `NAME=value`, or `INHERIT`."""


def encode_args(args: Args) -> tuple[bytes, ...]:
    """The arguments, each with its NUL. `ValueError` for one that has a NUL inside, `TypeError` for what is no text."""
    if isinstance(args, Inherit):
        args = sys.argv
    if isinstance(args, str | bytes):
        raise TypeError(f"args is a sequence of arguments, the program's name first; {args!r} is a single one")
    return tuple(_encode(argument, "an argument") for argument in args)


def encode_env(env: Env) -> tuple[bytes, ...]:
    """The variables as `NAME=value`, each with its NUL. `ValueError` for a name that cannot be one."""
    if env is None:
        return ()
    if isinstance(env, Inherit):
        env = os.environ
    if isinstance(env, str | bytes):
        raise TypeError(f"env is a mapping, or a sequence of NAME=value; {env!r} is a single string")
    if isinstance(env, Mapping):
        for name in env:
            if not name or "=" in name:
                raise ValueError(f"{name!r} cannot be the name of an environment variable")
        env = [f"{name}={value}" for name, value in env.items()]
    variables = tuple(_encode(variable, "an environment variable") for variable in env)
    for variable in variables:
        if variable.find(b"=") < 1:
            raise ValueError(f"{variable[:-1].decode(errors='replace')!r} is no environment variable: write NAME=value")
    return variables


def _encode(text: str | bytes, what: str) -> bytes:
    if not isinstance(text, str | bytes):
        raise TypeError(f"{what} is a str, not {type(text).__name__}")
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if 0 in data:
        raise ValueError(f"{what} cannot have a NUL in it: {text!r}")
    return data + b"\0"


def args_get(process: Process, memory: Memory, argv: int, argv_buf: int) -> None:
    """Store the arguments, and where each starts."""
    _get(memory, process.args, argv, argv_buf)


def args_sizes_get(process: Process, memory: Memory, count: int, size: int) -> None:
    """Store how many arguments there are and how many bytes they take."""
    _sizes_get(memory, process.args, count, size)


def environ_get(process: Process, memory: Memory, environ: int, environ_buf: int) -> None:
    """Store the variables, and where each starts."""
    _get(memory, process.env, environ, environ_buf)


def environ_sizes_get(process: Process, memory: Memory, count: int, size: int) -> None:
    """Store how many variables there are and how many bytes they take."""
    _sizes_get(memory, process.env, count, size)


def _get(memory: Memory, strings: tuple[bytes, ...], pointers: int, buffer: int) -> None:
    if not strings:
        return
    data = b"".join(strings)
    check(memory, pointers, 4 * len(strings), 4)
    check(memory, buffer, len(data))
    starts, start = [], buffer
    for string in strings:
        starts.append(U32.pack(start))
        start += len(string)
    memory.write(pointers, b"".join(starts))
    memory.write(buffer, data)


def _sizes_get(memory: Memory, strings: tuple[bytes, ...], count: int, size: int) -> None:
    check(memory, count, 4, 4)
    check(memory, size, 4, 4)
    write_u32(memory, count, len(strings))
    write_u32(memory, size, sum(map(len, strings)))
