"""The values that every manifest is checked with: the defaults, production, and every option."""

import os

from engine import PRODUCTION, merged, nested

EXTERNAL_SECRETS = "external-secrets.io/v1/ExternalSecret"

EXTERNAL = {
    "externalSecrets": {
        "store": {"name": "vault", "kind": "ClusterSecretStore"},
        "returnsService": {
            "database-url": {"key": "echeck/returns", "property": "url"},
            "spool-identity": {"key": "echeck/spool", "version": "3"},
        },
        "gatewayAdapter": {"database-url": {"key": "echeck/gateway"}},
        "rallypayAdapter": {"database-url": {"key": "echeck/rallypay"}},
        "migration": {"database-url": {"key": "echeck/owner"}},
    }
}

CERT_MANAGER = {"tls": {"mode": "certManager", "certManager": {"issuerRef": {"name": "ca"}}}}

NETWORK = {
    "networkPolicy": {
        "enabled": True,
        "egress": {
            "returnsDatabase": [{"cidr": "10.0.0.1/32", "ports": [5432]}],
            "gatewayDatabase": [{"podLabels": {"app": "mysql"}, "ports": [3306]}],
            "rallypayDatabase": [{"namespaceLabels": {"team": "rails"}, "ports": [5432]}],
        },
    }
}

# What production.yaml leaves out: every key of the TOML that names a file, and each kind of channel.
EVERYTHING = merged(
    PRODUCTION,
    EXTERNAL,
    {
        "commonLabels": {"team": "payments"},
        "image": {"registry": "registry.example", "tag": "1.2.3", "pullSecrets": ["registry"]},
        "returnsService": {
            "image": {"digest": "sha256:" + "0" * 64},
            "podAnnotations": {"example.com/a": "b"},
            "podLabels": {"example.com/c": "d"},
            "serviceAccountAnnotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/echeck"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "payments", "operator": "Exists", "effect": "NoSchedule"}],
            "priorityClassName": "payments",
            "extraFiles": [{"configMap": "database-ca", "key": "ca.pem"}],
            "service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}},
            "inbox": {"existingClaim": "inbox"},
            "spool": {"annotations": {"example.com/backup": "daily"}},
            "config": {
                "server": {"tls": {"crl_from": {"configMap": "revoked", "key": "crl.pem"}}},
                "access": {
                    "tokens": {"platform_7": {"sha256": "9f" * 32, "roles": ["reader"], "merchants": ["M1"]}},
                    "tokens_from": {"key": "tokens.toml"},
                    "jwt": {"issuer": "https://login.example", "audience": ["echeck"],
                            "jwks_from": {"configMap": "login", "key": "jwks.json"}},
                },
                "bucket": {"session_token_from": {"key": "bucket-token"}},
                "nats": {"servers": ["tls://nats-0.nats:4222"], "stream": "RETURNS", "credentials_from": {"key": "nats-creds"},
                         "tls": {"ca_from": {"configMap": "nats", "key": "ca.pem"},
                                 "certificate_from": {"key": "nats.crt"}, "key_from": {"key": "nats.key"}}},
                "webhooks": {"ca_from": {"configMap": "platforms", "key": "ca.pem"}},
                "alerts": {
                    "heartbeat": {"ca_from": {"configMap": "platforms", "key": "ca.pem"}},
                    "channels": {
                        "mail": {"kind": "email", "host": "mail.example", "from": "a@example.com",
                                 "to": ["b@example.com"], "user": "returns",
                                 "password_from": {"secret": "mail", "key": "password"}},
                        "tickets": {"kind": "webhook", "fallback": True, "url_from": {"key": "tickets-url"},
                                    "authorization_from": {"key": "tickets-auth"}},
                    },
                },
                "sources": {
                    "bank": {"format": "nacha", "odfi_routing": ["231380104"],
                             "folder": {"directory": "/var/lib/echeck/inbox", "pattern": "*.ach"},
                             "tolerate": {"block_count": False}},
                    "rejects": {
                        "format": "delimited",
                        "profile": {"name": "rejects", "kind": "validation_failures", "direction": "debit",
                                    "amount_unit": "major",
                                    "columns": {"order_id": "Order", "code": ["Response", "Code"],
                                                "description": 3, "amount": "Amount"}},
                    },
                    "second": {
                        "format": "worldpay_funding_reject",
                        "sftp": {"host": "sftp.second.example", "user": "u", "directory": "/out",
                                 "known_hosts_from": {"configMap": "second", "key": "known_hosts"},
                                 "password_from": {"secret": "second", "key": "password"}},
                    },
                },
            },
        },
        "gatewayAdapter": {"config": {"profile": "rainforest", "transfers": {
            "columns": {"fee": "", "deposit_id": "deposit"}, "funding_policy": "deposit",
            "deposit_none_values": ["0"], "reversal": {"set": {"processor": "ACH"}, "copy": ["region"]}}}},
        "rallypayAdapter": {"config": {"transactions": {
            "status_kind": "integer",
            "statuses": {"failed": 3, "returned": 4, "reversed": 5, "restored": 6, "open": ["0", "1"]}}}},
        "migration": {"extraFiles": [{"configMap": "database-ca", "key": "ca.pem"}]},
        "networkPolicy": {"egress": {"identityProvider": [{"cidr": "198.51.100.0/24", "ports": [443]}],
                                      "nats": [{"namespaceLabels": {"kubernetes.io/metadata.name": "nats"}, "ports": [4222]}]}},
        "monitoring": {
            "serviceMonitor": {"labels": {"release": "prometheus"}},
            "rules": {"labels": {"release": "prometheus"}},
            "dashboards": {"annotations": {"grafana_folder": "Payments"}},
        },
    },
)

