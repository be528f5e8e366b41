{{- define "inetdiag-exporter.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "inetdiag-exporter.selectorLabels" -}}
app.kubernetes.io/name: inetdiag-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inetdiag-exporter.labels" -}}
{{ include "inetdiag-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "inetdiag-exporter.priorityClassName" -}}
{{- ternary (include "inetdiag-exporter.fullname" .) .Values.priorityClass.name .Values.priorityClass.create }}
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
