{{- /* What a schema cannot say because it is about two values, or about the cluster. */}}
{{- define "btcctl.validate" -}}
{{- $fullname := include "btcctl.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) }}
{{- fail (printf "no Service can be named after %s: set fullnameOverride to lower-case letters, digits and hyphens, a letter first" $fullname) }}
{{- end }}
{{- /* Of two variables of one name an upgrade that changes one may drop both. */}}
{{- $ours := list "METRICS_BIND_ADDRESS" "METRICS_SECURE" "METRICS_CERT_DIR" "HEALTH_PROBE_BIND_ADDRESS" "NODE_IMAGE" "WORKERS" "POLL_MIN" "POLL_MAX" "RESYNC_PERIOD" "LEADER_ELECT_LEASE_DURATION" "LEADER_ELECT_RENEW_DEADLINE" "LEADER_ELECT_RETRY_PERIOD" "LOG_LEVEL" "LOG_FORMAT" }}
{{- /* What is in the arguments wins against a variable, and Services, roles and probes go by the values. */}}
{{- $given := dict "leader-elect" "replicas" "leader-elect-resource-name" "leaderElection.leaseName" "namespace" "watchNamespaces" "all-namespaces" "watchNamespaces" "debug-endpoints" "debugEndpoints" }}
{{- $followed := merge (dict "metrics-bind-address" "metrics.port" "metrics-secure" "metrics.secure" "metrics-cert-dir" "metrics.secure" "health-probe-bind-address" "probes.port") $given }}
{{- range $flag, $value := $followed }}
{{- range $.Values.extraArgs }}
{{- if or (eq . (printf "--%s" $flag)) (hasPrefix (printf "--%s=" $flag) .) (and (eq $flag "namespace") (hasPrefix "-n" .)) }}
{{- fail (printf "extraArgs: %s is set by the chart, and more of it goes by that; set %s" . $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- $seen := list }}
{{- range .Values.extraEnv }}
{{- $name := .name }}
{{- range $flag, $value := $given }}
{{- if eq $name (printf "BTCCTL_%s" ($flag | replace "-" "_" | upper)) }}
{{- fail (printf "extraEnv: %s has no effect beside the argument that the chart gives; set %s" $name $value) }}
{{- end }}
{{- end }}
{{- if and (hasPrefix "BTCCTL_" .name) (has (trimPrefix "BTCCTL_" .name) $ours) }}
{{- fail (printf "extraEnv: %s is there already; set the value of the chart that it is of, or the flag in extraArgs" .name) }}
{{- end }}
{{- if has .name $seen }}
{{- fail (printf "extraEnv: %s is there twice" .name) }}
{{- end }}
{{- $seen = append $seen .name }}
{{- end }}
{{- $least := include "btcctl.milliseconds" .Values.pollMin | float64 }}
{{- if or (eq $least 0.0) (gt $least (include "btcctl.milliseconds" .Values.pollMax | float64)) }}
{{- fail (printf "pollMin is %s, must be more than 0 and at most pollMax, %s" (include "btcctl.duration" .Values.pollMin) (include "btcctl.duration" .Values.pollMax)) }}
{{- end }}
{{- $election := .Values.leaderElection }}
{{- $lease := include "btcctl.milliseconds" $election.leaseDuration | float64 }}
{{- $deadline := include "btcctl.milliseconds" $election.renewDeadline | float64 }}
{{- $retry := include "btcctl.milliseconds" $election.retryPeriod | float64 }}
{{- if or (lt $lease 1000.0) (ne (mulf (floor (divf $lease 1000.0)) 1000.0) $lease) }}
{{- fail (printf "leaderElection.leaseDuration is %s, must be whole seconds" (include "btcctl.duration" $election.leaseDuration)) }}
{{- end }}
{{- if not (and (gt $lease $deadline) (gt $deadline (mulf 1.2 $retry)) (gt $retry 0.0)) }}
{{- fail "leaderElection: leaseDuration must be longer than renewDeadline, and that longer than 1.2 times retryPeriod" }}
{{- end }}
{{- if and .Values.exampleNetwork.create .Values.watchNamespaces (not (has .Release.Namespace .Values.watchNamespaces)) }}
{{- fail (printf "exampleNetwork is made in namespace %s, which is none of watchNamespaces: nobody would look after it" .Release.Namespace) }}
{{- end }}
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
{{- $podsGiven := $pods.endpointConfig | default dict }}
{{- if and $secure.enabled $pods.enabled (not (or $podsGiven.authorization $podsGiven.bearerTokenSecret)) }}
{{- fail "metrics.podMonitor cannot send Prometheus' own token: take metrics.serviceMonitor, or name a Secret with one in endpointConfig.authorization" }}
{{- end }}
{{- $pdb := .Values.podDisruptionBudget }}
{{- if and $pdb.enabled (eq (kindIs "invalid" $pdb.maxUnavailable) (kindIs "invalid" $pdb.minAvailable)) }}
{{- fail "podDisruptionBudget: set one of maxUnavailable and minAvailable, and null for the other" }}
{{- end }}
{{- if and $pdb.enabled (gt (int .Values.replicas) 1) }}
{{- $needed := toString ($pdb.minAvailable | default 0) }}
{{- if hasSuffix "%" $needed }}
{{- $needed = ceil (divf (mulf (trimSuffix "%" $needed | float64) (int .Values.replicas)) 100.0) }}
{{- end }}
{{- if or (has (toString $pdb.maxUnavailable) (list "0" "0%" "00%")) (ge (int $needed) (int .Values.replicas)) }}
{{- fail "podDisruptionBudget: no copy may ever go, so every drain would wait for ever" }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.enabled (eq (int .Values.metrics.port) (int .Values.probes.port)) }}
{{- fail (printf "metrics.port and probes.port are both %d" (int .Values.probes.port)) }}
{{- end }}
{{- if and (not .Values.metrics.enabled) (or .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled) }}
{{- fail "a monitor has nothing to scrape: set metrics.enabled" }}
{{- end }}
{{- if and (not .Values.metrics.enabled) .Values.metrics.prometheusRule.enabled }}
{{- fail "metrics.prometheusRule would say for ever that nobody leads: set metrics.enabled" }}
{{- end }}
{{- range $name, $monitor := dict "serviceMonitor" .Values.metrics.serviceMonitor "podMonitor" .Values.metrics.podMonitor }}
{{- if $monitor.enabled }}
{{- if gt (include "btcctl.milliseconds" $monitor.scrapeTimeout | float64) (include "btcctl.milliseconds" $monitor.interval | float64) }}
{{- fail (printf "metrics.%s: scrapeTimeout is longer than interval, so Prometheus' operator would leave it out" $name) }}
{{- end }}
{{- if and $secure.certificateSecret $monitor.namespace (ne $monitor.namespace $.Release.Namespace) (not ($monitor.endpointConfig | default dict).tlsConfig) }}
{{- fail (printf "metrics.%s is in namespace %s and cannot see Secret %s in %s: say in its endpointConfig.tlsConfig what to verify with" $name $monitor.namespace $secure.certificateSecret $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor selects the Service: set metrics.service.enabled, or take metrics.podMonitor" }}
{{- end }}
{{- if and .Values.defaultSecret.create (not (has .Values.defaultSecret.name (.Values.secretNames | default list))) }}
{{- fail (printf "defaultSecret.name is %s, which the controller may not read: add it to secretNames" .Values.defaultSecret.name) }}
{{- end }}
{{- if and .Values.rbac.create (eq .Values.rbac.scope "cluster") }}
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
{{- include "btcctl.validateNames" . }}
{{- end }}

{{- /* What stands outside of the release's namespace is named after both: that of c in a-b is called as that of b-c in a. */}}
{{- define "btcctl.validateNames" -}}
{{- range $file := list "rbac" "view" "metrics" "network-policy" }}
{{- range regexSplit "(?m)^---\\s*$" (include (printf "%s/%s.yaml" $.Template.BasePath $file) $) -1 }}
{{- $object := fromYaml . }}
{{- if $object.kind }}
{{- $where := $object.metadata.namespace | default "" }}
{{- if and (ne $where $.Release.Namespace) ($.Capabilities.APIVersions.Has (printf "%s/%s" $object.apiVersion $object.kind)) }}
{{- $there := lookup $object.apiVersion $object.kind $where $object.metadata.name }}
{{- $owner := dig "metadata" "annotations" dict $there | default dict }}
{{- $release := index $owner "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $owner "meta.helm.sh/release-namespace" | default "" }}
{{- if and $release (ne (printf "%s/%s" $namespace $release) (printf "%s/%s" $.Release.Namespace $.Release.Name)) }}
{{- $at := ternary (printf " in namespace %s" $where) "" (ne $where "") }}
{{- fail (printf "%s %s%s is of release %s in namespace %s: set fullnameOverride to another name" $object.kind $object.metadata.name $at $release $namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
