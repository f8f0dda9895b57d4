{{/*
What a schema cannot say, in sentences; all faults are reported together.
*/}}
{{- define "echeck-returns.checks" -}}
{{- $faults := list -}}
{{- $returns := .Values.returnsService -}}
{{- $config := $returns.config -}}

{{- $most := $returns.replicas | int -}}
{{- with $returns.autoscaling -}}
{{- if .enabled -}}
{{- $most = .maxReplicas | int -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- $faults = append $faults "returnsService.autoscaling: minReplicas is above maxReplicas" -}}
{{- end -}}
{{- if not (or .cpuUtilization .followerLag.enabled) -}}
{{- $faults = append $faults "returnsService.autoscaling: neither cpuUtilization nor followerLag is on; nothing would scale" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (gt $most 1) (ne $returns.spool.accessMode "ReadWriteMany") -}}
{{- $faults = append $faults (printf "returnsService.spool.accessMode: %d replicas share the spool, and need ReadWriteMany, not %s" $most $returns.spool.accessMode) -}}
{{- end -}}

{{- range $name, $source := $config.sources -}}
{{- if $source -}}
{{- if and $source.sftp $source.folder -}}
{{- $faults = append $faults (printf "returnsService.config.sources.%s: has sftp and folder; keep one" $name) -}}
{{- end -}}
{{- if and $source.folder (not $returns.inbox.existingClaim) -}}
{{- $faults = append $faults (printf "returnsService.config.sources.%s.folder: needs returnsService.inbox.existingClaim, where the files arrive" $name) -}}
{{- end -}}
{{- if and (eq $source.format "delimited") (not $source.profile) -}}
{{- $faults = append $faults (printf "returnsService.config.sources.%s: the format delimited needs a profile" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and (dig "journal" "signing_key_from" dict $config) (not $config.bucket) -}}
{{- $faults = append $faults "returnsService.config.journal.signing_key_from: needs returnsService.config.bucket, where the signed checkpoints are put" -}}
{{- end -}}

{{- if and (eq .Values.tls.mode "certManager") (not .Values.tls.certManager.issuerRef.name) -}}
{{- $faults = append $faults "tls.certManager.issuerRef.name: is required with tls.mode certManager" -}}
{{- end -}}

{{/* The owner of the tables must not be in reach of a program that only uses them. */}}
{{- if .Values.migration.enabled -}}
{{- $owner := .Values.migration.database.url_from -}}
{{- $full := include "echeck-returns.fullname" . -}}
{{- $name := default (printf "%s-migrate" $full) $owner.secret -}}
{{- range $component, $values := dict "returns-service" $returns "gateway-adapter" .Values.gatewayAdapter "rallypay-adapter" .Values.rallypayAdapter -}}
{{- $lines := include "echeck-returns.references.all" (dict "table" $values.config "extra" $values.extraFiles "own" (printf "%s-%s" $full $component)) -}}
{{- if contains (printf "%q:%q" "name" $name) $lines -}}
{{- $faults = append $faults (printf "migration.database.url_from: the Secret %s is also mounted by %s; the account that owns the tables needs a Secret of its own" $name $component) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with .Values.externalSecrets -}}
{{- if and (or .returnsService .gatewayAdapter .rallypayAdapter .migration) (ne .mode "never") (not .store.name) -}}
{{- $faults = append $faults "externalSecrets.store.name: is required where externalSecrets names keys" -}}
{{- end -}}
{{- end -}}

{{- if .Values.networkPolicy.enabled -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.networkPolicy.ingress.monitoring) -}}
{{- $faults = append $faults "networkPolicy.ingress.monitoring: is empty, so Prometheus cannot read the numbers" -}}
{{- end -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- $needed := dict "returnsDatabase" "the returns database" "gatewayDatabase" "the core gateway's database" "rallypayDatabase" "the RallyPay app's database" "dns" "names of services" -}}
{{- range $name, $source := $config.sources -}}
{{- if and $source $source.sftp }}{{ $_ := set $needed "sftp" (printf "the SFTP server of the source %s" $name) }}{{ end -}}
{{- end -}}
{{- if $config.bucket }}{{ $_ := set $needed "bucket" "the bucket" }}{{ end -}}
{{- if or (dig "alerts" "channels" dict $config) (dig "alerts" "heartbeat" dict $config) }}{{ $_ := set $needed "alerts" "alert channels" }}{{ end -}}
{{- if $config.nats }}{{ $_ := set $needed "nats" "the NATS servers" }}{{ end -}}
{{- if or $config.otlp .Values.gatewayAdapter.config.otlp .Values.rallypayAdapter.config.otlp }}{{ $_ := set $needed "otlp" "the OTLP collector" }}{{ end -}}
{{- if dig "access" "jwt" "jwks_url" "" $config }}{{ $_ := set $needed "identityProvider" "the keys of JWTs" }}{{ end -}}
{{- if dig "webhooks" "enabled" true $config }}{{ $_ := set $needed "platforms" "the platforms' webhooks" }}{{ end -}}
{{- range $name, $what := $needed -}}
{{- if not (index $egress $name) -}}
{{- $faults = append $faults (printf "networkPolicy.egress.%s: is empty, so %s cannot be reached" $name $what) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if $faults -}}
{{- fail (printf "\nThe values do not fit together:\n  %s" (join "\n  " $faults)) -}}
{{- end -}}
{{- end -}}
