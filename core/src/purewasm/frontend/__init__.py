"""From a validated WebAssembly body to IR: SSA is built in the same pass that reads the instructions.

`build` holds the loop with the frequent instructions, `state` what it builds, and each family of instructions a file of handlers
for the others: `control calls parametric variable table memory reference casts aggregate numeric vector exceptions atomic`. What is known
of the types of references is in `known_types`.
"""
