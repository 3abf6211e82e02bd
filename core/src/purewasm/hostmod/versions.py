"""What a guest says about the versions that it was built against: the custom section `hostmods`.

Its content is one or more msgpack maps, one after the other (linkers join sections of one name): `{"acme/kv": [1, 2], "sdk": "…"}`, import
module without its `@major`, major and minor version. The section is optional, and speaks before the guest runs.
"""

from __future__ import annotations

from purewasm.errors import LinkError
from purewasm.hostmod.codec import DecodeError, decode_sequence
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.store.instance import Instance

SECTION: Final = "hostmods"
MAX_BYTES: Final = 1 << 16
_SDK: Final = "sdk"
"""The key that names what the guest was made with."""


def built_against(content: bytes) -> dict[str, tuple[int, int]]:
    """Version by import module without its major version. `DecodeError` for a section that is broken."""
    found: dict[str, tuple[int, int]] = {}
    if len(content) > MAX_BYTES:
        raise DecodeError(f"it has {len(content)} bytes, over the limit of {MAX_BYTES}")
    for part in decode_sequence(content):
        if not isinstance(part, dict):
            raise DecodeError("a map was expected")
        for name, version in part.items():
            if name == _SDK and isinstance(version, str):
                continue
            numbers = version if isinstance(version, list) else []
            if len(numbers) != 2 or not all(type(number) is int and 0 <= number <= 0xFFFF for number in numbers):
                raise DecodeError(f"the version of {name!r} is not [major, minor]")
            found[str(name)] = (numbers[0], numbers[1])
    return found


def check_version(instance: Instance, name: str, base: str, abi: tuple[int, int]) -> None:
    """`LinkError` for a guest that was built against another major version of the host module `name`."""
    content = next((section.data for section in instance.wasm.customs if section.name == SECTION), None)
    if content is None:
        return
    try:
        wanted = built_against(bytes(content)).get(base)
    except DecodeError as error:
        raise LinkError(f"the guest's custom section {SECTION!r} is broken: {error}") from None
    if wanted is not None and wanted[0] != abi[0]:
        own, its = "{}.{}".format(*abi), "{}.{}".format(*wanted)
        raise LinkError(f"the guest was built against version {its} of {base}, and the host has {own} ({name}): the major versions differ")
