"""Values that are wrong are refused, and the message names them."""

import pytest

from engine import PRODUCTION, merged, nested, refusal
from matrix import NETWORK

SOURCE = "returnsService.config.sources.bank"
ALERTS = "returnsService.config.alerts.channels.a"

# The key, a value for it, and what the message must have.
WRONG = [
    ("user", "root", ["/user", "integer"]),
    ("user", 0, ["/user", "minimum"]),
    ("unknown", 1, ["unknown", "not allowed"]),
    ("returnsService.unknown", 1, ["/returnsService", "unknown"]),
    ("image.tag", "latest", ["/image/tag"]),
    ("image.digest", "sha256:abc", ["/image/digest", "pattern"]),
    ("listenAddress", "127.0.0.1", ["/listenAddress"]),
    ("fullnameOverride", "Not_A_Name", ["/fullnameOverride", "pattern"]),
    ("fullnameOverride", "a" * 41, ["/fullnameOverride", "40"]),
    ("tls.mode", "none", ["/tls/mode", "existingSecrets", "certManager"]),
    ("returnsService.replicas", "2", ["/returnsService/replicas", "integer"]),
    ("returnsService.replicas", 0, ["/returnsService/replicas", "minimum"]),
    ("returnsService.replicas", 1.5, ["/returnsService/replicas", "integer"]),
    ("returnsService.resources.limits.memory", "lots", ["/returnsService/resources/limits/memory"]),
    ("returnsService.config.server.listen", "0.0.0.0:1", ["/returnsService/config/server", "listen"]),
    ("returnsService.config.server.insecure_plaintext", True, ["insecure_plaintext"]),
    ("returnsService.config.log.format", "xml", ["/returnsService/config/log/format"]),
    ("returnsService.config.import.batch_size", 0, ["/returnsService/config/import/batch_size"]),
    ("returnsService.config.access.certificates.ann", {"roles": ["king"]}, ["/ann/roles/0"]),
    ("returnsService.config.access.certificates.ann", {}, ["/ann", "roles"]),
    ("returnsService.config.access.anonymous_roles", ["admin"], ["anonymous_roles"]),
    ("returnsService.config.sources.nacha", None, ["/returnsService/config/sources"]),
    (SOURCE, {"format": "word"}, ["/bank/format"]),
    (SOURCE, {"format": "delimited", "profile": {"columns": {"colour": "x"}}}, ["colour"]),
    (SOURCE, {"format": "nacha", "sftp": {"host": "h", "user": "u", "directory": "/"}}, ["/bank/sftp", "host_key"]),
    (ALERTS, {"kind": "slack"}, ["url_from"]),
    (ALERTS, {"kind": "email", "host": "h", "from": "a@b"}, ["to"]),
    ("returnsService.config.bucket", {"url": "s3://abc", "access_key_id": "a"}, ["secret_access_key_from"]),
    ("returnsService.config.webhooks.ca_from", {"secret": "a", "configMap": "b", "key": "c"}, ["ca_from"]),
    ("returnsService.config.database.url_from.key", "../../etc", ["/url_from"]),
    ("networkPolicy.egress.bucket", [{"ports": [443]}], ["/networkPolicy/egress/bucket/0"]),
    ("networkPolicy.egress.bucket", [{"cidr": "s3.example", "ports": [443]}], ["/networkPolicy/egress/bucket/0"]),
    ("migration.grants.image.tag", "latest", ["/migration/grants/image/tag"]),
    ("externalSecrets.mode", True, ["/externalSecrets/mode"]),
]


@pytest.mark.parametrize("key, value, parts", WRONG, ids=[f"{key} {value}"[:60] for key, value, _ in WRONG])
def test_a_wrong_value_is_refused_and_named(key, value, parts):
    said = refusal(nested(key, value))
    assert all(part in said for part in parts), said


def test_helm_3_refuses_wrong_values_with_the_same_words():
    for key, value, parts in WRONG[::6]:
        said = refusal(nested(key, value), engine="v3")
        assert all(part in said for part in parts), said


# A secret in clear, by the key that the program itself would take.
CLEAR = [
    ("returnsService.config.database.url", "postgres://a:b@c/d"),
    ("returnsService.config.spool.identity", "AGE-SECRET-KEY-1"),
    ("returnsService.config.bucket.secret_access_key", "x"),
    ("returnsService.config.bucket.session_token", "x"),
    ("returnsService.config.nats.password", "x"),
    ("returnsService.config.journal.signing_key", "x"),
    ("returnsService.config.alerts.heartbeat.url", "https://x"),
    (ALERTS, {"kind": "slack", "url_from": {"key": "a"}, "url": "https://hooks.slack.com/services/T/B/x"}),
    (ALERTS, {"kind": "pagerduty", "routing_key_from": {"key": "a"}, "routing_key": "x"}),
    (f"{SOURCE}.sftp.password", "x"),
    (f"{SOURCE}.sftp.private_key", "x"),
    ("gatewayAdapter.config.target.url", "mysql://a:b@c/d"),
    ("rallypayAdapter.config.target.url_file", "/etc/passwd"),
    ("migration.database.url", "postgres://a:b@c/d"),
    ("externalSecrets.returnsService.database-url", "postgres://a:b@c/d"),
    # Nor may one be in a ConfigMap.
    ("returnsService.config.database.url_from.configMap", "x"),
    ("returnsService.config.spool.identity_from.configMap", "x"),
    ("gatewayAdapter.config.target.url_from.configMap", "x"),
    ("migration.database.url_from.configMap", "x"),
    (f"{SOURCE}.sftp.private_key_from", {"configMap": "x", "key": "y"}),
]


