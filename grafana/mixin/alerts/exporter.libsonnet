// The exporter itself.
local alert = (import 'alert.libsonnet').alert;

[
  alert(
    'InetdiagCollectorFailing', 'warning', '5m',
    'inetdiag_scrape_collector_success{%(selector)s} == 0',
    summary='Collector {{ $labels.collector }} fails on %(instance)s',
    description=|||
      Collector {{ $labels.collector }} on %(instance)s%(namespace)s failed or timed out in every scrape of the
      last 5 minutes (success {{ $value }}). Its metrics are missing, and alerts on them cannot fire.
    |||,
  ),

  // If all are skipped, that is intended (--netns.max=0), or InetdiagCollectorFailing fires.
  alert(
    'InetdiagNamespacesSkipped', 'warning', '15m',
    'inetdiag_netns_skipped{%(selector)s} > 0 and inetdiag_netns_skipped{%(selector)s} < inetdiag_netns_discovered{%(selector)s}',
    summary='%(instance)s does not monitor all network namespaces',
    description=|||
      %(count)s network namespaces on %(instance)s were discovered but skipped because of --netns.max or the
      scrape deadline. The queues of their pods are not monitored.
    |||,
  ),

  // Landlock depends on the kernel and on --netns.discover.
  alert(
    'InetdiagSandboxInactive', 'info', '15m',
    'inetdiag_sandbox_active{%(selector)s, part!="landlock"} == 0',
    summary='The exporter on %(instance)s runs without {{ $labels.part }} in its sandbox',
    description=|||
      Part {{ $labels.part }} of the sandbox of inetdiag_exporter on %(instance)s is not applied (active {{
      $value }}): --no-sandbox is set, or the kernel or container does not permit it.
    |||,
  ),

  // The job is inetdiag, or NAMESPACE/inetdiag-exporter from a PodMonitor.
  alert(
    'InetdiagExporterDown', 'warning', '5m',
    'up{%(selector)s, %(jobSelector)s} == 0',
    summary='inetdiag_exporter on %(instance)s is down',
    description=|||
      Prometheus could not scrape %(instance)s (job {{ $labels.job }}, up {{ $value }}) for 5 minutes. The
      queues of this host are not monitored.
    |||,
  ),

  alert(
    'InetdiagExporterAbsent', 'warning', '10m',
    'absent(up{%(selector)s, %(jobSelector)s})',
    summary='Prometheus has no inetdiag_exporter target',
    description=|||
      No job with "inetdiag" in its name has a target (absent() is {{ $value }}). The queues of no host are
      monitored.
    |||,
  ),

  alert(
    'InetdiagRecordingRulesMissing', 'warning', '10m',
    'count(inetdiag_listener_sockets{%(selector)s}) unless on () count(listener:inetdiag_owner:info)',
    summary='The recording rules of inetdiag_exporter are not loaded',
    description=|||
      {{ $value }} listeners are scraped, but rules.yaml is not evaluated. Most alerts in alerts.yaml cannot
      fire.
    |||,
  ),
]
