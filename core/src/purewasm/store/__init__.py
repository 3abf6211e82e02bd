"""What exists at run time: memories, tables, globals, functions, tags and instances, independent of the engine that runs them.

Values have two forms. *Public* values are what users of the library see; *raw* values are what engines compute with
(`values` says what each type looks like in both).
"""
