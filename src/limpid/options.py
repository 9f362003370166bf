"""Options of a command, declared once: command line, Python keywords and web forms are read from one documented dataclass."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from limpid.errors import UnknownNameError

P = ParamSpec("P")
Options = TypeVar("Options")
Result = TypeVar("Result")
Owner = TypeVar("Owner")
Subject = TypeVar("Subject")

_KEY = "limpid.option"

OFFLINE_HELP = "Download nothing; what is missing is an error at once (also LIMPID_OFFLINE=1)."
"""Of ``--offline``, which every command that could download has."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a field of an options dataclass is to a person.

    ``help``: one line. ``flags``: on the command line; empty: ``--name-of-the-field``. ``argument``: a positional word.
    ``metavar``: what the value looks like. ``minimum``, ``maximum``: of numbers. ``text``: how typed text becomes the value, where
    the type of the field does not say it; with ``repeatable`` it takes the list of all that was typed. ``hidden``: for programs
    alone.
    """

    help: str
    flags: tuple[str, ...] = ()
    argument: bool = False
    metavar: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    text: Callable[[Any], Any] | None = None
    repeatable: bool = False
    hidden: bool = False


def option(
    default: Any,
    help: str,  # noqa: A002 - what everybody calls it
    *flags: str,
    argument: bool = False,
    metavar: str | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    text: Callable[[Any], Any] | None = None,
    repeatable: bool = False,
    hidden: bool = False,
) -> Any:
    """A field of an options dataclass; the parameters are those of ``Option``; ``...`` as the default: it must be given."""
    described = Option(
        help=help,
        flags=flags,
        argument=argument,
        metavar=metavar,
        minimum=minimum,
        maximum=maximum,
        text=text,
        repeatable=repeatable,
        hidden=hidden,
    )
    if default is ...:
        return field(metadata={_KEY: described})
    if isinstance(default, list | dict):
        return field(default_factory=default.copy, metadata={_KEY: described})
    return field(default=default, metadata={_KEY: described})


def described(options: type) -> Sequence[tuple[Field[Any], Option]]:
    """The fields of an options dataclass that are options, with their descriptions: its own first, then those it inherits."""
    found = [(one, one.metadata[_KEY]) for one in fields(options) if _KEY in one.metadata]
    return sorted(found, key=lambda pair: pair[0].name not in options.__annotations__)


def default_of(one: Field[Any]) -> Any:
    """The default of a field; ``...`` where it must be given."""
    if one.default_factory is not MISSING:
        return one.default_factory()
    return ... if one.default is MISSING else one.default


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """``offline``: nothing is downloaded, what is missing is an error at once (``LIMPID_OFFLINE=1`` does the same everywhere)."""

    offline: bool = option(False, OFFLINE_HELP)


def with_keywords(options: Callable[P, Options]) -> Callable[[Callable[[Options], Result]], Callable[P, Result]]:
    """Let a function of an options dataclass be called with the fields of the dataclass as keywords.

    Raises UnknownNameError, with the nearest spelling, for a keyword that is no field.
    """
    return lambda function: _called(function, options)


def subject_with_keywords(
    options: Callable[P, Options],
) -> Callable[[Callable[[Subject, Options], Result]], Callable[Concatenate[Subject, P], Result]]:
    """The same for a function of one subject and the options: ``separate(photo, strength=0.5)``."""
    return lambda function: _called(function, options)


def method_with_keywords(
    options: Callable[P, Options],
) -> Callable[[Callable[[Owner, Subject, Options], Result]], Callable[Concatenate[Owner, Subject, P], Result]]:
    """The same for a method: ``separator(photo, strength=0.5)``."""
    return lambda function: _called(function, options)


def _called(function: Callable[..., Any], options: Callable[..., Any]) -> Any:
    """``function``, whose last parameter is made from the keywords that follow its other ones."""
    *own, last = signature(function).parameters.values()
    known = signature(options).parameters

    @wraps(function)
    def call(*subjects: Any, **keywords: Any) -> Any:
        for name in keywords:
            if name not in known and name not in [parameter.name for parameter in own]:
                raise UnknownNameError("option", name, known)
        mine = {parameter.name: keywords.pop(parameter.name) for parameter in own if parameter.name in keywords}
        return function(*subjects, **mine, **{last.name: options(**keywords)})

    vars(call)["__signature__"] = signature(function).replace(parameters=[*own, *known.values()])
    return call
