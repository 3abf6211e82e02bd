"""The command as a process: what is only worth doing, and only right, where nothing goes on afterwards.

A small program spends more time in the start and the end of Python than in the guest. So the cyclic garbage collector looks less often,
since what imports make is no garbage; and the process ends without taking every object apart, which takes longer than a small guest. What
was registered with `atexit` is called and streams are flushed all the same, and where code of other packages ran (host modules, plugins)
or a thread goes on, the end is Python's own.
"""

from __future__ import annotations

import gc
import os
import sys

from purewasm.light_typing import Final, NoReturn

_NEW_OBJECTS: Final = 100_000
_ROUNDS: Final = 50
_OUR_PACKAGES: Final = frozenset(("purewasm", "purewasm_wasi"))


def run() -> NoReturn:
    """Run the process's own command line, and end the process."""
    gc.set_threshold(_NEW_OBJECTS, _ROUNDS, _ROUNDS)
    present = _packages()
    from purewasm.cli.main import main

    status = main()
    if _packages() - present <= _OUR_PACKAGES | sys.stdlib_module_names and _is_alone():
        _leave(status)
    sys.exit(status)


def _packages() -> set[str]:
    """Top-level packages that are loaded."""
    return {name.partition(".")[0] for name in sys.modules}


def _is_alone() -> bool:
    threading = sys.modules.get("threading")
    return threading is None or threading.active_count() == 1


def _leave(status: int) -> NoReturn:
    import atexit

    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    finally:
        os._exit(status)
