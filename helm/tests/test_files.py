"""What the chart has from the repository is what the repository has."""

import subprocess
import sys

import yaml

from engine import CHART, HELM, ROOT, manifests, named
from matrix import CASES

# The file in the repository, and its copy.
COPIES = {
    "observability/rules.yaml": "files/rules.yaml",
    "crates/returns-store/roles/postgres_grants.sql": "files/postgres_grants.sql",
    **{f"observability/dashboards/{one.name}": f"files/dashboards/{one.name}"
       for one in (ROOT / "observability" / "dashboards").glob("*.json")},
}


def test_the_copies_in_the_chart_are_byte_for_byte_those_of_the_repository():
    for there, here in COPIES.items():
        same = (CHART / here).is_file() and (ROOT / there).read_bytes() == (CHART / here).read_bytes()
        assert same, f"{here} differs from {there}: run helm/test --rewrite"
    here = {str(one.relative_to(CHART)) for one in (CHART / "files").rglob("*") if one.is_file()}
    assert here == set(COPIES.values())


def test_rules_and_dashboards_arrive_whole():
    documents = manifests(CASES["defaults"][0] | {"monitoring": {"rules": {"enabled": True}, "dashboards": {"enabled": True}}})
    rules = named(documents, "PrometheusRule", "rules")["spec"]
    assert rules == yaml.safe_load((ROOT / "observability" / "rules.yaml").read_text())
    for one in (ROOT / "observability" / "dashboards").glob("*.json"):
        data = named(documents, "ConfigMap", f"dashboard-{one.stem}")["data"]
        assert list(data.values()) == [one.read_text()]
        assert list(data) == [f"demo-echeck-returns-{one.name}"]


def test_the_grants_arrive_whole():
    data = named(manifests({}), "ConfigMap", "migrate")["data"]
    assert data["postgres_grants.sql"] == (CHART / "files" / "postgres_grants.sql").read_text()


def test_the_readme_is_made_from_the_schema():
    subprocess.run([sys.executable, HELM / "readme.py"], check=True)


def test_the_version_of_the_programs_is_that_of_the_workspace():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    versions = [line for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = ")]
    assert f'version = "{chart["appVersion"]}"' in versions
