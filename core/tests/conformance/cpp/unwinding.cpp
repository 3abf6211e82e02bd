// Destructors, handlers and exceptions that are thrown again, with just enough of a runtime library for `catch (...)`.
extern "C" {
__attribute__((import_module("env"), import_name("print"))) void print(int, int);
static char heap[1 << 15];
static unsigned long used;
static void *caught[64];
static int depth;
void *__cxa_allocate_exception(unsigned long size) {
    void *made = heap + used % sizeof heap;
    used += (size + 15) & ~15ul;
    return made;
}
void __cxa_throw(void *exception, void *, void *) { __builtin_wasm_throw(0, exception); }
void *__cxa_begin_catch(void *exception) { return caught[depth++] = exception; }
void __cxa_end_catch() { depth--; }
void __cxa_rethrow() { __builtin_wasm_throw(0, caught[--depth]); }
void _ZSt9terminatev() { __builtin_trap(); }
void *type_of_int __asm__("_ZTIi") = 0;
}

struct Noisy {
    int value;
    explicit Noisy(int value) : value(value) {}
    __attribute__((noinline)) ~Noisy() { print(1, value); }
};

__attribute__((noinline)) int descend(int n) {
    Noisy noisy{n};
    if (n == 0) throw 5;
    if (n == 7) throw 42;
    return descend(n - 1) + 1;
}

extern "C" __attribute__((export_name("run"))) int run(int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        Noisy noisy{i * 10};
        try {
            sum += descend(i);
        } catch (...) {
            print(2, i);
            sum = sum * 3 + i;
            try {
                if (i & 1) throw;
                sum += 7;
            } catch (...) {
                sum += 100;
                print(3, sum);
            }
        }
    }
    return sum;
}

extern "C" __attribute__((export_name("out"))) int out(int n) {
    Noisy noisy{-1};
    return descend(n);
}
