/* Stands before the C library's setjmp.h, which the guest's library does not have. Lua includes it for the type and the two
 * functions behind LUAI_TRY and LUAI_THROW; with the definitions here a protected call is a plain call, and an error stops
 * the program. The native build is given the same, so that both run the same code. */
#ifndef BENCH_LUA_SETJMP_H
#define BENCH_LUA_SETJMP_H

#define luai_jmpbuf int
#define LUAI_TRY(L, c, a) { a }
#define LUAI_THROW(L, c) __builtin_trap()

#endif
