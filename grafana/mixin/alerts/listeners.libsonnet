// Accept queues and SYN queues of listeners, UNIX sockets among them.
local alert = (import 'alert.libsonnet').alert;
local withPod = (import 'alert.libsonnet').withPod;

[
  // One connection fills the queue of listen(0): that is a fault only if connections are dropped.
  alert(
    'InetdiagListenerAcceptQueueFull', 'critical', '1m',
    |||
      (
        inetdiag_listener_accept_queue_fill_ratio{%(selector)s} >= 1
        unless (
          inetdiag_listener_accept_queue_limit{%(selector)s} == 0
          unless increase(inetdiag_listener_listen_drops_total{%(selector)s}[5m]) > 0
        )
      )
      %(withOwner)s
    |||,
    summary='Listener %(listener)s%(place)s on %(instance)s drops new connections',
    description=|||
      The accept queue of %(listener)s%(owner)s is at %(percentage)s of its limit: the program does not call
      accept() fast enough, or at all, and the kernel drops new connections.
    |||,
  ),

  // Also fires while the queue is full: that is the symptom, this is the cause. The exporter does not read the
  // waiting connections in every scrape if it has to save CPU time.
  alert(
    'InetdiagListenerStuck', 'critical', '1m',
    |||
      (
        (
          max_over_time(inetdiag_listener_stalled_sockets_waiting_connections{%(selector)s}[1m]) >= 2
          or (
            inetdiag_listener_accept_queue_length{%(selector)s} >= 2
            unless max_over_time(inetdiag_listener_stalled_sockets_waiting_connections{%(selector)s}[1m])
          )
        )
        and (
          max_over_time(inetdiag_listener_accept_queue_stalled_seconds{%(selector)s}[1m]) >= %(stuckSeconds)s
          unless inetdiag_listener_accept_queue_stalled_seconds{%(selector)s} < %(stuckSeconds)s
        )
      )
      %(withOwner)s
    |||,
    summary=|||
      Listener %(listener)s%(place)s on %(instance)s accepts no connections%(selectorOfListener)s {{- with query
      (printf "inetdiag_listener_stalled_sockets%s > 0 < inetdiag_listener_sockets%s" $selector $selector) }}
      at {{ . | first | value | printf "%.0f" }} of its sockets{{ end }}
    |||,
    description=|||
      %(listener)s%(owner)s accepts no connections: %(count)s waiting in the accept queue%(selectorOfListener)s
      {{- with query (printf "inetdiag_listener_accept_queue_oldest_seconds%s" $selector) }}, the oldest for {{
      . | first | value | humanizeDuration }} {{- end }}. {{- with query (printf
      "inetdiag_listener_stalled_sockets%s > 0 < inetdiag_listener_sockets%s" $selector $selector) }} {{ . |
      first | value | printf "%.0f" }} of {{- with query (printf "inetdiag_listener_sockets%s" $selector) }}
      {{ . | first | value | printf "%.0f" }}{{ end }} sockets accept nothing, and the kernel still assigns
      clients to them. {{- end }} A larger backlog does not help.
    |||,
  ),

  // A program that accepts nothing, and a full queue, have alerts of their own. The series of the waiting connections
  // have gaps.
  alert(
    'InetdiagListenerAcceptQueueSlow', 'warning', '5m',
    |||
      (
        max_over_time(inetdiag_listener_accept_queue_oldest_seconds{%(selector)s}[1m]) >= %(slowAcceptSeconds)s
        and inetdiag_listener_accept_queue_length{%(selector)s} >= 2
        and inetdiag_listener_accept_queue_fill_ratio{%(selector)s} < 1
        unless (
          max_over_time(inetdiag_listener_accept_queue_stalled_seconds{%(selector)s}[1m]) >= %(stuckSeconds)s
          unless inetdiag_listener_accept_queue_stalled_seconds{%(selector)s} < %(stuckSeconds)s
        )
      )
      %(withOwner)s
    |||,
    summary='Connections of %(listener)s%(place)s on %(instance)s wait long for accept()',
    description=|||
      %(listener)s%(owner)s accepts connections too slowly: the oldest has waited for {{ $value |
      humanizeDuration }}.%(selectorOfListener)s {{- with query (printf
      "inetdiag_listener_accept_queue_abandoned_connections%s >= 10 and
      inetdiag_listener_accept_queue_abandoned_connections%s >= 0.5 * inetdiag_listener_accept_queue_length%s"
      $selector $selector $selector) }} {{ . | first | value | printf "%.0f" }} of the waiting connections were
      closed by their clients, and the program will accept them in vain. {{- end }} A larger backlog does not
      help.
    |||,
  ),

  // Bursts are shorter than the scrape interval, so the alert requires one in every 5 minutes.
  alert(
    'InetdiagListenerAcceptQueueNearlyFull', 'warning', '10m',
    |||
      max_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[5m])
      %(withOwner)s
      >= %(nearlyFullRatio)s
    |||,
    summary='Accept queue of %(listener)s%(place)s on %(instance)s is nearly full',
    description=|||
      The accept queue of %(listener)s%(owner)s reached %(percentage)s of its limit in the last 5 minutes, and
      did so repeatedly for 10 minutes.
    |||,
  ),

  // A queue of a few places is full for a moment with a few clients at once, as is one that holds as many clients as
  // connect at once. A queue that is nearly full in a scrape of every 5 minutes, and one that drops, have alerts of
  // their own; some scrape may find a burst. The samples count a queue as full above 0.99; the peak, of the last
  // five minutes, shows whether it had room.
  alert(
    'InetdiagListenerAcceptQueueBursts', 'warning', '10m',
    |||
      (
        listener:inetdiag_accept_queue:full_ratio5m >= %(burstTimeRatio)s
        and inetdiag_listener_accept_queue_peak_fill_ratio{%(selector)s} >= 1
        and inetdiag_listener_accept_queue_limit{%(selector)s} / inetdiag_listener_sockets{%(selector)s} >= 16
        and avg_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[5m]) < %(nearlyFullRatio)s
        unless min_over_time(listener:inetdiag_accept_queue:fill_max5m[10m]) >= %(nearlyFullRatio)s
        unless listener:inetdiag_listen_drops:increase15m > %(dropsIn15m)s
      )
      %(withOwner)s
    |||,
    summary='Accept queue of %(listener)s%(place)s on %(instance)s is full between scrapes',
    description=|||
      The accept queue of %(listener)s%(owner)s was full for %(percentage)s of the last 5 minutes, in bursts
      between scrapes, and was so repeatedly for 10 minutes. The kernel drops the next connection of such a
      burst.
    |||,
  ),

  // Kernels before 2025 limit the SYN queue to the backlog, not to backlog + 1 as the fill ratio assumes.
  alert(
    'InetdiagListenerSynQueueFull', 'warning', '2m',
    |||
      (
        inetdiag_listener_syn_queue_length{%(selector)s} > 0
        and (
          inetdiag_listener_syn_queue_length{%(selector)s} >= inetdiag_listener_accept_queue_limit{%(selector)s}
          or inetdiag_listener_syn_queue_fill_ratio{%(selector)s} >= 0.99
        )
      )
      %(withOwner)s
    |||,
    summary='SYN queue of %(listener)s%(place)s on %(instance)s is full',
    description=|||
      %(listener)s%(owner)s has %(count)s half-open connections, as many as its SYN queue holds. The kernel
      answers further SYNs with SYN cookies, or drops them if net.ipv4.tcp_syncookies is 0.
    |||,
  ),

  alert(
    'InetdiagListenerDrops', 'warning', '2m',
    |||
      listener:inetdiag_listen_drops:increase15m
      %(withOwner)s
      > %(dropsIn15m)s
    |||,
    summary='Listener %(listener)s%(place)s on %(instance)s drops connections',
    description=|||
      %(listener)s%(owner)s dropped %(count)s SYNs and final ACKs in the last 15 minutes. Each drop delays a
      client by a second or more, or makes it time out.
    |||,
  ),

  // Counter and sockets are not read at the same moment. A full listener has its own alert.
  alert(
    'InetdiagListenDropsUnattributed', 'warning', '2m',
    withPod('instance:inetdiag_unattributed_listen_drops:increase15m', '> %(dropsIn15m)s') + |||
      and ignoring (pod_namespace, pod_name)
      instance:inetdiag_unattributed_listen_drops:increase15m
        > 0.2 * increase(inetdiag_nstat_tcpext_listen_drops_total{%(selector)s}[15m])
      unless ignoring (address, port, device, pod_namespace, pod_name) (
        max_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[15m]) >= 1
        and increase(inetdiag_listener_socket_drops_total{%(selector)s}[15m]) > 0
      )
    |||,
    summary='%(instance)s%(place)s drops connections; the listener is unknown',
    description=|||
      Listeners of %(instance)s%(podAndNamespace)s dropped %(count)s SYNs and final ACKs in the last 15 minutes
      that no single listener explains: several listeners can have dropped them, or one that has closed since.
    |||,
  ),

  alert(
    'InetdiagSynCookiesSent', 'warning', '5m',
    withPod('instance:inetdiag_syn_cookies:rate5m', '> 0'),
    summary='%(instance)s%(place)s sends SYN cookies',
    description=|||
      {{ $value | humanize }} SYNs per second found a full SYN queue on %(instance)s%(podAndNamespace)s and were
      answered with a SYN cookie. The cause is a SYN flood or a backlog that is too small.
    |||,
  ),

  // With tcp_syncookies=2 every SYN gets a cookie, and no connection is half-open.
  alert(
    'InetdiagSynCookiesUnanswered', 'warning', '5m',
    withPod('instance:inetdiag_syn_cookies:received_ratio5m', '< 0.5'),
    summary='SYN cookies of %(instance)s%(place)s do not come back',
    description=|||
      %(percentage)s of the SYN cookies that %(instance)s%(podAndNamespace)s sent in the last 5 minutes came
      back. net.ipv4.tcp_syncookies is 2, so every SYN gets one: the others are a SYN flood, SYN-only health
      checks or scans, or clients that the SYN-ACK does not reach.
    |||,
  ),

  // After a SYN cookie the kernel does not repeat the SYN-ACK: if a full accept queue drops the final ACK,
  // the client assumes that it is connected, and times out.
  alert(
    'InetdiagSynCookiesWithDrops', 'critical', '2m',
    |||
      (
        listener:inetdiag_listen_drops:increase15m > %(dropsIn15m)s
        and max_over_time(inetdiag_listener_syn_queue_fill_ratio{%(selector)s}[5m]) >= %(nearlyFullRatio)s
        and ignoring (address, port, device) instance:inetdiag_syn_cookies:rate5m > 0
      )
      %(withOwner)s
    |||,
    summary='%(listener)s%(place)s on %(instance)s drops connections while SYN cookies are sent',
    description=|||
      %(listener)s%(owner)s dropped %(count)s SYNs and final ACKs in the last 15 minutes while its SYN queue was
      full and the kernel sent SYN cookies. Clients whose final ACK was dropped assume that they are connected,
      and time out.
    |||,
  ),

  // A listener counts a repeated SYN as a drop of its socket. Forged SYNs are not repeated.
  alert(
    'InetdiagSynAcksUnanswered', 'warning', '5m',
    |||
      (
        inetdiag_listener_syn_queue_retransmitted{%(selector)s} >= 10
        and inetdiag_listener_syn_queue_retransmitted{%(selector)s} >= 0.5 * inetdiag_listener_syn_queue_length{%(selector)s}
        and increase(inetdiag_listener_socket_drops_total{%(selector)s}[5m])
          > increase(inetdiag_listener_listen_drops_total{%(selector)s}[5m])
        and inetdiag_listener_syn_queue_fill_ratio{%(selector)s} < %(nearlyFullRatio)s
        and inetdiag_listener_accept_queue_fill_ratio{%(selector)s} < 1
      )
      %(withOwner)s
    |||,
    summary='Clients of %(listener)s%(place)s on %(instance)s do not answer SYN-ACKs',
    description=|||
      %(listener)s%(owner)s has %(count)s half-open connections whose SYN-ACK was sent again, and clients repeat
      their SYNs: SYN-ACKs or ACKs are lost on the way.
    |||,
  ),

  alert(
    'InetdiagListenerBacklogTooSmall', 'info', '5m',
    |||
      (
        inetdiag_listener_accept_queue_limit{%(selector)s} / inetdiag_listener_sockets{%(selector)s}
        and listener:inetdiag_listen_drops:increase15m > %(dropsIn15m)s
        and inetdiag_listener_backlog_capped{%(selector)s} == 0
      )
      %(withOwner)s
    |||,
    summary='Listener %(listener)s%(place)s on %(instance)s has too small a backlog',
    description=|||
      %(listener)s%(owner)s drops connections with a backlog of %(count)s, set by the program, or by a
      net.core.somaxconn that was lower when it called listen(). net.core.somaxconn now allows more.
    |||,
  ),

  alert(
    'InetdiagSomaxconnTooSmall', 'info', '5m',
    |||
      (
        inetdiag_listener_accept_queue_limit{%(selector)s} / inetdiag_listener_sockets{%(selector)s}
        and (
          listener:inetdiag_listen_drops:increase15m > %(dropsIn15m)s
          or max_over_time(inetdiag_listener_accept_queue_fill_ratio{%(selector)s}[5m]) >= %(nearlyFullRatio)s
        )
        and inetdiag_listener_backlog_capped{%(selector)s} == 1
      )
      %(withOwner)s
    |||,
    summary='net.core.somaxconn limits %(listener)s%(place)s on %(instance)s',
    description=|||
      %(listener)s%(owner)s is full or nearly full, and its backlog of %(count)s is the maximum that
      net.core.somaxconn allows.
    |||,
  ),

  // The kernel has no counter for a rejected connect() to a UNIX socket.
  alert(
    'InetdiagUnixListenerAcceptQueueFull', 'critical', '1m',
    withPod('inetdiag_unix_listener_accept_queue_fill_ratio{%(selector)s}', '>= 1', 'path'),
    summary='Accept queue of UNIX socket {{ $labels.path }}%(place)s on %(instance)s is full',
    description=|||
      The accept queue of {{ $labels.path }}%(podAndNamespace)s is at %(percentage)s of its limit: connect()
      blocks, or fails with EAGAIN.
    |||,
  ),

  // resets() counts how often the length has fallen.
  alert(
    'InetdiagUnixListenerStuck', 'warning', '2m',
    withPod('inetdiag_unix_listener_accept_queue_length{%(selector)s}', '>= 5', 'path') + |||
      and ignoring (pod_namespace, pod_name)
      min_over_time(inetdiag_unix_listener_accept_queue_length{%(selector)s}[5m]) >= 5
      and ignoring (pod_namespace, pod_name)
      resets(inetdiag_unix_listener_accept_queue_length{%(selector)s}[5m]) == 0
      and ignoring (pod_namespace, pod_name)
      inetdiag_unix_listener_accept_queue_fill_ratio{%(selector)s} < 1
    |||,
    summary='UNIX socket {{ $labels.path }}%(place)s on %(instance)s accepts no connections',
    description=|||
      %(count)s connections wait for accept() at {{ $labels.path }}%(podAndNamespace)s and their number has not
      fallen for 5 minutes: the program is stopped, blocked, or all its workers are busy.
    |||,
  ),

  // A small datagram takes 768 bytes; a queue that holds fewer for each of its places is not full.
  alert(
    'InetdiagUnixDatagramsUnread', 'warning', '2m',
    withPod('inetdiag_unix_datagram_pending_bytes{%(selector)s}', ignored='path') + '\n' + |||
      and ignoring (pod_namespace, pod_name)
      min_over_time(inetdiag_unix_datagram_unread{%(selector)s}[5m]) > 0
      and ignoring (pod_namespace, pod_name)
      resets(inetdiag_unix_datagram_pending_bytes{%(selector)s}[5m]) == 0
      and ignoring (pod_namespace, pod_name)
      inetdiag_unix_datagram_pending_bytes{%(selector)s}
        >= ignoring (path) group_left () 0.8 * 768 * (inetdiag_sysctl_net_unix_max_dgram_qlen{%(selector)s} + 1)
    |||,
    summary='UNIX socket {{ $labels.path }}%(place)s on %(instance)s does not read its datagrams',
    description=|||
      {{ $value | humanize1024 }}B of datagrams of connected senders wait at {{ $labels.path
      }}%(podAndNamespace)s and have not become fewer for 5 minutes. With a full queue, send() blocks or fails
      with EAGAIN.
    |||,
  ),
]
