{{/*
References to Secrets and ConfigMaps. `password_from: {secret: NAME, key: KEY}` in the values becomes
`password_file = "/etc/echeck/secrets/NAME/KEY"` in the TOML, and a file in the pod.
*/}}

{{/* Not empty when a value is a reference: a dict of `key` and `value`. */}}
{{- define "echeck-returns.reference.is" -}}
{{- if and (hasSuffix "_from" .key) (kindIs "map" .value) -}}
{{- if and (hasKey .value "key") (not (omit .value "key" "secret" "configMap")) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where a reference is in the pod, below /etc/echeck: a dict of the `reference` and `own` Secret. */}}
{{- define "echeck-returns.reference.path" -}}
{{- if .reference.configMap -}}
files/{{ .reference.configMap }}/{{ .reference.key }}
{{- else -}}
secrets/{{ default .own .reference.secret }}/{{ .reference.key }}
{{- end -}}
{{- end -}}

{{/* A configuration, as JSON, in which each reference is a file: a dict of `table` and `own`. */}}
{{- define "echeck-returns.references.resolve" -}}
{{- $own := .own -}}
{{- $resolved := dict -}}
{{- range $key, $value := .table -}}
{{- if include "echeck-returns.reference.is" (dict "key" $key "value" $value) -}}
{{- $path := include "echeck-returns.reference.path" (dict "reference" $value "own" $own) -}}
{{- $_ := set $resolved (printf "%s_file" (trimSuffix "_from" $key)) (printf "/etc/echeck/%s" $path) -}}
{{- else if kindIs "map" $value -}}
{{- $_ := set $resolved $key (include "echeck-returns.references.resolve" (dict "table" $value "own" $own) | fromJson) -}}
{{- else -}}
{{- $_ := set $resolved $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $resolved -}}
{{- end -}}

{{/* The references in a configuration, one a line as JSON: a dict of `table` and `own`. */}}
{{- define "echeck-returns.references.list" -}}
{{- $own := .own -}}
{{- range $key, $value := .table -}}
{{- if include "echeck-returns.reference.is" (dict "key" $key "value" $value) }}
{{ include "echeck-returns.reference.line" (dict "reference" $value "own" $own) }}
{{- else if kindIs "map" $value -}}
{{- include "echeck-returns.references.list" (dict "table" $value "own" $own) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "echeck-returns.reference.line" -}}
{{- if .reference.configMap -}}
{{- dict "kind" "configMap" "name" .reference.configMap "key" .reference.key | toJson -}}
{{- else -}}
{{- dict "kind" "secret" "name" (default .own .reference.secret) "key" .reference.key | toJson -}}
{{- end -}}
{{- end -}}

{{/* All references of a program, one a line: a dict of `table`, `extra` (a list) and `own`. */}}
{{- define "echeck-returns.references.all" -}}
{{- $own := .own -}}
{{- $lines := include "echeck-returns.references.list" . -}}
{{- range .extra }}{{ $lines = printf "%s\n%s" $lines (include "echeck-returns.reference.line" (dict "reference" . "own" $own)) }}{{ end -}}
{{- range $lines | splitList "\n" | uniq | sortAlpha }}{{ if . }}
{{ . }}
{{- end }}{{ end -}}
{{- end -}}

{{/*
The volumes with them, one of Secrets and one of ConfigMaps: a dict of `table`, `extra` and `own`. Their
files are closed to all but their owner and group; a program refuses a secret that is not.
*/}}
{{- define "echeck-returns.references.volumes" -}}
{{- $lines := include "echeck-returns.references.all" . -}}
{{- range $folder, $kind := dict "secrets" "secret" "files" "configMap" }}
{{- if contains (printf "%q:%q" "kind" $kind) $lines }}
- name: {{ $folder }}
  projected:
    defaultMode: 0440
    sources:
      {{- range splitList "\n" $lines }}
      {{- if contains (printf "%q:%q" "kind" $kind) . }}
      {{- $one := fromJson . }}
      - {{ $kind }}:
          name: {{ $one.name | quote }}
          items:
            - key: {{ $one.key | quote }}
              path: {{ printf "%s/%s" $one.name $one.key | quote }}
      {{- end }}
      {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "echeck-returns.references.mounts" -}}
{{- $lines := include "echeck-returns.references.all" . -}}
{{- range $folder, $kind := dict "secrets" "secret" "files" "configMap" }}
{{- if contains (printf "%q:%q" "kind" $kind) $lines }}
- name: {{ $folder }}
  mountPath: /etc/echeck/{{ $folder }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}
