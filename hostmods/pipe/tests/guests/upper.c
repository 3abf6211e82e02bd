/* Takes a message from one pipe and puts it, in capitals, into another. */
#include <purewasm_pipe.h>

__attribute__((export_name("upper"))) uint32_t upper(uint32_t from, uint32_t to) {
    uint32_t size = purewasm_pipe_recv(from);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t letter = purewasm_pipe_cell_message[i];
        purewasm_pipe_cell_message[i] = letter >= 'a' && letter <= 'z' ? letter - 32 : letter;
    }
    purewasm_pipe_send(to, purewasm_pipe_cell_message, size);
    return size;
}
