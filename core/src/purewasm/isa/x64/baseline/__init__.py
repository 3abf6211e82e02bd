"""The baseline compiler: code for what runs for the first time, made in one pass over the instructions at a fifth of the optimizing
compiler's cost. Functions and loops that turn out to be hot are compiled again, by the optimizing one (`engine.native.tiers`).

compile    a function: its frame, how it begins and ends
body       the loop over the instructions, which deals with the frequent ones itself
control    blocks, branches, and the way from a loop into its optimized code
state      where operands are; everything that is not frequent goes through the front end and the emitters
forms      instructions as bytes, by the slot that they access
"""
