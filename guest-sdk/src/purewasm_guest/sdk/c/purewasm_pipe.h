/* Messages to other guests and to the host, by the number of a pipe: the C side of the import module `pantopic/wazero-pipe`.
 *
 *     #include <purewasm_pipe.h>
 *
 *     purewasm_pipe_send(1, "hello", 5);
 *     uint32_t size = purewasm_pipe_recv(2);    // the message is in purewasm_pipe_cell_data until the next call
 *
 * There is no status: a send that finds no room in time, a receive that finds no message, and a closed pipe end the guest's call. A message
 * of more than PUREWASM_PIPE_CAPACITY bytes traps. Not for several guest threads at once.
 */
#ifndef PUREWASM_PIPE_H
#define PUREWASM_PIPE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To change it, define it for the whole guest (on the compiler's command line): the buffer is shared by all its files. */
#ifndef PUREWASM_PIPE_CAPACITY
#define PUREWASM_PIPE_CAPACITY 4096
#endif

/* Weak: every file that includes this defines the cells, and the linker keeps one of each. */
__attribute__((weak)) uint32_t purewasm_pipe_cell_number = 0;
__attribute__((weak)) uint32_t purewasm_pipe_cell_capacity = PUREWASM_PIPE_CAPACITY;
__attribute__((weak)) uint32_t purewasm_pipe_cell_length = 0;
__attribute__((weak)) uint8_t purewasm_pipe_cell_data[PUREWASM_PIPE_CAPACITY] = {0};
__attribute__((weak)) uint32_t purewasm_pipe_page[4] = {0};

__attribute__((import_module("pantopic/wazero-pipe"), import_name("__pipe_send"))) void purewasm_pipe_import_send(void);
__attribute__((import_module("pantopic/wazero-pipe"), import_name("__pipe_recv"))) void purewasm_pipe_import_recv(void);

/* The address of the page: four u32, each the address of a cell. */
__attribute__((weak, export_name("__pipe"))) uint32_t purewasm_pipe_export_page(void) {
    purewasm_pipe_page[0] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_number;
    purewasm_pipe_page[1] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_capacity;
    purewasm_pipe_page[2] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_length;
    purewasm_pipe_page[3] = (uint32_t)(uintptr_t)&purewasm_pipe_cell_data[0];
    return (uint32_t)(uintptr_t)&purewasm_pipe_page[0];
}

/* Put a copy of the bytes into the pipe. */
static inline void purewasm_pipe_send(uint32_t number, const void *data, uint32_t size) {
    const uint8_t *bytes = (const uint8_t *)data;
    if (size > PUREWASM_PIPE_CAPACITY) {
        __builtin_trap();
    }
    for (uint32_t i = 0; i < size; i++) {
        purewasm_pipe_cell_data[i] = bytes[i];
    }
    purewasm_pipe_cell_number = number;
    purewasm_pipe_cell_length = size;
    purewasm_pipe_import_send();
}

/* Take the first message out: its size; the bytes are in purewasm_pipe_cell_data. */
static inline uint32_t purewasm_pipe_recv(uint32_t number) {
    purewasm_pipe_cell_number = number;
    purewasm_pipe_import_recv();
    return purewasm_pipe_cell_length;
}

#ifdef __cplusplus
}
#endif

#endif
