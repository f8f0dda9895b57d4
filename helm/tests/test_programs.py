"""The programs themselves read what the chart renders. They are those of `cargo build --workspace`."""

import json
import sqlite3
import tomllib

import pytest

import pod
from engine import CHART, manifests, merged, named, nested
from matrix import CASES, HOSTILE

NO_DATABASE = {"database-url": "sqlite:///nowhere/target.db"}


@pytest.fixture
def folder():
    with pod.machine() as folder:
        pod.volume(folder / "data")
        yield folder


def read_by_the_program(folder, documents, program):
    """Runs the program as far as it goes without a database of its own: its faults, or an empty text."""
    owner = named(documents, "Deployment", program)
    [container] = owner["spec"]["template"]["spec"]["containers"]
    if program == "returns-service":
        # --migrate reads the whole configuration, and then needs no more than the database.
        urls = {"database-url": f"sqlite://{folder}/data/returns.db"}
        pod.mount(folder, documents, owner, urls)
        ended = pod.run(pod.command(folder, container) + ["--migrate"])
        return "" if ended.returncode == 0 else pod.plain(ended.stderr)
    pod.mount(folder, documents, owner, NO_DATABASE)
    ended = pod.run(pod.command(folder, container) + ["--check"])
    # It reads the whole configuration before it looks for the database, which is not there.
    expected = "error: the target database is not available: there is no file /nowhere/target.db"
    return "" if ended.stderr.strip().endswith(expected) else pod.plain(ended.stderr)


@pytest.mark.parametrize("program", pod.PROGRAMS)
@pytest.mark.parametrize("name", ["defaults", "production", "everything", "IPv6", "no migration", "the longest names"])
def test_a_program_accepts_the_whole_configuration_that_is_rendered(folder, name, program):
    values, how = CASES[name]
    assert read_by_the_program(folder, manifests(values, **how), program) == ""


@pytest.mark.parametrize("program", pod.PROGRAMS)
def test_a_program_refuses_a_key_that_it_does_not_know(folder, program):
    documents = manifests({})
    data = named(documents, "ConfigMap", program)["data"]
    data[f"{program}.toml"] = data[f"{program}.toml"].replace("[log]", "[log]\nlevel = 1")
    assert "log.level" in read_by_the_program(folder, documents, program)


def test_the_migration_reads_its_own_configuration_and_makes_the_tables(folder):
    documents = manifests(CASES["everything"][0])
    job = named(documents, "Job", "migrate")
    pod.mount(folder, documents, job, {"database-url": f"sqlite://{folder}/data/returns.db"})
    [container] = job["spec"]["template"]["spec"]["initContainers"]
    ended = pod.run(pod.command(folder, container))
    assert ended.returncode == 0, ended.stderr
    with sqlite3.connect(folder / "data" / "returns.db") as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    assert "journal" in tables


@pytest.mark.parametrize("program", pod.PROGRAMS)
def test_no_text_in_a_value_breaks_the_configuration_or_gets_out_of_its_string(folder, program):
    values = merged(
        nested("returnsService.config.alerts.installation", HOSTILE),
        nested("returnsService.config.access.certificates", {HOSTILE: {"roles": ["reader"], "merchants": [HOSTILE]}}),
        nested("returnsService.config.sources.nacha.company_ids", [HOSTILE, "]\n[injected]\nx = 1"]),
        nested("gatewayAdapter.config.transfers.reversal.set", {HOSTILE: "]\n[injected]\nx = 1", "a.b": HOSTILE}),
        nested("rallypayAdapter.config.access.certificates", {HOSTILE: {"roles": ["reader"]}}),
    )
    documents = manifests(values)
    tables = {one: tomllib.loads(named(documents, "ConfigMap", one)["data"][f"{one}.toml"]) for one in pod.PROGRAMS}
    returns = tables["returns-service"]
    assert returns["alerts"]["installation"] == HOSTILE
    assert returns["access"]["certificates"][HOSTILE]["merchants"] == [HOSTILE]
    assert returns["sources"]["nacha"]["company_ids"][0] == HOSTILE
    assert tables["gateway-adapter"]["transfers"]["reversal"]["set"]["a.b"] == HOSTILE
    assert not any("injected" in one for one in tables.values())
    # The gateway's own fault is that no column has such a name.
    faults = read_by_the_program(folder, documents, program)
    assert faults == "" or (program == "gateway-adapter" and "transfers.reversal.set" in faults and "TOML" not in faults), faults


@pytest.mark.parametrize("edge", ["minimum", "maximum"])
@pytest.mark.parametrize("key, program", [("returnsService", "returns-service"), ("gatewayAdapter", "gateway-adapter"),
                                          ("rallypayAdapter", "rallypay-adapter")])
def test_a_program_accepts_every_number_that_the_schema_allows(folder, key, program, edge):
    schema = json.loads((CHART / "values.schema.json").read_text())

    def numbers(node):
        found = {}
        for name, inner in node.get("properties", {}).items():
            for one in inner.get("allOf", []):
                inner = schema["definitions"][one["$ref"].split("/")[-1]] if "$ref" in one else inner
            if inner.get("type") == "integer" and edge in inner:
                found[name] = inner[edge]
            elif inner.get("type") == "object" and name not in ("otlp", "bucket", "nats", "jwt", "heartbeat"):
                below = numbers(inner)
                if below:
                    found[name] = below
        return found

    config = numbers(schema["properties"][key]["properties"]["config"])
    # Two numbers that belong together.
    config["server"]["default_timeout_ms"] = config["server"]["max_timeout_ms"] = 3_600_000
    documents = manifests({key: {"config": config}})
    assert read_by_the_program(folder, documents, program) == ""
