/* The Lua interpreter on a script: tables, strings, patterns, metatables, closures and floats, scaled by n.
 * Lua raises errors and yields with longjmp, which the guest's C library lacks: the script does neither (see ports/lua/setjmp.h). */
#include <string.h>

#include "guest.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static const char *const script =
    "local n = ...\n"
    "local hash = 0\n"
    "local function note(x) hash = (hash * 31 + x) % 4294967291 end\n"
    /* sieve */
    "local flags = {}\n"
    "for i = 2, n do flags[i] = true end\n"
    "for i = 2, n do if flags[i] then note(i) for j = i * i, n, i do flags[j] = false end end end\n"
    /* strings */
    "local words = {}\n"
    "for i = 1, n // 4 do words[#words + 1] = string.format('%d:%x', i, i * 7919) end\n"
    "table.sort(words)\n"
    "local text = table.concat(words, ' ')\n"
    "for number in text:gmatch('(%d+):') do note(tonumber(number)) end\n"
    "note(#text:gsub('[a-f]+', string.upper))\n"
    /* objects and closures */
    "local Point = {}\n"
    "Point.__index = Point\n"
    "Point.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Point) end\n"
    "function Point:norm() return self.x * self.x + self.y * self.y end\n"
    "local sum = setmetatable({x = 0, y = 0}, Point)\n"
    "for i = 1, n do sum = sum + setmetatable({x = i % 17, y = i % 23}, Point) end\n"
    "note(sum:norm())\n"
    /* closures and recursion */
    "local function tree(depth) if depth == 0 then return function() return 1 end end\n"
    "  local left, right = tree(depth - 1), tree(depth - 1)\n"
    "  return function() return left() + right() end end\n"
    "local leaves = 0\n"
    "for i = 1, n // 512 do leaves = leaves + tree(6)() end\n"
    "note(leaves)\n"
    /* floats */
    "local x = 0.5\n"
    "for i = 1, n do x = 3.9 * x * (1 - x) end\n"
    "note(math.floor(x * 1e15))\n"
    "return hash\n";

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base}, {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
};

EXPORT(run) int64_t run(int32_t n) {
    lua_State *L = luaL_newstate();
    if (!L)
        return -1;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    if (luaL_loadbuffer(L, script, strlen(script), "script") != LUA_OK)
        return -2;
    lua_pushinteger(L, n);
    lua_call(L, 1, 1);
    int64_t hash = (int64_t)lua_tointeger(L, -1);
    lua_close(L);
    return hash;
}
