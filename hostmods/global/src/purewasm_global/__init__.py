"""Host module `pantopic/wazero-global`: named 64-bit values that the host sets and its guests read.

    from purewasm import Runtime
    from purewasm_global import Globals

    settings = Globals({"RETRIES": 5})
    with Runtime() as runtime:
        settings.register(runtime)
        ...
"""

from purewasm_global._version import __version__
from purewasm_global.module import Globals

__all__ = ["Globals", "__version__"]
