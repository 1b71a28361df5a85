{{- define "clipmill.name" -}}
{{ .Values.fullnameOverride | default .Release.Name }}
{{- end }}

{{- /* Labels that select the pods of a component. Takes (dict "root" $ "component" NAME). */}}
{{- define "clipmill.selector" -}}
app.kubernetes.io/name: clipmill
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "clipmill.labels" -}}
{{ include "clipmill.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Reference of an image. Takes (dict "root" $ "image" IMAGE). */}}
{{- define "clipmill.image" -}}
{{- with .root.Values.image.registry }}{{ . }}/{{ end }}{{ .image.repository }}
{{- with .image.digest }}@{{ . }}{{ else }}:{{ .image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "clipmill.keys" -}}
{{ .Values.keys.existingSecret | default (printf "%s-keys" (include "clipmill.name" .)) }}
{{- end }}

{{- define "clipmill.credentialKeys" -}}
{{ .Values.credentials.existingSecret | default (printf "%s-credentials" (include "clipmill.name" .)) }}
{{- end }}

{{- define "clipmill.databaseSecret" -}}
{{ .Values.database.bundled.existingSecret | default (printf "%s-database" (include "clipmill.name" .)) }}
{{- end }}

{{- define "clipmill.apiHost" -}}
{{ include "clipmill.name" . }}-api.{{ .Release.Namespace }}.svc
{{- end }}

{{- define "clipmill.apiScheme" -}}
{{ ternary "http" "https" (eq .Values.tls.mode "none") }}
{{- end }}

{{- define "clipmill.apiPort" -}}
{{ ternary 443 .Values.api.service.port (and (ne .Values.tls.mode "none") (eq (int .Values.api.service.port) 80)) }}
{{- end }}

{{- /* URL of the API inside the cluster. */}}
{{- define "clipmill.apiUrl" -}}
{{ include "clipmill.apiScheme" . }}://{{ include "clipmill.apiHost" . }}:{{ include "clipmill.apiPort" . }}
{{- end }}

{{- /* Host names of the API inside the cluster as a JSON array. */}}
{{- define "clipmill.apiNames" -}}
{{- $name := printf "%s-api" (include "clipmill.name" .) }}
{{- $host := include "clipmill.apiHost" . }}
{{- list $host (printf "%s.cluster.local" $host) (printf "%s.%s" $name .Release.Namespace) $name | toJson }}
{{- end }}

{{- /* Secret with the certificate of the API, or with the CA that signs it. */}}
{{- define "clipmill.tlsSecret" -}}
{{- if eq .Values.tls.mode "existing" }}{{ .Values.tls.existingSecret }}
{{- else if eq .Values.tls.mode "certManager" }}{{ include "clipmill.name" . }}-tls
{{- else }}{{ include "clipmill.name" . }}-ca{{ end }}
{{- end }}

{{- /* The CA of the API as {configMap or secret: {name, key}}. Empty for plain HTTP and for a public CA. */}}
{{- define "clipmill.authority" -}}
{{- if ne .Values.tls.mode "none" }}
{{- if eq .Values.tls.mode "selfSigned" }}
secret: {name: {{ include "clipmill.tlsSecret" . }}, key: ca.crt}
{{- else if and .Values.tls.caKey .Values.tls.caConfigMap }}
configMap: {name: {{ .Values.tls.caConfigMap }}, key: {{ .Values.tls.caKey }}}
{{- else if .Values.tls.caKey }}
secret: {name: {{ include "clipmill.tlsSecret" . }}, key: {{ .Values.tls.caKey }}}
{{- end }}
{{- end }}
{{- end }}

{{- /* A security context whose fields the values replace. Takes (dict "defaults" YAML "values" VALUES). */}}
{{- define "clipmill.securityContext" -}}
{{- mergeOverwrite (fromYaml .defaults) .values | toYaml }}
{{- end }}

{{- /* host:port of a database that job pods must not reach. Empty if there is none. */}}
{{- define "clipmill.databaseAddress" -}}
{{- if eq .Values.database.mode "bundled" }}{{ include "clipmill.name" . }}-database.{{ .Release.Namespace }}.svc:5432
{{- else }}{{ .Values.tests.databaseAddress }}{{ end }}
{{- end }}

{{- /* Namespace with job pods, in which `helm test` runs. */}}
{{- define "clipmill.jobsNamespace" -}}
{{ .Values.jobs.submitNamespace | default (first .Values.watchNamespaces) | default .Release.Namespace }}
{{- end }}

{{- /* Container security context: Pod Security `restricted` and a read-only root. */}}
{{- define "clipmill.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* User of the programs in the images. */}}
{{- define "clipmill.user" -}}
runAsUser: 10001
runAsGroup: 10001
{{- end }}

{{- /* Scheduling fields of a pod. Takes the values of a component. */}}
{{- define "clipmill.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "clipmill.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* networkPolicy.excludedCIDRs of one IP version as a JSON array. */}}
{{- define "clipmill.excluded4" -}}
{{- $cidrs := list }}
{{- range .Values.networkPolicy.excludedCIDRs }}{{ if not (contains ":" .) }}{{ $cidrs = append $cidrs . }}{{ end }}{{ end }}
{{- $cidrs | toJson }}
{{- end }}

{{- define "clipmill.excluded6" -}}
{{- $cidrs := list }}
{{- range .Values.networkPolicy.excludedCIDRs }}{{ if contains ":" . }}{{ $cidrs = append $cidrs . }}{{ end }}{{ end }}
{{- $cidrs | toJson }}
{{- end }}

{{- /* Not empty if the pods of the API share nothing on a disk: rows are in PostgreSQL, bytes in an object store. */ -}}
{{- define "clipmill.apiIsStateless" -}}
{{- if and .Values.api.objectStore.url (ne .Values.database.mode "sqlite") (not .Values.api.storage.existingClaim) -}}
yes
{{- end -}}
{{- end -}}
