"""The inner loops of the heap: allocation where code finds no room, and the collection.

They are a WebAssembly module of their own, which this engine's compiler compiles when the first heap is made; its memory is the range of
addresses of the heap. So whatever happens in here stays in there, and tests can run it like any other module. Its functions
call nothing: they need no stack check, no context and no polls.

A heap is blocks of 32 KiB. For each there is a kind, and for each 16 bytes of it a bit in two bitmaps: `starts` says where the objects
begin that were alive after the last collection, `marks` is for the next one. Allocation goes through the blocks and gives out the holes
between the objects, each to be filled from its start on; a log remembers them, so that the objects in them can be found too.
Objects of more than 1 KiB lie in blocks that are used for such objects only until the next collection, larger ones in blocks of their own.

A collection first finds out which of the words that may be references (those on stacks) are some: that is so where an object starts. It
then marks what they and the other roots refer to, and all that these refer to. A block without a mark is free again.
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.light_library import lru_cache
from purewasm.light_typing import Final
from purewasm.store import layout

BLOCK_LOG2: Final = 15
BLOCK_BYTES: Final = 1 << BLOCK_LOG2
BITMAP_BYTES: Final = BLOCK_BYTES >> 7
"""Of each bitmap, for a block."""
STACK_BYTES: Final = BLOCK_BYTES // 6 + 7 & -8
"""Of the stack of the marking, for a block: 4 bytes for 24 bytes of the heap, an object and what refers to it. The log of holes is there at
other times: 8 bytes for 80 bytes of the heap, a hole and an object."""

# ---- words at the start of the heap: two of 8 bytes that code uses (`layout.HEAP_FREE`), then

BASE: Final = 16
"""Address of the heap (8 bytes); all others are 4 bytes, and places are distances from there."""
LOCK: Final = 24
"""Not 0 while a thread is in here."""
ALLOCATE: Final = 32
"""Address of the code of `allocate` (8 bytes)."""
DATA: Final = 40
"""Where the first block is."""
USED: Final = 44
"""Number of blocks that were ever used."""
END: Final = 48
"""Number of blocks that there may be."""
CURSOR_BLOCK: Final = 52
"""The block in which the next hole is searched."""
CURSOR_AT: Final = 56
"""Where in it; 0 for its start."""
BUDGET: Final = 60
"""Bytes that may still be given out before the next collection."""
LOG_END: Final = 64
"""End of the log of holes: pairs of start and end."""
MEDIUM_AT: Final = 68
MEDIUM_END: Final = 72
"""Free bytes of the last block for objects of more than 1 KiB …"""
OUTSIDE_AT: Final = 76
OUTSIDE_END: Final = 80
"""… and of that for objects that no guest makes."""
STARTS: Final = 84
MARKS: Final = 88
KINDS: Final = 92
"""A byte a block."""
COUNTS: Final = 96
"""Of the first block of a large object: how many blocks it has. 4 bytes a block."""
STACK: Final = 100
SEARCH: Final = 104
"""Where to look for free blocks next."""
LIVE: Final = 108
"""Bytes of the objects that the last collection has found."""
ROOTS: Final = 112
"""Where words are given to `collect`, and where `gather` puts them."""
GATHER_AT: Final = 116
GATHER_INDEX: Final = 120
"""Where `gather` goes on."""

FREE: Final = 0
SMALL: Final = 1
LARGE: Final = 2
LARGE_REST: Final = 3
PERMANENT: Final = 4
FILLING: Final = 5
"""Blocks in which each object has its bit in `starts` from the beginning."""

GUEST: Final = 0
FORCED: Final = 1
OUTSIDE: Final = 2
FOREVER: Final = 3
"""Modes of `allocate`: within the budget, without one, for objects that no guest makes, for what is not collected."""

SMALL_BYTES: Final = 1024
MEDIUM_BYTES: Final = BLOCK_BYTES // 2
LEAST_HOLE: Final = 64

_BIT = """
  ;; $word: where the 32 bits are that have the bit of the object at $p, which is $bit
  (local.set $word (i32.add (i32.load (i32.const {bitmap}))
    (i32.and (i32.shr_u (i32.sub (local.get $p) (local.get $data)) (i32.const 7)) (i32.const -4))))
  (local.set $bit (i32.shl (i32.const 1) (i32.shr_u (i32.sub (local.get $p) (local.get $data)) (i32.const 4))))
