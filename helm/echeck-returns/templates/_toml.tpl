{{/*
TOML from values. Strings are written as JSON, whose escapes TOML has too, except that JSON leaves two
characters as they are: DEL, which TOML does not allow, and NEL, which ends a line of YAML. So no quote, newline or bracket in a value can end
its string. Numbers are whole: YAML reads them as floats, which the programs would refuse.
*/}}
{{- define "echeck-returns.toml.value" -}}
{{- if kindIs "string" . -}}
{{- toJson . | replace "\x7f" "\\u007f" | replace "\u0085" "\\u0085" -}}
{{- else if kindIs "bool" . -}}
{{- . -}}
{{- else if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . }}{{ $items = append $items (include "echeck-returns.toml.value" .) }}{{ end -}}
[{{ join ", " $items }}]
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{- define "echeck-returns.toml.key" -}}
{{- if regexMatch "^[A-Za-z0-9_-]+$" . -}}{{- . -}}{{- else -}}{{- include "echeck-returns.toml.value" . -}}{{- end -}}
{{- end -}}

{{/* A section and those in it: a dict of `path`, its header, and `table`. */}}
{{- define "echeck-returns.toml.section" -}}
{{- $path := .path -}}
{{- range $key, $value := .table -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ include "echeck-returns.toml.key" $key }} = {{ include "echeck-returns.toml.value" $value }}
{{- end -}}
{{- end -}}
{{- range $key, $value := .table -}}
{{- if kindIs "map" $value -}}
{{- $inner := include "echeck-returns.toml.key" $key -}}
{{- if $path }}{{ $inner = printf "%s.%s" $path $inner }}{{ end }}

[{{ $inner }}]
{{- include "echeck-returns.toml.section" (dict "path" $inner "table" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
