"""The OpenAPI document as one HTML page for people: no scripts, nothing from elsewhere, light or dark as they like."""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from service.api.openapi import FAULTS

Schema = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --paper: #fff; --soft: #f4f6f8; --line: #d9dee3;
  --get: #0a6b4a; --post: #8a3f00; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --dim: #9aa4ae; --paper: #14171a; --soft: #1d2125;
  --line: #343a40; --get: #5fd0a5; --post: #f0a868; --link: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 6rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 2rem; margin: 0 0 .5rem; }
h2 { margin: 3.5rem 0 1rem; padding-top: 1rem; border-top: 2px solid var(--line); }
h3 { margin: 2.5rem 0 .25rem; font-size: 1.15rem; }
h4 { margin: 1.25rem 0 .25rem; font-size: .85rem; color: var(--dim); font-weight: 600; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: .25rem; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .75rem 1rem; border-radius: .375rem; overflow-x: auto; margin: .5rem 0; }
.verb { font: 700 .8rem ui-monospace, monospace; text-transform: uppercase; margin-right: .5rem; }
.get { color: var(--get); } .post { color: var(--post); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; }
td:first-child { white-space: nowrap; }
nav ul { list-style: none; padding: 0; margin: .25rem 0 1rem; }
nav li { padding: .15rem 0; }
.dim { color: var(--dim); }
"""
_CODE = re.compile(r"`([^`]+)`")
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "like {}",
    "default": "default {}",
}


def rendered(document: Schema) -> str:
    info = document["info"]
    body = "\n".join(
        (
            f"<header><h1>{escape(info['title'])} API</h1>",
            f'<p class="dim">Version {escape(info["version"])} · <a href="/openapi.json">OpenAPI 3.1 document</a></p>',
            *(f"<p>{_prose(text)}</p>" for text in info["description"].split("\n\n")),
            "</header>",
            _contents(document),
            *_operations(document),
            *_faults(),
            *_schemas(document),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Shelfcast API</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _each(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _contents(document: Schema) -> str:
    groups = []
    for tag in (tag["name"] for tag in document["tags"]):
        links = "".join(
            f'<li>{_verb(method)}<a href="#{operation["operationId"]}"><code>{escape(path)}</code></a> '
            f'<span class="dim">{escape(operation["summary"])}</span></li>'
            for method, path, operation in _each(document)
            if tag in operation["tags"]
        )
        groups.append(f"<h4>{escape(tag)}</h4><ul>{links}</ul>")
    more = '<p><a href="#errors">Errors</a> · <a href="#schemas">Schemas</a></p>'
    return f'<nav aria-label="Contents">{"".join(groups)}{more}</nav>'


def _operations(document: Schema) -> Iterator[str]:
    for tag in (tag["name"] for tag in document["tags"]):
        yield f"<h2>{escape(tag)}</h2>"
        for method, path, operation in _each(document):
            if tag in operation["tags"]:
                yield _operation(method, path, operation)


def _operation(method: str, path: str, operation: Schema) -> str:
    parts = [
        f'<section id="{operation["operationId"]}">',
        f"<h3>{_verb(method)}<code>{escape(path)}</code></h3>",
        f"<p>{_prose(operation['description'])}</p>",
    ]
    if operation["parameters"]:
        rows = ((p["name"], p["in"], _kind(p["schema"]), _prose(p["description"])) for p in operation["parameters"])
        parts += ["<h4>Parameters</h4>", _table(("Name", "In", "Type", ""), rows)]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        parts += [f"<h4>Body</h4><p>{_kind(content['schema'])}</p>", _example(content)]
    parts.append("<h4>Answers</h4>")
    parts.append(_table(("Status", "", "Body"), map(_answer, *zip(*operation["responses"].items(), strict=True))))
    for response in operation["responses"].values():
        parts += [_example(content) for content in response.get("content", {}).values()]
    return "\n".join([*parts, "</section>"])


def _answer(status: str, response: Schema) -> tuple[str, str, str]:
    if "$ref" in response:
        code = response["$ref"].rpartition("/")[2]
        return status, f'<a href="#{code}"><code>{code}</code></a>', ""
    bodies = ", ".join(_kind(content["schema"]) for content in response.get("content", {}).values())
    return status, _prose(response["description"]), bodies


def _faults() -> Iterator[str]:
    yield '<h2 id="errors">Errors</h2>'
    yield (
        '<p>Every error is <code>application/problem+json</code> (RFC 9457): <a href="#schema-Fault">Fault</a>. '
        "Branch on <code>code</code>; show <code>detail</code>; quote <code>requestId</code>.</p>"
    )
    for kind, text in FAULTS.items():
        yield f'<section id="{kind.code}"><h3>{kind.status} <code>{kind.code}</code></h3>'
        yield f"<p>{_prose(text)}</p></section>"


def _schemas(document: Schema) -> Iterator[str]:
    yield '<h2 id="schemas">Schemas</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<section id="schema-{name}"><h3>{name}</h3>'
        yield f"<p>{_prose(schema.get('description', ''))}</p>"
        if "allOf" in schema:
            yield f"<p>All of {', '.join(_kind(part) for part in schema['allOf'])}.</p>"
        elif "properties" not in schema:
            yield f"<p>{_kind(schema)}</p>"
        if properties := schema.get("properties"):
            needed = schema.get("required", ())
            rows = (
                (f"<code>{field}</code>", _kind(part), _prose(_described(part, required=field in needed)))
                for field, part in properties.items()
            )
            yield _table(("Field", "Type", ""), rows)
        yield "".join(_pre(example) for example in schema.get("examples", ()))
        yield "</section>"


def _described(schema: Schema, *, required: bool) -> str:
    texts = [schema.get("description", "")]
    texts += [choice["description"] for choice in schema.get("anyOf", ()) if "description" in choice]
    return " ".join(filter(None, [*texts, "Required." if required else ""]))


def _kind(schema: Schema) -> str:
    """What a schema takes, in a few words of HTML."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    kinds = schema.get("type", "anything")
    name = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if "items" in schema:
        name = f"{name} of {_kind(schema['items'])}"
    elif name == "object" and "properties" in schema:
        members = ", ".join(f"<code>{member}</code>: {_kind(part)}" for member, part in schema["properties"].items())
        name = f"object {{{members}}}"
    limits = [_LIMITS[key].format(f"<code>{escape(str(schema[key]))}</code>") for key in _LIMITS if key in schema]
    return ", ".join([name, *limits])


def _verb(method: str) -> str:
    return f'<span class="verb {method}">{method}</span>'


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = "".join(f"<th>{name}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>'


def _example(content: Schema) -> str:
    return _pre(content["example"]) if "example" in content else ""


def _pre(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return f"<pre>{escape(text)}</pre>"


def _prose(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))
