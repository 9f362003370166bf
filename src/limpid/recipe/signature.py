"""The signature is the schema: what a constructor takes, as pydantic types."""

import builtins
import inspect
import sys
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Union

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError

from limpid.catalogue import Nested

_CONFIG = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)
_SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a constructor.

    ``annotation``: its type, Any where nobody can tell. ``default``: ``inspect.Parameter.empty`` when it is required.
    ``nested``: set for lists (``many``) of catalogued things, or one; ``optional``: None may stand in its place.
    """

    name: str
    annotation: Any
    default: Any
    nested: Nested | None
    many: bool
    optional: bool

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


def parameters(build: Callable[..., Any]) -> dict[str, Parameter]:
    """Name → parameter of a class or function; those it passes on unseen (``*args``, ``**kwargs``) are left out."""
    try:
        found = inspect.signature(build).parameters.values()
    except ValueError:  # some built-in types do not tell
        return {}
    names = _names(build)
    return {one.name: _parameter(one, names) for one in found if one.kind not in _SEVERAL}


def model(chosen: Iterable[Parameter]) -> type[BaseModel]:
    """A pydantic model of required fields ``at_NAME``, each filled from the key NAME; it reads JSON."""
    wanted: dict[str, Any] = {f"at_{one.name}": (one.annotation, Field(alias=one.name)) for one in chosen}
    return create_model("Settings", __config__=_CONFIG, **wanted)


def schema_of(parameter: Parameter, prefix: str = "") -> Mapping[str, Any] | None:
    """The JSON schema of one parameter as {"properties": …, "$defs": …}; None when text cannot hold its value (a tensor).

    ``prefix`` is put before the names of definitions.
    """
    try:
        return model([parameter]).model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None


def settable(parameter: Parameter) -> bool:
    """Whether a recipe can set it: a tensor or a network can only be given by the program."""
    return parameter.nested is not None or schema_of(parameter) is not None


def keys_within(annotation: Any) -> Collection[str]:
    """Names of the fields of all dataclasses that an annotation mentions."""
    if isinstance(annotation, type) and is_dataclass(annotation):
        hints = _hints(annotation, [field.name for field in fields(annotation)])
        return {name for field, hint in hints.items() for name in (field, *keys_within(hint))}
    return {name for part in typing.get_args(annotation) for name in keys_within(part)}


def _hints(owner: type, wanted: Iterable[str]) -> dict[str, Any]:
    known = parameters(owner)
    return {name: known[name].annotation for name in wanted if name in known}


def _parameter(one: inspect.Parameter, names: dict[str, Any]) -> Parameter:
    annotation = _resolved(one.annotation, names)
    nested, inner = _nested(annotation)
    origin = typing.get_origin(inner) or inner
    many = nested is not None and isinstance(origin, type) and issubclass(origin, Iterable) and not issubclass(origin, Mapping)
    optional = NoneType in _alternatives(annotation) or NoneType in _alternatives(inner)
    return Parameter(name=one.name, annotation=annotation, default=one.default, nested=nested, many=many, optional=optional)


def _nested(annotation: Any) -> tuple[Nested | None, Any]:
    """The mark of catalogued things and the type that it marks, wherever it stands in a union."""
    if typing.get_origin(annotation) is Annotated:
        inner, *marks = typing.get_args(annotation)
        mark = next((mark for mark in marks if isinstance(mark, Nested)), None)
        return (mark, _only(inner)) if mark else _nested(inner)
    found = (_nested(part) for part in _alternatives(annotation) if part is not annotation)
    return next(((mark, inner) for mark, inner in found if mark), (None, annotation))


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    return typing.get_args(annotation) if typing.get_origin(annotation) in (Union, UnionType) else (annotation,)


def _only(annotation: Any) -> Any:
    """``X`` of ``X | None``."""
    kept = [part for part in _alternatives(annotation) if part is not NoneType]
    return kept[0] if len(kept) == 1 else annotation


class _Names(dict[str, Any]):
    """Names that annotations use; one that exists for type checkers alone is Any."""

    def __missing__(self, name: str) -> Any:
        return Any


def _names(build: Callable[..., Any]) -> _Names:
    while isinstance(build, partial):
        build = build.func
    names = _Names(vars(builtins))
    for owner in reversed(build.__mro__ if isinstance(build, type) else (build,)):
        names.update(vars(sys.modules.get(getattr(owner, "__module__", None) or "", builtins)))
    return names


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    try:
        hints = typing.get_type_hints(SimpleNamespace(__annotations__={"it": annotation}), {}, names, include_extras=True)
    except (AttributeError, NameError, SyntaxError, TypeError):  # e.g. an attribute of a module that only type checkers import
        return Any
    return hints["it"]
