"""The compiler's intermediate representation: SSA with block parameters, one flat list of 4-tuples for each function.

`ops` what there is, `function` one function, `uses` who reads what, `printer` and `parser` its text, `verifier` its rules.
"""
