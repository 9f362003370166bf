"""Settings typed on the command line: NAME=VALUE."""

from collections.abc import Iterable
from typing import Any

from limpid.errors import UsageError


def parse_settings(given: Iterable[str]) -> dict[str, Any]:
    """Name → value from NAME=VALUE with YAML values, e.g. ``radius=[2, 200]`` or ``shapes={disk: 1, polygon: 2}``.

    Whether the name exists and the value fits is for its owner to say. Raises UsageError for what cannot be read.
    """
    import yaml

    settings = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes NAME=VALUE; got {text!r}")
        try:
            settings[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text} has a value that cannot be read; an example is --set 'radius=[2, 200]'") from error
    return settings
