"""Where saved code can run: a *target* is an architecture and a system, and features that the processor must have.

As text: `x86_64-linux x86-64-v3,erms`. `--target` knows some by a name.
"""

from __future__ import annotations

from purewasm.engine.native.availability import SYSTEM
from purewasm.engine.native.saved_code import is_this_compiler
from purewasm.isa.x64.cpu import NEEDED_FEATURES, X86_64_V2, X86_64_V3, format_features, parse_features
from purewasm.light_typing import Final

PLATFORM: Final = f"x86_64-{SYSTEM}"
TARGETS: Final = {PLATFORM: NEEDED_FEATURES, f"{PLATFORM}-v2": X86_64_V2, f"{PLATFORM}-v3": X86_64_V3}
"""What `--target` names, with the features of the least processor that such code is for: any one that the compiler can be used with,
and those of a level."""


def format_target(cpu: int) -> str:
    """A target as text."""
    return f"{PLATFORM} {format_features(cpu)}"


def why_refused(target: str, compiler: str, cpu: int) -> str | None:
    """Why code for a target cannot run on this processor, or None."""
    platform, _, names = target.partition(" ")
    if platform != PLATFORM:
        return f"it is for {platform}, this is {PLATFORM}: compile the module again, here or with --target {PLATFORM}"
    try:
        missing = parse_features(names) & ~cpu
    except ValueError:
        return f"it is for a processor that this version does not know, {names}: make it again with purewasm compile"
    if missing:
        lacking = format_features(missing).removeprefix("x86-64,")
        return f"it is for a processor with {names}, this one lacks {lacking}: compile the module again with --target {PLATFORM}"
    if not is_this_compiler(compiler):
        return "it was made by another state of the compiler: make it again with purewasm compile"
    return None
