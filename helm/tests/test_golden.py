"""The manifests of the defaults and of production, as they were reviewed."""

import os
import pathlib
import subprocess

import pytest
import yaml

from engine import ROOT, manifests, notes
from matrix import CASES

GOLDEN = pathlib.Path(__file__).parent / "golden"
NAMES = ["defaults", "production", "everything"]


class Dumper(yaml.CSafeDumper):
    """Texts of many lines as blocks, as people read them."""


def _text(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


def shown(name):
    values, how = CASES[name]
    found = manifests(values, **how)
    # Their texts are files of the repository; test_files.py compares them.
    for one in found:
        for key in one.get("data", {}):
            if key.endswith((".json", ".sql")):
                one["data"][key] = "…"
        if one["kind"] == "PrometheusRule":
            one["spec"]["groups"] = "…"
    found.sort(key=lambda one: (one["kind"], one["metadata"]["name"]))
    return yaml.dump_all(found, Dumper=Dumper, allow_unicode=True, width=120, sort_keys=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_manifests_are_those_that_were_reviewed(name):
    file, text = GOLDEN / f"{name}.yaml", shown(name)
    if os.environ.get("ECHECK_REWRITE_GOLDEN"):
        file.write_text(text)
    assert file.read_text() == text, "review the difference, then run helm/test --rewrite"


def test_the_notes_are_those_that_were_reviewed():
    file, text = GOLDEN / "notes.txt", notes({}) + "\n"
    if os.environ.get("ECHECK_REWRITE_GOLDEN"):
        file.write_text(text)
    assert file.read_text() == text


# What an upgrade cannot change: Kubernetes refuses it, or Helm would delete and create.
def frozen(document):
    spec = document.get("spec", {})
    kind = document["kind"]
    if kind == "Deployment":
        return spec["selector"]
    if kind == "Service":
        return spec.get("clusterIP")
    if kind == "PersistentVolumeClaim":
        return {key: spec.get(key) for key in ("accessModes", "storageClassName", "volumeMode")}
    return None


LASTING = ("Deployment", "Service", "PersistentVolumeClaim", "ServiceAccount", "Certificate", "ExternalSecret")


def broken_by_an_upgrade(before, after):
    """What an upgrade would lose or be refused, in words."""
    names = lambda documents: {(one["kind"], one["metadata"]["name"]): one for one in documents if one["kind"] in LASTING}
    old, new = names(before), names(after)
    lost = [f"{kind} {name} is gone" for kind, name in old if (kind, name) not in new]
    changed = [f"{kind} {name}: what cannot change has changed" for kind, name in old
               if (kind, name) in new and frozen(old[kind, name]) != frozen(new[kind, name])]
    return lost + changed


def commit_before():
    """The last commit with another chart than the one here: HEAD while this one is not committed."""
    git = ["git", "-C", ROOT]
    if subprocess.run([*git, "diff", "--quiet", "HEAD", "--", GOLDEN]).returncode:
        return "HEAD"
    changes = subprocess.run([*git, "log", "-2", "--format=%H", "--", GOLDEN], capture_output=True, text=True, check=True)
    return changes.stdout.split()[-1]


@pytest.mark.parametrize("name", NAMES)
def test_an_upgrade_from_the_commit_before_changes_nothing_that_cannot_change(name):
    path = (GOLDEN / f"{name}.yaml").relative_to(ROOT)
    found = subprocess.run(["git", "-C", ROOT, "show", f"{commit_before()}:{path}"], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"the commit before has no {path}")
    before = list(yaml.load_all(found.stdout, yaml.CSafeLoader))
    values, how = CASES[name]
    assert broken_by_an_upgrade(before, manifests(values, **how)) == []


def test_the_check_of_upgrades_sees_a_changed_selector_and_a_renamed_deployment():
    before, after = manifests({}), manifests({})
    assert broken_by_an_upgrade(before, after) == []
    deployments = [one for one in after if one["kind"] == "Deployment"]
    deployments[0]["spec"]["selector"]["matchLabels"]["new"] = "label"
    deployments[1]["metadata"]["name"] = "renamed"
    after = [one for one in after if one["kind"] != "PersistentVolumeClaim"]
    assert len(broken_by_an_upgrade(before, after)) == 3


def test_a_new_version_of_the_chart_changes_no_selector():
    """The labels of a version must not be among those that select."""
    for one in manifests(CASES["production"][0]):
        selector = str(one.get("spec", {}).get("selector", ""))
        assert "version" not in selector and "helm.sh/chart" not in selector
