"""Host module `purewasm/http@1`: HTTP requests of guests, denied unless allowed.

    from purewasm import Runtime
    from purewasm_http import Http

    with Runtime() as runtime:
        Http(allow=["https://api.example.org/v1/"]).register(runtime)
"""

from purewasm_http._version import __version__
from purewasm_http.module import Http
from purewasm_http.rules import Rule

__all__ = ["Http", "Rule", "__version__"]