# name: values, and what else `render` is given.
CASES = {
    "defaults": ({}, {}),
    "production": (PRODUCTION, {}),
    "production with external secrets": (merged(PRODUCTION, EXTERNAL), {"apis": [EXTERNAL_SECRETS]}),
    "everything": (EVERYTHING, {"apis": [EXTERNAL_SECRETS]}),
    "external secrets without the operator": (EXTERNAL, {}),
    "external secrets always": (merged(EXTERNAL, nested("externalSecrets.mode", "always")), {}),
    "external secrets never": (
        merged(EXTERNAL, nested("externalSecrets.mode", "never")), {"apis": [EXTERNAL_SECRETS]}),
    "production without cert-manager": (merged(PRODUCTION, nested("tls.mode", "existingSecrets")), {}),
    "cert-manager": (CERT_MANAGER, {}),
    "cert-manager with RSA": (merged(CERT_MANAGER, nested("tls.certManager.algorithm", "RSA")), {}),
    "network policies": (NETWORK, {}),
    "network policies without webhooks": (
        merged(NETWORK, nested("returnsService.config.webhooks.enabled", False)), {}),
    "one replica on a volume of its own": (nested("returnsService.spool.accessMode", "ReadWriteOncePod"), {}),
    "an existing claim": (nested("returnsService.spool.existingClaim", "shared"), {}),
    "an inbox": (nested("returnsService.inbox.existingClaim", "inbox"), {}),
    "no migration": (merged(NETWORK, nested("migration.enabled", False)), {}),
    "no grants": (nested("migration.grants.enabled", False), {}),
    "no test": (merged(CERT_MANAGER, NETWORK, nested("tests.enabled", False)), {}),
    "an autoscaler on CPU": (nested("returnsService.autoscaling.enabled", True), {}),
    "an autoscaler on lag": (
        nested("returnsService.autoscaling",
               {"enabled": True, "cpuUtilization": 0, "followerLag": {"enabled": True}}), {}),
    "disruption budgets": (
        {one: nested("podDisruptionBudget.enabled", True)
         for one in ("returnsService", "gatewayAdapter", "rallypayAdapter")}, {}),
    "a service monitor": (nested("monitoring.serviceMonitor.enabled", True), {}),
    "alert rules": (nested("monitoring.rules.enabled", True), {}),
    "dashboards": (nested("monitoring.dashboards.enabled", True), {}),
    "IPv6": (nested("listenAddress", "[::]"), {}),
    "another namespace": (nested("namespaceOverride", "elsewhere"), {}),
    "a full name": (nested("fullnameOverride", "echeck"), {}),
    "another name": (nested("nameOverride", "returns"), {}),
    "a release named as the chart": ({}, {"name": "echeck-returns"}),
    "the longest names": (
        merged(PRODUCTION, EXTERNAL), {"name": "r" * 53, "namespace": "n" * 63, "apis": [EXTERNAL_SECRETS]}),
}

# helm/mutants.py has no time for all of them.
if os.environ.get("ECHECK_FEW_CASES"):
    FEW = ("defaults", "production", "everything", "no migration", "IPv6", "the longest names",
           "one replica on a volume of its own", "network policies without webhooks")
    CASES = {name: CASES[name] for name in FEW}

# A text with everything that ends a string, a line or a section somewhere.
HOSTILE = "a\"b'c\\d\ne\tf]g[h]#i=j{k}\x7fl\u0085m\u2028n${o}{{ p }}%q"
