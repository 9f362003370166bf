"""A command from the options dataclass of what it calls: names, types, defaults and help are read from there."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from limpid.options import Option, default_of, described

P = ParamSpec("P")
Options = TypeVar("Options")


def takes(options: type[Options]) -> Callable[[Callable[Concatenate[Options, P], None]], Callable[..., None]]:
    """Make a command of a function of ``options`` and, as further parameters, what concerns the command line alone."""
    build: Callable[..., Options] = options  # of which nothing is known but its fields
    fields = {one.name: about for one, about in described(options) if not about.hidden}

    def decorate(function: Callable[Concatenate[Options, P], None]) -> Callable[..., None]:
        call: Callable[..., None] = function
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        def command(**typed: Any) -> None:
            given = {name: _value(typed[name], about) for name, about in fields.items() if typed.get(name) is not None}
            further = {parameter.name: typed[parameter.name] for parameter in own if parameter.name in typed}
            call(build(**given), **further)

        parameters = sorted([*_parameters(options), *own], key=lambda parameter: parameter.kind)  # positional words first
        command.__doc__ = function.__doc__
        vars(command)["__signature__"] = inspect.Signature(parameters)
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def _parameters(options: type) -> list[inspect.Parameter]:
    hints = typing.get_type_hints(options)
    return [_parameter(one, about, hints[one.name]) for one, about in described(options) if not about.hidden]


def _parameter(one: dataclasses.Field[Any], about: Option, hint: Any) -> inspect.Parameter:
    default = default_of(one)
    inner, many = _read(hint) if about.text is None else (str, about.repeatable)
    if about.argument:
        marked: Any = typer.Argument(help=about.help, metavar=about.metavar)
    elif inner is bool:
        marked = typer.Option(*(about.flags or (f"--{one.name.replace('_', '-')}",)), help=about.help)
    else:
        marked = typer.Option(*about.flags, help=about.help, metavar=about.metavar, min=about.minimum, max=about.maximum)
    unset = many or about.text is not None or default is None  # then the dataclass has its own default
    typed = types.GenericAlias(list, (inner,)) if many else inner
    return inspect.Parameter(
        one.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD if about.argument else inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is ... else None if unset else default,
        annotation=Annotated[typed | None if unset and default is not ... else typed, marked],
    )


def _read(hint: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there may be several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    origin = typing.get_origin(hint)
    several = isinstance(origin, type) and issubclass(origin, Sequence)
    return (typing.get_args(hint)[0] if several else hint), several


def _value(typed: Any, about: Option) -> Any:
    if about.text is not None:
        return about.text(typed)
    return tuple(typed) if isinstance(typed, list) else typed
