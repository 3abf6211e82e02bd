/* Searches n KiB of made-up log text for four patterns, each by a Thompson NFA run in lock step and by backtracking.
 * Syntax: literals . [a-z] [^a-z] ( ) | * + ? and \ before a special character; leftmost-longest match, counted. */
#include "guest.h"

#define STATES 256
#define TEXT_BYTES (1 << 20)

enum { STATE_SET, STATE_SPLIT, STATE_MATCH };

typedef struct {
    int32_t kind, out, other;
    uint32_t set[8]; /* one bit a byte value */
} State;

static State states[STATES];
static int32_t state_count;
static const char *pattern;
static char text[TEXT_BYTES];

/* ---- compiling, by recursive descent; a fragment is its first state, every end leads to the state given ---- */

static int32_t compile_alternatives(int32_t next);

static int32_t new_state(int32_t kind, int32_t out, int32_t other) {
    State *state = &states[state_count];
    state->kind = kind, state->out = out, state->other = other;
    for (int i = 0; i < 8; i++)
        state->set[i] = 0;
    return state_count++;
}

static void add_to_set(State *state, uint8_t from, uint8_t to) {
    for (uint32_t c = from; c <= to; c++)
        state->set[c >> 5] |= 1u << (c & 31);
}

static void parse_class(State *state) {
    int32_t negated = *pattern == '^';
    pattern += negated;
    while (*pattern && *pattern != ']') {
        uint8_t from = (uint8_t)*pattern++, to = from;
        if (*pattern == '-' && pattern[1] != ']') {
            to = (uint8_t)pattern[1];
            pattern += 2;
        }
        add_to_set(state, from, to);
    }
    pattern++;
    if (negated)
        for (int i = 0; i < 8; i++)
            state->set[i] = ~state->set[i];
}

static int32_t compile_atom(int32_t next) {
    char c = *pattern++;
    if (c == '(') {
        int32_t first = compile_alternatives(next);
        pattern++;
        return first;
    }
    int32_t first = new_state(STATE_SET, next, 0);
    if (c == '[')
        parse_class(&states[first]);
    else if (c == '.')
        add_to_set(&states[first], 0, 255), states[first].set[0] &= ~(1u << '\n');
    else {
        if (c == '\\')
            c = *pattern++;
        add_to_set(&states[first], (uint8_t)c, (uint8_t)c);
    }
    return first;
}

/* The operator stands behind the atom, so the atom is compiled twice: once to find its end, once in its place. */
static int32_t compile_piece(int32_t next) {
    const char *start = pattern;
    int32_t mark = state_count, first = compile_atom(next);
    char operator = *pattern;
    if (operator != '*' && operator != '+' && operator != '?')
        return first;
    state_count = mark;
    pattern = start;
    int32_t split = new_state(STATE_SPLIT, 0, next);
    first = compile_atom(operator == '?' ? next : split);
    states[split].out = first;
    pattern++;
    return operator == '+' ? first : split;
}

/* A sequence is linked from its end, pieces are read from its start: find the pieces first, compile the last one first. */
static int32_t compile_sequence(int32_t next) {
    const char *pieces[32];
    int32_t count = 0, mark = state_count;
    while (*pattern && *pattern != '|' && *pattern != ')') {
        pieces[count++] = pattern;
        compile_piece(0);
    }
    const char *end = pattern;
    state_count = mark;
    while (count > 0) {
        pattern = pieces[--count];
        next = compile_piece(next);
    }
    pattern = end;
    return next;
}

static int32_t compile_alternatives(int32_t next) {
    int32_t first = compile_sequence(next);
    while (*pattern == '|') {
        pattern++;
        int32_t other = compile_sequence(next);
        first = new_state(STATE_SPLIT, first, other);
    }
    return first;
}

static inline int32_t accepts(const State *state, uint8_t c) {
    return state->set[c >> 5] >> (c & 31) & 1;
}

/* ---- matching ---- */

static int32_t listed[STATES], generation;

typedef struct {
    int32_t items[STATES], count, matched;
} List;

static List now_list, next_list;

static void add_state(List *list, int32_t index) {
    while (listed[index] != generation) {
        listed[index] = generation;
        const State *state = &states[index];
        if (state->kind == STATE_MATCH)
            list->matched = 1;
        if (state->kind != STATE_SPLIT) {
            list->items[list->count++] = index;
            return;
        }
        add_state(list, state->out);
        index = state->other;
    }
}

/* Length of the longest match at `at`, or -1. */
static NOINLINE int32_t match_parallel(int32_t first, const char *at, const char *end) {
    List *now = &now_list, *next = &next_list;
    int32_t longest = -1;
    generation++;
    now->count = now->matched = 0;
    add_state(now, first);
    for (const char *here = at;; here++) {
        if (now->matched)
            longest = (int32_t)(here - at);
        if (now->count == 0 || here == end)
            return longest;
        generation++;
        next->count = next->matched = 0;
        for (int32_t i = 0; i < now->count; i++) {
            const State *state = &states[now->items[i]];
            if (state->kind == STATE_SET && accepts(state, (uint8_t)*here))
                add_state(next, state->out);
        }
        List *swap = now;
        now = next, next = swap;
    }
}

static NOINLINE int32_t match_backtracking(int32_t index, const char *at, const char *end) {
    const char *start = at;
    int32_t best = -1;
    for (;;) {
        const State *state = &states[index];
        if (state->kind == STATE_MATCH) {
            int32_t length = (int32_t)(at - start);
            return length > best ? length : best;
        }
        if (state->kind == STATE_SPLIT) {
            int32_t length = match_backtracking(state->out, at, end);
            if (length >= 0 && (int32_t)(at - start) + length > best)
                best = (int32_t)(at - start) + length;
            index = state->other;
        } else if (at < end && accepts(state, (uint8_t)*at)) {
            at++;
            index = state->out;
        } else
            return best;
    }
}

/* ---- the benchmark ---- */

static int32_t write_text(int32_t bytes) {
    static const char *const words[8] = {"error", "user@mail.example", "2024-05-17", "10.0.42.7", "warning:", "x = y + z", "GET /index.html", "ababab"};
    uint32_t seed = 16;
    int32_t at = 0;
    while (at < bytes - 32) {
        for (const char *from = words[next_random(&seed) & 7]; *from;)
            text[at++] = *from++;
        text[at++] = next_random(&seed) % 10 ? ' ' : '\n';
    }
    return at;
}

EXPORT(run) int64_t run(int32_t n) {
    static const char *const patterns[4] = {
        "[a-z]+@[a-z]+(\\.[a-z]+)+",
        "[0-9][0-9]?[0-9]?(\\.[0-9]+)*",
        "(error|warning):?( [a-z0-9=+ ]+)?",
        "(a|b|ab)*b",
    };
    const char *end = text + write_text(n * 1024);
    uint64_t hash = MIX_SEED;
    for (int i = 0; i < 4; i++) {
        pattern = patterns[i];
        state_count = 0;
        int32_t match = new_state(STATE_MATCH, 0, 0);
        int32_t first = compile_alternatives(match);
        for (const char *at = text; at < end;) {
            int32_t length = match_parallel(first, at, end);
            if (match_backtracking(first, at, end) != length)
                return -1;
            hash = length > 0 ? mix(hash, (uint64_t)length) : hash;
            at += length > 0 ? length : 1;
        }
    }
    return (int64_t)hash;
}
