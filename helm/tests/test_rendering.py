"""What is rendered, by both engines."""

import pytest
import yaml

import engine
from engine import PRODUCTION, manifests, merged, named, nested
from matrix import CASES, CERT_MANAGER, EXTERNAL, EXTERNAL_SECRETS


@pytest.mark.parametrize("helm", ["v3", "v4"])
def test_the_linter_has_nothing_to_say(helm):
    said = engine.lint(helm)
    assert "[ERROR]" not in said and "[WARNING]" not in said, said


def test_helm_3_and_helm_4_render_the_same(case):
    values, how = CASES[case]
    assert manifests(values, engine="v3", **how) == manifests(values, engine="v4", **how)


def kinds(values, **how):
    return {(one["kind"], one["metadata"]["name"].removeprefix("demo-echeck-returns-"))
            for one in manifests(values, **how)}


def test_an_option_adds_and_removes_just_its_own_resources():
    programs = ["gateway-adapter", "rallypay-adapter", "returns-service"]
    defaults = kinds({})
    table = [
        (CERT_MANAGER, {("Certificate", one) for one in programs + ["test"]}, set()),
        (nested("monitoring.serviceMonitor.enabled", True), {("ServiceMonitor", "metrics")}, set()),
        (nested("monitoring.rules.enabled", True), {("PrometheusRule", "rules")}, set()),
        (nested("monitoring.dashboards.enabled", True),
         {("ConfigMap", f"dashboard-{one}") for one in ("flow", "health", "today")}, set()),
        (nested("returnsService.autoscaling.enabled", True), {("HorizontalPodAutoscaler", "returns-service")}, set()),
        (nested("gatewayAdapter.podDisruptionBudget.enabled", True), {("PodDisruptionBudget", "gateway-adapter")}, set()),
        (nested("returnsService.spool.existingClaim", "x"), set(), {("PersistentVolumeClaim", "spool")}),
        (nested("tests.enabled", False), set(), {("Pod", "test"), ("ServiceAccount", "test")}),
        (nested("migration.enabled", False), set(),
         {("Job", "migrate"), ("ConfigMap", "migrate"), ("ServiceAccount", "migrate")}),
        (EXTERNAL, set(), set()),
    ]
    for values, more, less in table:
        now = kinds(values)
        assert (now - defaults, defaults - now) == (more, less), values


def test_external_secrets_are_used_where_their_api_is_present():
    secrets = {("ExternalSecret", one) for one in ("gateway-adapter", "rallypay-adapter", "returns-service", "migrate")}
    mode = lambda word: merged(EXTERNAL, nested("externalSecrets.mode", word))
    assert kinds(EXTERNAL, apis=[EXTERNAL_SECRETS]) - kinds({}) == secrets
    assert kinds(EXTERNAL) == kinds({})
    assert kinds(mode("always")) - kinds({}) == secrets
    assert kinds(mode("never"), apis=[EXTERNAL_SECRETS]) == kinds({})


def test_an_external_secret_writes_the_secret_and_the_keys_that_a_program_mounts():
    documents = manifests(merged(PRODUCTION, EXTERNAL), apis=[EXTERNAL_SECRETS])
    for program in ("gateway-adapter", "rallypay-adapter"):
        written = named(documents, "ExternalSecret", program)["spec"]
        pod = named(documents, "Deployment", program)["spec"]["template"]["spec"]
        [volume] = [one for one in pod["volumes"] if one["name"] == "secrets"]
        mounted = {(one["secret"]["name"], item["key"]) for one in volume["projected"]["sources"] for item in one["secret"]["items"]}
        assert {(written["target"]["name"], one["secretKey"]) for one in written["data"]} == mounted


def test_the_autoscaler_and_the_deployment_do_not_both_set_replicas():
    assert "replicas" in named(manifests({}), "Deployment", "returns-service")["spec"]
    scaled = manifests(nested("returnsService.autoscaling.enabled", True))
    assert "replicas" not in named(scaled, "Deployment", "returns-service")["spec"]


def test_the_autoscaler_follows_cpu_and_the_lag_of_followers():
    metrics = named(manifests(PRODUCTION), "HorizontalPodAutoscaler", "returns-service")["spec"]["metrics"]
    cpu, lag = metrics
    assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert lag["external"]["metric"]["name"] == "echeck_follower_lag_seconds_max"
    assert lag["external"]["target"] == {"type": "Value", "value": "120"}
    # It is one series of a namespace: what is selected is added up.
    rules = yaml.safe_load((engine.ROOT / "observability" / "rules.yaml").read_text())
    [expression] = [rule["expr"] for group in rules["groups"] for rule in group["rules"]
                    if rule.get("record") == lag["external"]["metric"]["name"]]
    assert expression == "max by (namespace) (echeck_follower_lag_seconds)"


