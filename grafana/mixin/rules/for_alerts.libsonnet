// The series that alerts.yaml needs, and some that the dashboards share with it.
//
// Joins use ignoring(), not on(), so that they work with labels that a target or a network namespace adds
// (cluster, node, netns).
local record = (import 'record.libsonnet').record;

// Adds the label owner_name: `labels` joined by semicolons, and replaced by the text of the pattern that matches.
local named(series, labels, patterns) = std.foldl(
  function(expr, pattern)
    'label_replace(\n' + expr + ',\n"owner_name", "%s", "owner_name", "%s"\n)' % [pattern[1], pattern[0]],
  patterns,
  'label_join(\n' + std.rstripChars(series, '\n') + ',\n"owner_name", ";", "' + std.join('", "', labels) + '"\n)'
);

[
  // A federated series outlives its labels by minutes. Two info series for one listener or namespace would
  // fail the join ("many-to-many matching"), the rule, and every alert that uses it: topk keeps one.
  //
  // The cgroup, unit and pod of each listener. Listeners without a cgroup are kept, without these labels.
  record('listener:inetdiag_cgroup:info', |||
    topk without (cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name) (
      1, inetdiag_listener_info{%(selector)s}
    )
    or ignoring (cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name)
    0 * inetdiag_listener_sockets{%(selector)s} + 1
  |||),

  // The pod of each network namespace. owner_name is its name, or that of the namespace.
  record('netns:inetdiag_pod:info', named(
    |||
      max without (inode, path, pod_uid, container_id) (
        topk without (inode, path, pod_namespace, pod_name, pod_uid, container_id) (1, inetdiag_netns_info{%(selector)s})
      )
    |||,
    ['netns', 'pod_namespace', 'pod_name'],
    [['.*;(.+);(.+)', '$1/$2'], ['.*;;(.+)', '$1'], ['(.*);;', '$1']]
  )),

  // The owner of each listener. The pod is its own, as on the host's network, or that of its network namespace.
  // owner_name is its pod, or else its container, unit or network namespace.
  record('listener:inetdiag_owner:info', named(
    |||
      listener:inetdiag_cgroup:info{pod_name!=""}
      or ignoring (pod_namespace, pod_name)
      listener:inetdiag_cgroup:info
      * ignoring (address, port, device, cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name, owner_name)
      group_left (pod_namespace, pod_name) netns:inetdiag_pod:info
      or ignoring (pod_namespace, pod_name)
      listener:inetdiag_cgroup:info
    |||,
    ['netns', 'unit', 'pod_namespace', 'pod_name', 'container_name'],
    [
      ['.*;.*;(.+);(.+);(.+)', '$1/$2/$3'],
      ['.*;.*;(.+);(.+);', '$1/$2'],
      ['.*;.*;;(.+);.*', '$1'],
      ['.*;.*;;;(.+)', '$1'],
      ['.*;(.+?)(?:[.]service)?;;;', '$1'],
      ['(.*);;;;', '$1'],
    ]
  )),

  // The share of time for which the accept queue was full, from samples between the scrapes. In the histogram, full
  // is above 0.99.
  record('listener:inetdiag_accept_queue:full_ratio5m', |||
    1 - rate(inetdiag_listener_accept_queue_sampled_fill_ratio_bucket{%(selector)s, le="0.99"}[5m])
    / ignoring (le) (rate(inetdiag_listener_accept_queue_sampled_fill_ratio_count{%(selector)s}[5m]) > 0)
  |||),

  record('listener:inetdiag_accept_queue:fill_max5m', 'max_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[5m])'),

  // The counter grows by one each second for each connection that waits.
  record('listener:inetdiag_accept_queue:length_mean5m', 'rate(inetdiag_listener_accept_queue_waiting_seconds_total{%(selector)s}[5m])'),

  // The mean wait of a new connection for accept(), by Little's law: the mean number of waiting connections / the
  // rate of new ones. The kernel counts new connections for the network namespace, not for each listener. The law
  // does not hold for listeners that accept nothing, so they are left out.
  record('instance:inetdiag_accept_wait:seconds_mean5m', |||
    sum without (address, port, device) (
      listener:inetdiag_accept_queue:length_mean5m
      unless max_over_time(inetdiag_listener_accept_queue_stalled_seconds{%(selector)s}[5m]) >= %(stuckSeconds)s
    )
    / (rate(inetdiag_nstat_tcp_passive_opens_total{%(selector)s}[5m]) > 0)
  |||),

  record('listener:inetdiag_listen_drops:increase15m', 'increase(inetdiag_listener_listen_drops_total{%(selector)s}[15m])'),

  // What no listener counts: several listeners can have dropped it, or one that has closed since, or the
  // exporter was not running.
  record('instance:inetdiag_unattributed_listen_drops:increase15m', |||
    clamp_min(
      increase(inetdiag_nstat_tcpext_listen_drops_total{%(selector)s}[15m])
      - sum without (address, port, device) (listener:inetdiag_listen_drops:increase15m),
      0
    )
  |||),

  // A host without IPv6 and an old kernel lack some of these counters.
  record('instance:inetdiag_udp_buffer_errors:increase15m', |||
    increase(inetdiag_nstat_udp_rcvbuf_errors_total{%(selector)s}[15m])
    + (
      increase(inetdiag_nstat_udp_mem_errors_total{%(selector)s}[15m])
      or 0 * increase(inetdiag_nstat_udp_rcvbuf_errors_total{%(selector)s}[15m])
    )
    + (
      increase(inetdiag_nstat_udp6_rcvbuf_errors_total{%(selector)s}[15m])
      or 0 * increase(inetdiag_nstat_udp_rcvbuf_errors_total{%(selector)s}[15m])
    )
    + (
      increase(inetdiag_nstat_udp6_mem_errors_total{%(selector)s}[15m])
      or 0 * increase(inetdiag_nstat_udp_rcvbuf_errors_total{%(selector)s}[15m])
    )
  |||),

  // A socket also drops datagrams for a socket filter, a policy or a wrong checksum, and after a restart the
  // exporter no longer counts the drops of closed sockets. Only the counters of the namespace are of full
  // buffers: of these, a socket with a nearly full buffer gets at most all, another one what the others leave.
  record('listener:inetdiag_udp_drops:increase15m', |||
    increase(inetdiag_udp_drops_total{%(selector)s}[15m])
    - clamp_min(
      increase(inetdiag_udp_drops_total{%(selector)s}[15m])
      - ignoring (address, port, device) group_left () instance:inetdiag_udp_buffer_errors:increase15m,
      0
    )
    and max_over_time(inetdiag_udp_receive_queue_fill_ratio{%(selector)s}[15m]) >= %(nearlyFullRatio)s
    or clamp_min(
      increase(inetdiag_udp_drops_total{%(selector)s}[15m])
      - ignoring (address, port, device) group_left () clamp_min(
        sum without (address, port, device) (increase(inetdiag_udp_drops_total{%(selector)s}[15m]))
        - instance:inetdiag_udp_buffer_errors:increase15m,
        0
      ),
      0
    )
  |||),

  // With tcp_syncookies=2 the kernel answers every SYN with a cookie. TCPReqQFullDoCookies also counts SYNs that
  // a full accept queue drops.
  record('instance:inetdiag_syn_cookies:rate5m', |||
    rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(selector)s}[5m])
    and inetdiag_sysctl_net_ipv4_tcp_syncookies{%(selector)s} == 1
  |||),

  // The share of the cookies that came back, if every SYN gets one. A few SYNs without an answer are ordinary.
  record('instance:inetdiag_syn_cookies:received_ratio5m', |||
    increase(inetdiag_nstat_tcpext_syncookies_recv_total{%(selector)s}[5m])
    / (increase(inetdiag_nstat_tcpext_syncookies_sent_total{%(selector)s}[5m]) > 20)
    and inetdiag_sysctl_net_ipv4_tcp_syncookies{%(selector)s} == 2
  |||),

  // TcpOutSegs does not include retransmitted segments, so the ratio can exceed 1. Unanswered SYNs and SYN-ACKs
  // have alerts of their own.
  record('instance:inetdiag_tcp_retransmission:ratio_rate5m', |||
    (
      rate(inetdiag_nstat_tcp_retrans_segs_total{%(selector)s}[5m])
      - (rate(inetdiag_nstat_tcpext_tcp_syn_retrans_total{%(selector)s}[5m]) or 0 * rate(inetdiag_nstat_tcp_retrans_segs_total{%(selector)s}[5m]))
    )
    / rate(inetdiag_nstat_tcp_out_segs_total{%(selector)s}[5m])
  |||),

  record('instance:inetdiag_tcp_time_wait:fill_ratio', 'inetdiag_tcp_time_wait{%(selector)s} / inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets{%(selector)s}'),

  // Connections that wait for accept() are in CLOSE_WAIT too if the client has closed them. The counts by port
  // may be older than the queues.
  record('port:inetdiag_accept_queue_length:max5m', 'sum without (address, device) (max_over_time(inetdiag_listener_accept_queue_length{%(selector)s}[5m]))'),

  // By port, or for the network namespace if the exporter does not count sockets by port. The port "other"
  // is that of listeners whose ports have no series of their own.
  record('port:inetdiag_tcp_close_wait:accepted', |||
    sum without (state) (inetdiag_tcp_port_sockets{%(selector)s, state="close_wait", port!="other"})
    - port:inetdiag_accept_queue_length:max5m
    or
    sum without (state) (inetdiag_tcp_port_sockets{%(selector)s, state="close_wait", port="other"})
    - ignoring (port) group_left () sum without (port) (port:inetdiag_accept_queue_length:max5m)
    or
    sum without (state) (inetdiag_tcp_port_sockets{%(selector)s, state="close_wait"})
    or
    (
      sum without (state) (inetdiag_tcp_sockets{%(selector)s, state="close_wait"})
      - sum without (port) (port:inetdiag_accept_queue_length:max5m)
      or sum without (state) (inetdiag_tcp_sockets{%(selector)s, state="close_wait"})
    )
    unless ignoring (port, state) inetdiag_tcp_port_sockets{%(selector)s}
  |||),

  record('instance:inetdiag_tcp_opens:rate5m', |||
    rate(inetdiag_nstat_tcp_passive_opens_total{%(selector)s}[5m])
    + rate(inetdiag_nstat_tcp_active_opens_total{%(selector)s}[5m])
  |||),

  // On a busy host, connections pass through CLOSE_WAIT. By Little's law they stay there for their number / the
  // rate of closes, and in the long run connections close as fast as they open. If that is at least 2 s, or half a
  // second and they are very many, programs do not close them.
  record('port:inetdiag_tcp_close_wait:lasting', |||
    (
      min_over_time(port:inetdiag_tcp_close_wait:accepted[5m])
        >= ignoring (port) group_left () 2 * instance:inetdiag_tcp_opens:rate5m
      or (
        min_over_time(port:inetdiag_tcp_close_wait:accepted[5m])
          >= ignoring (port) group_left () 0.5 * instance:inetdiag_tcp_opens:rate5m
      ) >= 1000
    ) >= 100
  |||),

  // The share of the open connections of a port that make no progress, by reason.
  record('port:inetdiag_tcp_stalled:ratio', |||
    inetdiag_tcp_port_stalled_sockets{%(selector)s}
    / ignoring (reason) group_left () (
      (
        inetdiag_tcp_port_sockets{%(selector)s, state="established"}
        + ignoring (state) inetdiag_tcp_port_sockets{%(selector)s, state="close_wait"}
      ) > 0
    )
  |||),

  // Without some history, nothing is known to be unusual. A day, so that an outage becomes usual after hours only.
  record('port:inetdiag_tcp_stalled:ratio_usual', 'avg_over_time(port:inetdiag_tcp_stalled:ratio{reason!="keepalive"}[1440m] offset 60m)'),
  record('instance:inetdiag_tcp_closing:stalled', 'min_over_time(inetdiag_tcp_stalled_closes{%(selector)s}[5m])'),
  record('instance:inetdiag_tcp_orphans:fill_ratio', 'inetdiag_tcp_orphans{%(selector)s} / inetdiag_sysctl_net_ipv4_tcp_max_orphans{%(selector)s}'),

  // Above 1 the kernel shrinks buffers; at the third value of tcp_mem it refuses memory.
  record('instance:inetdiag_tcp_memory:pressure_ratio', |||
    inetdiag_tcp_memory_bytes{%(selector)s}
    / ignoring (field) inetdiag_tcp_memory_limit_bytes{%(selector)s, field="pressure"}
  |||),

  record('instance:inetdiag_conntrack:fill_ratio', 'inetdiag_conntrack_entries{%(selector)s} / inetdiag_conntrack_limit{%(selector)s}'),
  record('instance:inetdiag_neighbour:fill_ratio', 'inetdiag_neighbour_entries{%(selector)s} / inetdiag_neighbour_limit{%(selector)s}'),
  record('instance:inetdiag_open_files:fill_ratio', 'inetdiag_open_files{%(selector)s} / inetdiag_open_files_limit{%(selector)s}'),
  record('instance:inetdiag_fragments_memory:fill_ratio', 'inetdiag_fragments_memory_bytes{%(selector)s} / inetdiag_fragments_memory_limit_bytes{%(selector)s}'),

  // Above 1.1 the kernel has no such limit.
  record('instance:inetdiag_route_cache:fill_ratio', 'inetdiag_route_cache_entries{%(selector)s} / inetdiag_route_cache_limit{%(selector)s} <= 1.1'),
  record('device:inetdiag_qdisc_drops:ratio_rate5m', |||
    rate(inetdiag_qdisc_drops_total{%(selector)s, kind!="netem"}[5m])
    / (rate(inetdiag_qdisc_drops_total{%(selector)s}[5m]) + rate(inetdiag_qdisc_packets_total{%(selector)s}[5m]) > 0)
  |||),

  // A raw or packet socket that its program uses only to send is full and drops for ever: those count whose queue
  // becomes shorter, or is empty.
  record('socket:inetdiag_dropped_packets:increase15m', |||
    label_replace(
      increase(inetdiag_raw_socket_drops_total{%(selector)s}[15m])
      and (
        resets(inetdiag_raw_socket_receive_queue_bytes{%(selector)s}[15m]) > 0
        or inetdiag_raw_socket_receive_queue_bytes{%(selector)s} == 0
      ),
      "kind", "raw", "", ""
    )
    or
    label_replace(
      increase(inetdiag_packet_socket_drops_total{%(selector)s}[15m])
      and (
        resets(inetdiag_packet_socket_receive_queue_bytes{%(selector)s}[15m]) > 0
        or inetdiag_packet_socket_receive_queue_bytes{%(selector)s} == 0
      ),
      "kind", "packet", "", ""
    )
  |||),

  record('instance:inetdiag_softnet_dropped:increase15m', 'sum without (cpu) (increase(inetdiag_softnet_dropped_total{%(selector)s}[15m]))'),
]
