"""Breaks the chart in one place after the other: `helm/test --mutants`, or only in files whose name
has a text: `helm/test --mutants migration`. The tests must notice each, also without the golden
manifests, which would notice everything."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HELM = pathlib.Path(__file__).resolve().parent

# The file, what stands there, and what is put in its place.
MUTANTS = [
    ("templates/_pod.tpl", "runAsNonRoot: true", "runAsNonRoot: false"),
    ("templates/_pod.tpl", "automountServiceAccountToken: false", "automountServiceAccountToken: true"),
    ("templates/_pod.tpl", "enableServiceLinks: false", "enableServiceLinks: true"),
    ("templates/_pod.tpl", "type: RuntimeDefault", "type: Unconfined"),
    ("templates/_pod.tpl", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
    ("templates/_pod.tpl", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
    ("templates/_pod.tpl", "drop: [ALL]", "drop: [NET_RAW]"),
    ("templates/_pod.tpl", "fsGroup: {{ .root.Values.user | int64 }}", "fsGroup: 1"),
    ("templates/_pod.tpl", "defaultMode: 0440", "defaultMode: 0444"),
    ("templates/_pod.tpl", "checksum/config: {{ sha256sum .toml }}", "checksum/config: {{ sha256sum .component }}"),
    ("templates/_pod.tpl", "path: /readyz", "path: /livez"),
    ("templates/_pod.tpl", "port: metrics", "port: grpc"),
    ("templates/_pod.tpl", "containerPort: 9464", "containerPort: 9465"),
    ("templates/_pod.tpl", "add (div $drain 1000) 20", "20"),
    ("templates/_pod.tpl", "{{- if not .autoscaled }}", "{{- if true }}"),
    ("templates/_pod.tpl", "{{- if .recreate }}", "{{- if false }}"),
    ("templates/_pod.tpl", "name: {{ $own }}\n        - name: tls", "name: {{ $own }}-other\n        - name: tls"),
    ("templates/_pod.tpl", "mountPath: /etc/echeck/tls\n              readOnly: true", "mountPath: /etc/echeck/tls"),
    ("templates/_pod.tpl", "matchLabelKeys: [pod-template-hash]", "matchLabelKey: [pod-template-hash]"),
    ("templates/_names.tpl", "trunc 33", "trunc 40"),
    ("templates/_names.tpl", "(sha256sum $full | trunc 6)", "\"long\""),
    ("templates/_names.tpl", "default .Release.Namespace .Values.namespaceOverride", ".Release.Namespace"),
    ("templates/_names.tpl", "/ns/%s/sa/%s\"", "/ns/%s/serviceaccount/%s\""),
    ("templates/_names.tpl", "app.kubernetes.io/instance: {{ .root.Release.Name | quote }}\n", ""),
    ("templates/_toml.tpl", " | replace \"\\x7f\" \"\\\\u007f\"", ""),
    ("templates/_toml.tpl", "{{- toJson .", "{{- printf \"\\\"%s\\\"\" ."),
    ("templates/_toml.tpl", "{{- int64 . -}}", "{{- . -}}"),
    ("templates/_toml.tpl", "{{- if regexMatch \"^[A-Za-z0-9_-]+$\" . -}}", "{{- if true -}}"),
    ("templates/_references.tpl", "defaultMode: 0440", "defaultMode: 0444"),
    ("templates/_references.tpl", "(printf \"%s_file\"", "(printf \"%s_path\""),
    ("templates/_references.tpl", "mountPath: /etc/echeck/{{ $folder }}", "mountPath: /etc/{{ $folder }}"),
    ("templates/_references.tpl", "| uniq | sortAlpha", ""),
    ("templates/_config.tpl", "\"role\" \"mirror\"", "\"role\" \"system_of_record\""),
    ("templates/_config.tpl", "(list \"adapter_client\")", "(list \"reader\")"),
    ("templates/_config.tpl", "(dict \"roles\" (list \"reader\"))", "(dict \"roles\" (list \"admin\"))"),
    ("templates/_config.tpl", "(not $root.Values.migration.enabled)", "true"),
    ("templates/_config.tpl", "client_ca_file: /etc/echeck/tls/ca.crt", "client_ca_file: /etc/echeck/tls/ca.pem"),
    ("templates/_config.tpl", "mergeOverwrite $config $ours", "merge $config $ours"),
    ("templates/_config.tpl", "{{- if regexMatch $secret .toml -}}", "{{- if false -}}"),
    ("templates/_config.tpl", "AGE-SECRET-KEY-|", ""),
    ("templates/_config.tpl", "\"sources\" (dict \"unused\" (dict \"format\" \"nacha\"))", ""),
    ("templates/services.yaml", "targetPort: metrics", "targetPort: health"),
    ("templates/services.yaml", "$port := dict \"returns-service\" 50051 \"gateway-adapter\" 50052", "$port := dict \"returns-service\" 50051 \"gateway-adapter\" 50055"),
    ("templates/service-accounts.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true"),
    ("templates/certificates.yaml", "(printf \"%s.%s.svc\" $name $namespace) ", ""),
    ("templates/certificates.yaml", "    - client auth\n", ""),
    ("templates/certificates.yaml", "rotationPolicy: Always", "rotation: Always"),
    ("templates/disruption-budgets.yaml", "maxUnavailable: {{ $budget.maxUnavailable | int }}", "minAvailable: 1"),
    ("templates/autoscaler.yaml", "-returns-service\n  minReplicas", "-returns\n  minReplicas"),
    ("templates/autoscaler.yaml", "type: Value\n", "type: AverageValue\n"),
    ("templates/spool.yaml", "accessModes: [{{ $spool.accessMode }}]", "accessModes: {{ $spool.accessMode }}"),
    ("templates/spool.yaml", "helm.sh/resource-policy: keep", "helm.sh/resource-policy: delete"),
    ("templates/migration.yaml", "helm.sh/hook: pre-install,pre-upgrade", "helm.sh/hook: post-install"),
    ("templates/migration.yaml", "\"weight\" \"0\"", "\"weight\" \"-20\""),
    ("templates/migration.yaml", ", --migrate]", "]"),
    ("templates/migration.yaml", "-v ON_ERROR_STOP=1 ", ""),
    ("templates/external-secrets.yaml", "creationPolicy: Owner", "creation: Owner"),
    ("templates/external-secrets.yaml", "name: {{ include \"echeck-returns.fullname\" $ }}-{{ $component }}", "name: {{ $component }}"),
    ("templates/external-secrets.yaml", "\"weight\" \"-10\"", "\"weight\" \"10\""),
    ("templates/network-policies.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]"),
    ("templates/network-policies.yaml", "\"components\" (list \"gateway-adapter\")", "\"components\" (list \"gateway\")"),
    ("templates/network-policies.yaml", "{{- if $udp }}", "{{- if false }}"),
    ("templates/network-policies.yaml", "\"gateway-adapter\" 50052 \"rallypay-adapter\" 50053", "\"gateway-adapter\" 50053 \"rallypay-adapter\" 50052"),
    ("templates/network-policies.yaml", "{{- if .peers }}", "{{- if true }}"),
    ("templates/monitoring.yaml", "- port: metrics", "- port: grpc"),
    ("templates/monitoring.yaml", "replace \"https://runbooks.example\" .runbookUrl", "trim"),
    ("templates/test.yaml", "args: [diagnose]", "args: [status]"),
    ("templates/test.yaml", "value: /etc/echeck/tls/tls.key", "value: /etc/echeck/tls/tls.pem"),
    ("templates/_checks.tpl", "(gt $most 1)", "(gt $most 9)"),
    ("templates/_checks.tpl", "{{- if $faults -}}", "{{- if false -}}"),
    ("templates/_checks.tpl", "{{- if contains (printf \"%q:%q\" \"name\" $name) $lines -}}", "{{- if false -}}"),
    ("values.yaml", "tag: 17.6-alpine3.22", "tag: latest"),
    ("values.yaml", "memory: 256Mi", "memory: \"\""),
    ("values.yaml", "trustDomain: cluster.local", "trustDomain: other.local"),
    ("values.production.yaml", "      adopt_cursor: true\n", ""),
    ("values.schema.json", "\"additionalProperties\": false", "\"additionalProperties\": true"),
    ("values.schema.json", "\"default\": 1024,", "\"default\": 1025,"),
    ("files/rules.yaml", "for: 2m", "for: 3m"),
    ("Chart.yaml", "appVersion: \"0.1.0\"", "appVersion: \"9.9.9\""),
    ("README.md", "Helm", "helm"),
]


# All but the golden manifests.
QUICK_FIRST = ["policies", "rendering", "files", "values", "hostile", "refusals", "schemas", "programs", "release"]


def copy_to(folder):
    """A copy of this folder, beside links to all that is beside it."""
    # The programs run as another user.
    folder.chmod(0o755)
    for one in HELM.parent.iterdir():
        if one != HELM:
            (folder / one.name).symlink_to(one)
    shutil.copytree(HELM, folder / HELM.name)
    return folder / HELM.name


def noticed_by(helm):
    """The first test that fails, if one does."""
    files = [f"tests/test_{name}.py" for name in QUICK_FIRST]
    command = [sys.executable, "-m", "pytest", "--quiet", "-x", "-p", "no:cacheprovider", *files]
    environment = dict(os.environ, ECHECK_FEW_CASES="1")
    ended = subprocess.run(command, cwd=helm, env=environment, capture_output=True, text=True)
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR")) and "::" in line]
    if failed:
        return failed[0].split("::")[1].split(" - ")[0]
    return "no test, since none starts" if ended.returncode else None


def main():
    survived = 0
    chosen = [one for one in MUTANTS if (sys.argv[1] if len(sys.argv) > 1 else "") in one[0]]
    with tempfile.TemporaryDirectory() as folder:
        helm = copy_to(pathlib.Path(folder))
        if by := noticed_by(helm):
            sys.exit(f"the chart as it is fails already: {by}")
        for file, old, new in chosen:
            path = helm / "echeck-returns" / file
            text = path.read_text()
            if old not in text:
                sys.exit(f"{file} has no {old!r} any more")
            path.write_text(text.replace(old, new, 1))
            by = noticed_by(helm)
            path.write_text(text)
            survived += by is None
            print(f"{file}: {old!r} → {new!r}: {f'noticed by {by}' if by else 'SURVIVED'}", flush=True)
    if survived:
        sys.exit(f"{survived} of {len(chosen)} survived")
    print(f"all {len(chosen)} were noticed")


if __name__ == "__main__":
    main()
