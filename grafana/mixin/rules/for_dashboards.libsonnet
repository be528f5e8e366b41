// For dashboards of many hosts.
local record = (import 'record.libsonnet').record;

[
  record('listener:inetdiag_accept_queue:fill_max2m', 'max_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[2m]) > 0'),
  record('listener:inetdiag_syn_queue:fill_max2m', 'max_over_time(inetdiag_listener_syn_queue_fill_ratio{%(selector)s}[2m]) > 0'),
  record('listener:inetdiag_accept_queue:length_max2m', 'max_over_time(inetdiag_listener_accept_queue_length{%(selector)s}[2m]) > 0'),
  record('listener:inetdiag_accept_queue:limit', |||
    inetdiag_listener_accept_queue_limit{%(selector)s}
    and (listener:inetdiag_accept_queue:fill_max2m or listener:inetdiag_syn_queue:fill_max2m)
  |||),
  record('path:inetdiag_unix_accept_queue:fill_max2m', 'max_over_time(inetdiag_unix_listener_accept_queue_fill_ratio{%(selector)s}[2m]) > 0'),
  record('listener:inetdiag_listen_drops:rate5m', 'rate(inetdiag_listener_listen_drops_total{%(selector)s}[5m]) > 0'),
  record('instance:inetdiag_unattributed_listen_drops:rate5m', |||
    (
      rate(inetdiag_nstat_tcpext_listen_drops_total{%(selector)s}[5m])
      - (
        sum without (address, port, device) (listener:inetdiag_listen_drops:rate5m)
        or 0 * rate(inetdiag_nstat_tcpext_listen_drops_total{%(selector)s}[5m])
      )
    ) > 0
  |||),
  record('listener:inetdiag_udp_drops:rate5m', 'rate(inetdiag_udp_drops_total{%(selector)s}[5m]) > 0'),
  // The highest fill ratio of any queue or table of a host, or of a network namespace.
  record('instance:inetdiag_queue:fill_max', 'max without (address, port, device, path) ({%(selector)s, __name__=~"inetdiag_.+_fill_ratio"})'),
]
