/* The guest's side of host modules of version 1: the mailbox, and msgpack for it. Headers that `purewasm gen` writes include it.
 *
 * Needs no libc and no allocator: a mailbox begins with a static buffer, and takes fresh pages of memory when a request or an
 * answer is larger. Texts and bytes of an answer lie in that buffer: copy what you need before the next call of the same host module.
 * Not for several guest threads at once.
 */
#ifndef PUREWASM_MAILBOX_H
#define PUREWASM_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Capacity of the first buffer of each host module. To change it, define it for the whole guest. */
#ifndef PUREWASM_MAILBOX_CAPACITY
#define PUREWASM_MAILBOX_CAPACITY 1024
#endif
/* No buffer becomes larger than this. */
#ifndef PUREWASM_MAILBOX_LIMIT
#define PUREWASM_MAILBOX_LIMIT (16u << 20)
#endif

enum {
    PUREWASM_OK = 0,
    PUREWASM_NOT_FOUND = 1,
    PUREWASM_EXISTS = 2,
    PUREWASM_INVALID = 3,
    PUREWASM_DENIED = 4,
    PUREWASM_TOO_LARGE = 5,
    PUREWASM_TIMEOUT = 6,
    PUREWASM_UNAVAILABLE = 7,
    PUREWASM_UNSUPPORTED = 8,
    PUREWASM_INTERNAL = 9,
};

typedef struct {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t operation;
    int32_t status;
    uint32_t buffer, capacity, length, flags;
    uint64_t handle;
} purewasm_mailbox;

#define PUREWASM_MAGIC 0x31424d48u /* "HMB1" */
#define PUREWASM_FETCH 1u
#define PUREWASM_KEPT 2u

/* Text (UTF-8) or bytes: an address and a size. */
typedef struct {
    const char *data;
    uint32_t size;
} purewasm_text;

typedef struct {
    const uint8_t *data;
    uint32_t size;
} purewasm_bytes;

#define PUREWASM_TEXT(literal) ((purewasm_text){(literal), sizeof(literal) - 1})

static inline purewasm_text purewasm_text_of(const char *text) {
    uint32_t size = 0;
    while (text[size]) {
        size++;
    }
    purewasm_text found = {text, size};
    return found;
}

static inline bool purewasm_text_equal(purewasm_text one, purewasm_text other) {
    if (one.size != other.size) {
        return false;
    }
    for (uint32_t i = 0; i < one.size; i++) {
        if (one.data[i] != other.data[i]) {
            return false;
        }
    }
    return true;
}

/* Writing a request. `size` counts on past the end of the buffer, so that it tells what is needed. */
typedef struct {
    uint8_t *data;
    uint32_t capacity, size;
} purewasm_writer;

static inline void purewasm_put(purewasm_writer *out, uint8_t byte) {
    if (out->size < out->capacity) {
        out->data[out->size] = byte;
    }
    out->size++;
}

static inline void purewasm_put_number(purewasm_writer *out, uint8_t tag, uint64_t bits, int bytes) {
    purewasm_put(out, tag);
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        purewasm_put(out, (uint8_t)(bits >> shift));
    }
}

static inline void purewasm_put_array(purewasm_writer *out, uint32_t count) {
    if (count < 16) {
        purewasm_put(out, (uint8_t)(0x90 | count));
    } else {
        purewasm_put_number(out, 0xdd, count, 4);
    }
}

static inline void purewasm_put_u64(purewasm_writer *out, uint64_t value) {
    if (value < 128) {
        purewasm_put(out, (uint8_t)value);
    } else {
        purewasm_put_number(out, 0xcf, value, 8);
    }
}

static inline void purewasm_put_i64(purewasm_writer *out, int64_t value) {
    if (value >= 0) {
        purewasm_put_u64(out, (uint64_t)value);
    } else {
        purewasm_put_number(out, 0xd3, (uint64_t)value, 8);
    }
}

static inline void purewasm_put_u32(purewasm_writer *out, uint32_t value) { purewasm_put_u64(out, value); }
static inline void purewasm_put_i32(purewasm_writer *out, int32_t value) { purewasm_put_i64(out, value); }
static inline void purewasm_put_bool(purewasm_writer *out, bool value) { purewasm_put(out, value ? 0xc3 : 0xc2); }

static inline void purewasm_put_f64(purewasm_writer *out, double value) {
    union {
        double number;
        uint64_t bits;
    } both = {value};
    purewasm_put_number(out, 0xcb, both.bits, 8);
}

static inline void purewasm_put_block(purewasm_writer *out, uint8_t tag, const uint8_t *data, uint32_t size) {
    purewasm_put_number(out, tag, size, 4);
    for (uint32_t i = 0; i < size; i++) {
        purewasm_put(out, data[i]);
    }
}

