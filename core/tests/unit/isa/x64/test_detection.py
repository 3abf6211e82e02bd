from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from pathlib import Path

import pytest

from purewasm.isa.x64 import cpu
from purewasm.isa.x64.abi import SYSTEM_V, WIN64
from purewasm.isa.x64.detection import ANSWER_WORDS, QUERIES, cpuid_stub, features_of
from purewasm.isa.x64.disassemble import disassemble


def _answers(**words: int) -> list[int]:
    """Answers of a processor that knows all leaves, with `q1_ecx=…` set over zeros."""
    answers = [0] * ANSWER_WORDS
    answers[0], answers[8], answers[16] = 7, 1, 0x8000_0001
    for name, value in words.items():
        query, register = name[1:].split("_")
        answers[4 * int(query) + ("eax", "ebx", "ecx", "edx").index(register)] = value
    return answers


SAVES_YMM = {"q6_eax": 7}


def test_features_are_read_from_their_bits() -> None:
    assert features_of(_answers()) == cpu.BASELINE
    assert features_of(_answers(q1_ecx=1 << 19 | 1 << 23)) == cpu.SSE4_1 | cpu.POPCNT
    assert features_of(_answers(q2_ebx=1 << 3 | 1 << 8)) == cpu.BMI1 | cpu.BMI2
    assert features_of(_answers(q5_ecx=1 << 5)) == cpu.LZCNT
    assert features_of(_answers(q1_ecx=1 << 28 | 1 << 12, q2_ebx=1 << 5, **SAVES_YMM)) == cpu.AVX | cpu.AVX2 | cpu.FMA


def test_vector_registers_that_the_system_does_not_save_are_not_used() -> None:
    for saved in (0, 1, 3):
        assert features_of(_answers(q1_ecx=1 << 28, q2_ebx=1 << 5 | 1 << 8, q6_eax=saved)) == cpu.BMI2


def test_leaves_that_do_not_exist_are_not_read() -> None:
    old = _answers(q2_ebx=1 << 8, q5_ecx=1 << 5)
    old[0], old[16] = 6, 0x8000_0000
    assert features_of(old) == cpu.BASELINE
    no_subleaf = _answers(q3_eax=1 << 4, **SAVES_YMM)
    assert features_of(no_subleaf) == cpu.AVX_VNNI
    no_subleaf[8] = 0
    assert features_of(no_subleaf) == cpu.BASELINE


def test_the_jump_erratum_is_known_by_the_model() -> None:
    cascade_lake, sapphire_rapids, intel = 0x5_0657, 0x8_06F8, {"q0_ebx": 0x756E_6547}
    assert features_of(_answers(q1_eax=cascade_lake, **intel)) == cpu.JCC_ERRATUM
    assert features_of(_answers(q1_eax=sapphire_rapids, **intel)) == cpu.BASELINE
    assert features_of(_answers(q1_eax=cascade_lake)) == cpu.BASELINE


@pytest.mark.parametrize("convention", [SYSTEM_V, WIN64], ids=repr)
def test_stub_is_made_of_instructions(convention: object) -> None:
    assert convention in (SYSTEM_V, WIN64)
    text = [line.text for line in disassemble(cpuid_stub(WIN64 if convention is WIN64 else SYSTEM_V))]
    assert f"mov r8, {'rcx' if convention is WIN64 else 'rdi'}" == text[1]
    assert text[-1] == "ret"
    assert len(QUERIES) == text.count("cpuid")
    assert not any(line.startswith(".byte") for line in text)


_RUNS_HERE = platform.machine() in ("x86_64", "AMD64") and sys.platform == "linux" and sys.maxsize > 1 << 32


@pytest.mark.skipif(not _RUNS_HERE, reason="runs x86-64 code on Linux only")
def test_stub_finds_what_the_system_lists() -> None:
    code = cpuid_stub(SYSTEM_V)
    try:
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError as error:
        pytest.skip(f"no executable memory here: {error}")
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    answers = (ctypes.c_uint32 * (ANSWER_WORDS + 1))(*[0xDEAD_BEEF] * (ANSWER_WORDS + 1))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(ctypes.addressof(answers))
    assert answers[ANSWER_WORDS] == 0xDEAD_BEEF
    found = features_of(list(answers)[:ANSWER_WORDS])
    listed = set(next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split())
    spelling = {
        "sse3": "pni", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "lahf": "lahf_lm", "lzcnt": "abm", "avx-vnni": "avx_vnni",
    }  # fmt: skip
    for bit, name in enumerate(cpu.FEATURE_NAMES):
        assert bool(found >> bit & 1) == (spelling.get(name, name) in listed), name