@pytest.mark.parametrize("key, value", CLEAR, ids=[key for key, _ in CLEAR])
def test_a_secret_in_clear_is_refused(key, value):
    said = refusal(nested(key, value))
    assert "not allowed" in said or "want object" in said or "pattern" in said, said


@pytest.mark.parametrize("secret", [
    "postgres://ann:pass@db/returns", "AGE-SECRET-KEY-1QQQ", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----", "https://hooks.slack.com/services/T0/B0/x", "https://user:pass@login.example",
])
def test_a_secret_in_another_value_is_refused_without_being_quoted(secret):
    said = refusal(nested("returnsService.config.alerts.installation", secret))
    assert "returnsService.config: a value holds a secret in clear" in said
    assert secret not in said


@pytest.mark.parametrize("key", ["gatewayAdapter.config.transfers.table", "rallypayAdapter.config.name"])
def test_a_secret_in_a_value_of_an_adapter_is_refused(key):
    said = refusal(nested(key, "postgres://ann:pass@db/returns"))
    assert f"{key.split('.')[0]}.config: a value holds a secret in clear" in said


# Values that do not fit together, and the sentence.
TOGETHER = [
    (merged(nested("returnsService.replicas", 2), nested("returnsService.spool.accessMode", "ReadWriteOnce")),
     "returnsService.spool.accessMode: 2 replicas share the spool, and need ReadWriteMany, not ReadWriteOnce"),
    (merged(nested("returnsService.autoscaling.enabled", True), nested("returnsService.spool.accessMode", "ReadWriteOnce")),
     "6 replicas share the spool"),
    (nested("returnsService.autoscaling", {"enabled": True, "minReplicas": 9}), "minReplicas is above maxReplicas"),
    (nested("returnsService.autoscaling", {"enabled": True, "cpuUtilization": 0}), "nothing would scale"),
    (nested("tls.mode", "certManager"), "tls.certManager.issuerRef.name: is required"),
    (nested(SOURCE, {"format": "nacha", "folder": {"directory": "/in"}}), "needs returnsService.inbox.existingClaim"),
    (nested(SOURCE, {"format": "delimited"}), "the format delimited needs a profile"),
    (nested("returnsService.config.journal.signing_key_from.key", "k"), "needs returnsService.config.bucket"),
    (nested("migration.database.url_from.secret", "demo-echeck-returns-returns-service"),
     "the account that owns the tables needs a Secret of its own"),
    (nested("gatewayAdapter.extraFiles", [{"secret": "demo-echeck-returns-migrate", "key": "x"}]), "is also mounted by gateway-adapter"),
    (nested("externalSecrets.gatewayAdapter.a.key", "b"), "externalSecrets.store.name: is required"),
    (nested("networkPolicy.enabled", True), "networkPolicy.egress.gatewayDatabase: is empty"),
    (merged(NETWORK, nested("monitoring.serviceMonitor.enabled", True)), "networkPolicy.ingress.monitoring: is empty"),
    (merged(NETWORK, nested("networkPolicy.egress.dns", [])), "networkPolicy.egress.dns: is empty"),
    (merged(NETWORK, nested("networkPolicy.egress.platforms", [])), "networkPolicy.egress.platforms: is empty"),
    (merged(NETWORK, nested("gatewayAdapter.config.otlp.endpoint", "http://c:4317")), "networkPolicy.egress.otlp: is empty"),
    (merged(NETWORK, nested("returnsService.config.nats.servers", ["nats://nats:4222"])), "networkPolicy.egress.nats: is empty"),
    (merged(PRODUCTION, nested("networkPolicy.egress", {"sftp": [], "bucket": [], "alerts": []})),
     "networkPolicy.egress.sftp: is empty, so the SFTP server of the source worldpay_returns cannot be reached"),
]


@pytest.mark.parametrize("values, sentence", TOGETHER, ids=[sentence[:60] for _, sentence in TOGETHER])
def test_values_that_do_not_fit_together_are_refused_with_a_sentence(values, sentence):
    assert sentence in refusal(values)


def test_all_faults_are_reported_together():
    said = refusal(merged(PRODUCTION, nested("networkPolicy.egress", {"sftp": [], "bucket": []}), nested("tls.certManager.issuerRef.name", "")))
    for key in ("networkPolicy.egress.sftp", "networkPolicy.egress.bucket", "tls.certManager.issuerRef.name"):
        assert key in said


NULLS = ["image", "tls", "tls.certManager", "returnsService.config", "returnsService.config.database", "returnsService.spool",
         "gatewayAdapter.resources", "migration.database", "migration.database.url_from", "networkPolicy.egress.dns",
         "monitoring.rules", "tests", "externalSecrets"]


@pytest.mark.parametrize("key", NULLS)
def test_a_default_that_is_taken_away_is_missed_by_its_name(key):
    said = refusal(nested(key, None))
    assert key.rsplit(".", 1)[-1] in said and ("missing propert" in said or "is required" in said), said


@pytest.mark.parametrize("key, label", [
    ("commonLabels", "app.kubernetes.io/component"), ("returnsService.podLabels", "helm.sh/chart"), ("monitoring.rules.labels", "not a label"),
])
def test_a_label_that_the_chart_sets_itself_is_refused(key, label):
    assert label in refusal(nested(key, {label: "x"}))


def test_a_label_of_a_wrong_form_is_refused():
    assert "commonLabels" in refusal(nested("commonLabels", {"team": "a b"}))
