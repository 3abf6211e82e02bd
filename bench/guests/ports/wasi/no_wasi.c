/* Answers "bad descriptor" or "not implemented" to every WASI call that the C library might make, so that the guests import nothing and run
 * on engines without WASI. wasi-libc declares each import under the name __imported_wasi_snapshot_preview1_<call>; a
 * definition of that name in the program takes its place. Only close() reaches its import past that name, so close() itself
 * is replaced. */
#include <stdint.h>

/* WASI's errno: there is no descriptor at all (the library's start-up code asks for the preopened ones), nor anything else. */
#define BAD_DESCRIPTOR 8
#define NOT_IMPLEMENTED 52

#define P1 int32_t a
#define P2 P1, int32_t b
#define P3 P2, int32_t c
#define P4 P3, int32_t d
#define P5 P4, int32_t e

#define ANSWER(errno, call, ...) \
    int32_t __imported_wasi_snapshot_preview1_##call(__VA_ARGS__); \
    int32_t __imported_wasi_snapshot_preview1_##call(__VA_ARGS__) { return errno; }

#pragma clang diagnostic ignored "-Wunused-parameter"

ANSWER(NOT_IMPLEMENTED, args_get, P2)
ANSWER(NOT_IMPLEMENTED, args_sizes_get, P2)
ANSWER(NOT_IMPLEMENTED, environ_get, P2)
ANSWER(NOT_IMPLEMENTED, environ_sizes_get, P2)
ANSWER(NOT_IMPLEMENTED, clock_time_get, P1, int64_t precision, int32_t to)
ANSWER(BAD_DESCRIPTOR, fd_close, P1)
ANSWER(BAD_DESCRIPTOR, fd_fdstat_get, P2)
ANSWER(BAD_DESCRIPTOR, fd_fdstat_set_flags, P2)
ANSWER(BAD_DESCRIPTOR, fd_filestat_get, P2)
ANSWER(BAD_DESCRIPTOR, fd_prestat_get, P2)
ANSWER(BAD_DESCRIPTOR, fd_prestat_dir_name, P3)
ANSWER(BAD_DESCRIPTOR, fd_read, P4)
ANSWER(BAD_DESCRIPTOR, fd_readdir, P3, int64_t cookie, int32_t used)
ANSWER(BAD_DESCRIPTOR, fd_renumber, P2)
ANSWER(BAD_DESCRIPTOR, fd_seek, P1, int64_t offset, int32_t whence, int32_t to)
ANSWER(BAD_DESCRIPTOR, fd_write, P4)
ANSWER(BAD_DESCRIPTOR, path_filestat_get, P5)
ANSWER(BAD_DESCRIPTOR, path_open, P5, int64_t rights, int64_t inheriting, int32_t flags, int32_t to)
ANSWER(BAD_DESCRIPTOR, path_remove_directory, P3)
ANSWER(BAD_DESCRIPTOR, path_unlink_file, P3)
ANSWER(NOT_IMPLEMENTED, random_get, P2)

int close(int descriptor);
int close(int descriptor) {
    return -1;
}

_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t status);
_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t status) {
    (void)status;
    __builtin_trap();
}
