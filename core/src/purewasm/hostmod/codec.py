"""msgpack, with limits: the one file of the core that another distribution is needed for, and only by host modules with a mailbox.

Requests come from guests: sizes in headers are believed up to the bytes that are there, maps have text keys, there are no extension
types and no timestamps, and nothing follows the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

try:
    import msgpack  # type: ignore[import-untyped]
except ImportError as _missing:
    raise ImportError("host modules with a mailbox need msgpack: pip install 'purewasm[hostmod]'") from _missing

if TYPE_CHECKING:
    from collections.abc import Callable


class DecodeError(ValueError):
    """The bytes are not one value of the format, or pass its limits."""


_UNPACK: Final[Callable[..., object]] = msgpack.unpackb
_PACK: Final[Callable[[object], bytes]] = msgpack.Packer(use_bin_type=True, strict_types=True).pack
_MAX_ITEMS: Final = 1 << 20


def _no_extension(code: int, data: bytes) -> object:
    raise DecodeError(f"extension type {code} is no part of the ABI")


def decode(body: bytes) -> object:
    """The value that the bytes are. `DecodeError` says what is wrong with them."""
    size = len(body)
    items = size if size < _MAX_ITEMS else _MAX_ITEMS
    try:
        return _UNPACK(body, ext_hook=_no_extension, max_array_len=items, max_map_len=items, max_ext_len=0, strict_map_key=True)
    except msgpack.ExtraData as error:
        raise DecodeError(f"{len(error.extra)} bytes follow the value") from None
    except DecodeError:
        raise
    except (ValueError, msgpack.UnpackException, RecursionError, OverflowError, MemoryError) as error:
        raise DecodeError(_reason(error)) from None


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "StackError" or isinstance(error, RecursionError):
        return "values are nested too deep"
    return str(error) or ("the bytes are no msgpack" if kind == "FormatError" else "the value is cut off" if kind == "OutOfData" else kind)


def encode(value: object) -> bytes:
    """The bytes of a value whose type was checked."""
    return _PACK(value)


def decode_sequence(body: bytes) -> list[object]:
    """The values that lie in the bytes one after the other."""
    values: list[object] = []
    while body:
        try:
            values.append(_UNPACK(body, ext_hook=_no_extension, max_ext_len=0, strict_map_key=True))
        except msgpack.ExtraData as error:
            values.append(error.unpacked)
            body = error.extra
        except (ValueError, msgpack.UnpackException, RecursionError) as error:
            raise DecodeError(_reason(error)) from None
        else:
            break
    return values
