"""Rules that hold for every workload and every resource, in every case of the matrix."""

import re

import pytest

import engine
from matrix import CASES

WORKLOADS = ("Deployment", "Job", "Pod")


def pod_of(document):
    return document["spec"] if document["kind"] == "Pod" else document["spec"]["template"]["spec"]


def labels_of(document):
    return document["metadata"]["labels"] if document["kind"] == "Pod" else document["spec"]["template"]["metadata"]["labels"]


def containers_of(document):
    pod = pod_of(document)
    return pod["containers"] + pod.get("initContainers", [])


def has_probes(document, container):
    probes = ("startupProbe", "readinessProbe", "livenessProbe")
    return document["kind"] != "Deployment" or (
        "metrics" in [port["name"] for port in container["ports"]]
        and all(container[probe]["httpGet"]["port"] == "metrics" for probe in probes))


def mounts_exist(document, container):
    volumes = {one["name"] for one in pod_of(document)["volumes"]}
    return {one["name"] for one in container["volumeMounts"]} <= volumes


def amounts(container):
    resources = container.get("resources", {})
    return all(resources.get(kind, {}).get(what) for kind in ("requests", "limits") for what in ("cpu", "memory"))


# What every pod must be.
OF_PODS = {
    "does not run as root": lambda d, p: p["securityContext"]["runAsNonRoot"] is True and p["securityContext"]["runAsUser"] >= 1000,
    "has the seccomp profile of the runtime": lambda d, p: p["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"},
    "reads its secrets by its group": lambda d, p: p["securityContext"]["fsGroup"] == p["securityContext"]["runAsGroup"],
    "has no token of the API server": lambda d, p: p["automountServiceAccountToken"] is False,
    "has an account of its own": lambda d, p: p["serviceAccountName"] == d["metadata"]["name"],
    "has no variables of Services": lambda d, p: p["enableServiceLinks"] is False,
    "shares nothing with its node": lambda d, p: not {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"} & set(p)
    and not any("hostPath" in one for one in p["volumes"]),
    "uses every volume": lambda d, p: {one["name"] for one in p["volumes"]}
    == {one["name"] for c in containers_of(d) for one in c["volumeMounts"]},
    "closes its secrets to others": lambda d, p: all(
        (one.get("secret") or one.get("projected"))["defaultMode"] == 0o440
        for one in p["volumes"] if "secret" in one or "projected" in one),
    "mounts each file once": lambda d, p: all(
        len({item["path"] for item in items}) == len(items)
        for items in ([item for source in one["projected"]["sources"] for inner in source.values() for item in inner["items"]]
                      for one in p["volumes"] if "projected" in one)),
    "limits its temporary files": lambda d, p: all("sizeLimit" in one["emptyDir"] for one in p["volumes"] if "emptyDir" in one),
    "is spread over zones and nodes": lambda d, p: d["kind"] != "Deployment" or all(
        one["labelSelector"]["matchLabels"].items() <= labels_of(d).items() for one in p["topologySpreadConstraints"])
    and len(p["topologySpreadConstraints"]) == 2,
    "rolls with its configuration": lambda d, p: d["kind"] != "Deployment"
    or re.fullmatch("[0-9a-f]{64}", d["spec"]["template"]["metadata"]["annotations"]["checksum/config"]),
}

# What every container must be.
OF_CONTAINERS = {
    "cannot gain privileges": lambda d, c: c["securityContext"]["allowPrivilegeEscalation"] is False and not c["securityContext"].get("privileged"),
    "has a read-only root file system": lambda d, c: c["securityContext"]["readOnlyRootFilesystem"] is True,
    "has no capabilities": lambda d, c: c["securityContext"]["capabilities"] == {"drop": ["ALL"]},
    "has requests and limits": lambda d, c: amounts(c),
    "has probes on the port of health": has_probes,
    "mounts volumes that are there": mounts_exist,
    "mounts configuration and secrets read-only": lambda d, c: all(
        one.get("readOnly") for one in c["volumeMounts"] if one["mountPath"].startswith("/etc/")),
    "mounts nothing over another mount": lambda d, c: len({one["mountPath"] for one in c["volumeMounts"]}) == len(c["volumeMounts"]),
    "has an image with a fixed version": lambda d, c: re.search(r"(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)$", c["image"]),
    "names when its image is pulled": lambda d, c: c["imagePullPolicy"] in ("IfNotPresent", "Always", "Never"),
    "has no secret in a variable": lambda d, c: not any(
        "secretKeyRef" in one.get("valueFrom", {}) for one in c.get("env", [])) and "envFrom" not in c,
}


@pytest.mark.parametrize("rule", OF_PODS)
def test_every_pod(rule):
    broken = [(case, one["metadata"]["name"]) for case, (values, how) in CASES.items()
              for one in engine.manifests(values, **how)
              if one["kind"] in WORKLOADS and not OF_PODS[rule](one, pod_of(one))]
    assert broken == []


@pytest.mark.parametrize("rule", OF_CONTAINERS)
def test_every_container(rule):
    broken = [(case, one["metadata"]["name"], container["name"]) for case, (values, how) in CASES.items()
              for one in engine.manifests(values, **how) if one["kind"] in WORKLOADS
              for container in containers_of(one) if not OF_CONTAINERS[rule](one, container)]
    assert broken == []


def by_kind(documents, *kinds):
    return [one for one in documents if one["kind"] in kinds]


def selects(selector, labels):
    selector = selector if {"matchLabels", "matchExpressions"} & set(selector) or not selector else {"matchLabels": selector}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))


