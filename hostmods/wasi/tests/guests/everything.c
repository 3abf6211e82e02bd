// Calls each of the 46 functions of the interface directly, most of them wrongly, and prints the errno of each.
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

// Not declared by the C library.
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int __wasi_proc_raise(int signal);

static unsigned char buffer[256] __attribute__((aligned(8)));

int main(void) {
    __wasi_size_t size, other;
    __wasi_timestamp_t time;
    __wasi_fdstat_t fdstat;
    __wasi_filestat_t filestat;
    __wasi_filesize_t position;
    __wasi_prestat_t prestat;
    __wasi_fd_t fd;
    __wasi_roflags_t roflags;
    __wasi_iovec_t iov = {buffer, sizeof buffer};
    __wasi_ciovec_t ciov = {(const uint8_t *)"x", 1};
    __wasi_subscription_t subscription;
    __wasi_event_t event;
    uint8_t *pointers[8];
    __wasi_rights_t all = ~0ull;

#define SHOW(name, ...) printf(#name ": %d\n", __wasi_##name(__VA_ARGS__))
    SHOW(args_sizes_get, &size, &other);
    SHOW(args_get, pointers, buffer);
    SHOW(environ_sizes_get, &size, &other);
    SHOW(environ_get, pointers, buffer);
    SHOW(clock_res_get, __WASI_CLOCKID_REALTIME, &time);
    SHOW(clock_time_get, __WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time);
    SHOW(fd_advise, 99, 0, 0, __WASI_ADVICE_NORMAL);
    SHOW(fd_allocate, 99, 0, 1);
    SHOW(fd_close, 99);
    SHOW(fd_datasync, 99);
    SHOW(fd_fdstat_get, 3, &fdstat);
    SHOW(fd_fdstat_set_flags, 3, 0);
    SHOW(fd_fdstat_set_rights, 3, all, all);
    SHOW(fd_filestat_get, 3, &filestat);
    SHOW(fd_filestat_set_size, 3, 0);
    SHOW(fd_filestat_set_times, 3, 0, 0, 3);
    SHOW(fd_pread, 3, &iov, 1, 0, &size);
    SHOW(fd_prestat_get, 3, &prestat);
    SHOW(fd_prestat_dir_name, 3, buffer, 0);
    SHOW(fd_pwrite, 1, &ciov, 1, 0, &size);
    SHOW(fd_read, 1, &iov, 1, &size);
    SHOW(fd_readdir, 1, buffer, sizeof buffer, 0, &size);
    SHOW(fd_renumber, 1, 99);
    SHOW(fd_seek, 1, -1, __WASI_WHENCE_CUR, &position);
    SHOW(fd_sync, 1);
    SHOW(fd_tell, 3, &position);
    SHOW(fd_write, 0, &ciov, 1, &size);
    SHOW(path_create_directory, 3, "/x");
    SHOW(path_filestat_get, 3, 0, "..", &filestat);
    SHOW(path_filestat_set_times, 3, 0, "missing", 0, 0, 0);
    SHOW(path_link, 3, 1, "missing", 3, "x");
    SHOW(path_open, 1, 0, "x", 0, 0, 0, 0, &fd);
    SHOW(path_readlink, 3, "missing", buffer, sizeof buffer, &size);
    SHOW(path_remove_directory, 3, "");
    SHOW(path_rename, 3, "missing", 3, "x");
    SHOW(path_symlink, "/", 3, "x");
    SHOW(path_unlink_file, 3, "../x");
    memset(&subscription, 0, sizeof subscription);
    SHOW(poll_oneoff, &subscription, &event, 0, &size);
    SHOW(proc_raise, 6);
    SHOW(sched_yield);
    SHOW(random_get, buffer, sizeof buffer);
    SHOW(sock_accept, 1, 0, &fd);
    SHOW(sock_recv, 1, &iov, 1, 0, &size, &roflags);
    SHOW(sock_send, 1, &ciov, 1, 0, &size);
    SHOW(sock_shutdown, 1, __WASI_SDFLAGS_RD);
    fflush(stdout);
    __wasi_proc_exit(45);
}
