from __future__ import annotations

from hypothesis import settings

# Examples are quick, the machine may not be: no deadline, and nothing written into the checkout.
settings.register_profile("arithmetic", deadline=None, database=None)
settings.load_profile("arithmetic")
