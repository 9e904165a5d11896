-- SPDX-License-Identifier: BSD-3-Clause
-- Hot loops of LuaJIT's traces: integers, doubles, tables, calls through the FFI. Prints the same in every run.
local bit, ffi = require("bit"), require("ffi")
ffi.cdef "int abs(int);"

local works = {}

function works.integers()
    local s = 0
    for i = 1, 5e8 do s = bit.bxor(bit.tobit(s * 31 + i), bit.rshift(s, 7)) end
    return s
end

function works.doubles()
    local a = {}
    for i = 1, 1000 do a[i] = 0 end
    for _ = 1, 2e6 do for i = 1, 1000 do a[i] = a[i] * 0.5 + i end end
    return a[999]
end

function works.tables()
    local s, kept = 0, {}
    for i = 1, 1.5e7 do
        kept[#kept + 1] = { x = i }
        if #kept > 1000 then s, kept = s + kept[7].x % 13, {} end
    end
    return s
end

function works.ffi()
    local s = 0
    for i = 1, 2e8 do s = s + ffi.C.abs(-i % 7 - 3) end
    return s
end

function works.fib()
    local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    return fib(41)
end

print(works[arg[1]]())
