"""CPU features as bits of an int, their names, and the levels that compilers and distributions speak of.

The baseline is what every x86-64 processor has (SSE2 included) and is the empty set. A set of features is an int: `|`
joins, `features & needed == needed` asks. Which of them the present machine has is found by running the code that
`detection.py` writes.

System V ABI, AMD64 supplement, 3.1.1 "Processor Architecture": levels. Intel SDM volume 2, CPUID: names.
"""

from __future__ import annotations

from purewasm.light_typing import Final

BASELINE: Final = 0

SSE3: Final = 1 << 0
SSSE3: Final = 1 << 1
SSE4_1: Final = 1 << 2
SSE4_2: Final = 1 << 3
POPCNT: Final = 1 << 4
CX16: Final = 1 << 5
LAHF: Final = 1 << 6
LZCNT: Final = 1 << 7
BMI1: Final = 1 << 8
BMI2: Final = 1 << 9
MOVBE: Final = 1 << 10
AVX: Final = 1 << 11
F16C: Final = 1 << 12
FMA: Final = 1 << 13
AVX2: Final = 1 << 14
AVX_VNNI: Final = 1 << 15
ERMS: Final = 1 << 16  # `rep movsb` and `rep stosb` are fast for long runs
FSRM: Final = 1 << 17  # … and for short ones
JCC_ERRATUM: Final = 1 << 18  # jumps at 32-byte boundaries are slow (`padding`)

# Bit `i` of a set has the name at `i`.
FEATURE_NAMES: Final = (
    "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16", "lahf", "lzcnt", "bmi1", "bmi2", "movbe",
    "avx", "f16c", "fma", "avx2", "avx-vnni", "erms", "fsrm", "jcc-erratum",
)  # fmt: skip

X86_64_V2: Final = SSE3 | SSSE3 | SSE4_1 | SSE4_2 | POPCNT | CX16 | LAHF
X86_64_V3: Final = X86_64_V2 | LZCNT | BMI1 | BMI2 | MOVBE | AVX | F16C | FMA | AVX2
LEVELS: Final = {"x86-64": BASELINE, "x86-64-v2": X86_64_V2, "x86-64-v3": X86_64_V3}

NEEDED_FEATURES: Final = SSE3 | SSSE3 | SSE4_1
"""Without these there is no code."""
EMITTED_FEATURES: Final = NEEDED_FEATURES | SSE4_2 | AVX | AVX2 | BMI1 | BMI2 | LZCNT | POPCNT
"""What the emitters write. Where one of these is missing, `legalize` replaces what needs it."""

# VEX instructions on vector registers need an operating system that saves the upper halves, whatever CPUID says of them.
NEEDS_SAVED_YMM: Final = AVX | F16C | FMA | AVX2 | AVX_VNNI


def usable(features: int) -> int:
    """A set as a compiler may take it: what builds on AVX is worth nothing without it, and all of SSE comes with it."""
    return features | SSE3 | SSSE3 | SSE4_1 | SSE4_2 if features & AVX else features & ~NEEDS_SAVED_YMM


def format_features(features: int) -> str:
    """The names of a set in a fixed order, joined by commas; a level stands for all of its features. `parse_features` reads it."""
    level = next(name for name in reversed(LEVELS) if features & LEVELS[name] == LEVELS[name])
    rest = features & ~LEVELS[level]
    return ",".join([level, *(name for bit, name in enumerate(FEATURE_NAMES) if rest >> bit & 1)])


def parse_features(text: str) -> int:
    """The set that a user names: levels and features joined by commas. An unknown name is a `ValueError` that lists the known ones."""
    features = BASELINE
    for name in text.split(","):
        word = name.strip().lower()
        if word in LEVELS:
            features |= LEVELS[word]
        elif word in FEATURE_NAMES:
            features |= 1 << FEATURE_NAMES.index(word)
        else:
            raise ValueError(f"unknown x86-64 CPU feature {word!r}; known are {', '.join((*LEVELS, *FEATURE_NAMES))}")
    return features
