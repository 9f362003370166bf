"""How a photo is named in a message, which is always one line."""


def shown(name: object) -> str:
    """A file name fit for a one-line message: line breaks and other control characters are spelled out."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(name))
