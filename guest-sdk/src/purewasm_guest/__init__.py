"""What guests are built with: the SDK's sources, and where they lie.

    python -m purewasm_guest build guest.c -o guest.wasm
    python -m ziglang cc … -I "$(python -m purewasm_guest include-path)" guest.c
    python -m ziglang build-exe … -Mpurewasm_global="$(python -m purewasm_guest zig-module global)"
"""

from purewasm_guest._version import __version__
from purewasm_guest.sources import include_path, zig_module

__all__ = ["__version__", "include_path", "zig_module"]
