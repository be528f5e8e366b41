// One listener: its queues, their limit, drops, and the owner.
local g = import 'grafana.libsonnet';

function(common)
  local of_each(aggregation, series) = aggregation + ' by (%(by_listener)s) (' + series + ')';
  local of_listener(series, kind='') =
    local prefix = if kind == '' then '' else kind + ' ';
    g.query(common.with_owner(series), prefix + '{{instance}} {{address}}:{{port}} {{device}} {{owner_name}}');
  local of_place(series, legend) = g.query(common.with_place(series), legend + ' {{owner_name}}');

  g.dashboard(
    'listener',
    'listener',
    'Accept and SYN queue of a listener, their limit, drops, and the owner.',
    common.target_variables + [
      g.variable('netns', 'Network namespace', 'label_values(inetdiag_listener_sockets{%(target)s}, netns)', '.*'),
      g.variable(
        'address',
        'Address',
        'label_values(inetdiag_listener_sockets{%(target)s, netns=~"$netns"}, address)',
        '.+'
      ),
      g.variable(
        'port',
        'Port',
        'label_values(inetdiag_listener_sockets{%(target)s, netns=~"$netns", address=~"$address"}, port)',
        '.+'
      ),
    ],
    common.annotations(),
    [
      g.row('Now', [
        g.stat(
          'Accept queue',
          'percentunit',
          [g.query('max(inetdiag_listener_accept_queue_fill_ratio{%(listener)s})')],
          'Fill ratio of the fullest accept queue. At 100% the kernel drops new connections.',
          steps=[['green', null], ['orange', 0.8], ['red', 1]],
        ),
        g.stat(
          'SYN queue',
          'percentunit',
          [g.query('max(inetdiag_listener_syn_queue_fill_ratio{%(listener)s})')],
          'Fill ratio of the fullest SYN queue. At 100% the kernel sends SYN cookies, or drops SYNs.',
          steps=[['green', null], ['orange', 0.8], ['red', 1]],
        ),
        g.stat(
          'Drops',
          g.per_second('drops'),
          [g.query('sum(rate(inetdiag_listener_listen_drops_total{%(listener)s}[$__rate_interval]))')],
          'SYNs and final ACKs per second that these listeners dropped.',
        ),
        g.stat(
          'Oldest connection',
          's',
          [g.query('max(inetdiag_listener_accept_queue_oldest_seconds{%(listener)s}) or vector(0)')],
          'How long the oldest connection has waited for accept().',
          steps=[['green', null], ['orange', 1], ['red', 15]],
        ),
        g.stat(
          'No accept()',
          's',
          [g.query('max(inetdiag_listener_accept_queue_stalled_seconds{%(listener)s}) or vector(0)')],
          'How long the program has accepted none of the waiting connections.',
          steps=[['green', null], ['orange', 5], ['red', 15]],
        ),
        g.stat(
          'Stalled sockets',
          'short',
          [g.query('sum(inetdiag_listener_stalled_sockets{%(listener)s}) or vector(0)')],
          'Of several sockets with the same address and port, those that accept none of their connections.',
        ),
        g.stat(
          'Abandoned',
          'short',
          [g.query('sum(inetdiag_listener_accept_queue_abandoned_connections{%(listener)s}) or vector(0)')],
          'Connections that wait for accept() although the client has closed them.',
          bad='orange',
        ),
        g.stat(
          'At somaxconn',
          'short',
          [g.query('sum(inetdiag_listener_backlog_capped{%(listener)s}) or vector(0)')],
          'Listeners whose backlog is the maximum that net.core.somaxconn allows.',
          bad='blue',
        ),
        g.table(
          'Listeners',
          [
            g.label('instance', 'Host', width=150, link=common.to_host),
            g.label('listener', 'Listener', width=180),
            g.label('pod', 'Pod', width=180, link=common.to_pod),
            g.label('container_name', 'Container', width=110),
            g.label('unit', 'Unit'),
            g.fill('Accept queue', of_each('max', 'inetdiag_listener_accept_queue_fill_ratio{%(listener)s}')),
            g.value('Limit', of_each('sum', 'inetdiag_listener_accept_queue_limit{%(listener)s}'), width=80),
            g.choice(
              'Limited by',
              of_each('max', 'inetdiag_listener_backlog_capped{%(listener)s}'),
              { '0': 'program', '1': 'somaxconn' },
              width=110
            ),
            g.fill('SYN queue', of_each('max', 'inetdiag_listener_syn_queue_fill_ratio{%(listener)s}')),
            g.bad(
              'Drops',
              of_each('sum', 'rate(inetdiag_listener_listen_drops_total{%(listener)s}[$__rate_interval])'),
              g.per_second('drops'),
              width=120
            ),
            g.value('Sockets', of_each('sum', 'inetdiag_listener_sockets{%(listener)s}'), width=90),
          ] + common.link_labels_of_target + [g.hidden('pod_namespace'), g.hidden('pod_name')],
          |||
            Owner, queues and limit of each listener. Limited by: the backlog of the program (or a net.core.somaxconn
            that was lower when it called listen()), or net.core.somaxconn. With SO_REUSEPORT several sockets share an
            address; the fill ratio is that of the fullest.
          |||,
          info=[
            common.join_labels(
              'label_join(max by (%(by_listener)s, unit, pod_namespace, pod_name, container_name)'
              + ' (listener:inetdiag_owner:info{%(listener)s}), "listener", ":", "address", "port")',
              'pod', '/', ['pod_namespace', 'pod_name']
            ),
          ],
          h=8,
          sort_by='Accept queue',
        ),
      ]),
      g.row('Accept queue', [
        g.graph(
          'Accept queue and its limit',
          'short',
          [
            of_listener('inetdiag_listener_accept_queue_length{%(listener)s}', 'waiting'),
            of_listener('inetdiag_listener_accept_queue_limit{%(listener)s}', 'limit'),
          ],
          |||
            Connections that wait for accept(), and the backlog. The queue holds one connection more than the backlog.
          |||
        ),
        g.fill_graph(
          'Accept queue fill',
          [
            of_listener('inetdiag_listener_accept_queue_fill_ratio{%(listener)s}'),
          ],
          |||
            Fill ratio of the fullest socket of the listener. At 100% the kernel drops new connections: the program does
            not call accept() fast enough.
          |||
        ),
        g.graph(
          'Backlog and somaxconn',
          'short',
          [
            of_listener(
              'inetdiag_listener_accept_queue_limit{%(listener)s} / inetdiag_listener_sockets{%(listener)s}',
              'backlog'
            ),
            of_place('inetdiag_sysctl_net_core_somaxconn{%(target)s, netns=~"$netns"}', 'somaxconn {{instance}}'),
          ],
          |||
            Backlog of one socket, and the maximum that net.core.somaxconn allows. If it is lower, the program requests
            less; if it is equal, the sysctl caps it. A new sysctl value takes effect at the next listen().
          |||
        ),
        g.graph(
          'Sockets',
          'short',
          [
            of_listener('inetdiag_listener_sockets{%(listener)s}'),
          ],
          'Listening sockets with the same address and port. Each has its own queues.'
        ),
        g.graph(
          'Wait for accept()',
          's',
          [
            of_listener('inetdiag_listener_accept_queue_oldest_seconds{%(listener)s}', 'oldest'),
            of_listener('inetdiag_listener_accept_queue_stalled_seconds{%(listener)s}', 'stalled'),
          ],
          |||
            oldest: how long the oldest connection has waited. stalled: how long the program has accepted none of
            the waiting connections. If both grow together, the program is stuck, and a larger backlog does not help.
            Absent unless connections waited in two scrapes.
          |||
        ),
        g.graph(
          'Abandoned and unread connections',
          'short',
          [
            of_listener('inetdiag_listener_accept_queue_abandoned_connections{%(listener)s}', 'abandoned'),
            of_listener('inetdiag_listener_accept_queue_unread_connections{%(listener)s}', 'unread'),
          ],
          |||
            abandoned: connections that wait for accept() although the client has closed them; the program accepts them
            in vain. unread: connections that wait for accept() on which the client has sent data, such as a request.
          |||
        ),
        g.graph(
          'Time with a full accept queue',
          'percentunit',
          [
            of_listener(
              '1 - rate(inetdiag_listener_accept_queue_sampled_fill_ratio_bucket{%(listener)s, le="0.99"}[$__rate_interval]) / ignoring (le) rate(inetdiag_listener_accept_queue_sampled_fill_ratio_count{%(listener)s}[$__rate_interval])',
              'full'
            ),
            of_listener(
              '1 - rate(inetdiag_listener_accept_queue_sampled_fill_ratio_bucket{%(listener)s, le="0.8"}[$__rate_interval]) / ignoring (le) rate(inetdiag_listener_accept_queue_sampled_fill_ratio_count{%(listener)s}[$__rate_interval])',
              'above 80%'
            ),
          ],
          |||
            Share of time for which the accept queue was full, or above 80%, by samples between the scrapes. A burst
            that no scrape finds is visible here. Absent until a connection waits.
          |||
        ),
        g.fill_graph(
          'Peak accept queue fill',
          [
            of_listener('inetdiag_listener_accept_queue_peak_fill_ratio{%(listener)s}'),
          ],
          |||
            Highest fill ratio of the fullest socket in the last five minutes, by samples between the scrapes. Absent
            until a connection waits.
          |||
        ),
        g.graph(
          'Mean accept queue length',
          'short',
          [
            of_listener(
              'rate(inetdiag_listener_accept_queue_waiting_seconds_total{%(listener)s}[$__rate_interval])'
            ),
          ],
          |||
            Connections that wait for accept() on average, by samples between the scrapes. Absent until a connection
            waits.
          |||
        ),
        g.graph(
          'Mean wait for accept()',
          's',
          [
            of_place(
              'sum by (%(by)s, netns) (rate(inetdiag_listener_accept_queue_waiting_seconds_total{%(target)s, netns=~"$netns"}[$__rate_interval])) / sum by (%(by)s, netns) (rate(inetdiag_nstat_tcp_passive_opens_total{%(target)s, netns=~"$netns"}[$__rate_interval]) > 0)',
              '{{instance}}'
            ),
          ],
          |||
            Mean wait of a new connection, by Little's law: the mean length of the accept queues / the rate of new
            connections. The kernel counts new connections by network namespace, so this is for all of its listeners
            together.
          |||
        ),
        g.graph(
          'Stalled and full sockets',
          'short',
          [
            of_listener('inetdiag_listener_stalled_sockets{%(listener)s}', 'stalled'),
            of_listener('inetdiag_listener_full_sockets{%(listener)s}', 'full'),
            of_listener('inetdiag_listener_stalled_sockets_waiting_connections{%(listener)s}', 'waiting at stalled'),
          ],
          |||
            Of several sockets with the same address and port: those that accepted none of their waiting connections
            since the previous scrape, and those whose accept queue is full. The kernel assigns clients to the sockets
            by a hash, so the others do not help.
          |||
        ),
      ]),
      g.row('SYN queue', [
        g.graph(
          'SYN queue and its limit',
          'short',
          [
            of_listener('inetdiag_listener_syn_queue_length{%(listener)s}', 'half-open'),
            of_listener('inetdiag_listener_accept_queue_limit{%(listener)s}', 'limit'),
          ],
          |||
            Half-open connections, and the backlog, which limits them too. With tcp_syncookies=0 also three quarters of
            tcp_max_syn_backlog do.
          |||
        ),
        g.fill_graph(
          'SYN queue fill',
          [
            of_listener('inetdiag_listener_syn_queue_fill_ratio{%(listener)s}'),
          ],
          |||
            Fill ratio of the SYN queue. At 100% (kernels before 2025: one connection less) the kernel answers SYNs with
            SYN cookies, or drops them if tcp_syncookies is 0.
          |||
        ),
        g.graph(
          'Unanswered SYN-ACKs',
          'short',
          [
            of_listener('inetdiag_listener_syn_queue_retransmitted{%(listener)s}'),
          ],
          |||
            Half-open connections whose SYN-ACK was sent again. If they are most of the SYN queue, SYN-ACKs or ACKs are
            lost on the way, or the SYNs are forged.
          |||
        ),
      ]),
      g.row('Drops', [
        g.graph(
          'Drops by listener',
          g.per_second('drops'),
          [
            of_listener('rate(inetdiag_listener_listen_drops_total{%(listener)s}[$__rate_interval])'),
          ],
          |||
            SYNs and final ACKs per second that this listener dropped, as far as no other listener can have dropped
            them. SYN cookies are not included.
          |||
        ),
        g.graph(
          'SYN cookies and overflows',
          g.per_second('events'),
          [
            of_place(
              'rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(target)s, netns=~"$netns"}[$__rate_interval])',
              'cookies {{instance}}'
            ),
            of_place(
              'rate(inetdiag_nstat_tcpext_tcp_req_q_full_drop_total{%(target)s, netns=~"$netns"}[$__rate_interval])',
              'full_drop {{instance}}'
            ),
            of_place(
              'rate(inetdiag_nstat_tcpext_listen_overflows_total{%(target)s, netns=~"$netns"}[$__rate_interval])',
              'overflows {{instance}}'
            ),
            of_place(
              'rate(inetdiag_nstat_tcpext_listen_drops_total{%(target)s, netns=~"$netns"}[$__rate_interval])',
              'drops {{instance}}'
            ),
          ],
          |||
            Kernel counters per second, for all listeners together. cookies: SYN queue full, SYN cookie sent. full_drop:
            SYN queue full, SYN dropped. overflows: accept queue full. drops: all drops. With tcp_syncookies=2 every SYN
            is answered with a cookie.
          |||
        ),
        g.graph(
          'Drops of the sockets',
          g.per_second('drops'),
          [
            of_listener('rate(inetdiag_listener_socket_drops_total{%(listener)s}[$__rate_interval])'),
          ],
          |||
            Packets per second that the sockets of the listener dropped for any reason. What exceeds the drops by
            listener harms nobody: bare ACKs under TCP_DEFER_ACCEPT, RSTs to half-open connections, repeated SYNs.
          |||
        ),
      ]),
      g.row('Connections of the port', [
        g.graph(
          'Connections by state',
          'short',
          [
            g.query('sum by (state) (inetdiag_tcp_port_sockets{%(port)s})', '{{state}}'),
          ],
          'TCP sockets of the selected ports by state, for all local addresses.', stacked=true
        ),
        g.graph(
          'Established',
          'short',
          [
            of_place('inetdiag_tcp_port_sockets{%(port)s, state="established"}', '{{instance}} {{port}}'),
          ],
          'Established connections by port.'
        ),
        g.graph(
          'CLOSE_WAIT',
          'short',
          [
            of_place('inetdiag_tcp_port_sockets{%(port)s, state="close_wait"}', '{{instance}} {{port}}'),
          ],
          |||
            Connections that the peer closed and the program did not, those included that wait for accept(). Many that
            stay are a leak in the program.
          |||
        ),
        g.graph(
          'Age of the count by port',
          's',
          [
            of_place('inetdiag_tcp_port_sockets_age_seconds{%(target)s, netns=~"$netns"}', '{{instance}}'),
          ],
          'Age of the count by port. It is refreshed as often as --collector.tcp.cpu-budget allows.'
        ),
        g.graph(
          'Aggregated listeners',
          'short',
          [
            of_place('inetdiag_listeners_aggregated{%(target)s, netns=~"$netns"}', '{{instance}}'),
          ],
          'Listeners beyond --collector.listeners.max, aggregated into address="other".'
        ),
        g.graph(
          'Stalled connections',
          'short',
          [
            of_place(
              'inetdiag_tcp_port_stalled_sockets{%(port)s}',
              '{{reason}} {{instance}} port {{port}}'
            ),
          ],
          |||
            Open connections of the port whose peers do not acknowledge (retransmission, keepalive) or do not read
            (zero_window). A steady share of slow clients is normal; a sudden one is not.
          |||
        ),
        g.graph(
          'Unread connections',
          'short',
          [
            of_place('inetdiag_tcp_port_unread_sockets{%(port)s}', '{{instance}} port {{port}}'),
          ],
          'Established connections of the port with bytes that the program has not read.'
        ),
        g.graph(
          'Unread queues unchanged',
          's',
          [
            of_place('inetdiag_tcp_port_unread_unchanged_seconds{%(port)s}', '{{instance}} port {{port}}'),
          ],
          'How long none of the queues with unread bytes has changed. If it grows, the program hangs.'
        ),
        g.graph(
          'Longest queues',
          'bytes',
          [
            of_place(
              'inetdiag_tcp_port_receive_queue_max_bytes{%(port)s}',
              'receive {{instance}} port {{port}}'
            ),
            of_place(
              'inetdiag_tcp_port_send_queue_max_bytes{%(port)s}',
              'send {{instance}} port {{port}}'
            ),
          ],
          'Bytes in the longest receive and send queue of the open connections of the port.'
        ),
        g.graph(
          'Round-trip times',
          's',
          [
            of_place(
              'histogram_quantile(0.5, inetdiag_tcp_port_rtt_seconds_bucket{%(port)s})',
              '{{instance}} port {{port}}, median'
            ),
            of_place(
              'histogram_quantile(0.99, inetdiag_tcp_port_rtt_seconds_bucket{%(port)s})',
              '{{instance}} port {{port}}, 99 %'
            ),
          ],
          |||
            Smoothed round-trip times of the connections that are open now: median and 99th percentile. Needs
            --collector.tcp.info=on.
          |||
        ),
        g.graph(
          'Limited and retransmitting connections',
          'short',
          [
            of_place(
              'inetdiag_tcp_port_limited_sockets{%(port)s}',
              '{{instance}} port {{port}} {{limit}}'
            ),
            of_place(
              'inetdiag_tcp_port_retransmitted_sockets{%(port)s}',
              '{{instance}} port {{port}} retransmitted'
            ),
          ],
          |||
            Open connections that the receive window of the peer or the send buffer limited for at least half of the
            time in which they were sending, and those that have retransmitted since they were opened. Needs
            --collector.tcp.info=on.
          |||
        ),
      ]),
    ]
  )
