"""Every manifest against the schemas of Kubernetes, and of the operators' resources."""

import functools
import json
import pathlib

import jsonschema
import kubernetes_validate
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from engine import manifests
from matrix import CASES

FOLDER = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
CRDS = pathlib.Path(__file__).parent / "crds"
VERSIONS = ["1.30", "1.32", "1.34", "1.36", "1.37"]


@functools.cache
def _definitions(version):
    folder = FOLDER / f"v{version}.0-local-strict"
    definitions = json.loads((folder / "_definitions.json").read_text())
    resource = Resource(contents=definitions, specification=DRAFT202012)
    # The schemas name it so.
    # Without the crawl, each look-up would do it again.
    return folder, Registry().with_resource("/api/_definitions.json", resource).crawl()


@functools.cache
def validator(version, kind, api):
    group, _, short = api.rpartition("/")
    own = CRDS / f"{group}_{short}_{kind}.json"
    if own.exists():
        return jsonschema.Draft7Validator(json.loads(own.read_text()))
    folder, registry = _definitions(version)
    prefix = f"{group.split('.')[0]}-" if group else ""
    schema = json.loads((folder / f"{kind.lower()}-{prefix}{short}.json").read_text())
    return jsonschema.Draft202012Validator(schema, registry=registry)


def faults(version, document):
    return _faults(version, json.dumps(document, sort_keys=True))


@functools.cache
def _faults(version, text):
    document = json.loads(text)
    found = validator(version, document["kind"], document["apiVersion"]).iter_errors(document)
    where = f"{document['kind']} {document['metadata']['name']}"
    return [f"{where}: {'/'.join(map(str, one.path))}: {one.message}" for one in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_production_manifests_fit_every_version_of_kubernetes(version):
    values, how = CASES["everything"]
    assert [fault for one in manifests(values, **how) for fault in faults(version, one)] == []


def test_every_manifest_fits_the_oldest_and_the_newest_version_of_kubernetes(case, documents):
    for version in (VERSIONS[0], VERSIONS[-1]):
        assert [fault for one in documents for fault in faults(version, one)] == []


def test_the_check_refuses_an_unknown_key_and_a_wrong_type():
    values, how = CASES["everything"]
    for document in manifests(values, **how):
        inner = document.get("spec", document)
        inner["unknownKey"] = 1
        assert faults("1.34", document), document["kind"]
        del inner["unknownKey"]
        document["metadata"] = dict(document["metadata"], labels=[1])
        if document["apiVersion"].endswith("k8s.io/v1") or "." not in document["apiVersion"]:
            assert faults("1.34", document), document["kind"]
