/* Writes a JSON document of n records, parses it into a tree of nodes in an arena, and folds the tree into a checksum.
 * A recursive-descent parser of all of RFC 8259 but \u surrogate pairs; numbers are read as mantissa and power of ten. */
#include "guest.h"

#define TEXT_BYTES (4 << 20)
#define NODES (1 << 18)

enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

typedef struct Node {
    int32_t kind, length;
    double number;
    char *text;              /* of a string */
    char *key;               /* in an object */
    int32_t key_length;
    struct Node *next, *children;
} Node;

static char text[TEXT_BYTES], strings[TEXT_BYTES];
static Node nodes[NODES];

typedef struct {
    const char *at, *end;
    char *string_at;
    int32_t node_count, errors;
} Parser;

/* ---- writing the document ---- */

static char *put(char *to, const char *from) {
    while (*from)
        *to++ = *from++;
    return to;
}

static char *put_number(char *to, uint32_t number) {
    char digits[10];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        *to++ = digits[--count];
    return to;
}

static char *put_record(char *to, int32_t index, uint32_t *seed) {
    static const char *const words[8] = {"alpha", "be\\\"ta", "gam\\nma", "delta", "\\u00e9psilon", "zeta", "eta\\t", "theta"};
    to = put(to, "{\"id\": ");
    to = put_number(to, (uint32_t)index);
    to = put(to, ", \"name\": \"");
    for (int i = 0; i < 3; i++)
        to = put(to, words[next_random(seed) & 7]);
    to = put(to, "\", \"active\": ");
    to = put(to, next_random(seed) & 1 ? "true" : "false");
    to = put(to, ", \"parent\": null, \"score\": -");
    to = put_number(to, next_random(seed) % 1000);
    to = put(to, ".");
    to = put_number(to, 10 + next_random(seed) % 90);
    to = put(to, "e-3, \"tags\": [");
    for (uint32_t i = 0, count = 1 + next_random(seed) % 6; i < count; i++) {
        to = put(to, i ? ", \"" : "\"");
        to = put(to, words[next_random(seed) & 7]);
        to = put(to, "\"");
    }
    return put(to, "]}");
}

/* ---- parsing ---- */

static Node *parse_value(Parser *p);

