"""The schema describes every value, and says what the programs say."""

import functools
import json
import tomllib

import jsonschema
import yaml

from engine import CHART, PRODUCTION, ROOT, merged
from matrix import CASES

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def resolved(node):
    """A node, with what it refers to."""
    for inner in node.get("allOf", []):
        if "$ref" in inner:
            node = resolved(inner) | {key: value for key, value in node.items() if key != "allOf"}
    if "$ref" in node:
        return resolved(SCHEMA["definitions"][node["$ref"].rsplit("/", 1)[1]])
    return node


def walk(node, path=()):
    node = resolved(node)
    yield path, node
    for key, inner in node.get("properties", {}).items():
        yield from walk(inner, (*path, key))
    if isinstance(node.get("additionalProperties"), dict):
        yield from walk(node["additionalProperties"], (*path, "*"))
    if isinstance(node.get("items"), dict):
        yield from walk(node["items"], (*path, "[]"))


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_every_key_has_a_description_that_is_a_sentence():
    for path, node in walk(SCHEMA):
        if path and path[-1] not in ("*", "[]"):
            said = node.get("description", "")
            assert said.endswith((".", "`.", ")")) and said[0].isupper() or said.startswith("`"), ".".join(path)


def test_every_object_is_closed_and_every_value_has_a_type():
    open_objects = {("global",), ("returnsService", "tolerations", "[]"), ("gatewayAdapter", "tolerations", "[]"), ("rallypayAdapter", "tolerations", "[]")}
    for path, node in walk(SCHEMA):
        if node.get("type") == "object" and path not in open_objects:
            assert "additionalProperties" in node, ".".join(path)
            assert node["additionalProperties"] is not True
        assert "type" in node or "anyOf" in node, ".".join(path)


def test_only_what_is_public_may_come_from_a_config_map():
    public = {"ca_from", "crl_from", "known_hosts_from", "jwks_from", "tokens_from", "[]"}
    found = {path[-1] for path, node in walk(SCHEMA) if "configMap" in node.get("properties", {})}
    assert found == public


def at(values, path):
    for key in path:
        values = values[key]
    return values


def test_values_yaml_has_the_defaults_that_the_schema_describes():
    for path, node in walk(SCHEMA):
        if "default" in node and "*" not in path and "[]" not in path and "config" not in path:
            assert at(DEFAULTS, path) == node["default"], ".".join(path)


def test_every_key_outside_of_config_has_a_default():
    for path, node in walk(SCHEMA):
        optional = {"global", "cidr"}
        inside_image = len(path) > 2 and path[-2] == "image" and path[0] != "migration"
        if path and "*" not in path and "[]" not in path and "config" not in path and not inside_image and path[0] not in optional:
            if "url_from" in path:
                continue
            at(DEFAULTS, path)


@functools.cache
def example(program):
    """The keys of a program's example, also those in comments, with their defaults."""
    lines = []
    for line in (ROOT / program / "example.toml").read_text().splitlines():
        bare = line.removeprefix("# ")
        is_key = bare.split(" = ")[0].replace("_", "").isalnum() and " = " in bare
        lines.append(bare if is_key or bare.startswith("[") else line)
    kept, seen, section = [], set(), ""
    for line in lines:
        if line.startswith("["):
            section = line
        # Commented alternatives of a key that is there already.
        if line.startswith("[") and line in seen:
            continue
        seen.add(line)
        kept.append(line)
    return tomllib.loads("\n".join(kept))


# What the chart decides itself, and names as a file.
DECIDED = {
    "server.listen", "server.insecure_plaintext", "server.tls.certificate_file", "server.tls.key_file", "server.tls.client_ca_file", "metrics.listen", "metrics",
    "adapter_tls", "database.migrate", "database.url", "target.url", "spool.folder", "replica.name", "databases",
}


def paths(table, path=()):
    for key, value in table.items():
        yield (*path, key), value
        if isinstance(value, dict):
            yield from paths(value, (*path, key))


def described(program, path):
    """The schema of a key of the TOML; None where there is none."""
    node = SCHEMA["properties"][program]["properties"]["config"]
    for key in path:
        node = resolved(node)
        inner = node.get("properties", {})
        below = node.get("additionalProperties")
        if key in inner:
            node = inner[key]
        elif key.endswith("_file") and f"{key.removesuffix('_file')}_from" in inner:
            node = inner[f"{key.removesuffix('_file')}_from"]
        elif isinstance(below, dict):
            node = below
        else:
            return None
    return resolved(node)


PROGRAMS = {"returnsService": "returns-service", "gatewayAdapter": "gateway-adapter", "rallypayAdapter": "rallypay-adapter"}


def test_every_key_of_an_example_can_be_set_by_a_value_or_is_decided_by_the_chart():
    secrets = {"url", "routing_key", "identity", "password"}
    missing = []
    for values, program in PROGRAMS.items():
        for path, _ in paths(example(program)):
            name = ".".join(path)
            if any(name == one or name.startswith(f"{one}.") for one in DECIDED):
                continue
            node = described(values, path)
            if node is None and path[-1] in secrets:
                node = described(values, (*path[:-1], f"{path[-1]}_file"))
            if node is None:
                missing.append(f"{program}: {name}")
    assert missing == []


def test_the_defaults_that_the_schema_names_are_those_of_the_examples():
    wrong, compared = [], 0
    for values, program in PROGRAMS.items():
        for path, value in paths(example(program)):
            node = described(values, path)
            if node is None or "default" not in node or isinstance(value, dict):
                continue
            # An example shows these as production has them, or as another choice.
            if path[0] in ("two_people", "sources", "otlp") or path[-2:-1] and path[-2] in ("pay_ops", "ticket_system") or path[-1] in ("severity", "fallback"):
                continue
            compared += 1
            if node["default"] != value:
                wrong.append(f"{program}: {'.'.join(path)} is {value!r}, not {node['default']!r}")
    assert wrong == [] and compared > 100, compared


def test_every_case_of_the_matrix_fits_the_schema_by_another_validator():
    validator = jsonschema.Draft7Validator(SCHEMA)
    for case, (values, _) in CASES.items():
        whole = without_nulls(merged(DEFAULTS, values))
        assert [one.message for one in validator.iter_errors(whole)] == [], case


def without_nulls(values):
    return {key: without_nulls(value) if isinstance(value, dict) else value
            for key, value in values.items() if value is not None}


def test_production_has_every_protection():
    whole = without_nulls(merged(DEFAULTS, PRODUCTION))
    assert whole["tls"]["mode"] == "certManager"
    assert whole["networkPolicy"]["enabled"] and whole["migration"]["enabled"] and whole["tests"]["enabled"]
    for program in PROGRAMS:
        assert whole[program]["replicas"] >= 2 and whole[program]["podDisruptionBudget"]["enabled"]
    assert all(whole["monitoring"][one]["enabled"] for one in ("serviceMonitor", "rules", "dashboards"))
    two = whole["returnsService"]["config"]["two_people"]
    assert two["adopt_cursor"] and "dismiss_over_minor" in two
    roles = [one["roles"] for one in whole["returnsService"]["config"]["access"]["certificates"].values()]
    assert sum("approver" in one for one in roles) >= 1 and not any({"operator", "admin", "approver"} <= set(one) for one in roles)
    assert {"bucket", "journal", "alerts"} <= set(whole["returnsService"]["config"])
    assert not whole["gatewayAdapter"]["config"]["target"]["create_tables"]
