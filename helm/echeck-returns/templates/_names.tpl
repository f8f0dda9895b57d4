{{/*
The prefix of all names: 40 characters at most, so that a Service's name with its suffix has at most
63. What is longer is cut, and gets a hash, so that two long names stay two.
*/}}
{{- define "echeck-returns.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- if gt (len $full) 40 -}}
{{- printf "%s-%s" ($full | trunc 33 | trimSuffix "-") (sha256sum $full | trunc 6) -}}
{{- else -}}
{{- $full -}}
{{- end -}}
{{- end -}}

{{- define "echeck-returns.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* What selects the pods of a component. It must never change. */}}
{{- define "echeck-returns.selector" -}}
app.kubernetes.io/name: echeck-returns
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "echeck-returns.labels" -}}
{{- with .root.Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
{{ include "echeck-returns.selector" . }}
app.kubernetes.io/part-of: echeck-returns
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* `metadata` of a resource: a dict of root, component, and `name`, the suffix of its name. */}}
{{- define "echeck-returns.metadata" -}}
name: {{ include "echeck-returns.fullname" .root }}{{ with .name }}-{{ . }}{{ end }}
namespace: {{ include "echeck-returns.namespace" .root }}
labels:
  {{- include "echeck-returns.labels" . | nindent 2 }}
{{- end -}}

{{/* Who a program is in its certificate, a dict of root, component and `given`. */}}
{{- define "echeck-returns.identity" -}}
{{- $name := printf "%s-%s" (include "echeck-returns.fullname" .root) .component -}}
{{- default (printf "spiffe://%s/ns/%s/sa/%s" .root.Values.tls.trustDomain (include "echeck-returns.namespace" .root) $name) .given -}}
{{- end -}}

{{/* The host that a program is called by. */}}
{{- define "echeck-returns.host" -}}
{{ include "echeck-returns.fullname" .root }}-{{ .component }}.{{ include "echeck-returns.namespace" .root }}.svc
{{- end -}}

{{/* The Secret of a program's certificate: a dict of root, component and `key` in the values. */}}
{{- define "echeck-returns.tls.secret" -}}
{{- $default := printf "%s-%s-tls" (include "echeck-returns.fullname" .root) .component -}}
{{- if eq .root.Values.tls.mode "certManager" -}}
{{- $default -}}
{{- else -}}
{{- default $default (index .root.Values.tls.existingSecrets .key) -}}
{{- end -}}
{{- end -}}

{{/* An image: a dict of the chart's and the program's, which wins. */}}
{{- define "echeck-returns.image" -}}
{{- $image := merge (dict) (default (dict) .own) .image -}}
{{- $path := $image.repository -}}
{{- with $image.registry }}{{ $path = printf "%s/%s" . $image.repository }}{{ end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $path $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $path (default .version $image.tag) -}}
{{- end -}}
{{- end -}}
