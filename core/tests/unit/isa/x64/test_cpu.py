from __future__ import annotations

import itertools

import pytest

from purewasm.isa.x64 import cpu
from purewasm.isa.x64.cpu import FEATURE_NAMES, LEVELS, X86_64_V2, X86_64_V3, format_features, parse_features


def test_names_and_bits_agree() -> None:
    for bit, name in enumerate(FEATURE_NAMES):
        assert 1 << bit == vars(cpu)[name.upper().replace(".", "_").replace("-", "_")]


def test_levels_contain_each_other() -> None:
    levels = list(LEVELS.values())
    assert all(lower & higher == lower for lower, higher in itertools.pairwise(levels))


@pytest.mark.parametrize(
    ("features", "text"),
    [
        (cpu.BASELINE, "x86-64"),
        (cpu.SSE4_1 | cpu.POPCNT, "x86-64,sse4.1,popcnt"),
        (X86_64_V2, "x86-64-v2"),
        (X86_64_V2 | cpu.AVX, "x86-64-v2,avx"),
        (X86_64_V3 | cpu.AVX_VNNI | cpu.ERMS, "x86-64-v3,avx-vnni,erms"),
    ],
)
def test_text_both_ways(features: int, text: str) -> None:
    assert text == format_features(features)
    assert features == parse_features(text)


def test_parsing_is_lenient_about_case_and_spaces() -> None:
    assert parse_features("X86-64-V2, BMI2") == X86_64_V2 | cpu.BMI2


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown x86-64 CPU feature 'mmx'; known are x86-64, .*avx2"):
        parse_features("x86-64,mmx")
