"""Writes the README of the chart from its schema: `readme.py --write`. Without it, compares."""

import json
import pathlib
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent / "echeck-returns"
README = CHART / "README.md"
TEMPLATE = pathlib.Path(__file__).resolve().parent / "README.template.md"
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def resolved(node):
    """A node with what it refers to, and the name of that."""
    for inner in node.get("allOf", []):
        if "$ref" in inner:
            below, name = resolved(inner)
            return below | {key: value for key, value in node.items() if key != "allOf"}, name
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        return SCHEMA["definitions"][name], name
    return node, None


def kind(node, name):
    """The type of a value, in words."""
    if name:
        return f"[{name}](#{name.lower()})"
    if "enum" in node:
        return ", ".join(f"`{json.dumps(one)}`" if one == "\t" else f"`{one}`" for one in node["enum"]).replace("`|`", "`\\|`")
    if "anyOf" in node and "type" not in node:
        return " or ".join(kind(one, None) for one in node["anyOf"])
    if node.get("type") == "array":
        return f"list of {kind(*resolved(node['items']))}"
    if node.get("type") == "object" and isinstance(node.get("additionalProperties"), dict):
        return f"map of {kind(*resolved(node['additionalProperties']))}"
    if node.get("type") == "integer" and "minimum" in node:
        most = node.get("maximum")
        return f"{node['minimum']} to {most}" if most is not None else f"{node['minimum']} or more"
    return {"boolean": "true or false", "integer": "whole number", "string": "text", "object": "section"}[node["type"]]


def in_values(path):
    """Whether values.yaml has something at `path`."""
    values = DEFAULTS
    for key in path.split("."):
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def rows(node, path=""):
    """A row for each key that has a value; a section's own keys follow it."""
    for key, inner in node.get("properties", {}).items():
        inner, name = resolved(inner)
        here = f"{path}.{key}" if path else key
        default = inner.get("default")
        shown = "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
        deep = inner.get("type") == "object" and "properties" in inner and not name
        what = inner["description"].replace("|", "\\|")
        if key in node.get("required", []) and default is None and not in_values(here):
            what += " Required."
        yield f"| `{here}` | {what} | {'' if deep else kind(inner, name)} | {shown} |"
        if deep:
            yield from rows(inner, here)
        items = inner.get("additionalProperties") or inner.get("items")
        if isinstance(items, dict) and not resolved(items)[1] and "properties" in items:
            yield from rows(items, f"{here}.NAME" if "additionalProperties" in inner else f"{here}[]")


HEAD = "| key | what it is | value | default |\n|---|---|---|---|"


def tables():
    sections = SCHEMA["properties"]
    programs = ["returnsService", "gatewayAdapter", "rallypayAdapter"]
    simple = {key: node for key, node in sections.items() if "properties" not in node and key != "global"}
    yield "### The release\n\n" + HEAD + "\n" + "\n".join(rows({"properties": simple}))
    for key, node in sections.items():
        if "properties" not in node:
            continue
        config = node["properties"].get("config")
        own = {name: inner for name, inner in node["properties"].items() if name != "config"}
        yield f"### `{key}`\n\n{node['description']}\n\n" + HEAD + "\n" + "\n".join(rows({"properties": own}, key))
        if config:
            yield f"### `{key}.config`\n\n{config['description']}\n\n" + HEAD + "\n" + "\n".join(rows(config))
    for name, node in SCHEMA["definitions"].items():
        text = f"### {name}\n\n{node['description']}"
        if "properties" in node:
            text += "\n\n" + HEAD + "\n" + "\n".join(rows(node))
        elif "anyOf" in node:
            text += f" It is {kind(node, None)}."
        yield text


def main():
    values = "\n\n".join(tables())
    text = TEMPLATE.read_text().replace("<!-- values -->", values)
    if "--write" in sys.argv:
        README.write_text(text)
    elif README.read_text() != text:
        sys.exit("echeck-returns/README.md is not up to date: run helm/test --rewrite")


main()
