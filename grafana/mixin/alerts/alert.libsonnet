{
  /**
   * Returns an alerting rule. Its texts may contain the phrases below, such as %(owner)s, its expression also numbers
   * and selectors of the configuration.
   *
   * severity: critical (clients fail now), warning (clients wait or will fail), info (which limit to raise).
   */
  alert(name, severity, duration, expr, summary, description):: {
    alert: name,
    expr: expr,
    'for': duration,
    labels: { severity: severity },
    annotations: {
      summary: summary,
      description: description,
      runbook_url: '%(runbookBase)s/' + name + '.md',
    },
  },

  /**
   * Adds the pod of its network namespace to each series, if it has one, and compares the result.
   * `ignored` are the labels of the series beside those of its network namespace.
   */
  withPod(series, comparison='', ignored=''):: |||
    (
      %(series)s
      * ignoring (%(ignored)spod_namespace, pod_name, owner_name)
      group_left (pod_namespace, pod_name) netns:inetdiag_pod:info
      or ignoring (pod_namespace, pod_name)
      %(series)s
    ) %(comparison)s
  ||| % { series: series, comparison: comparison, ignored: if ignored == '' then '' else ignored + ', ' },

  /** Templates that several alerts share, and %(withOwner)s, which adds the owner to each series of a listener. */
  phrases:: {
    withOwner:
      '* ignoring (cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name, owner_name)\n'
      + 'group_left (unit, machine, pod_uid, pod_namespace, pod_name, container_name) listener:inetdiag_owner:info',
    listener: '{{ $labels.address }}:{{ $labels.port }}',
    instance: '{{ $labels.instance }}',
    namespace: ' {{- with $labels.netns }} (network namespace {{ . }}){{ end }}',
    podAndNamespace:
      ' {{- with $labels.pod_name }} (pod {{ $labels.pod_namespace }}/{{ . }}){{ end }}' + self.namespace,
    place:
      ' {{- if $labels.pod_name }} (pod {{ $labels.pod_namespace }}/{{ $labels.pod_name }})'
      + ' {{- else if $labels.netns }} (network namespace {{ $labels.netns }}){{ end }}',
    owner:
      ' {{- with $labels.unit }} (unit {{ . }}{{ with $labels.machine }} in machine {{ . }}{{ end }}){{ end }}'
      + ' {{- if $labels.pod_name }} (pod {{ $labels.pod_namespace }}/{{ $labels.pod_name }})'
      + ' {{- else }}{{ with $labels.pod_uid }} (pod {{ . }}){{ end }}{{ end }}'
      + ' {{- with $labels.container_name }} (container {{ . }}){{ end }}' + self.namespace,
    port: '{{ if eq $labels.port "outgoing" }}outgoing connections{{ else }}connections of port {{ $labels.port }}{{ end }}',
    count: '{{ printf "%.0f" $value }}',
    percentage: '{{ $value | humanizePercentage }}',
    selectorOfListener:
      " {{- $selector := printf \"{job='%s',instance='%s',netns='%s',address='%s',port='%s',device='%s'}\""
      + ' $labels.job $labels.instance $labels.netns $labels.address $labels.port $labels.device }}',
  },
}
