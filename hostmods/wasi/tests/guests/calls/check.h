// What the guests of this folder share: the imports of preview 1 as they are, and checks of the errno that each gives.
//
// A guest is given: descriptor 0 with the bytes "input", 1 and 2 for writing, 3 a directory with the file "file" ("content\n") and
// the folder "dir" with the file "inner", 4 the same read-only; those of sock_… also 5, a connected socket on which "hello" waits,
// and 6, a listening one with a connection waiting. It ends with status 0, or with the line of the first check that failed,
// times 128, plus the errno that it got.
#ifndef CHECK_H
#define CHECK_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

enum { SUCCESS = 0, TOOBIG = 1, AGAIN = 6, BADF = 8, EXIST = 20, FBIG = 22, ILSEQ = 25, INVAL = 28, ISDIR = 31, LOOP = 32, NAMETOOLONG = 37, NOENT = 44, NOTCONN = 53, NOTDIR = 54, NOTEMPTY = 55, NOTSOCK = 57, NOTSUP = 58, PERM = 63, PIPE = 64, SPIPE = 70, XDEV = 75 };
enum { READ = 1 << 1, WRITE = 1 << 6 };
enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { APPEND = 1, NONBLOCK = 4 };
enum { MISSING = 99, ROOT = 3, RO = 4, SOCKET = 5, LISTENER = 6 };

typedef struct { const void *data; u32 size; } iovec;
typedef struct { u8 type; u16 flags; u64 rights, inheriting; } fdstat;
typedef struct { u64 dev, ino; u8 type; u64 links, size, atim, mtim, ctim; } filestat;
typedef struct { u8 type; u32 size; } prestat;
typedef struct { u64 userdata; u8 type; union { struct { u32 id; u64 timeout, precision; u16 flags; } clock; u32 fd; }; } subscription;
typedef struct { u64 userdata; u16 error; u8 type; u64 bytes; u16 flags; } event;

#define IMPORT(name, ...) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) u32 name(__VA_ARGS__)
IMPORT(args_get, u8 **, u8 *);
IMPORT(args_sizes_get, u32 *, u32 *);
IMPORT(environ_get, u8 **, u8 *);
IMPORT(environ_sizes_get, u32 *, u32 *);
IMPORT(clock_res_get, u32, u64 *);
IMPORT(clock_time_get, u32, u64, u64 *);
IMPORT(fd_advise, u32, u64, u64, u32);
IMPORT(fd_allocate, u32, u64, u64);
IMPORT(fd_close, u32);
IMPORT(fd_datasync, u32);
IMPORT(fd_fdstat_get, u32, fdstat *);
IMPORT(fd_fdstat_set_flags, u32, u32);
IMPORT(fd_fdstat_set_rights, u32, u64, u64);
IMPORT(fd_filestat_get, u32, filestat *);
IMPORT(fd_filestat_set_size, u32, u64);
IMPORT(fd_filestat_set_times, u32, u64, u64, u32);
IMPORT(fd_pread, u32, const iovec *, u32, u64, u32 *);
IMPORT(fd_prestat_get, u32, prestat *);
IMPORT(fd_prestat_dir_name, u32, u8 *, u32);
IMPORT(fd_pwrite, u32, const iovec *, u32, u64, u32 *);
IMPORT(fd_read, u32, const iovec *, u32, u32 *);
IMPORT(fd_readdir, u32, u8 *, u32, u64, u32 *);
IMPORT(fd_renumber, u32, u32);
IMPORT(fd_seek, u32, s64, u32, u64 *);
IMPORT(fd_sync, u32);
IMPORT(fd_tell, u32, u64 *);
IMPORT(fd_write, u32, const iovec *, u32, u32 *);
IMPORT(path_create_directory, u32, const char *, u32);
IMPORT(path_filestat_get, u32, u32, const char *, u32, filestat *);
IMPORT(path_filestat_set_times, u32, u32, const char *, u32, u64, u64, u32);
IMPORT(path_link, u32, u32, const char *, u32, u32, const char *, u32);
IMPORT(path_open, u32, u32, const char *, u32, u32, u64, u64, u32, u32 *);
IMPORT(path_readlink, u32, const char *, u32, u8 *, u32, u32 *);
IMPORT(path_remove_directory, u32, const char *, u32);
IMPORT(path_rename, u32, const char *, u32, u32, const char *, u32);
IMPORT(path_symlink, const char *, u32, u32, const char *, u32);
IMPORT(path_unlink_file, u32, const char *, u32);
IMPORT(poll_oneoff, const subscription *, event *, u32, u32 *);
IMPORT(proc_raise, u32);
IMPORT(sched_yield, void);
IMPORT(random_get, u8 *, u32);
IMPORT(sock_accept, u32, u32, u32 *);
IMPORT(sock_recv, u32, const iovec *, u32, u32, u32 *, u16 *);
IMPORT(sock_send, u32, const iovec *, u32, u32, u32 *);
IMPORT(sock_shutdown, u32, u32);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void proc_exit(u32);

static inline void check(u32 line, u32 expected, u32 got) {
    if (got != expected) proc_exit(line * 128 + got);
}
// The call gives this errno.
#define EXPECT(expected, call) check(__LINE__, expected, call)
// The condition holds.
#define THAT(condition) check(__LINE__, 0, (condition) ? 0 : 127)
// A path and its length.
#define P(text) text, sizeof(text) - 1

static u32 opened;
// Opens a path below ROOT: the descriptor.
static inline u32 open_at(u32 line, const char *path, u32 size, u32 oflags, u64 rights, u32 fdflags) {
    check(line, SUCCESS, path_open(ROOT, 1, path, size, oflags, rights, 0, fdflags, &opened));
    return opened;
}
#define OPEN(path, oflags, rights) open_at(__LINE__, P(path), oflags, rights, 0)

static u8 bytes[4096] __attribute__((aligned(8)));
static u32 size;
// A buffer of so many bytes, and what was written.
static inline iovec buffer(u32 length) { return (iovec){bytes, length}; }
static inline u32 holds(const char *text, u32 length) {
    for (u32 i = 0; i < length; i++)
        if (bytes[i] != (u8)text[i]) return 0;
    return size == length;
}

void run(void);
__attribute__((export_name("_start"))) void _start(void) { run(); }
#endif
