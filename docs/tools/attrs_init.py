"""For griffe, which reads the code for the API pages: the signatures that attrs gives to its classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import griffe


class AttrsInit(griffe.Extension):
    """Gives every `@frozen` class the `__init__` that attrs will give it."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:  # noqa: ANN401 - griffe's signature
        """When everything has been read, because fields are inherited."""
        for each in _classes(pkg):
            if _frozen(each) is not None and "__init__" not in each.members:
                _add_init(each)


def _classes(module: griffe.Module | griffe.Class) -> Iterator[griffe.Class]:
    for member in list(module.members.values()):
        if isinstance(member, griffe.Class):
            yield member
        if isinstance(member, (griffe.Module, griffe.Class)):
            yield from _classes(member)


def _frozen(each: griffe.Class) -> str | None:
    """The options of the class's `@frozen`, as text; None when it has no such decorator."""
    for decorator in each.decorators:
        name, _, options = str(decorator.value).partition("(")
        if name in ("frozen", "attrs.frozen"):
            return options
    return None


def _add_init(each: griffe.Class) -> None:
    found: dict[str, griffe.Parameter] = {}
    for cls in [*reversed(each.mro()), each]:
        options = _frozen(cls)
        kind = (
            griffe.ParameterKind.keyword_only if "kw_only=True" in (options or "") else griffe.ParameterKind.positional_or_keyword
        )
        for name, field in cls.attributes.items() if options is not None else ():
            if name in cls.members and _is_field(field):
                found[name] = griffe.Parameter(name.lstrip("_"), annotation=field.annotation, kind=kind, default=_default(field))
    itself = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    ordered = sorted(found.values(), key=lambda each: each.kind is griffe.ParameterKind.keyword_only)
    each.set_member("__init__", griffe.Function("__init__", parameters=griffe.Parameters(itself, *ordered), parent=each))


def _is_field(attribute: griffe.Attribute) -> bool:
    """It is annotated, and belongs to instances: griffe takes a ClassVar for the class's alone."""
    return attribute.annotation is not None and (attribute.value is None or "instance-attribute" in attribute.labels)


def _default(field: griffe.Attribute) -> Any:  # noqa: ANN401 - text or one of griffe's expressions
    """What is after the `=`; of `field(default=2, ...)` the 2, of `field(factory=Adam)` the call of Adam."""
    value = field.value
    if not (isinstance(value, griffe.ExprCall) and str(value.function) == "field"):
        return value
    given = {each.name: each.value for each in value.arguments if isinstance(each, griffe.ExprKeyword)}
    factory = given.get("factory")
    return griffe.ExprCall(factory, []) if isinstance(factory, griffe.Expr) else given.get("default")
