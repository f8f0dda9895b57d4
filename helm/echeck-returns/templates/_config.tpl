{{/*
The TOML of the programs: what the values configure, and what the chart decides, which wins.
*/}}

{{/* What all servers share: a dict of root, port, and `certificates` that the chart adds. */}}
{{- define "echeck-returns.config.common" -}}
server:
  listen: {{ printf "%s:%d" .root.Values.listenAddress (int .port) | quote }}
  tls:
    certificate_file: /etc/echeck/tls/tls.crt
    key_file: /etc/echeck/tls/tls.key
    client_ca_file: /etc/echeck/tls/ca.crt
access:
  certificates:
    {{- toYaml .certificates | nindent 4 }}
metrics:
  listen: {{ printf "%s:9464" .root.Values.listenAddress | quote }}
{{- end -}}

{{- define "echeck-returns.config.returns-service" -}}
{{- $root := .root -}}
{{- $own := printf "%s-returns-service" (include "echeck-returns.fullname" $root) -}}
{{- $config := include "echeck-returns.references.resolve" (dict "table" $root.Values.returnsService.config "own" $own) | fromJson -}}
{{- $certificates := dict -}}
{{- if $root.Values.tests.enabled -}}
{{- $test := include "echeck-returns.identity" (dict "root" $root "component" "test" "given" $root.Values.tls.identities.test) -}}
{{- $_ := set $certificates $test (dict "roles" (list "reader")) -}}
{{- end -}}
{{- $ours := include "echeck-returns.config.common" (dict "root" $root "port" 50051 "certificates" $certificates) | fromYaml -}}
{{- $tls := dict "certificate_file" "/etc/echeck/tls/tls.crt" "key_file" "/etc/echeck/tls/tls.key" "ca_file" "/etc/echeck/tls/ca.crt" -}}
{{- $_ := set $ours "adapter_tls" $tls -}}
{{- $_ := set $ours "database" (dict "migrate" (not $root.Values.migration.enabled)) -}}
{{/* A folder inside the volume, since its root belongs to another user. */}}
{{- $_ := set $ours "spool" (dict "folder" "/var/lib/echeck/volume/spool") -}}
{{- $gateway := include "echeck-returns.host" (dict "root" $root "component" "gateway-adapter") -}}
{{- $rallypay := include "echeck-returns.host" (dict "root" $root "component" "rallypay-adapter") -}}
{{- $_ := set $ours "databases" (dict
      "gateway" (dict "adapter" (printf "https://%s:50052" $gateway) "role" "system_of_record")
      "rallypay" (dict "adapter" (printf "https://%s:50053" $rallypay) "role" "mirror")) -}}
{{- include "echeck-returns.toml.section" (dict "path" "" "table" (mergeOverwrite $config $ours)) -}}
{{- end -}}

{{- define "echeck-returns.config.adapter" -}}
{{- $own := printf "%s-%s" (include "echeck-returns.fullname" .root) .component -}}
{{- $config := include "echeck-returns.references.resolve" (dict "table" .values.config "own" $own) | fromJson -}}
{{- $caller := include "echeck-returns.identity" (dict "root" .root "component" "returns-service" "given" .root.Values.tls.identities.returnsService) -}}
{{- $certificates := dict $caller (dict "roles" (list "adapter_client")) -}}
{{- $ours := include "echeck-returns.config.common" (dict "root" .root "port" .port "certificates" $certificates) | fromYaml -}}
{{- include "echeck-returns.toml.section" (dict "path" "" "table" (mergeOverwrite $config $ours)) -}}
{{- end -}}

{{/*
The configuration of `returns-service --migrate`. It reads every section, but uses [database] alone; so
the others have what is required, without secrets.
*/}}
{{- define "echeck-returns.config.migrate" -}}
{{- $own := printf "%s-migrate" (include "echeck-returns.fullname" .root) -}}
{{- $database := include "echeck-returns.references.resolve" (dict "table" .root.Values.migration.database "own" $own) | fromJson -}}
{{- $config := dict
      "log" (default (dict) .root.Values.returnsService.config.log)
      "database" (merge (dict "max_connections" 4) $database)
      "spool" (dict "folder" "/tmp/unused" "identity" "unused")
      "databases" (dict "unused" (dict "adapter" "http://127.0.0.1:1" "role" "system_of_record"))
      "sources" (dict "unused" (dict "format" "nacha")) -}}
{{- include "echeck-returns.toml.section" (dict "path" "" "table" $config) -}}
{{- end -}}

{{/* A ConfigMap's `data` with one TOML file. A secret in clear is refused. */}}
{{- define "echeck-returns.config.data" -}}
{{- $secret := "AGE-SECRET-KEY-|PRIVATE KEY( BLOCK)?-----|://[^/@\"\\s]*:[^/@\"\\s]+@|hooks\\.slack\\.com/services/" -}}
{{- if regexMatch $secret .toml -}}
{{- fail (printf "\n%s: a value holds a secret in clear. Put it into a Secret, and name it with the key that ends in _from" .at) -}}
{{- end -}}
{{- dict .file (printf "%s\n" (trim .toml)) | toYaml -}}
{{- end -}}
