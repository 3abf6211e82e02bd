"""The benchmark programs, one row each: what is built, from where, and how much work it is given.

Every program exports `run(n: i32) -> i64`, imports nothing, and returns a checksum that all engines and the native build must
agree on; no checksum is written down here. `small_n` is for engines that interpret (milliseconds to seconds there), `large_n`
for those that compile (15 to 80 ms there).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.sources import BLOSC, COREMARK, LUPA, SQLEAN, Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One module. `sources` are C files of `guests/`, `package_sources` C files of `package`; `flags` go to both compilers."""

    name: str
    what: str
    small_n: int
    large_n: int
    sources: tuple[str, ...]
    package: Package | None = None
    package_sources: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    wasm_flags: tuple[str, ...] = ()
    libc: bool = False


def _own(name: str, small_n: int, large_n: int, what: str, *, simd: bool = False) -> Program:
    wasm_flags = ("-msimd128",) if simd else ()
    return Program(name=name, what=what, small_n=small_n, large_n=large_n, sources=(f"{name}.c",), wasm_flags=wasm_flags)


_ZLIB_FILES: Final = "adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil"
_LUA_FILES: Final = (
    "lapi lauxlib lbaselib lcode lctype ldebug ldo ldump lfunc lgc llex lmathlib lmem lobject lopcodes lparser lstate lstring "
    "lstrlib ltable ltablib ltm lundump lvm lzio"
)


def _c_files(names: str) -> tuple[str, ...]:
    return tuple(f"{name}.c" for name in names.split())


PROGRAMS: Final[tuple[Program, ...]] = (
    # written here: calls, integers, floats
    _own("fib", 20, 35, "naive recursion"),
    _own("sha256", 20, 200_000, "hash of n blocks"),
    _own("matmul", 12, 256, "f64 matrix product, dot products"),
    _own("nbody", 50, 500_000, "five bodies, n steps"),
    _own("fannkuch", 5, 9, "permutations of small arrays"),
    _own("quicksort", 400, 500_000, "sort of n u32"),
    _own("binary_trees", 6, 17, "pointers, a free list, recursion"),
    _own("virtual_calls", 1_000, 5_000_000, "calls through a table"),
    _own("bytecode_vm", 1_000, 500_000, "a switch in a loop"),
    _own("json", 5, 16_000, "JSON of n records, written, parsed, folded"),
    _own("regex", 1, 256, "Thompson NFA and backtracking over n KiB"),
    # numerical kernels in the manner of PolyBench, written from their definitions
    _own("gemm", 12, 256, "alpha A B + beta C"),
    _own("two_mm", 10, 192, "alpha A B C + beta D"),
    _own("jacobi_2d", 1, 500, "five-point stencil"),
    _own("seidel_2d", 1, 200, "nine-point stencil in place"),
    _own("heat_3d", 1, 200, "heat equation on a cube"),
    _own("lu", 16, 384, "LU decomposition"),
    _own("cholesky", 16, 512, "Cholesky decomposition"),
    _own("gramschmidt", 10, 192, "QR decomposition"),
    _own("floyd_warshall", 12, 256, "all shortest paths, i32"),
    _own("durbin", 60, 4_096, "Yule-Walker equations"),
    _own("correlation", 10, 256, "correlation matrix"),
    _own("nussinov", 20, 512, "dynamic programming, i32"),
    # SIMD
    _own("simd_dot", 1, 3_000, "f32x4 dot products", simd=True),
    _own("simd_mandelbrot", 8, 1_024, "f64x2 escape times", simd=True),
    _own("simd_memchr", 1, 1_500, "i8x16 search", simd=True),
    # other people's programs, from packages
    Program(
        name="coremark",
        what="EEMBC CoreMark's list, matrix and state work, n iterations",
        small_n=1,
        large_n=1_000,
        sources=("coremark.c",),
        package=COREMARK,
        package_sources=("core_list_join.c", "core_matrix.c", "core_state.c", "core_util.c"),
        include=("ports/coremark",),
        libc=True,
    ),
    Program(
        name="zlib",
        what="zlib: n round trips of 64 KiB",
        small_n=1,
        large_n=40,
        sources=("zlib.c",),
        package=BLOSC,
        package_sources=_c_files(_ZLIB_FILES),
        libc=True,
    ),
    Program(
        name="lua",
        what="Lua 5.4 runs a script",
        small_n=100,
        large_n=30_000,
        sources=("lua.c",),
        package=LUPA,
        package_sources=_c_files(_LUA_FILES),
        include=("ports/lua",),
        # No signals and no clock: what the guest's C library has not, and what would make the runs differ.
        flags=("-Dl_signalT=int", "-Dluai_makeseed(L)=0", "-Dl_randomizePivot()=0u"),
        libc=True,
    ),
    Program(
        name="sqlite",
        what="SQLite: n rows in memory, queries",
        small_n=2,
        large_n=20_000,
        sources=("sqlite.c",),
        package=SQLEAN,
        package_sources=("sqlite3.c",),
        flags=(
            "-DSQLITE_OS_OTHER=1",
            "-DSQLITE_THREADSAFE=0",
            "-DSQLITE_OMIT_LOAD_EXTENSION",
            "-DSQLITE_OMIT_DEPRECATED",
            "-DSQLITE_TEMP_STORE=3",
            "-DSQLITE_MAX_MMAP_SIZE=0",
            "-DSQLITE_DEFAULT_MEMSTATUS=0",
        ),
        libc=True,
    ),
)

BOUNDARY: Final = Program(
    name="boundary",
    what="tiny functions that are called, call the host, and trap",
    small_n=1,
    large_n=1,
    sources=("boundary.c",),
)
"""Not a benchmark of its own: the guest of the suites `calls` and `traps`. It imports `bench.host` and has no `run`."""

BY_NAME: Final = {program.name: program for program in (*PROGRAMS, BOUNDARY)}
