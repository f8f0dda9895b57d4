"""Values and names that are meant to break something."""

import json
import re
import tomllib

from engine import CHART, PRODUCTION, manifests, merged, named, nested
from matrix import EVERYTHING, EXTERNAL_SECRETS, HOSTILE

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
INJECTED = "x\ninjected: true\n[injected]\ninjected = true\n"


def free_texts(node):
    """Values in which each text that the schema leaves free is an attack."""
    for inner in node.get("allOf", []):
        node = {**node, **inner} if "$ref" in inner else node
    if "$ref" in node:
        node = SCHEMA["definitions"][node["$ref"].rsplit("/", 1)[1]]
    if node.get("type") == "string":
        free = not {"pattern", "enum"} & set(node)
        return INJECTED[: node.get("maxLength")] if free else None
    if node.get("type") == "array":
        inner = free_texts(node["items"])
        return None if inner is None else [inner]
    found = {key: free_texts(inner) for key, inner in node.get("properties", {}).items()}
    below = node.get("additionalProperties")
    if isinstance(below, dict) and below.get("type") == "string" and not {"pattern", "enum"} & set(below):
        names = node.get("propertyNames", {})
        found["example.com/attack" if names else INJECTED] = INJECTED
    return {key: value for key, value in found.items() if value not in (None, {})} or None


def keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_no_text_that_the_schema_leaves_free_adds_a_key_to_a_manifest_or_a_configuration():
    attack = free_texts(SCHEMA)
    # These are maps whose names are the user's; EVERYTHING has one of each.
    source = free_texts(SCHEMA["definitions"]["source"])
    channel = free_texts(SCHEMA["definitions"]["channel"])
    attack = merged(attack, nested("returnsService.config.sources.second.sftp", source["sftp"]),
                    nested("returnsService.config.sources.bank.folder", source["folder"]),
                    nested("returnsService.config.sources.rejects.profile", source["profile"]),
                    nested("returnsService.config.alerts.channels.mail", channel))
    values = merged(EVERYTHING, attack)
    assert json.dumps(values).count("injected") > 150
    documents = manifests(values, apis=[EXTERNAL_SECRETS])
    before = manifests(EVERYTHING, apis=[EXTERNAL_SECRETS])
    assert [one["metadata"]["name"] for one in documents] == [one["metadata"]["name"] for one in before]
    tables = [tomllib.loads(text) for one in documents if one["kind"] == "ConfigMap"
              for name, text in one["data"].items() if name.endswith(".toml")]
    assert len(tables) == 4
    assert "injected" not in {*keys(documents), *keys(tables)}


def test_a_text_arrives_as_it_was_written():
    values = nested("returnsService.config.alerts.installation", HOSTILE)
    toml = named(manifests(values), "ConfigMap", "-returns-service")["data"]["returns-service.toml"]
    assert tomllib.loads(toml)["alerts"]["installation"] == HOSTILE


def test_a_whole_number_stays_whole_however_large_it_is():
    for number in (1, 10_000_000, 2**31, 2**40):
        values = nested("returnsService.config.import.max_file_bytes", number)
        toml = named(manifests(values), "ConfigMap", "-returns-service")["data"]["returns-service.toml"]
        assert re.search(rf"^max_file_bytes = {number}$", toml, re.M)


def test_two_releases_in_one_namespace_share_no_name_and_no_pod():
    values = merged(PRODUCTION, {"fullnameOverride": ""})
    first, second = (manifests(values, name=name) for name in ("a", "b"))
    names = lambda documents: {(one["kind"], one["metadata"]["name"]) for one in documents}
    assert not names(first) & names(second)
    for one, other in ((first, second), (second, first)):
        labels = [pod["spec"]["template"]["metadata"]["labels"] for pod in other if pod["kind"] == "Deployment"]
        for service in (x for x in one if x["kind"] == "Service"):
            assert not any(service["spec"]["selector"].items() <= label.items() for label in labels)


def test_two_long_names_that_begin_alike_stay_two():
    long = "payments-and-returns-of-the-northern-region-"
    names = {named(manifests({}, name=long + end), "Deployment", "-returns-service")["metadata"]["name"] for end in ("blue", "green")}
    assert len(names) == 2 and all(len(name) <= 63 for name in names)


def test_a_namespace_override_reaches_every_resource_and_every_address():
    values = merged(PRODUCTION, nested("namespaceOverride", "elsewhere"))
    documents = manifests(values, namespace="not-here")
    assert {one["metadata"]["namespace"] for one in documents} == {"elsewhere"}
    assert "not-here" not in repr(documents)
