// What the dashboards share: the words of their queries, variables, annotations and links.
local g = import 'grafana.libsonnet';

function(config) {
  local target_labels = config.targetLabels,
  local selectors = ['%s=~"$%s"' % [label, label] for label in target_labels],
  local target = std.join(', ', selectors),
  local by = std.join(', ', target_labels),
  local by_listener = by + ', netns, address, port, device',
  local pods = target + ', pod_namespace=~"$pod_namespace", pod_name=~"$pod"',

  /** Queries are formatted with these. */
  words: {
    // Selectors: of the selected targets, of their own network namespace, of the selected listeners, of the
    // selected pods.
    target: target,
    host: target + ', netns=""',
    listener: target + ', netns=~"$netns", address=~"$address", port=~"$port"',
    port: target + ', netns=~"$netns", port=~"$port"',
    pods: pods,
    // Labels of a target, and of a listener.
    by: by,
    by_listener: by_listener,
    // Joins that add the name of the owner.
    with_owner: '* on (%s) group_left (owner_name) listener:inetdiag_owner:info{%s}' % [by_listener, target],
    with_pod: '* on (%s, netns) group_left (owner_name) netns:inetdiag_pod:info{%s}' % [by, pods],
    of_pods: 'and on (%s, netns) netns:inetdiag_pod:info{%s}' % [by, pods],
  },

  /** Adds the pod of the network namespace to the name of each series. */
  with_place(expr)::
    expr + ' * on (%(by)s, netns) group_left (owner_name) netns:inetdiag_pod:info{%(target)s}'
    + ' or ignoring (owner_name) ' + expr,

  /** Adds the name of the owner to each series of a listener, if it is known. */
  with_owner(expr)::
    '(' + expr + ') %(with_owner)s or ignoring (owner_name) (' + expr + ')',

  /** Joins labels to one. A series without them gets none. */
  join_labels(expr, name, separator, labels)::
    'label_replace(label_join(' + expr + ', "' + name + '", "' + separator + '", "' + std.join('", "', labels) + '"), "'
    + name + '", "", "' + name + '", "' + separator + '*")',

  local severities = [
    { name: 'critical', color: 'red' },
    { name: 'warning', color: 'orange' },
    { name: 'info', color: 'blue' },
  ],

  /** Firing alerts with the labels listener, pod, detail and severity_order, by which a table can sort. */
  firing_alerts(selector)::
    local replace(expr, label, value, regex) =
      'label_replace(' + expr + ', "' + label + '", "' + value + '", "socket", "' + regex + '")';
    local alerts = 'ALERTS{alertname=~"Inetdiag.+", alertstate="firing", ' + selector + '}';
    local socket = 'label_join(' + alerts + ', "socket", ";", "alertname", "address", "port")';
    local listener = replace(socket, 'listener', '${1}:${2}', 'Inetdiag(?:Listen|Somaxconn|Syn).*;(.+);(.+)');
    local udp = replace(listener, 'udp_socket', 'UDP ${1}:${2}', '.*Udp.*;(.+);(.+)');
    local port = replace(udp, 'of_port', 'port ${1}', '.*;;(.+)');
    local detail = self.join_labels(
      port, 'detail', ' ',
      ['udp_socket', 'of_port', 'path', 'device', 'collector', 'kind', 'protocol', 'family', 'reason', 'part']
    );
    std.foldl(
      function(expr, i) 'label_replace(%s, "severity_order", "%d", "severity", "%s")' % [expr, i, severities[i].name],
      std.range(0, std.length(severities) - 1),
      self.join_labels(detail, 'pod', '/', ['pod_namespace', 'pod_name'])
    ),

  local variable_labels = { cluster: 'Cluster', job: 'Job', instance: 'Instance' },
  /** The variables that select targets. Each lists the values of the targets that those before it select. */
  target_variables: std.mapWithIndex(
    function(i, name) g.variable(
      name,
      if name in variable_labels then variable_labels[name] else name,
      local before = std.join(', ', selectors[:i]);
      'label_values(inetdiag_exporter_build_info%s, %s)' % [if before == '' then '' else '{' + before + '}', name],
      // A pattern also matches targets without the label. Jobs of other exporters must not match.
      if name == 'job' then null else if name == 'instance' then '.+' else '.*'
    ),
    target_labels
  ),

  // By severity: Grafana shades the time of each, and the shades of many alerts would hide the lines.
  local alert_annotation(selector) = g.annotation(
    'Alerts',
    'count by (severity) (ALERTS{alertname=~"Inetdiag.+", alertstate="firing", %s})' % selector,
    'red',
    'Alerts fire ({{severity}})',
    'The overview lists them.',
    'severity',
  ),
  annotations(alerts=target, targets=target):: [
    alert_annotation(alerts),
    g.annotation(
      'Drops',
      'sum(rate(inetdiag_nstat_tcpext_listen_drops_total{' + targets + '}[$__rate_interval])) > 0',
      'orange',
      'Listeners drop connections',
      'See the graphs of drops.',
      enabled=false,
    ),
    g.annotation(
      'Restarts',
      'changes(process_start_time_seconds{' + targets + '}[$__rate_interval]) > 0',
      'blue',
      'The exporter was started',
      '{{instance}}',
    ),
  ],

  local target_values = { [label]: label for label in target_labels },
  local listener_values = target_values { netns: 'netns', address: 'address', port: 'port' },
  /** Links with the labels of a table's row. */
  to_host: g.link('Host', 'host', target_values),
  to_listener: g.link('Listener', 'listener', listener_values),
  to_pod: g.link('Pod', 'pods', target_values { pod_namespace: 'pod_namespace', pod: 'pod_name' }),
  /** The labels that these links need beside those that are shown. */
  link_labels_of_target: [g.hidden(name) for name in target_labels if name != 'instance'],
  link_labels: self.link_labels_of_target
               + [g.hidden(name) for name in ['netns', 'address', 'port', 'pod_namespace', 'pod_name']],

  alert_table(selector):: g.table(
    'Firing alerts',
    [
      g.label('severity_order', 'Severity', width=85, texts={
        ['' + i]: { text: severities[i].name, color: severities[i].color, index: i }
        for i in std.range(0, std.length(severities) - 1)
      }),
      g.label('alertname', 'Alert', width=340),
      g.label('instance', 'Host', width=170, link=self.to_host),
      g.label('listener', 'Listener', width=190, link=self.to_listener),
      g.label('pod', 'Pod', width=230, link=self.to_pod),
      g.label('unit', 'Unit', width=220),
      g.label('detail', 'Detail'),
    ] + self.link_labels,
    |||
      Firing alerts of deploy/prometheus. Click a host, listener or pod for its dashboard. The runbook of each alert is
      in deploy/prometheus/runbooks.
    |||,
    info=[self.firing_alerts(selector)],
    h=8,
    sort_by='Severity',
    descending=false,
  ),
}
