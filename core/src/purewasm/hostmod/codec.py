"""msgpack, with limits: the one file of the core that another distribution is needed for, and only by host modules with a mailbox.

Requests come from guests. msgpack's own limits are what is needed: no array, map, text or block of more items than there are bytes, keys
are text (bytes too: `wire_types` refuses them), nothing follows the value. Extension types come out as objects that no type accepts.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final

try:
    import msgpack  # type: ignore[import-untyped]
except ImportError as _missing:
    raise ImportError("host modules with a mailbox need msgpack: pip install 'purewasm[hostmod]'") from _missing

if TYPE_CHECKING:
    from collections.abc import Callable


class DecodeError(ValueError):
    """The bytes are not one value of the format, or pass its limits."""


_UNPACK: Final[Callable[..., object]] = msgpack.unpackb
_PACKER_BYTES: Final = 256


def decode(body: bytes) -> object:
    """The value that the bytes are. `DecodeError` says what is wrong with them."""
    try:
        return _UNPACK(body)
    except msgpack.ExtraData as error:
        raise DecodeError(f"{len(error.extra)} bytes follow the value") from None
    except (ValueError, msgpack.UnpackException, RecursionError, OverflowError, MemoryError) as error:
        raise DecodeError(_reason(error)) from None


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "StackError" or isinstance(error, RecursionError):
        return "values are nested too deep"
    return str(error) or ("the bytes are no msgpack" if kind == "FormatError" else "the value is cut off" if kind == "OutOfData" else kind)


def encode(value: object) -> bytes:
    """The bytes of a value whose type was checked."""
    # A packer of its own for each: they are not for several threads, and making one costs 70 ns.
    packed: bytes = msgpack.Packer(use_bin_type=True, strict_types=True, buf_size=_PACKER_BYTES).pack(value)
    return packed


def decode_sequence(body: bytes) -> list[object]:
    """The values that lie in the bytes one after the other."""
    values: list[object] = []
    while body:
        try:
            values.append(_UNPACK(body))
        except msgpack.ExtraData as error:
            values.append(error.unpacked)
            body = error.extra
        except (ValueError, msgpack.UnpackException, RecursionError) as error:
            raise DecodeError(_reason(error)) from None
        else:
            break
    return values
