"""Python's garbage collector while something is compiled: all that a compilation makes lives until its end and goes then, so that searching
it is a tenth of the time for nothing.
"""

from __future__ import annotations

import _thread
import gc


def pause() -> bool:
    """Turn the collector off, where it is on and no other thread could do something about it meanwhile. Whether `gc.enable()` is due."""
    if not gc.isenabled() or _thread._count():
        return False
    gc.disable()
    return True
