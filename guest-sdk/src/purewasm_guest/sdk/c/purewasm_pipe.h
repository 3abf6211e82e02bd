/* Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.
 *
 * There is no status: what the host cannot do ends the guest's call. It exports `__pipe`, through which the host learns
 * where the cells are. May be included in several files of one guest, in C and in C++; not for several threads at once. */
#ifndef PUREWASM_PIPE_H
#define PUREWASM_PIPE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To change it, define it for the whole guest (on the compiler's command line): the buffer is shared by all its files. */
#ifndef PUREWASM_PIPE_MESSAGE_CAPACITY
#define PUREWASM_PIPE_MESSAGE_CAPACITY 4096
#endif

/* Weak: every file that includes this defines the cells, and the linker keeps one of each. */
__attribute__((weak)) uint32_t purewasm_pipe_cell_pipe = 0;
__attribute__((weak)) uint32_t purewasm_pipe_cell_message_capacity = PUREWASM_PIPE_MESSAGE_CAPACITY;
__attribute__((weak)) uint32_t purewasm_pipe_cell_message_length = 0;
__attribute__((weak)) uint8_t purewasm_pipe_cell_message[PUREWASM_PIPE_MESSAGE_CAPACITY] = {0};
__attribute__((weak)) uint32_t purewasm_pipe_page[4] = {0};

__attribute__((import_module("pantopic/wazero-pipe"), import_name("__pipe_send"))) void purewasm_pipe_import_send(void);
__attribute__((import_module("pantopic/wazero-pipe"), import_name("__pipe_recv"))) void purewasm_pipe_import_recv(void);

/* The address of the page: the address of each cell. */
__attribute__((weak, export_name("__pipe"))) uint32_t purewasm_pipe_export_page(void) {
    purewasm_pipe_page[0] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_pipe;
    purewasm_pipe_page[1] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_message_capacity;
    purewasm_pipe_page[2] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_message_length;
    purewasm_pipe_page[3] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_message[0];
    return (uint32_t)(uintptr_t)&purewasm_pipe_page[0];
}

/* Put a copy of the bytes into a pipe; waits for room. */
static inline void purewasm_pipe_send(uint32_t pipe, const void *message, uint32_t message_size) {
    purewasm_pipe_cell_pipe = pipe;
    if (message_size > PUREWASM_PIPE_MESSAGE_CAPACITY) {
        __builtin_trap();
    }
    for (uint32_t i = 0; i < message_size; i++) {
        purewasm_pipe_cell_message[i] = ((const uint8_t *)message)[i];
    }
    purewasm_pipe_cell_message_length = message_size;
    purewasm_pipe_import_send();
}

/* Take the first message out of a pipe; waits for one. Returns the size; the bytes are in purewasm_pipe_cell_message until the next call. */
static inline uint32_t purewasm_pipe_recv(uint32_t pipe) {
    purewasm_pipe_cell_pipe = pipe;
    purewasm_pipe_import_recv();
    return purewasm_pipe_cell_message_length;
}

#ifdef __cplusplus
}
#endif

#endif
