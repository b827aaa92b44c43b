{{- define "btcctl.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimAll "-" }}
{{- end }}

{{- /* Short enough that every suffix fits into a label. */}}
{{- define "btcctl.fullname" -}}
{{- $name := include "btcctl.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimAll "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimAll "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimAll "-" }}
{{- end }}
{{- end }}

{{- /* Of objects without a namespace: two releases of one name in two namespaces do not meet. */}}
{{- define "btcctl.clusterName" -}}
{{- $name := include "btcctl.fullname" . }}
{{- if eq $name .Release.Namespace }}{{ $name }}{{ else }}{{ printf "%s-%s" .Release.Namespace $name }}{{ end }}
{{- end }}

{{- define "btcctl.serviceAccountName" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}{{ include "btcctl.fullname" . }}-sva
{{- else }}default
{{- end }}
{{- end }}

{{- define "btcctl.leaseName" -}}
{{- if .Values.leaderElection.leaseName }}{{ .Values.leaderElection.leaseName }}
{{- else if .Values.watchNamespaces }}{{ include "btcctl.fullname" . }}
{{- else }}bitcoin-controller
{{- end }}
{{- end }}

{{- /* Takes a duration as Go writes it, or a number, which is of seconds, as is one without a unit. */}}
{{- define "btcctl.duration" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ int64 . }}{{ end }}
{{- end }}

{{- define "btcctl.milliseconds" -}}
{{- $total := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|s|m|h)?" (include "btcctl.duration" .) -1 }}
{{- $unit := regexFind "[a-z]*$" . }}
{{- $factor := get (dict "ms" 1.0 "" 1000.0 "s" 1000.0 "m" 60000.0 "h" 3600000.0) $unit }}
{{- $total = addf $total (mulf (trimSuffix $unit . | float64) $factor) }}
{{- end }}
{{- $total }}
{{- end }}

{{- /* Whether the page looks inside the controller: with several copies the Service may lead to one that waits. */}}
{{- define "btcctl.viewAsksController" -}}
{{- if and .Values.view.enabled .Values.debugEndpoints .Values.metrics.service.enabled (eq (int .Values.replicas) 1) }}yes{{ end }}
{{- end }}

{{- define "btcctl.selectorLabels" -}}
app.kubernetes.io/name: {{ include "btcctl.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: controller
{{- end }}

{{- /* Takes the context, or a list of the context and more labels. Ours win. */}}
{{- define "btcctl.labels" -}}
{{- $root := . }}
{{- $more := dict }}
{{- if kindIs "slice" . }}{{ $root = index . 0 }}{{ $more = index . 1 | default dict }}{{ end }}
{{- $ours := include "btcctl.selectorLabels" $root | fromYaml }}
{{- $_ := set $ours "app.kubernetes.io/version" $root.Chart.AppVersion }}
{{- $_ := set $ours "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $ours "app.kubernetes.io/part-of" "btcctl" }}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63) }}
{{- toYaml (merge dict $ours $more ($root.Values.commonLabels | default dict)) }}
{{- end }}

{{- /* Takes a list of the context and an object's own annotations. With its key, or nothing. */}}
{{- define "btcctl.annotations" -}}
{{- $all := merge dict (index . 1 | default dict) ((index . 0).Values.commonAnnotations | default dict) }}
{{- with $all }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Takes a list of the context and an image. */}}
{{- define "btcctl.imageOf" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- $registry := $root.Values.global.imageRegistry | default $image.registry }}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "btcctl.isOpenShift" -}}
{{- if or (eq .Values.openshift "enabled") (and (eq .Values.openshift "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}yes{{ end }}
{{- end }}

{{- /* Takes a list of the context and a security context: OpenShift chooses users and groups itself. */}}
{{- define "btcctl.securityContext" -}}
{{- $given := deepCopy (index . 1 | default dict) }}
{{- if include "btcctl.isOpenShift" (index . 0) }}
{{- $given = omit $given "runAsUser" "runAsGroup" "fsGroup" "supplementalGroups" }}
{{- end }}
{{- toYaml $given }}
{{- end }}

{{- /* Where pods of the release may run, and whom they find there. What keeps the controller's apart is of theirs alone. */}}
{{- define "btcctl.place" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Of the pods beside the controller's. */}}
{{- define "btcctl.nodeAffinity" -}}
{{- with (.Values.affinity | default dict).nodeAffinity }}
affinity:
  nodeAffinity:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "btcctl.pullSecrets" -}}
{{- $all := concat (.Values.global.imagePullSecrets | default list) (.Values.imagePullSecrets | default list) | uniq }}
{{- with $all }}
imagePullSecrets:
{{- range . }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What the controller may do in a namespace, or in all. */}}
{{- define "btcctl.rules" -}}
- apiGroups: ["bitcoincontroller.christianb93.github.com"]
  resources: ["bitcoinnetworks"]
  verbs: ["list", "watch"]
- apiGroups: ["bitcoincontroller.christianb93.github.com"]
  resources: ["bitcoinnetworks/status"]
  verbs: ["update"]
- apiGroups: ["bitcoincontroller.christianb93.github.com"]
  resources: ["bitcoinnetworks/finalizers"]
  verbs: ["update"]
- apiGroups: ["apps"]
  resources: ["statefulsets"]
  verbs: ["get", "list", "watch", "create", "update"]
- apiGroups: [""]
  resources: ["services"]
  # delete: that of spec.expose, once it is not asked for any more.
  verbs: ["get", "list", "watch", "create", "update", "delete"]
- apiGroups: ["policy"]
  resources: ["poddisruptionbudgets"]
  verbs: ["get", "list", "watch", "create", "update"]
- apiGroups: [""]
  resources: ["pods"]
  # patch: spec.nodeOverrides may ask for another image of one node.
  verbs: ["list", "watch", "patch"]
- apiGroups: [""]
  resources: ["pods/status"]
  verbs: ["patch"]
- apiGroups: [""]
  resources: ["events"]
  verbs: ["list", "create", "patch"]
{{- with .Values.secretNames }}
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: {{ toJson . }}
  verbs: ["get"]
{{- end }}
{{- with .Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What a page that only shows needs. */}}
{{- define "btcctl.viewRules" -}}
- apiGroups: ["bitcoincontroller.christianb93.github.com"]
  resources: ["bitcoinnetworks"]
  verbs: ["list", "watch"]
- apiGroups: [""]
  resources: ["pods", "events"]
  verbs: ["list", "watch"]
{{- if and .Values.view.asksNodes .Values.secretNames }}
- apiGroups: [""]
  resources: ["secrets"]
  resourceNames: {{ toJson .Values.secretNames }}
  verbs: ["get"]
{{- end }}
{{- end }}