static inline void purewasm_put_str(purewasm_writer *out, purewasm_text text) {
    if (text.size < 32) {
        purewasm_put(out, (uint8_t)(0xa0 | text.size));
        for (uint32_t i = 0; i < text.size; i++) {
            purewasm_put(out, (uint8_t)text.data[i]);
        }
    } else {
        purewasm_put_block(out, 0xdb, (const uint8_t *)text.data, text.size);
    }
}

static inline void purewasm_put_bytes(purewasm_writer *out, purewasm_bytes bytes) {
    purewasm_put_block(out, 0xc6, bytes.data, bytes.size);
}

/* Reading an answer. The first thing that is not as expected makes `bad` true; everything after it reads as zero and empty. */
typedef struct {
    const uint8_t *at, *end;
    bool bad;
} purewasm_reader;

/* A list of an answer: take its items one by one, in order, with `purewasm_take_…(&list.reader)`. */
typedef struct {
    purewasm_reader reader;
    uint32_t count;
} purewasm_list;

static inline uint64_t purewasm_take_bits(purewasm_reader *in, int bytes) {
    uint64_t bits = 0;
    if (in->bad || in->end - in->at < bytes) {
        in->bad = true;
        return 0;
    }
    for (; bytes > 0; bytes--) {
        bits = bits << 8 | *in->at++;
    }
    return bits;
}

/* Any integer: its bits, and whether it is below zero. */
static inline uint64_t purewasm_take_integer(purewasm_reader *in, bool *negative) {
    uint8_t tag = (uint8_t)purewasm_take_bits(in, 1);
    *negative = false;
    if (tag < 0x80) {
        return tag;
    }
    if (tag >= 0xe0) {
        *negative = true;
        return (uint64_t)(int64_t)(int8_t)tag;
    }
    if (tag >= 0xcc && tag <= 0xcf) {
        return purewasm_take_bits(in, 1 << (tag - 0xcc));
    }
    if (tag >= 0xd0 && tag <= 0xd3) {
        int bytes = 1 << (tag - 0xd0);
        uint64_t bits = purewasm_take_bits(in, bytes);
        if (bits >> (8 * bytes - 1)) {
            *negative = true;
            if (bytes < 8) {
                bits |= ~UINT64_C(0) << (8 * bytes);
            }
        }
        return bits;
    }
    in->bad = true;
    return 0;
}

static inline uint64_t purewasm_take_u64(purewasm_reader *in) {
    bool negative;
    uint64_t bits = purewasm_take_integer(in, &negative);
    in->bad |= negative;
    return in->bad ? 0 : bits;
}

static inline int64_t purewasm_take_i64(purewasm_reader *in) {
    bool negative;
    uint64_t bits = purewasm_take_integer(in, &negative);
    in->bad |= !negative && bits >> 63;
    return in->bad ? 0 : (int64_t)bits;
}

static inline uint32_t purewasm_take_u32(purewasm_reader *in) {
    uint64_t value = purewasm_take_u64(in);
    in->bad |= value >> 32 != 0;
    return in->bad ? 0 : (uint32_t)value;
}

static inline int32_t purewasm_take_i32(purewasm_reader *in) {
    int64_t value = purewasm_take_i64(in);
    in->bad |= value != (int32_t)value;
    return in->bad ? 0 : (int32_t)value;
}

static inline bool purewasm_take_bool(purewasm_reader *in) {
    uint64_t tag = purewasm_take_bits(in, 1);
    in->bad |= tag != 0xc2 && tag != 0xc3;
    return !in->bad && tag == 0xc3;
}

static inline double purewasm_take_f64(purewasm_reader *in) {
    union {
        uint64_t bits;
        double number;
    } both;
    in->bad |= purewasm_take_bits(in, 1) != 0xcb;
    both.bits = purewasm_take_bits(in, 8);
    return in->bad ? 0 : both.number;
}

static inline purewasm_bytes purewasm_take_block(purewasm_reader *in, uint32_t size) {
    purewasm_bytes block = {in->at, size};
    if (in->bad || (uint32_t)(in->end - in->at) < size) {
        in->bad = true;
        block.size = 0;
    }
    in->at += block.size;
    return block;
}

static inline purewasm_text purewasm_take_str(purewasm_reader *in) {
    uint8_t tag = (uint8_t)purewasm_take_bits(in, 1);
    uint32_t size = 0;
    if (tag >= 0xa0 && tag <= 0xbf) {
        size = tag & 31;
    } else if (tag >= 0xd9 && tag <= 0xdb) {
        size = (uint32_t)purewasm_take_bits(in, 1 << (tag - 0xd9));
    } else {
        in->bad = true;
    }
    purewasm_bytes block = purewasm_take_block(in, size);
    purewasm_text text = {(const char *)block.data, block.size};
    return text;
}