static inline void skip_space(Parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static int32_t take(Parser *p, char expected) {
    skip_space(p);
    if (p->at < p->end && *p->at == expected) {
        p->at++;
        return 1;
    }
    return 0;
}

static Node *new_node(Parser *p, int32_t kind) {
    Node *node = &nodes[p->node_count < NODES - 1 ? p->node_count++ : (p->errors++, NODES - 1)];
    node->kind = kind;
    node->length = 0;
    node->number = 0;
    node->next = node->children = NULL;
    node->key = node->text = NULL;
    node->key_length = 0;
    return node;
}

static int32_t hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_utf8(Parser *p, uint32_t code) {
    if (code < 0x80)
        *p->string_at++ = (char)code;
    else if (code < 0x800) {
        *p->string_at++ = (char)(0xc0 | code >> 6);
        *p->string_at++ = (char)(0x80 | (code & 63));
    } else {
        *p->string_at++ = (char)(0xe0 | code >> 12);
        *p->string_at++ = (char)(0x80 | (code >> 6 & 63));
        *p->string_at++ = (char)(0x80 | (code & 63));
    }
}

static void parse_escape(Parser *p) {
    char c = p->at < p->end ? *p->at++ : 0;
    switch (c) {
    case 'n': *p->string_at++ = '\n'; break;
    case 't': *p->string_at++ = '\t'; break;
    case 'r': *p->string_at++ = '\r'; break;
    case 'b': *p->string_at++ = '\b'; break;
    case 'f': *p->string_at++ = '\f'; break;
    case '"': case '\\': case '/': *p->string_at++ = c; break;
    case 'u': {
        uint32_t code = 0;
        for (int i = 0; i < 4; i++) {
            int32_t digit = p->at < p->end ? hex_digit(*p->at++) : -1;
            if (digit < 0)
                p->errors++;
            code = code << 4 | (uint32_t)(digit & 15);
        }
        put_utf8(p, code);
        break;
    }
    default: p->errors++;
    }
}

static char *parse_string(Parser *p, int32_t *length) {
    char *start = p->string_at;
    if (!take(p, '"'))
        p->errors++;
    while (p->at < p->end && *p->at != '"') {
        char c = *p->at++;
        if (c == '\\')
            parse_escape(p);
        else
            *p->string_at++ = c;
    }
    p->at++;
    *length = (int32_t)(p->string_at - start);
    return start;
}

static int32_t is_digit(const Parser *p) {
    return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static Node *parse_number(Parser *p) {
    Node *node = new_node(p, JSON_NUMBER);
    int32_t negative = take(p, '-'), exponent = 0, written = 0, down = 0;
    double mantissa = 0;
    for (; is_digit(p); p->at++)
        mantissa = mantissa * 10 + (*p->at - '0');
    if (p->at < p->end && *p->at == '.')
        for (p->at++; is_digit(p); p->at++, exponent--)
            mantissa = mantissa * 10 + (*p->at - '0');
    if (p->at < p->end && (*p->at | 32) == 'e') {
        p->at++;
        if (p->at < p->end && (*p->at == '-' || *p->at == '+'))
            down = *p->at++ == '-';
        for (; is_digit(p); p->at++)
            written = written * 10 + (*p->at - '0');
        exponent += down ? -written : written;
    }
    for (; exponent > 0; exponent--)
        mantissa *= 10;
    for (; exponent < 0; exponent++)
        mantissa /= 10;
    node->number = negative ? -mantissa : mantissa;
    return node;
}

static Node *parse_container(Parser *p, int32_t kind, char close) {
    Node *node = new_node(p, kind), **last = &node->children;
    p->at++;
    if (take(p, close))
        return node;
    do {
        char *key = NULL;
        int32_t key_length = 0;
        if (kind == JSON_OBJECT) {
            key = parse_string(p, &key_length);
            if (!take(p, ':'))
                p->errors++;
        }
        Node *child = parse_value(p);
        child->key = key;
        child->key_length = key_length;
        *last = child;
        last = &child->next;
        node->length++;
    } while (take(p, ','));
    if (!take(p, close))
        p->errors++;
    return node;
}

static Node *parse_word(Parser *p, const char *word, int32_t kind) {
    for (; *word; word++, p->at++)
        if (p->at >= p->end || *p->at != *word)
            p->errors++;
    return new_node(p, kind);
}

static Node *parse_value(Parser *p) {
    skip_space(p);
    switch (p->at < p->end ? *p->at : 0) {
    case '{': return parse_container(p, JSON_OBJECT, '}');
    case '[': return parse_container(p, JSON_ARRAY, ']');
    case 't': return parse_word(p, "true", JSON_TRUE);
    case 'f': return parse_word(p, "false", JSON_FALSE);
    case 'n': return parse_word(p, "null", JSON_NULL);
    case '"': {
        Node *node = new_node(p, JSON_STRING);
        node->text = parse_string(p, &node->length);
        return node;
    }
    default: return parse_number(p);
    }
}

/* ---- folding ---- */

static uint64_t mix_bytes(uint64_t hash, const char *bytes, int32_t length) {
    for (int32_t i = 0; i < length; i++)
        hash = mix(hash, (uint8_t)bytes[i]);
    return hash;
}

static uint64_t fold(uint64_t hash, const Node *node) {
    hash = mix(hash, (uint64_t)node->kind << 32 | (uint32_t)node->length);
    hash = mix_bytes(hash, node->key, node->key_length);
    if (node->kind == JSON_NUMBER)
        hash = mix_double(hash, node->number);
    else if (node->kind == JSON_STRING)
        hash = mix_bytes(hash, node->text, node->length);
    for (const Node *child = node->children; child; child = child->next)
        hash = fold(hash, child);
    return hash;
}

EXPORT(run) int64_t run(int32_t n) {
    uint32_t seed = 15;
    char *to = put(text, "[");
    for (int32_t i = 0; i < n; i++) {
        if (i)
            to = put(to, ",\n");
        to = put_record(to, i, &seed);
    }
    to = put(to, "]");
    Parser parser = {text, to, strings, 0, 0};
    const Node *root = parse_value(&parser);
    return parser.errors ? -1 : (int64_t)fold(MIX_SEED, root);
}
