"""Sliders and menus made from the signature of what they set."""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin

import gradio as gr

from limpid.catalogue import Settings
from limpid.recipe.signature import Parameter, parameters, settable


@dataclass(frozen=True, kw_only=True)
class Control:
    """A component for one number, choice or switch of the parameter ``name``; ``place`` within a pair, None for a whole one."""

    name: str
    place: int | None
    component: Any


def controls(build: Callable[..., Any], prefix: str, given: Settings = MappingProxyType({})) -> list[Control]:
    """Components for every parameter of ``build`` that a slider, a menu or a box can set; ``prefix`` of their ids.

    ``given``: what is set already, in place of the default.
    """
    found = []
    for parameter in parameters(build).values():
        default = given.get(parameter.name, parameter.default)
        shown = replace(parameter, default=tuple(default) if isinstance(default, list) else default)
        if settable(parameter) and not shown.required and parameter.nested is None:
            found += _controls(shown, prefix)
    return found


def settings(made: Sequence[Control], values: Sequence[Any], defaults: Mapping[str, Any]) -> Settings:
    """What is set, where it is not the default."""
    chosen: dict[str, Any] = {}
    for control, value in zip(made, values, strict=True):
        if control.place is None:
            chosen[control.name] = value
        else:
            chosen.setdefault(control.name, [None, None])[control.place] = value
    return {name: value for name, value in chosen.items() if value != _plain(defaults[name])}


def defaults_of(build: Callable[..., Any], given: Settings = MappingProxyType({})) -> dict[str, Any]:
    """Name → default of every parameter that has one, or what is ``given`` in its place."""
    return {one.name: one.default for one in parameters(build).values() if not one.required} | dict(given)


def _controls(parameter: Parameter, prefix: str) -> list[Control]:
    default, identity = parameter.default, f"{prefix}_{parameter.name}"
    words = parameter.name.replace("_", " ")
    choices = _choices(parameter.annotation)
    if choices:
        return _one(parameter, gr.Dropdown(choices, value=default, label=words, elem_id=identity))
    if isinstance(default, bool):
        return _one(parameter, gr.Checkbox(default, label=words, elem_id=identity))
    if isinstance(default, int | float):
        return _one(parameter, _slider(default, words, identity))
    if isinstance(default, tuple) and len(default) == 2 and all(_is_number(end) for end in default):
        made = zip((0, 1), ("from", "to"), default, strict=True)
        return [
            Control(
                name=parameter.name, place=place, component=_slider(end, f"{words}, {what}", f"{identity}_{place}", max(default))
            )
            for place, what, end in made
        ]
    return []


def _one(parameter: Parameter, component: Any) -> list[Control]:
    return [Control(name=parameter.name, place=None, component=component)]


def _slider(value: float, label: str, identity: str, largest: float | None = None) -> Any:
    """A slider from 0, or from far below where the default is negative, to four times the default, at least 1."""
    top = 4 * max(abs(value), abs(largest or 0)) or 1
    whole = isinstance(value, int)
    low, high, step = -top if value < 0 else 0, max(1, round(top)) if whole else top, 1 if whole else top / 400
    return gr.Slider(low, high, value, step=step, label=label, elem_id=identity)


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return next((get_args(part) for part in get_args(annotation) if get_origin(part) is Literal), ())
    return ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
