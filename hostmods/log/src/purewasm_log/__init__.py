"""Host module `purewasm/log@1`: messages of guests, into Python's logging.

    from purewasm import Runtime
    from purewasm_log import Log

    with Runtime() as runtime:
        Log("guests").register(runtime)
"""

from purewasm_log._version import __version__
from purewasm_log.module import Log

__all__ = ["Log", "__version__"]