static inline purewasm_bytes purewasm_take_bytes(purewasm_reader *in) {
    uint8_t tag = (uint8_t)purewasm_take_bits(in, 1);
    uint32_t size = 0;
    if (tag >= 0xc4 && tag <= 0xc6) {
        size = (uint32_t)purewasm_take_bits(in, 1 << (tag - 0xc4));
    } else {
        in->bad = true;
    }
    return purewasm_take_block(in, size);
}

static inline uint32_t purewasm_take_array(purewasm_reader *in) {
    uint8_t tag = (uint8_t)purewasm_take_bits(in, 1);
    if (tag >= 0x90 && tag <= 0x9f) {
        return tag & 15;
    }
    if (tag == 0xdc || tag == 0xdd) {
        return (uint32_t)purewasm_take_bits(in, tag == 0xdc ? 2 : 4);
    }
    in->bad = true;
    return 0;
}

/* Past one value of whatever kind. */
static inline void purewasm_skip(purewasm_reader *in) {
    uint64_t left = 1;
    for (; left && !in->bad; left--) {
        uint8_t tag = in->at < in->end ? *in->at : 0xc1;
        if (tag < 0x80 || tag >= 0xe0 || (tag >= 0xcc && tag <= 0xd3)) {
            bool negative;
            purewasm_take_integer(in, &negative);
        } else if (tag == 0xc0 || tag == 0xc2 || tag == 0xc3) {
            in->at++;
        } else if (tag == 0xcb) {
            purewasm_take_f64(in);
        } else if ((tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb)) {
            purewasm_take_str(in);
        } else if (tag >= 0xc4 && tag <= 0xc6) {
            purewasm_take_bytes(in);
        } else if ((tag >= 0x90 && tag <= 0x9f) || tag == 0xdc || tag == 0xdd) {
            left += purewasm_take_array(in);
        } else {
            in->bad = true;
        }
    }
}

/* A list: the reader moves past it, and the list has a reader of its own. */
static inline purewasm_list purewasm_take_list(purewasm_reader *in) {
    purewasm_list list;
    list.count = purewasm_take_array(in);
    list.reader = *in;
    for (uint32_t i = 0; i < list.count && !in->bad; i++) {
        purewasm_skip(in);
    }
    list.reader.bad = in->bad;
    return list;
}

/* Fresh pages of memory as the buffer, at least `needed` bytes. False where that is over the limit or there is no memory. */
static inline bool purewasm_grow(purewasm_mailbox *box, uint32_t needed) {
    uint32_t capacity = box->capacity * 2 > needed ? box->capacity * 2 : needed;
    if (needed > PUREWASM_MAILBOX_LIMIT) {
        return false;
    }
    uint32_t pages = (capacity + 65535) >> 16;
    uint32_t before = (uint32_t)__builtin_wasm_memory_grow(0, pages);
    if (before == UINT32_MAX) {
        return false;
    }
    box->buffer = before << 16;
    box->capacity = pages << 16;
    return true;
}

static inline purewasm_writer purewasm_begin(const purewasm_mailbox *box, uint32_t arguments) {
    purewasm_writer out = {(uint8_t *)(uintptr_t)box->buffer, box->capacity, 0};
    purewasm_put_array(&out, arguments);
    return out;
}

/* True where the request did not fit and the buffer has grown: write it once more. */
static inline bool purewasm_again(purewasm_mailbox *box, const purewasm_writer *out) {
    return out->size > out->capacity && purewasm_grow(box, out->size);
}

/* Send the request and read the answer. The status of the operation; TOO_LARGE where request or answer are over the limit. */
static inline int32_t purewasm_send(purewasm_mailbox *box, uint32_t operation, const purewasm_writer *out, void (*call)(void), purewasm_reader *in) {
    in->at = in->end = 0;
    in->bad = true;
    if (out->size > out->capacity) {
        box->length = 0;
        return box->status = PUREWASM_TOO_LARGE;
    }
    box->operation = operation;
    box->length = out->size;
    box->flags = 0;
    call();
    if (box->flags & PUREWASM_KEPT) {
        if (!purewasm_grow(box, box->length)) {
            box->length = 0;
            return box->status = PUREWASM_TOO_LARGE;
        }
        box->length = 0;
        box->flags = PUREWASM_FETCH;
        call();
    }
    in->at = (const uint8_t *)(uintptr_t)box->buffer;
    in->end = in->at + box->length;
    in->bad = false;
    return box->status;
}

/* The text of the last error, empty where there is none. */
static inline purewasm_text purewasm_error_message(const purewasm_mailbox *box) {
    const uint8_t *start = (const uint8_t *)(uintptr_t)box->buffer;
    purewasm_reader in = {start, start + box->length, false};
    purewasm_text none = {"", 0};
    if (box->status == PUREWASM_OK || purewasm_take_array(&in) != 3) {
        return none;
    }
    purewasm_take_i32(&in);
    purewasm_text message = purewasm_take_str(&in);
    return in.bad ? none : message;
}

#ifdef __cplusplus
}
#endif

#endif
