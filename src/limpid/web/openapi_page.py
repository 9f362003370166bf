"""What the HTTP API takes and gives as one page of its own, since the usual one is fetched from another host."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8888 }
code { font-size: .95em } h2 { margin-top: 2.5rem }
"""


def page(schema: Mapping[str, Any]) -> str:
    """The page of an OpenAPI description."""
    body = "\n".join(
        _route(schema, path, method, about) for path, methods in schema["paths"].items() for method, about in methods.items()
    )
    title = escape(f"{schema['info']['title']} {schema['info']['version']}: HTTP API")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p>The same as <a href="/openapi.json">OpenAPI JSON</a>.</p>{body}</main></body></html>'
    )


def _route(schema: Mapping[str, Any], path: str, method: str, about: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(field))}</td>"
        f"<td>{escape(str(field.get('default', '')))}</td><td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in _fields(schema, about)
    )
    head = "<tr><th>field</th><th>type</th><th>default</th><th>what</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else ""
    return f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(about.get('summary', ''))}</p>{table}"


def _fields(schema: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for content in about.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        yield from schema["components"]["schemas"].get(name, {}).get("properties", {}).items()


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    options = [_kind(one) for one in field.get("anyOf", ()) if one.get("type") != "null"]
    return " | ".join(options) or (
        "file" if field.get("contentMediaType") or field.get("format") == "binary" else field.get("type", "")
    )
