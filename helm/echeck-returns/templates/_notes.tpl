{{/* What to do next. Its own template, so that tests can render it. */}}
{{- define "echeck-returns.notes" -}}
{{- $full := include "echeck-returns.fullname" . -}}
{{- $namespace := include "echeck-returns.namespace" . -}}
{{- $needed := dict -}}
{{- $programs := dict
      "returns-service" (dict "key" "returnsService" "table" .Values.returnsService.config "extra" .Values.returnsService.extraFiles)
      "gateway-adapter" (dict "key" "gatewayAdapter" "table" .Values.gatewayAdapter.config "extra" .Values.gatewayAdapter.extraFiles)
      "rallypay-adapter" (dict "key" "rallypayAdapter" "table" .Values.rallypayAdapter.config "extra" .Values.rallypayAdapter.extraFiles) -}}
{{- if .Values.migration.enabled -}}
{{- $_ := set $programs "migrate" (dict "key" "migration" "table" .Values.migration.database "extra" .Values.migration.extraFiles) -}}
{{- end -}}
{{- range $component, $program := $programs -}}
{{- $own := printf "%s-%s" $full $component -}}
{{- $written := list -}}
{{- if include "echeck-returns.externalSecrets.used" $ -}}
{{- $written = keys (index $.Values.externalSecrets $program.key) -}}
{{- end -}}
{{- range include "echeck-returns.references.all" (merge (dict "own" $own) $program) | splitList "\n" -}}
{{- if . -}}
{{- $one := fromJson . -}}
{{- if not (and (eq $one.name $own) (has $one.key $written)) -}}
{{- $name := printf "%s %s" (ternary "Secret" "ConfigMap" (eq $one.kind "secret")) $one.name -}}
{{- $_ := set $needed $name (append (default list (index $needed $name)) $one.key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.tls.mode "existingSecrets" -}}
{{- $shown := dict "returns-service" "returnsService" "gateway-adapter" "gatewayAdapter" "rallypay-adapter" "rallypayAdapter" -}}
{{- if .Values.tests.enabled }}{{ $_ := set $shown "test" "test" }}{{ end -}}
{{- range $component, $key := $shown -}}
{{- $name := include "echeck-returns.tls.secret" (dict "root" $ "component" $component "key" $key) -}}
{{- $_ := set $needed (printf "Secret %s" $name) (list "tls.crt" "tls.key" "ca.crt") -}}
{{- end -}}
{{- end -}}
The returns service, its two adapters and their configuration are in the namespace {{ $namespace }}.
{{- if $needed }}

They need these, which nothing here makes:
{{ range $name, $keys := $needed }}
  {{ $name }}: {{ $keys | uniq | join ", " }}
{{- end }}
{{- end }}

Next, wait for them:

  kubectl --namespace {{ $namespace }} rollout status deployment/{{ $full }}-returns-service --timeout 5m
{{- if .Values.tests.enabled }}

Then ask the service whether everything that it needs is available:

  helm test {{ .Release.Name }} --namespace {{ .Release.Namespace }} --logs
{{- end }}

Compare each adapter's configuration with its database, before the first file:
{{ range list "gateway-adapter" "rallypay-adapter" }}
  kubectl --namespace {{ $namespace }} exec deploy/{{ $full }}-{{ . }} -- {{ . }} --config /etc/echeck/config/{{ . }}.toml --check
{{- end }}
{{- if not .Values.migration.enabled }}

migration.enabled is false: the service changes its tables at its start, with its own account.
{{- end }}
{{- if not .Values.networkPolicy.enabled }}

networkPolicy.enabled is false: pods may connect to anything.
{{- end }}
{{- if not .Values.monitoring.rules.enabled }}

monitoring.rules.enabled is false: nobody learns when the whole service is down.
{{- end }}
{{- end -}}
