{{/* What every pod has: it runs as nobody, and has no way to the API server. */}}
{{- define "echeck-returns.pod.common" -}}
automountServiceAccountToken: false
# A Service's variables could be taken for keys of the configuration, which begin with ECHECK__.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .root.Values.user | int64 }}
  runAsGroup: {{ .root.Values.user | int64 }}
  # By this group the pod reads its secrets, which are closed to all others.
  fsGroup: {{ .root.Values.user | int64 }}
  # Else each start would open the whole spool to the group, file by file.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "echeck-returns.container.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "echeck-returns.resources" -}}
{{- range $kind := list "requests" "limits" }}
{{ $kind }}:
  cpu: {{ index $ $kind "cpu" | toString | quote }}
  memory: {{ index $ $kind "memory" | toString | quote }}
{{- end }}
{{- end -}}

{{/* Where pods may run: a dict of root, component and values. */}}
{{- define "echeck-returns.pod.placement" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "echeck-returns.selector" (dict "root" $.root "component" $.component) | nindent 8 }}
    # Pods of the version before do not count.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{/*
The Deployment of a program: a dict of root, component, values, port, `tls` (its key in
tls.existingSecrets), toml, `volumes` and `mounts` (more of them, as YAML), `env`, `recreate` and
`autoscaled`.
*/}}
{{- define "echeck-returns.deployment" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $own := printf "%s-%s" (include "echeck-returns.fullname" $root) .component -}}
{{- $references := dict "table" $values.config "extra" $values.extraFiles "own" $own -}}
{{- $drain := dig "server" "drain_timeout_ms" 25000 $values.config | int -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "echeck-returns.metadata" (dict "root" $root "component" .component "name" .component) | nindent 2 }}
spec:
  {{- if not .autoscaled }}
  replicas: {{ $values.replicas | int }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    {{- if .recreate }}
    # Two pods could not mount the volume.
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
    {{- end }}
  selector:
    matchLabels:
      {{- include "echeck-returns.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "echeck-returns.labels" . | nindent 8 }}
      annotations:
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        # A program reads its configuration once: another one needs other pods.
        checksum/config: {{ sha256sum .toml }}
    spec:
      serviceAccountName: {{ $own }}
      {{- include "echeck-returns.pod.common" . | nindent 6 }}
      {{- include "echeck-returns.pod.placement" . | nindent 6 }}
      # Five seconds of preStop, the drain, and the last numbers.
      terminationGracePeriodSeconds: {{ add (div $drain 1000) 20 }}
      containers:
        - name: {{ .component }}
          image: {{ include "echeck-returns.image" (dict "image" $root.Values.image "own" $values.image "version" $root.Chart.AppVersion) | quote }}
          imagePullPolicy: {{ dig "pullPolicy" $root.Values.image.pullPolicy (default (dict) $values.image) }}
          command: [{{ .component }}]
          args: [--config, /etc/echeck/config/{{ .component }}.toml]
          {{- with .env }}
          env:
            {{- . | nindent 12 }}
          {{- end }}
          ports:
            - name: grpc
              containerPort: {{ .port }}
            - name: metrics
              containerPort: 9464
          # Five minutes: a start waits for its database.
          startupProbe:
            httpGet:
              path: /startupz
              port: metrics
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 150
          readinessProbe:
            httpGet:
              path: /readyz
              port: metrics
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          livenessProbe:
            httpGet:
              path: /livez
              port: metrics
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          lifecycle:
            # Until everybody knows that this pod takes no new connections.
            preStop:
              sleep:
                seconds: 5
          resources:
            {{- include "echeck-returns.resources" $values.resources | nindent 12 }}
          {{- include "echeck-returns.container.security" . | nindent 10 }}
          volumeMounts:
            - name: config
              mountPath: /etc/echeck/config
              readOnly: true
            - name: tls
              mountPath: /etc/echeck/tls
              readOnly: true
            {{- include "echeck-returns.references.mounts" $references | nindent 12 }}
            - name: tmp
              mountPath: /tmp
            {{- with .mounts }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - name: config
          configMap:
            name: {{ $own }}
        - name: tls
          secret:
            secretName: {{ include "echeck-returns.tls.secret" (dict "root" $root "component" .component "key" .tls) }}
            defaultMode: 0440
        {{- include "echeck-returns.references.volumes" $references | nindent 8 }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
{{- end -}}
