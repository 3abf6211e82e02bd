"""The text format (spec: text format): `assembler.assemble` makes bytes of text, `printer.format_module` text of a module.

`script` reads the scripts of the official testsuite. Nothing here is loaded by `import purewasm`: whoever works with text
imports it when the first text comes.
"""
