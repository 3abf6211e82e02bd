"""Words and names that all writers share."""

from __future__ import annotations

import re

from purewasm_guest.gen.abi_file import AbiFile


def generated_note(abi: AbiFile) -> str:
    """The sentence at the top of every generated file."""
    return f"Written by `purewasm gen` from {abi.path.name}: change that instead."


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
