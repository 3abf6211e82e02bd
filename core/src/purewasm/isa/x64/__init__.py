"""x86-64: an assembler and a disassembler made of tables.

    registers, conditions        numbers and names
    cpu, detection               CPU features as bits; machine code that asks the processor
    abi                          C calling conventions as data
    operands, opcodes, address   the columns of the manual's tables, and memory operands
    templates, formats           precomputed bytes; one class per "Op/En" of the manual
    integer memory bmi control   the instructions, one a line: general purpose,
    atomic float vector vex      atomics, scalar SSE, packed SSE, AVX with FMA
    instructions                 all rows by name
    padding                      long nops, alignment, branches off 32-byte boundaries
    disassemble                  bytes to text
    legalize                     code for processors that lack something of what the compiler writes

A row is named after its mnemonic, with operands where the mnemonic has several rows: `PADDD`, `ADD_R32_RM32`,
`MOVSD_XMM_M64`, `CVTSI2SD_XMM_RM64`; `RM32` is r/m32, `XM128` xmm/m128. Families by condition are tuples of sixteen:
`JCC_REL32[CC_E]`, `SETCC[cc]`, `CMOVCC_R64_RM64[cc]`. In operand order, a row can be called:

    ADD_R32_RM32(RAX, RCX)                                  # every check; about a microsecond
    MOV_RM32_R32(Mem(R15, 16, index=RCX), RAX)
    ADD_RM64_IMM8(RSP, -8)
    VADDSD(0, 1, Mem(RIP, distance))

or, in a loop that is paid for by the instruction, its templates are subscripted: 20 ns, no check. They end before
displacement and immediate; an address is a triple (displacement zero, open for one byte, open for four bytes):

    add = ADD_R32_RM32.regs                                 # [reg][rm] -> bytes
    code += add[dst][src]

    load = MOV_R32_RM32.indexed(R15)                        # [reg][index], base r15 pinned
    zero, disp8, disp32 = load[dst][index]
    code += zero if not disp else disp8 + BYTE[disp] if -128 <= disp < 128 else disp32 + pack_i32(disp)

    spill = MOV_RM64_R64.based                              # [reg][base]; register first also where memory is written
    code += spill[src][RSP][1]; code.append(slot & 255)

    compare = CMP_RM32_IMM8.regs                            # [rm]; the immediate follows
    code += compare[a]; code.append(value & 255)

    code += BRANCH_PADDING[size][len(code) & 31]            # before a cmp and jcc of `size` bytes together
    code += JCC_REL32[cc].code; code += pack_i32(distance)

    total = VADDSD.regs                                     # [dst][a][b]; .based[dst][a][base]; .indexed(R15)[dst][a][index]

`row.regs` and its like cost one attribute lookup (40 ns) and are made on first use: bind them once, outside of the loop. The
tables fill themselves by rows, so subscript them to the end; do not iterate over them.

What a row says besides bytes: `operands` (each with `reads`, `writes`, `register`, `memory_bits`), `implicit` registers,
`reads_flags`, `writes_flags`, `cpu` (features needed), `can_fault`, `needs_alignment` (legacy SSE with 16 bytes of memory),
`merges` (the old destination shows through, a false dependency).
"""