"""
_SIZE = """
  ;; $size: bytes of the object at $p
  (local.set $record (i32.wrap_i64 (i64.sub (i64.load (local.get $p)) (local.get $base))))
  (local.set $size (i32.load offset={size} (local.get $record)))
  (if (i32.eq (i32.load (local.get $record)) (i32.const {array})) (then
    (local.set $size (i32.and (i32.const -16)
      (i32.add (i32.mul (local.get $size) (i32.load offset={length} (local.get $p))) (i32.const {rest}))))))
"""

_TEXT = """
(module
  (memory (export "memory") 1 65536)

  ;; the place of so many bytes; 0 where there is no room, or the budget is spent
  (func (export "allocate") (param $n i32) (param $mode i32) (result i32)
    (local $data i32) (local $base i64) (local $p i32) (local $q i32) (local $word i32) (local $bit i32) (local $size i32)
    (local $record i32) (local $block i32) (local $end i32) (local $run i32) (local $count i32)
    (local $left i32) (local $wrapped i32) (local $kind i32)
    (local.set $n (i32.and (i32.add (local.get $n) (i32.const 15)) (i32.const -16)))
    (local.set $data (i32.load (i32.const {DATA})))
    (local.set $base (i64.load (i32.const {BASE})))
    (local.set $left (i32.load (i32.const {BUDGET})))
    (if (i32.and (i32.eqz (local.get $mode)) (i32.or (i32.eqz (local.get $left))
          (i32.and (i32.gt_u (local.get $n) (i32.const {MEDIUM_BYTES})) (i32.gt_u (local.get $n) (local.get $left)))))
      (then (return (i32.const 0))))

    (if (i32.and (i32.le_u (local.get $n) (i32.const {SMALL_BYTES})) (i32.lt_u (local.get $mode) (i32.const {OUTSIDE}))) (then
      ;; the last hole ends where its objects end
      (if (i64.ne (i64.load (i32.const 0)) (i64.const 0)) (then
        (i32.store (i32.sub (i32.load (i32.const {LOG_END})) (i32.const 4))
          (i32.wrap_i64 (i64.sub (i64.load (i32.const 0)) (local.get $base))))
        (i64.store (i32.const 0) (i64.const 0))
        (i64.store (i32.const 8) (i64.const 0))))
      (block $found
        (loop $next
          (local.set $block (i32.load (i32.const {CURSOR_BLOCK})))
          (local.set $p (i32.add (local.get $data) (i32.shl (local.get $block) (i32.const {BLOCK_LOG2}))))
          (local.set $end (i32.add (local.get $p) (i32.const {BLOCK_BYTES})))
          (if (i32.ge_u (local.get $block) (i32.load (i32.const {USED}))) (then
            (if (i32.ge_u (local.get $block) (i32.load (i32.const {END}))) (then (return (i32.const 0))))
            (i32.store (i32.const {USED}) (i32.add (local.get $block) (i32.const 1)))))
          (local.set $kind (i32.load8_u (i32.add (i32.load (i32.const {KINDS})) (local.get $block))))
          (if (i32.eqz (local.get $kind)) (then
            (i32.store8 (i32.add (i32.load (i32.const {KINDS})) (local.get $block)) (i32.const {SMALL}))
            (i32.store (i32.const {CURSOR_BLOCK}) (i32.add (local.get $block) (i32.const 1)))
            (i32.store (i32.const {CURSOR_AT}) (i32.const 0))
            (local.set $q (local.get $end))
            (br $found)))
          (if (i32.ne (local.get $kind) (i32.const {SMALL})) (then
            (i32.store (i32.const {CURSOR_BLOCK}) (i32.add (local.get $block) (i32.const 1)))
            (i32.store (i32.const {CURSOR_AT}) (i32.const 0))
            (br $next)))
          (if (i32.load (i32.const {CURSOR_AT})) (then (local.set $p (i32.load (i32.const {CURSOR_AT})))))
          (local.set $q (local.get $p))
          ;; $q: the next object, or the end of the block
          {BIT_STARTS}
          (local.set $bit (i32.and (i32.load (local.get $word)) (i32.sub (i32.const 0) (local.get $bit))))
          (local.set $q (i32.add (local.get $data)
            (i32.shl (i32.sub (local.get $word) (i32.load (i32.const {STARTS}))) (i32.const 7))))
          (block $hit
            (loop $words
              (br_if $hit (local.get $bit))
              (local.set $q (i32.add (local.get $q) (i32.const 512)))
              (br_if $hit (i32.ge_u (local.get $q) (local.get $end)))
              (local.set $word (i32.add (local.get $word) (i32.const 4)))
              (local.set $bit (i32.load (local.get $word)))
              (br $words)))
          (if (i32.lt_u (local.get $q) (local.get $end)) (then
            (local.set $q (i32.add (local.get $q) (i32.shl (i32.ctz (local.get $bit)) (i32.const 4))))
            (local.set $count (local.get $p))
            (local.set $p (local.get $q))
            {SIZE}
            (local.set $p (local.get $count))
            (local.set $count (i32.add (local.get $q) (local.get $size))))
          (else (local.set $q (local.get $end)) (local.set $count (local.get $end))))
          (if (i32.ge_u (local.get $count) (local.get $end))
            (then
              (i32.store (i32.const {CURSOR_BLOCK}) (i32.add (local.get $block) (i32.const 1)))
              (i32.store (i32.const {CURSOR_AT}) (i32.const 0)))
            (else (i32.store (i32.const {CURSOR_AT}) (local.get $count))))
          (local.set $size (i32.sub (local.get $q) (local.get $p)))
          (br_if $found (i32.and (i32.ge_u (local.get $size) (i32.const {LEAST_HOLE})) (i32.ge_u (local.get $size) (local.get $n))))
          (br $next)))
      (local.set $size (i32.sub (local.get $q) (local.get $p)))
      (i32.store (i32.const {BUDGET}) (select (i32.const 0) (i32.sub (local.get $left) (local.get $size))
        (i32.lt_u (local.get $left) (local.get $size))))
      (i64.store (i32.const 0) (i64.add (local.get $base) (i64.extend_i32_u (i32.add (local.get $p) (local.get $n)))))
      (i64.store (i32.const 8) (i64.add (local.get $base) (i64.extend_i32_u (local.get $q))))
      (local.set $word (i32.load (i32.const {LOG_END})))
      (i32.store (local.get $word) (local.get $p))
      (i32.store offset=4 (local.get $word) (local.get $q))
      (i32.store (i32.const {LOG_END}) (i32.add (local.get $word) (i32.const 8)))
      (return (local.get $p))))

    (if (i32.lt_u (local.get $mode) (i32.const {OUTSIDE})) (then
      (i32.store (i32.const {BUDGET}) (select (i32.const 0) (i32.sub (local.get $left) (local.get $n))
        (i32.lt_u (local.get $left) (local.get $n))))))
    ;; $word: where the free bytes are noted from which an object that is not large is taken
    (local.set $word (select (i32.const {OUTSIDE_AT}) (i32.const {MEDIUM_AT}) (i32.eq (local.get $mode) (i32.const {OUTSIDE}))))
    (local.set $kind (select (i32.const {LARGE}) (i32.const {FILLING}) (i32.gt_u (local.get $n) (i32.const {MEDIUM_BYTES}))))
    (local.set $kind (select (i32.const {PERMANENT}) (local.get $kind) (i32.eq (local.get $mode) (i32.const {FOREVER}))))
    (block $placed
      (if (i32.eq (local.get $kind) (i32.const {FILLING})) (then
        (local.set $p (i32.load (local.get $word)))
        (if (i32.le_u (local.get $n) (i32.sub (i32.load offset=4 (local.get $word)) (local.get $p))) (then
          (i32.store (local.get $word) (i32.add (local.get $p) (local.get $n)))
          (br $placed)))))
      ;; $count blocks that follow each other
      (local.set $count (i32.shr_u (i32.add (local.get $n) (i32.const {BLOCK_REST})) (i32.const {BLOCK_LOG2})))
      (local.set $block (i32.load (i32.const {SEARCH})))
      (block $blocks
        (loop $next
          (if (i32.ge_u (local.get $block) (i32.load (i32.const {USED}))) (then
            (if (i32.eqz (local.get $wrapped)) (then
              (local.set $wrapped (i32.const 1))
              (if (i32.load (i32.const {SEARCH})) (then
                (local.set $block (i32.const 0)) (local.set $run (i32.const 0)) (br $next)))))
            ;; as many more as are missing behind the last free ones
            (local.set $block (i32.add (i32.load (i32.const {USED})) (i32.sub (local.get $count) (local.get $run))))
            (if (i32.gt_u (local.get $block) (i32.load (i32.const {END}))) (then (return (i32.const 0))))
            (i32.store (i32.const {USED}) (local.get $block))
            (br $blocks)))
          (local.set $size (i32.load8_u (i32.add (i32.load (i32.const {KINDS})) (local.get $block))))
          (local.set $run (select (i32.const 0) (i32.add (local.get $run) (i32.const 1)) (local.get $size)))
          (local.set $block (i32.add (local.get $block) (i32.const 1)))
          (br_if $blocks (i32.eq (local.get $run) (local.get $count)))
          (br $next)))
      (i32.store (i32.const {SEARCH}) (local.get $block))
      (local.set $block (i32.sub (local.get $block) (local.get $count)))
      (local.set $p (i32.add (local.get $data) (i32.shl (local.get $block) (i32.const {BLOCK_LOG2}))))
      (if (i32.eq (local.get $kind) (i32.const {FILLING})) (then
        (i32.store (local.get $word) (i32.add (local.get $p) (local.get $n)))
        (i32.store offset=4 (local.get $word) (i32.add (local.get $p) (i32.const {BLOCK_BYTES})))))
      (i32.store (i32.add (i32.load (i32.const {COUNTS})) (i32.shl (local.get $block) (i32.const 2))) (local.get $count))
      (i32.store8 (i32.add (i32.load (i32.const {KINDS})) (local.get $block)) (local.get $kind))
      (if (i32.eq (local.get $kind) (i32.const {LARGE})) (then (local.set $kind (i32.const {LARGE_REST}))))
      (loop $rest
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (if (local.get $count) (then
          (local.set $block (i32.add (local.get $block) (i32.const 1)))
          (i32.store8 (i32.add (i32.load (i32.const {KINDS})) (local.get $block)) (local.get $kind))
          (br $rest)))))
    (if (i32.ne (local.get $kind) (i32.const {PERMANENT})) (then
      {BIT_STARTS}
      (i32.store (local.get $word) (i32.or (i32.load (local.get $word)) (local.get $bit)))))
    (local.get $p))

  ;; collect what none of the words at `roots` leads to: first those that may be references, then those that are
  (func (export "collect") (param $possible i32) (param $certain i32) (result i32)
    (local $data i32) (local $base i64) (local $p i32) (local $word i32) (local $bit i32) (local $size i32) (local $record i32)
    (local $at i32) (local $end i32) (local $limit i64) (local $kinds i32) (local $log i32) (local $low i32) (local $high i32)
    (local $t i64) (local $top i32) (local $stack i32) (local $live i32) (local $map i32) (local $block i32)
    (local.set $data (i32.load (i32.const {DATA})))
    (local.set $base (i64.load (i32.const {BASE})))
    (local.set $kinds (i32.load (i32.const {KINDS})))
    (local.set $stack (i32.load (i32.const {STACK})))
    (local.set $limit (i64.extend_i32_u (i32.add (local.get $data) (i32.shl (i32.load (i32.const {USED})) (i32.const {BLOCK_LOG2})))))
    (if (i64.ne (i64.load (i32.const 0)) (i64.const 0)) (then
      (i32.store (i32.sub (i32.load (i32.const {LOG_END})) (i32.const 4))
        (i32.wrap_i64 (i64.sub (i64.load (i32.const 0)) (local.get $base))))
      (i64.store (i32.const 0) (i64.const 0))
      (i64.store (i32.const 8) (i64.const 0))))

    ;; the objects of every hole that a word points into get their bits
    (local.set $at (i32.load (i32.const {ROOTS})))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $possible) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $t (i64.sub (i64.load (local.get $at)) (local.get $base)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i64.ge_u (local.get $t) (local.get $limit)))
      (local.set $p (i32.wrap_i64 (local.get $t)))
      (br_if $next (i32.and (local.get $p) (i32.const 13)))
      (local.set $p (i32.and (local.get $p) (i32.const -16)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $data)))
      (br_if $next (i32.ne (i32.const {SMALL}) (i32.load8_u (i32.add (local.get $kinds)
        (i32.shr_u (i32.sub (local.get $p) (local.get $data)) (i32.const {BLOCK_LOG2}))))))
      {BIT_STARTS}
      (br_if $next (i32.and (i32.load (local.get $word)) (local.get $bit)))
      ;; the last hole that begins at or before it
      (local.set $low (local.get $stack))
      (local.set $high (i32.load (i32.const {LOG_END})))
      (block $searched (loop $halve
        (br_if $searched (i32.ge_u (local.get $low) (local.get $high)))
        (local.set $log (i32.add (local.get $low)
          (i32.and (i32.shr_u (i32.sub (local.get $high) (local.get $low)) (i32.const 1)) (i32.const -8))))
        (if (i32.le_u (i32.load (local.get $log)) (local.get $p))
          (then (local.set $low (i32.add (local.get $log) (i32.const 8))))
          (else (local.set $high (local.get $log))))
        (br $halve)))
      (br_if $next (i32.eq (local.get $low) (local.get $stack)))
      (local.set $log (i32.sub (local.get $low) (i32.const 8)))
      (br_if $next (i32.ge_u (local.get $p) (i32.load offset=4 (local.get $log))))
      (local.set $p (i32.load (local.get $log)))
      (local.set $high (i32.load offset=4 (local.get $log)))
      (i32.store offset=4 (local.get $log) (local.get $p))
      (loop $walk
        {BIT_STARTS}
        (i32.store (local.get $word) (i32.or (i32.load (local.get $word)) (local.get $bit)))
        {SIZE}
        (local.set $p (i32.add (local.get $p) (local.get $size)))
        (br_if $walk (i32.lt_u (local.get $p) (local.get $high))))
      (br $next)))

    ;; no marks yet
    (local.set $at (i32.load (i32.const {MARKS})))
    (local.set $end (i32.add (local.get $at) (i32.shl (i32.load (i32.const {USED})) (i32.const {BITMAP_LOG2}))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (v128.store (local.get $at) (v128.const i64x2 0 0))
      (v128.store offset=16 (local.get $at) (v128.const i64x2 0 0))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (br $next)))

    ;; the roots
    (local.set $top (local.get $stack))
    (local.set $at (i32.load (i32.const {ROOTS})))
    (local.set $high (i32.add (local.get $at) (i32.shl (local.get $possible) (i32.const 3))))
    (local.set $end (i32.add (local.get $high) (i32.shl (local.get $certain) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $t (i64.sub (i64.load (local.get $at)) (local.get $base)))
      (local.set $low (i32.lt_u (local.get $at) (local.get $high)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i64.ge_u (local.get $t) (local.get $limit)))
      (local.set $p (i32.wrap_i64 (local.get $t)))
      (br_if $next (i32.and (local.get $p) (i32.const 13)))
      (br_if $next (i32.lt_u (local.get $p) (local.get $data)))
      (if (local.get $low)
        (then
          (local.set $p (i32.and (local.get $p) (i32.const -16)))
          {BIT_STARTS}
          (br_if $next (i32.eqz (i32.and (i32.load (local.get $word)) (local.get $bit)))))
        (else
          (br_if $next (i32.eqz (i32.and (local.get $p) (i32.const 2))))
          (local.set $p (i32.and (local.get $p) (i32.const -16)))))
      {BIT_MARKS}
      (br_if $next (i32.and (i32.load (local.get $word)) (local.get $bit)))
      (i32.store (local.get $word) (i32.or (i32.load (local.get $word)) (local.get $bit)))
      (i32.store (local.get $top) (local.get $p))
      (local.set $top (i32.add (local.get $top) (i32.const 4)))
      (br $next)))

    ;; what they refer to
    (block $done (loop $next
      (br_if $done (i32.eq (local.get $top) (local.get $stack)))
      (local.set $top (i32.sub (local.get $top) (i32.const 4)))
      (local.set $p (i32.load (local.get $top)))
      {SIZE}
      (local.set $live (i32.add (local.get $live) (local.get $size)))
      (local.set $map (i32.wrap_i64 (i64.load offset={REFERENCES} (local.get $record))))
      (br_if $next (i32.eqz (local.get $map)))
      (local.set $at (local.get $p))
      (if (i32.eq (i32.load (local.get $record)) (i32.const {ARRAY}))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const {ELEMENTS})))
          (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset={LENGTH} (local.get $p)) (i32.const 3))))
          (loop $element
            (br_if $next (i32.ge_u (local.get $at) (local.get $end)))
            (local.set $t (i64.load (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $element (i32.ne (i32.and (i32.wrap_i64 (local.get $t)) (i32.const 3)) (i32.const {TAG})))
            (local.set $p (i32.wrap_i64 (i64.sub (i64.sub (local.get $t) (i64.const {TAG})) (local.get $base))))
            {BIT_MARKS}
            (br_if $element (i32.and (i32.load (local.get $word)) (local.get $bit)))
            (i32.store (local.get $word) (i32.or (i32.load (local.get $word)) (local.get $bit)))
            (i32.store (local.get $top) (local.get $p))
            (local.set $top (i32.add (local.get $top) (i32.const 4)))
            (br $element)))
        (else
          (local.set $map (i32.wrap_i64 (i64.sub (i64.load offset={REFERENCES} (local.get $record)) (local.get $base))))
          (local.set $end (i32.add (local.get $map) (i32.shl (i32.load (local.get $map)) (i32.const 2))))
          (loop $field
            (br_if $next (i32.ge_u (local.get $map) (local.get $end)))
            (local.set $map (i32.add (local.get $map) (i32.const 4)))
            (local.set $t (i64.load (i32.add (local.get $at) (i32.load (local.get $map)))))
            (br_if $field (i32.ne (i32.and (i32.wrap_i64 (local.get $t)) (i32.const 3)) (i32.const {TAG})))
            (local.set $p (i32.wrap_i64 (i64.sub (i64.sub (local.get $t) (i64.const {TAG})) (local.get $base))))
            {BIT_MARKS}
            (br_if $field (i32.and (i32.load (local.get $word)) (local.get $bit)))
            (i32.store (local.get $word) (i32.or (i32.load (local.get $word)) (local.get $bit)))
            (i32.store (local.get $top) (local.get $p))
            (local.set $top (i32.add (local.get $top) (i32.const 4)))
            (br $field))))
      (br $next)))
    (i32.store (i32.const {LIVE}) (local.get $live))

    ;; blocks without a mark are free
    (local.set $block (i32.const 0))
    (local.set $high (i32.load (i32.const {USED})))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $block) (local.get $high)))
      (local.set $at (i32.add (i32.load (i32.const {MARKS})) (i32.shl (local.get $block) (i32.const {BITMAP_LOG2}))))
      (local.set $map (i32.load8_u (i32.add (local.get $kinds) (local.get $block))))
      (if (i32.eq (local.get $map) (i32.const {LARGE})) (then
        (local.set $low (i32.load (i32.add (i32.load (i32.const {COUNTS})) (i32.shl (local.get $block) (i32.const 2)))))
        (if (i32.and (i32.load (local.get $at)) (i32.const 1))
          (then (local.set $block (i32.add (local.get $block) (local.get $low))) (br $next)))
        (loop $rest
          (i32.store8 (i32.add (local.get $kinds) (local.get $block)) (i32.const {FREE}))
          (local.set $block (i32.add (local.get $block) (i32.const 1)))
          (local.set $low (i32.sub (local.get $low) (i32.const 1)))
          (br_if $rest (local.get $low)))
        (br $next)))
      (if (i32.or (i32.eq (local.get $map) (i32.const {SMALL})) (i32.eq (local.get $map) (i32.const {FILLING}))) (then
        (local.set $end (i32.add (local.get $at) (i32.const {BITMAP_BYTES})))
        (local.set $map (i32.const {FREE}))
        (block $marked (loop $words
          (if (v128.any_true (v128.load (local.get $at))) (then (local.set $map (i32.const {SMALL})) (br $marked)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $words (i32.lt_u (local.get $at) (local.get $end)))))
        (i32.store8 (i32.add (local.get $kinds) (local.get $block)) (local.get $map))))
      (local.set $block (i32.add (local.get $block) (i32.const 1)))
      (br $next)))
    (local.set $at (i32.load (i32.const {STARTS})))
    (i32.store (i32.const {STARTS}) (i32.load (i32.const {MARKS})))
    (i32.store (i32.const {MARKS}) (local.get $at))
    (i32.store (i32.const {LOG_END}) (local.get $stack))
    (i32.store (i32.const {CURSOR_BLOCK}) (i32.const 0))
    (i32.store (i32.const {CURSOR_AT}) (i32.const 0))
    (i32.store (i32.const {SEARCH}) (i32.const 0))
    (i64.store (i32.const {MEDIUM_AT}) (i64.const 0))
    (i64.store (i32.const {OUTSIDE_AT}) (i64.const 0))
    (i32.const 0))

  ;; right behind a collection: words of Python objects or functions in objects, to `roots`; how many, at most about $most. Those of the
  ;; fields that the map at $map of types lists; goes on where it was the last time, and gives 0 at the end.
  (func (export "gather") (param $map i32) (param $most i32) (result i32)
    (local $data i32) (local $base i64) (local $p i32) (local $word i32) (local $bit i32) (local $record i32) (local $fields i32)
    (local $at i32) (local $end i32) (local $index i32) (local $count i32) (local $out i32) (local $stop i32) (local $t i64)
    (local $all i32)
    (local.set $data (i32.load (i32.const {DATA})))
    (local.set $base (i64.load (i32.const {BASE})))
    (local.set $out (i32.load (i32.const {ROOTS})))
    (local.set $stop (i32.add (local.get $out) (i32.shl (local.get $most) (i32.const 3))))
    (local.set $end (i32.add (local.get $data) (i32.shl (i32.load (i32.const {USED})) (i32.const {BLOCK_LOG2}))))
    (local.set $all (i32.ne (local.get $map) (i32.const {REFERENCES})))
    (local.set $p (i32.load (i32.const {GATHER_AT})))
    (local.set $index (i32.load (i32.const {GATHER_INDEX})))
    (block $done (loop $next
      ;; the next object at or behind $p
      (block $hit (loop $words
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        {BIT_STARTS}
        (local.set $bit (i32.and (i32.load (local.get $word)) (i32.sub (i32.const 0) (local.get $bit))))
        (local.set $p (i32.and (i32.sub (local.get $p) (local.get $data)) (i32.const -512)))
        (local.set $p (i32.add (local.get $p) (local.get $data)))
        (br_if $hit (local.get $bit))
        (local.set $p (i32.add (local.get $p) (i32.const 512)))
        (br $words)))
      (local.set $p (i32.add (local.get $p) (i32.shl (i32.ctz (local.get $bit)) (i32.const 4))))
      (local.set $record (i32.wrap_i64 (i64.sub (i64.load (local.get $p)) (local.get $base))))
      (local.set $t (i64.load (i32.add (local.get $record) (local.get $map))))
      (local.set $count (i32.const 0))
      (local.set $fields (i32.const 0))
      (if (i64.ne (local.get $t) (i64.const 0)) (then
        (if (i32.eq (i32.load (local.get $record)) (i32.const {ARRAY}))
          (then (local.set $count (i32.load offset={LENGTH} (local.get $p))))
          (else
            (local.set $fields (i32.wrap_i64 (i64.sub (local.get $t) (local.get $base))))
            (local.set $count (i32.load (local.get $fields)))))))
      (block $object (loop $one
        (br_if $object (i32.ge_u (local.get $index) (local.get $count)))
        (if (i32.ge_u (local.get $out) (local.get $stop)) (then
          (i32.store (i32.const {GATHER_AT}) (local.get $p))
          (i32.store (i32.const {GATHER_INDEX}) (local.get $index))
          (return (i32.shr_u (i32.sub (local.get $out) (i32.load (i32.const {ROOTS}))) (i32.const 3)))))
        (local.set $at (i32.add (local.get $p) (select
          (i32.load offset=4 (i32.add (local.get $fields) (i32.shl (local.get $index) (i32.const 2))))
          (i32.add (i32.const {ELEMENTS}) (i32.shl (local.get $index) (i32.const 3)))
          (local.get $fields))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (local.set $t (i64.load (local.get $at)))
        (br_if $one (i64.eqz (local.get $t)))
        (br_if $one (i32.eqz (i32.or (local.get $all) (i64.eqz (i64.and (local.get $t) (i64.const 3))))))
        (i64.store (local.get $out) (local.get $t))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (br $one)))
      (local.set $index (i32.const 0))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (br $next)))
    (i32.store (i32.const {GATHER_AT}) (local.get $end))
    (i32.store (i32.const {GATHER_INDEX}) (i32.const 0))
    (i32.shr_u (i32.sub (local.get $out) (i32.load (i32.const {ROOTS}))) (i32.const 3))))
"""


def source() -> str:
    """The module as text."""
    numbers = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, int)}
    return _TEXT.format(
        **numbers,
        BLOCK_REST=BLOCK_BYTES - 1,
        BITMAP_LOG2=BITMAP_BYTES.bit_length() - 1,
        REFERENCES=layout.TYPE_REFERENCES,
        ARRAY=layout.KIND_ARRAY,
        ELEMENTS=layout.ARRAY_ELEMENTS,
        LENGTH=layout.ARRAY_LENGTH,
        TAG=layout.OBJECT_TAG,
        BIT_STARTS=_BIT.format(bitmap=STARTS),
        BIT_MARKS=_BIT.format(bitmap=MARKS),
        SIZE=_SIZE.format(
            size=layout.TYPE_SIZE, array=layout.KIND_ARRAY, length=layout.ARRAY_LENGTH, rest=layout.ARRAY_ELEMENTS + 15
        ),
    )


@lru_cache(maxsize=4)
def compiled(cpu: int) -> dict[str, bytes]:
    """Machine code of the functions for a processor with these features."""
    # all of this is only needed where there are such objects
    from purewasm.backend.machine_code import TargetOptions
    from purewasm.binary.decoder import decode_module
    from purewasm.isa.x64.compile import function_compiler
    from purewasm.text.assembler import assemble
    from purewasm.validate.module import validate_module
    from purewasm.wasm.features import Features

    module = decode_module(assemble(source(), Features.WASM3), Features.WASM3)
    validate_module(module, Features.WASM3)
    compile_function = function_compiler(module, TargetOptions(cpu, False, False, False))
    made = {}
    for export in module.exports:
        if export.kind == 0:
            machine = compile_function(export.index)
            if machine.makes_calls or machine.frame_bytes >= _LEAF_BYTES:
                raise InternalError(f"{export.name} of the collector is no leaf")
            made[export.name] = machine.code
    return made


_LEAF_BYTES: Final = 1024


_offered: Final[list[dict[str, bytes]]] = []


def offer(code: dict[str, bytes]) -> None:
    """What `compiled` gave another process of this compiler, for a processor that can do no more than this one."""
    _offered[:] = [code]


@lru_cache(maxsize=1)
def code(cpu: int) -> dict[str, int]:
    """Addresses of the functions."""
    from purewasm.engine.native.control import STUBS  # modules are compiled ahead of time where the engine itself does not work

    return {name: STUBS.add(content) for name, content in (_offered[0] if _offered else compiled(cpu)).items()}
