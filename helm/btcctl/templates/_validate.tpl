{{- /* What a schema cannot say because it is about two values, or about the cluster. */}}
{{- define "btcctl.validate" -}}
{{- if and (eq .Values.rbac.scope "namespaces") (not .Values.watchNamespaces) }}
{{- fail "rbac.scope is namespaces: say in watchNamespaces which" }}
{{- end }}
{{- if and .Values.debugEndpoints (not .Values.metrics.enabled) }}
{{- fail "debugEndpoints are served beside the metrics: set metrics.enabled" }}
{{- end }}
{{- $secure := .Values.metrics.secure }}
{{- if and $secure.enabled (not .Values.metrics.enabled) }}
{{- fail "metrics.secure has nothing to serve: set metrics.enabled" }}
{{- end }}
{{- if and (not $secure.enabled) (or $secure.certificateSecret $secure.readers) }}
{{- fail "metrics.secure: set enabled, or neither certificateSecret nor readers" }}
{{- end }}
{{- if and $secure.enabled .Values.debugEndpoints }}
{{- fail "debugEndpoints are for btcctl debug, which sends no token: metrics.secure and they exclude each other" }}
{{- end }}
{{- $pods := .Values.metrics.podMonitor }}
{{- if and $secure.enabled $pods.enabled (not (or $pods.endpointConfig.authorization $pods.endpointConfig.bearerTokenSecret)) }}
{{- fail "metrics.podMonitor cannot send Prometheus' own token: take metrics.serviceMonitor, or name a Secret with one in endpointConfig.authorization" }}
{{- end }}
{{- $pdb := .Values.podDisruptionBudget }}
{{- if and $pdb.enabled (eq (kindIs "invalid" $pdb.maxUnavailable) (kindIs "invalid" $pdb.minAvailable)) }}
{{- fail "podDisruptionBudget: set one of maxUnavailable and minAvailable, and null for the other" }}
{{- end }}
{{- if and .Values.metrics.enabled (eq (int .Values.metrics.port) (int .Values.probes.port)) }}
{{- fail (printf "metrics.port and probes.port are both %d" (int .Values.probes.port)) }}
{{- end }}
{{- if and (not .Values.metrics.enabled) (or .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled) }}
{{- fail "a monitor has nothing to scrape: set metrics.enabled" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor selects the Service: set metrics.service.enabled, or take metrics.podMonitor" }}
{{- end }}
{{- if and .Values.defaultSecret.create (not (has .Values.defaultSecret.name .Values.secretNames)) }}
{{- fail (printf "defaultSecret.name is %s, which the controller may not read: add it to secretNames" .Values.defaultSecret.name) }}
{{- end }}
{{- if eq .Values.rbac.scope "cluster" }}
{{- range (lookup "rbac.authorization.k8s.io/v1" "ClusterRole" "" "").items }}
{{- $labels := .metadata.labels | default dict }}
{{- $annotations := .metadata.annotations | default dict }}
{{- if and (eq (index $labels "app.kubernetes.io/part-of" | default "") "btcctl") (index $labels "btcctl/watches-all" | default "" | eq "true") }}
{{- $release := index $annotations "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $annotations "meta.helm.sh/release-namespace" | default "" }}
{{- if and $release (ne (printf "%s/%s" $namespace $release) (printf "%s/%s" $.Release.Namespace $.Release.Name)) }}
{{- fail (printf "release %s in namespace %s looks after all namespaces already: two controllers would undo each other's work; set rbac.scope to namespaces here and there" $release $namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
