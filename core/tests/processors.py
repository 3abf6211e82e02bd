"""Processors with fewer features than this one, to run the compiler and its code as if on them.

Code for such a processor runs here too, so results can be compared; that it has no instruction that such a processor lacks is another
matter, which `core/tests/unit/isa/x64/legalize/test_static.py` looks into, and an emulator can show.
"""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Final

from purewasm.isa.x64.cpu import AVX, AVX2, BMI1, BMI2, FMA, LZCNT, MOVBE, NEEDED_FEATURES, POPCNT, SSE4_2, X86_64_V2, X86_64_V3

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSORS: Final = {
    "penryn": NEEDED_FEATURES,  # 2008: SSE4.1 and nothing more
    "nehalem": NEEDED_FEATURES | SSE4_2 | POPCNT,  # 2008
    "sandy-bridge": X86_64_V2 | AVX,  # 2011
    "bulldozer": X86_64_V2 | AVX | LZCNT,  # 2011
    "piledriver": X86_64_V2 | AVX | LZCNT | BMI1 | FMA,  # 2012
    "skylake-celeron": X86_64_V2 | LZCNT | MOVBE,  # 2015: without AVX and BMI
    "avx2-without-bmi": X86_64_V2 | AVX | AVX2 | LZCNT,
    "bmi-without-avx": X86_64_V2 | LZCNT | BMI1 | BMI2,  # the operating system does not save the upper halves of vectors
    "haswell": X86_64_V3,  # 2013: all that the compiler makes use of
}
"""Sets that exist, by a processor that has it."""

_CHOICES: Final = (SSE4_2, POPCNT, LZCNT, BMI1, BMI2, AVX, AVX2)


def random_processor(rng: Random) -> int:
    """Any set, whether it exists or not."""
    return NEEDED_FEATURES | sum(feature for feature in _CHOICES if rng.random() < 0.5)


def become(features: int) -> None:
    """Take the others away from what this process knows of its processor. Modules that are compiled already stay as they are."""
    from purewasm.engine.native import engine

    engine.cpu_features()
    engine._features[0] &= features


@contextmanager
def processor(features: int) -> Iterator[None]:
    """The same for a while."""
    from purewasm.engine.native import engine

    real = engine.cpu_features()
    become(features)
    try:
        yield
    finally:
        engine._features[0] = real
