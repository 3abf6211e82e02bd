"""Instruction sets: how the machines that purewasm compiles for write, name and read their instructions.

One package per architecture, with the same file names in each; they never import each other and know nothing of
WebAssembly, of the compiler or of the host that runs it. Code for any of them can be written, printed and checked on any
host. Input: register numbers, addresses and constants. Output: bytes of machine code, or text.
"""
