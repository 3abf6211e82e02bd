"""Words and names that all writers share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm_guest.gen.abi_file import AbiFile
    from purewasm_guest.gen.pages.page_file import PageFile


def generated_note(abi: AbiFile | PageFile) -> str:
    """The sentence at the top of every generated file."""
    return f"Written by `purewasm gen` from {abi.path.name}: change that instead."


def built_against(abi: AbiFile) -> bytes:
    """The content of the custom section `hostmods`: msgpack of {name: [major, minor]}."""
    name = abi.name.encode()
    numbers = b"".join(b"\xcd" + number.to_bytes(2, "big") for number in abi.version)
    return bytes([0x81, 0xD9, len(name)]) + name + b"\x92" + numbers


def camel(name: str) -> str:
    """`get_many` as `getMany`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def pascal(name: str) -> str:
    """`get_many` as `GetMany`."""
    return "".join(part.capitalize() for part in name.split("_"))


def replace_between(text: str, start: str, end: str, new: str) -> str:
    """`text` with what stands between two marker lines replaced."""
    pattern = re.compile(f"({re.escape(start)}\n).*?({re.escape(end)})", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no lines {start!r} and {end!r}")
    return pattern.sub(lambda found: f"{found[1]}{new}{found[2]}", text, count=1)