def test_every_resource_has_a_name_of_its_own_that_dns_allows(documents):
    names = [(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]) for one in documents]
    assert len(set(names)) == len(names)
    for kind, _, name in names:
        longest = 63 if kind != "NetworkPolicy" else 253
        assert re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= longest, name


def test_every_resource_is_in_one_namespace_and_has_the_usual_labels(documents):
    assert len({one["metadata"]["namespace"] for one in documents}) == 1
    for one in documents:
        labels = one["metadata"]["labels"]
        assert {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component",
                "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} <= set(labels)
        assert all(len(value) <= 63 for value in labels.values())


def test_a_deployment_selects_its_own_pods_and_no_others(documents):
    for one in by_kind(documents, "Deployment"):
        chosen = [other["metadata"]["name"] for other in by_kind(documents, *WORKLOADS)
                  if selects(one["spec"]["selector"], labels_of(other))]
        assert chosen == [one["metadata"]["name"]]


def test_a_service_selects_pods_that_have_its_ports(documents):
    for one in by_kind(documents, "Service"):
        chosen = [other for other in by_kind(documents, "Deployment") if selects(one["spec"]["selector"], labels_of(other))]
        assert len(chosen) == (3 if one["metadata"]["name"].endswith("-metrics") else 1), one["metadata"]["name"]
        for pod in chosen:
            ports = {port["name"] for port in pod_of(pod)["containers"][0]["ports"]}
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports


def test_a_network_policy_selects_pods(documents):
    for one in by_kind(documents, "NetworkPolicy"):
        chosen = [other for other in by_kind(documents, *WORKLOADS) if selects(one["spec"]["podSelector"], labels_of(other))]
        assert chosen, one["metadata"]["name"]
        for expression in one["spec"]["podSelector"].get("matchExpressions", []):
            there = {labels_of(other)[expression["key"]] for other in by_kind(documents, *WORKLOADS)}
            assert set(expression["values"]) <= there, one["metadata"]["name"]


def test_a_network_policy_opens_something_that_has_a_port(documents):
    for one in by_kind(documents, "NetworkPolicy"):
        if one["metadata"]["name"].endswith("default-deny"):
            continue
        for kind, side in (("Ingress", "from"), ("Egress", "to")):
            rules = one["spec"].get(kind.lower(), [])
            assert bool(rules) == (kind in one["spec"]["policyTypes"]), one["metadata"]["name"]
            assert all(rule[side] and all(rule[side]) and rule["ports"] for rule in rules), one["metadata"]["name"]


def test_with_network_policies_every_pod_is_closed_and_can_ask_dns(documents):
    policies = by_kind(documents, "NetworkPolicy")
    if not policies:
        return
    for pod in by_kind(documents, *WORKLOADS):
        mine = [one for one in policies if selects(one["spec"]["podSelector"], labels_of(pod))]
        closed = [one for one in mine if one["spec"]["policyTypes"] == ["Ingress", "Egress"] and not one["spec"].get("egress")]
        assert len(closed) == 1
        ports = {(port["port"], port["protocol"]) for one in mine for rule in one["spec"].get("egress", []) for port in rule["ports"]}
        assert {(53, "UDP"), (53, "TCP")} <= ports, pod["metadata"]["name"]


def test_the_returns_service_reaches_the_adapters_and_nobody_else_does(documents):
    policies = by_kind(documents, "NetworkPolicy")
    if not policies:
        return
    pods = {labels_of(one)["app.kubernetes.io/component"]: labels_of(one) for one in by_kind(documents, *WORKLOADS)}
    for adapter, port in (("gateway-adapter", 50052), ("rallypay-adapter", 50053)):
        callers = [peer["podSelector"] for one in policies if selects(one["spec"]["podSelector"], pods[adapter])
                   for rule in one["spec"].get("ingress", []) for peer in rule["from"]
                   if {"port": "grpc", "protocol": "TCP"} in rule["ports"]]
        assert [name for name, labels in pods.items() if any(selects(one, labels) for one in callers)] == ["returns-service"]
        called = [rule for one in policies if selects(one["spec"]["podSelector"], pods["returns-service"])
                  for rule in one["spec"].get("egress", []) if {"port": port, "protocol": "TCP"} in rule["ports"]]
        assert any(selects(peer.get("podSelector", {"matchLabels": {"-": "-"}}), pods[adapter]) for rule in called for peer in rule["to"])


def test_a_disruption_budget_and_an_autoscaler_are_for_a_deployment_that_exists(documents):
    deployments = by_kind(documents, "Deployment")
    for one in by_kind(documents, "PodDisruptionBudget"):
        assert sum(selects(one["spec"]["selector"], labels_of(other)) for other in deployments) == 1
        assert "minAvailable" not in one["spec"]
    for one in by_kind(documents, "HorizontalPodAutoscaler"):
        assert one["spec"]["scaleTargetRef"]["name"] in [other["metadata"]["name"] for other in deployments]


def test_a_service_monitor_selects_a_service_that_has_its_port(documents):
    for one in by_kind(documents, "ServiceMonitor"):
        [chosen] = [other for other in by_kind(documents, "Service") if selects(one["spec"]["selector"], other["metadata"]["labels"])]
        assert {end["port"] for end in one["spec"]["endpoints"]} <= {port["name"] for port in chosen["spec"]["ports"]}
        assert one["spec"]["namespaceSelector"]["matchNames"] == [chosen["metadata"]["namespace"]]


def test_what_a_pod_mounts_is_rendered_or_one_of_the_secrets_that_the_notes_name(case, documents):
    values, how = CASES[case]
    told = engine.notes(values, **how)
    there = {(one["kind"], one["metadata"]["name"]) for one in documents}
    there |= {("Secret", one["spec"]["secretName"]) for one in by_kind(documents, "Certificate")}
    claims = {values.get("returnsService", {}).get(key, {}).get("existingClaim") for key in ("spool", "inbox")}
    for pod in by_kind(documents, *WORKLOADS):
        for volume in pod_of(pod)["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "persistentVolumeClaim" in volume:
                name = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", name) in there or name in claims
            if "secret" in volume:
                name = volume["secret"]["secretName"]
                assert ("Secret", name) in there or f"Secret {name}: tls.crt, tls.key, ca.crt" in told
            for source in volume.get("projected", {}).get("sources", []):
                [(kind, one)] = source.items()
                word = {"secret": "Secret", "configMap": "ConfigMap"}[kind]
                key = one["items"][0]["key"]
                written = [remote["secretKey"] for other in by_kind(documents, "ExternalSecret")
                           if other["spec"]["target"]["name"] == one["name"] for remote in other["spec"]["data"]]
                assert key in written or re.search(rf"^  {word} {one['name']}: .*\b{re.escape(key)}\b", told, re.M)


def test_every_account_that_a_pod_has_is_rendered_without_a_token(documents):
    accounts = {one["metadata"]["name"]: one for one in by_kind(documents, "ServiceAccount")}
    assert {pod_of(one)["serviceAccountName"] for one in by_kind(documents, *WORKLOADS)} == set(accounts)
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())


def test_no_role_of_the_api_server_and_no_secret_is_rendered(documents):
    assert not by_kind(documents, "Secret", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")


def test_a_configuration_names_files_where_a_secret_would_be(documents):
    secret = re.compile(r"^(url|identity|password|passphrase|private_key|secret_access_key|session_token|routing_key|"
                        r"authorization|signing_key|pgp_private_key|pgp_passphrase) = (.*)$", re.M)
    for one in by_kind(documents, "ConfigMap"):
        for name, text in one["data"].items():
            if not name.endswith(".toml"):
                continue
            for key, value in secret.findall(text):
                assert value == '"unused"' or value.startswith('"s3://'), f"{name}: {key}"


def test_no_manifest_has_a_hook_that_helm_does_not_know(documents):
    for one in documents:
        notes = one["metadata"].get("annotations", {})
        hook = notes.get("helm.sh/hook")
        assert hook in (None, "test", "pre-install,pre-upgrade")
        assert (hook is None) == ("helm.sh/hook-delete-policy" not in notes)
