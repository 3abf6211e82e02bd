"""Names of `typing` without the import of `typing`, for what every start loads.

For type checkers these are the names of `typing`. At run time those that stand in annotations only, which nobody evaluates, are
placeholders; decorators give back what they are given; and `NamedTuple` makes the classes that `typing` makes, but does not compile source
for each: its constructors are copies of a few functions, with the fields as names of their parameters.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what type checkers take for True

__all__ = [
    "IO",
    "TYPE_CHECKING",
    "Any",
    "ClassVar",
    "Final",
    "Generic",
    "NamedTuple",
    "Never",
    "NoReturn",
    "Protocol",
    "Self",
    "TextIO",
    "TypeAlias",
    "TypeVar",
    "cast",
    "final",
    "overload",
]

if TYPE_CHECKING:
    from typing import (
        IO,
        Any,
        ClassVar,
        Final,
        Generic,
        NamedTuple,
        Never,
        NoReturn,
        Protocol,
        Self,
        TextIO,
        TypeAlias,
        TypeVar,
        cast,
        final,
        overload,
    )
else:
    try:
        from _collections import _tuplegetter
    except ImportError:
        from collections import _tuplegetter

    class _Annotation:
        """Any type: it is there to be named, with or without arguments."""

        def __class_getitem__(cls, arguments):
            return cls

    IO = Any = ClassVar = Final = Never = NoReturn = Self = TextIO = TypeAlias = _Annotation

    class Protocol:
        __slots__ = ()

        def __class_getitem__(cls, arguments):
            return cls

    class Generic:
        __slots__ = ()

        def __class_getitem__(cls, arguments):
            return cls

    def TypeVar(name, *constraints, **options):  # noqa: N802 (the name of `typing`)
        return _Annotation

    def cast(type, value):
        return value

    def final(thing):
        return thing

    overload = final

    _new = tuple.__new__
    # The constructor of a class with so many fields.
    _CONSTRUCTORS = (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, l: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, l)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, l, m: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, l, m)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, l, m, n: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, l, m, n)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)),
    )

    def _constructor(type_name, fields, defaults):
        """`__new__`: takes the fields by position or name."""
        if len(fields) >= len(_CONSTRUCTORS):
            raise TypeError(f"{type_name} has {len(fields)} fields, more than light_typing has constructors for: {len(_CONSTRUCTORS) - 1}")
        template = _CONSTRUCTORS[len(fields)].__code__
        code = template.replace(co_varnames=("_cls", *fields), co_name="__new__", co_qualname=f"{type_name}.__new__")
        return FunctionType(code, globals(), "__new__", defaults)

    def _make(cls, values):
        made = _new(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes):
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self):
        return dict(zip(self._fields, self, strict=True))

    def _repr(self):
        return f"{type(self).__name__}({', '.join([f'{name}={value!r}' for name, value in zip(self._fields, self, strict=True)])})"

    def _getnewargs(self):
        return tuple(self)

    FunctionType = type(_repr)
    _METHODS = {
        "__slots__": (),
        "__repr__": _repr,
        "__getnewargs__": _getnewargs,
        "_make": classmethod(_make),
        "_replace": _replace,
        "_asdict": _asdict,
    }

    class _NamedTupleMaker(type):
        """What a class statement with the base `NamedTuple` calls; the class that it makes is a `tuple` like any other."""

        def __new__(cls, name, bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            getters = {field: _tuplegetter(position, "") for position, field in enumerate(fields)}
            new = _constructor(name, fields, tuple(defaults.values()))
            own = {"__new__": new, "__match_args__": fields, "_fields": fields, "_field_defaults": defaults}
            return type(name, (tuple,), {**_METHODS, **namespace, **own, **getters})

    NamedTuple = type.__new__(_NamedTupleMaker, "NamedTuple", (), {})
