{{- define "inetdiag-exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name }}
{{- end }}

{{- /* The limit is that of names of Services. */}}
{{- define "inetdiag-exporter.fullname" -}}
{{- $name := include "inetdiag-exporter.name" . }}
{{- $default := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $default | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Of objects without a namespace. Releases in two namespaces may have the same name. */}}
{{- define "inetdiag-exporter.clusterName" -}}
{{- $name := include "inetdiag-exporter.fullname" . }}
{{- ternary $name (printf "%s-%s" .Release.Namespace $name) (eq .Release.Namespace $name) }}
{{- end }}

{{- define "inetdiag-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "inetdiag-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inetdiag-exporter.labels" -}}
{{ include "inetdiag-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "inetdiag-exporter.priorityClassName" -}}
{{- ternary (include "inetdiag-exporter.clusterName" .) .Values.priorityClass.name .Values.priorityClass.create }}
{{- end }}

{{- /* User 0 because Kubernetes sets no ambient capabilities, so other users lose theirs at execve(). */}}
{{- define "inetdiag-exporter.user" -}}
{{- ternary 65534 0 (eq .Values.netns.discover "off") }}
{{- end }}

{{- /* setns() needs SYS_ADMIN, /proc/PID/ns/net needs SYS_PTRACE. */}}
{{- define "inetdiag-exporter.capabilities" -}}
{{- if ne .Values.netns.discover "off" }}
- SYS_ADMIN
{{- end }}
{{- if has .Values.netns.discover (list "processes" "all") }}
- SYS_PTRACE
{{- end }}
{{- end }}

{{- define "inetdiag-exporter.probe" -}}
{{- if .context.Values.web.clientCertificates }}
tcpSocket:
  port: metrics
{{- else }}
httpGet:
  path: {{ .path }}
  port: metrics
  {{- if .context.Values.web.tls }}
  scheme: HTTPS
  {{- end }}
{{- end }}
{{- end }}

{{- /* The endpoint of a PodMonitor or ServiceMonitor. */}}
{{- define "inetdiag-exporter.endpoint" -}}
port: metrics
{{- if .Values.web.tls }}
scheme: https
{{- end }}
relabelings:
  - sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: instance
  {{- with .Values.monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.monitor.endpoint }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Links in files/ that a copy of the chart lacks. */}}
{{- define "inetdiag-exporter.missingFiles" -}}
{{- fail "files/ is empty: run `helm package` in a complete clone and install that package" }}
{{- end }}
