// Connections and limits of TCP.
local alert = (import 'alert.libsonnet').alert;
local withPod = (import 'alert.libsonnet').withPod;

[
  alert(
    'InetdiagTimeWaitNearLimit', 'info', '15m',
    withPod('instance:inetdiag_tcp_time_wait:fill_ratio', '> %(nearlyFullRatio)s'),
    summary='%(instance)s%(place)s is near its limit of TIME_WAIT sockets',
    description=|||
      TIME_WAIT sockets on %(instance)s%(podAndNamespace)s are at %(percentage)s of net.ipv4.tcp_max_tw_buckets.
    |||,
  ),

  alert(
    'InetdiagTimeWaitOverflow', 'warning', '5m',
    withPod('rate(inetdiag_nstat_tcpext_tcp_time_wait_overflow_total{%(selector)s}[5m])', '> 0'),
    summary='%(instance)s%(place)s closes connections without TIME_WAIT',
    description=|||
      {{ $value | humanize }} connections per second were closed without TIME_WAIT on
      %(instance)s%(podAndNamespace)s because net.ipv4.tcp_max_tw_buckets was reached.
    |||,
  ),

  alert(
    'InetdiagEphemeralPortsNearlyExhausted', 'warning', '5m',
    'inetdiag_ephemeral_ports_fill_ratio{%(selector)s} > %(nearlyFullRatio)s and inetdiag_tcp_port_sockets_age_seconds{%(selector)s} < 300',
    summary='%(instance)s is running out of ephemeral ports to one destination',
    description=|||
      Connections from one source address of %(instance)s to one destination use %(percentage)s of the ephemeral
      ports. At 100% connect() fails with EADDRNOTAVAIL.
    |||,
  ),

  // The kernel counts an orphan two or four times if its peer is silent or unreachable (tcp_out_of_resources()).
  alert(
    'InetdiagTcpOrphansNearLimit', 'warning', '5m',
    'instance:inetdiag_tcp_orphans:fill_ratio > %(orphansRatio)s',
    summary='%(instance)s is near its limit of orphaned TCP sockets',
    description=|||
      Orphaned TCP sockets on %(instance)s are at %(percentage)s of net.ipv4.tcp_max_orphans. From 25% on, the
      kernel may reset orphans whose peer is silent; at 100% it resets all of them.
    |||,
  ),

  alert(
    'InetdiagTcpMemoryPressure', 'warning', '2m',
    'instance:inetdiag_tcp_memory:pressure_ratio > 1',
    summary='TCP is under memory pressure on %(instance)s',
    description=|||
      TCP buffers on %(instance)s use %(percentage)s of the pressure threshold of net.ipv4.tcp_mem. The kernel
      shrinks receive windows; at the third value it refuses memory.
    |||,
  ),

  alert(
    'InetdiagTcpMemoryAborts', 'critical', '1m',
    withPod('rate(inetdiag_nstat_tcpext_tcp_abort_on_memory_total{%(selector)s}[5m])', '> 0'),
    summary='%(instance)s%(place)s resets TCP connections for lack of memory',
    description=|||
      {{ $value | humanize }} connections per second were reset on %(instance)s%(podAndNamespace)s because there
      are too many orphans or TCP memory is exhausted.
    |||,
  ),

  // The ratio of a host that sends almost nothing is meaningless.
  alert(
    'InetdiagTcpHighRetransmissionRate', 'warning', '10m',
    withPod('instance:inetdiag_tcp_retransmission:ratio_rate5m', '> %(retransmissionRatio)s') + |||
      and ignoring (pod_namespace, pod_name) rate(inetdiag_nstat_tcp_out_segs_total{%(selector)s}[5m]) > 10
    |||,
    summary='%(instance)s%(place)s retransmits many TCP segments',
    description=|||
      The ratio of retransmitted to sent TCP segments on %(instance)s%(podAndNamespace)s is %(percentage)s.
    |||,
  ),

  alert(
    'InetdiagManyCloseWait', 'warning', '5m',
    withPod('port:inetdiag_tcp_close_wait:lasting', ignored='port'),
    summary='A program on %(instance)s%(place)s does not close its connections',
    description=|||
      %(count)s {{ if eq $labels.port "outgoing" -}} outgoing connections {{- else -}} connections {{- with
      $labels.port }} of port {{ . }}{{ end }}{{ end }} on %(instance)s%(podAndNamespace)s stay in CLOSE_WAIT:
      their peers have closed them, the program has not.
    |||,
  ),

  // A steady share is normal: phones are out of reach for a while, and players pause.
  alert(
    'InetdiagConnectionsStalled', 'warning', '5m',
    |||
      port:inetdiag_tcp_stalled:ratio{reason=~"retransmission|zero_window"} >= %(stalledRatio)s
      and (
        port:inetdiag_tcp_stalled:ratio >= 2 * port:inetdiag_tcp_stalled:ratio_usual
        or port:inetdiag_tcp_stalled:ratio >= 0.3 + port:inetdiag_tcp_stalled:ratio_usual
      )
      and inetdiag_tcp_port_stalled_sockets{%(selector)s} >= 20
      and ignoring (port, reason) inetdiag_tcp_port_sockets_age_seconds{%(selector)s} < 300
    |||,
    summary='Many %(port)s on %(instance)s are stalled',
    description=|||
      %(percentage)s of the %(port)s on %(instance)s {{ if eq $labels.reason "zero_window" -}} wait for peers
      that have closed their windows. {{- else -}} retransmit and receive no ACK: their peers are gone, or the
      network to them is down. {{- end }} The share is far above that of the day before.
    |||,
  ),

  alert(
    'InetdiagProgramNotReading', 'warning', '5m',
    |||
      inetdiag_tcp_port_unread_sockets{%(selector)s, port!="outgoing"}
      / ignoring (state) (inetdiag_tcp_port_sockets{%(selector)s, state="established"} > 0) >= %(nearlyFullRatio)s
      and inetdiag_tcp_port_unread_sockets{%(selector)s} >= 20
      and inetdiag_tcp_port_unread_unchanged_seconds{%(selector)s} >= 10
      and ignoring (port) inetdiag_tcp_port_sockets_age_seconds{%(selector)s} < 300
    |||,
    summary='The program at port {{ $labels.port }} of %(instance)s is not reading its connections',
    description=|||
      %(percentage)s of the established connections of port {{ $labels.port }} on %(instance)s have unread
      bytes, and none has received or read any for a while.
    |||,
  ),

  alert(
    'InetdiagClosingStalled', 'warning', '5m',
    withPod('instance:inetdiag_tcp_closing:stalled', '>= 100'),
    summary='Closed connections of %(instance)s%(place)s are not acknowledged',
    description=|||
      %(count)s closed connections of %(instance)s%(podAndNamespace)s stay in FIN_WAIT1 or LAST_ACK: their peers
      are gone, unreachable, or do not read.
    |||,
  ),

  // Some programs, such as crawlers, always try some dead peers.
  alert(
    'InetdiagConnectsUnanswered', 'warning', '5m',
    withPod('inetdiag_tcp_syn_sent_retransmitted{%(selector)s}', '>= 20') + |||
      and ignoring (pod_namespace, pod_name)
      inetdiag_tcp_syn_sent_retransmitted{%(selector)s}
        >= ignoring (state) 0.2 * inetdiag_tcp_sockets{%(selector)s, state="established"}
    |||,
    summary='Connections of %(instance)s%(place)s are not answered',
    description=|||
      %(count)s outgoing connections of %(instance)s%(podAndNamespace)s wait in SYN_SENT although their SYN was
      sent again: the peer is down, a firewall drops the SYNs, or its queues are full.
    |||,
  ),

  alert(
    'InetdiagFastOpenQueueFull', 'warning', '5m',
    withPod('rate(inetdiag_nstat_tcpext_tcp_fast_open_listen_overflow_total{%(selector)s}[5m])', '> 0'),
    summary='The TCP Fast Open queue of a listener%(place)s on %(instance)s is full',
    description=|||
      {{ $value | humanize }} connections per second on %(instance)s%(podAndNamespace)s found a full TCP Fast
      Open queue and needed an ordinary handshake, which costs a round trip.
    |||,
  ),
]