def test_replicas_of_a_volume_for_one_node_are_replaced_one_after_the_other():
    how = lambda values: named(manifests(values), "Deployment", "returns-service")["spec"]["strategy"]["type"]
    assert how({}) == "RollingUpdate"
    assert how(nested("returnsService.spool.accessMode", "ReadWriteOnce")) == "Recreate"


def test_the_migration_runs_before_the_release_with_an_account_that_no_program_has():
    documents = manifests({})
    job = named(documents, "Job", "migrate")
    hooks = [one for one in documents if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    order = {one["kind"]: int(one["metadata"]["annotations"]["helm.sh/hook-weight"]) for one in hooks
             if one["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"}
    assert set(order) == {"ConfigMap", "ServiceAccount", "Job"} and order["Job"] == max(order.values())
    pod = job["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["args"][-1] == "--migrate"
    [grants] = pod["containers"][0]["args"]
    assert "postgres_grants.sql" in grants and "ON_ERROR_STOP=1" in grants
    owner = {one["secret"]["name"] for volume in pod["volumes"] if "projected" in volume
             for one in volume["projected"]["sources"]}
    assert owner == {"demo-echeck-returns-migrate"}


def test_the_job_needs_nothing_that_is_installed_after_it():
    for case, (values, how) in CASES.items():
        documents = manifests(values, **how)
        jobs = [one for one in documents if one["kind"] == "Job"]
        weights = {(one["kind"], one["metadata"]["name"]): int(one["metadata"]["annotations"]["helm.sh/hook-weight"])
                   for one in documents
                   if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "pre-install,pre-upgrade"}
        rendered = {(one["kind"], one["metadata"]["name"]) for one in documents}
        for job in jobs:
            pod = job["spec"]["template"]["spec"]
            needs = {("ServiceAccount", pod["serviceAccountName"])}
            for volume in pod["volumes"]:
                if "configMap" in volume:
                    needs.add(("ConfigMap", volume["configMap"]["name"]))
                for source in volume.get("projected", {}).get("sources", []):
                    if "secret" in source and ("ExternalSecret", source["secret"]["name"]) in rendered:
                        needs.add(("ExternalSecret", source["secret"]["name"]))
            own = weights["Job", job["metadata"]["name"]]
            assert all(weights.get(one, own) < own for one in needs), case


def test_the_service_changes_no_tables_where_the_job_does():
    migrates = lambda values: "migrate = true" in named(manifests(values), "ConfigMap", "returns-service")["data"]["returns-service.toml"]
    assert not migrates({})
    assert migrates(nested("migration.enabled", False))


def test_an_adapter_knows_the_identity_in_the_certificate_of_the_returns_service():
    for values in (PRODUCTION, merged(PRODUCTION, nested("tls.identities.returnsService", "returns.pay.example"))):
        documents = manifests(values)
        certificate = named(documents, "Certificate", "returns-service")["spec"]
        names = certificate.get("uris", []) + certificate["dnsNames"]
        for adapter in ("gateway-adapter", "rallypay-adapter"):
            toml = named(documents, "ConfigMap", adapter)["data"][f"{adapter}.toml"]
            known = [line.split('"')[1] for line in toml.splitlines() if line.startswith("[access.certificates.")]
            assert len(known) == 1 and known[0] in names
        assert {"server auth", "client auth"} < set(certificate["usages"])


def test_the_certificate_of_an_adapter_has_the_host_that_the_returns_service_calls():
    for values in (PRODUCTION, merged(PRODUCTION, nested("namespaceOverride", "elsewhere"))):
        documents = manifests(values)
        toml = named(documents, "ConfigMap", "returns-service")["data"]["returns-service.toml"]
        called = [line.split("//")[1].strip('"').split(":") for line in toml.splitlines() if line.startswith("adapter = ")]
        assert len(called) == 2
        for host, port in called:
            service = host.split(".")[0]
            assert host in named(documents, "Certificate", service)["spec"]["dnsNames"]
            found = named(documents, "Service", service)["metadata"]
            assert host == f"{found['name']}.{found['namespace']}.svc"
            assert int(port) in [one["port"] for one in named(documents, "Service", service)["spec"]["ports"]]


def test_a_certificate_has_the_spiffe_id_of_its_service_account():
    for one in manifests(PRODUCTION):
        if one["kind"] == "Certificate":
            account = named(manifests(PRODUCTION), "ServiceAccount", one["metadata"]["name"])["metadata"]
            assert one["spec"]["uris"] == [f"spiffe://pay.example/ns/{account['namespace']}/sa/{account['name']}"]


def test_a_value_cannot_take_its_role_from_an_identity_of_the_chart():
    own = "spiffe://cluster.local/ns/payments/sa/demo-echeck-returns-"
    values = merged(nested("gatewayAdapter.config.access.certificates", {f"{own}returns-service": {"roles": ["reader"]}}),
                    nested("returnsService.config.access.certificates", {f"{own}test": {"roles": ["admin"]}}))
    documents = manifests(values)
    for program, account, role in (("gateway-adapter", "returns-service", "adapter_client"), ("-returns-service", "test", "reader")):
        toml = list(named(documents, "ConfigMap", program)["data"].values())[0]
        assert f'[access.certificates."{own}{account}"]\nroles = ["{role}"]' in toml


def test_the_claim_of_the_spool_outlives_its_release():
    claim = named(manifests({}), "PersistentVolumeClaim", "spool")["metadata"]
    assert claim["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_test_pod_calls_with_an_identity_that_may_read_and_no_more():
    documents = manifests(PRODUCTION)
    [uri] = named(documents, "Certificate", "test")["spec"]["uris"]
    toml = named(documents, "ConfigMap", "-returns-service")["data"]["returns-service.toml"]
    assert f'[access.certificates."{uri}"]\nroles = ["reader"]' in toml


def test_probes_ask_the_port_that_the_configuration_opens():
    documents = manifests({})
    for program in ("returns-service", "gateway-adapter", "rallypay-adapter"):
        [container] = named(documents, "Deployment", program)["spec"]["template"]["spec"]["containers"]
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        toml = named(documents, "ConfigMap", program)["data"][f"{program}.toml"]
        assert f'[metrics]\nlisten = "0.0.0.0:{ports["metrics"]}"' in toml
        assert f'listen = "0.0.0.0:{ports["grpc"]}"' in toml
        paths = [container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
        assert paths == ["/startupz", "/readyz", "/livez"]


def test_a_pod_has_more_time_to_end_than_its_drain_takes():
    for drain in (0, 25_000, 600_000):
        values = nested("gatewayAdapter.config.server.drain_timeout_ms", drain)
        pod = named(manifests(values), "Deployment", "gateway-adapter")["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] >= drain / 1000 + 5 + 10


def test_a_changed_configuration_rolls_its_own_pods_and_no_others():
    def sums(values):
        return {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
                for one in manifests(values) if one["kind"] == "Deployment"}
    before, after = sums({}), sums(nested("gatewayAdapter.config.log.filter", "debug"))
    assert {name for name in before if before[name] != after[name]} == {"demo-echeck-returns-gateway-adapter"}


def test_alert_rules_lead_to_the_runbooks_that_the_values_name():
    rules = named(manifests(PRODUCTION), "PrometheusRule", "rules")["spec"]["groups"]
    urls = [rule["annotations"]["runbook_url"] for group in rules for rule in group["rules"] if "alert" in rule]
    assert urls and all(url.startswith("https://runbooks.pay.example/") for url in urls)


def test_the_notes_name_what_must_be_there_and_the_next_command():
    said = engine.notes({}, namespace="payments")
    for part in [
        "Secret demo-echeck-returns-returns-service: database-url, spool-identity",
        "Secret demo-echeck-returns-gateway-adapter: database-url",
        "Secret demo-echeck-returns-returns-service-tls: tls.crt, tls.key, ca.crt",
        "kubectl --namespace payments rollout status deployment/demo-echeck-returns-returns-service",
        "helm test demo --namespace payments --logs",
        "--check",
    ]:
        assert part in said, said
    assert "helm test" not in engine.notes(nested("tests.enabled", False))
    assert "-tls:" not in engine.notes(CERT_MANAGER)


def test_a_pod_does_not_wait_for_a_version_of_kubernetes_that_lacks_what_it_uses():
    assert "1.29" in engine.refusal({}, kubernetes="v1.29.0")
