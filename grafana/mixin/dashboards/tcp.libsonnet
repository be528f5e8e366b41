// TCP of a host.
local g = import 'grafana.libsonnet';

local sysctls = [
  'net.core.somaxconn',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_synack_retries',
  'net.ipv4.tcp_abort_on_overflow',
  'net.ipv4.tcp_max_tw_buckets',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_tw_reuse',
];

function(common) g.dashboard(
  'tcp',
  'TCP',
  'TCP in the exporter\'s own network namespace: states, usage and limits, SYN cookies, overflows, retransmissions, memory.',
  common.target_variables,
  common.annotations(common.words.host, common.words.host),
  [
    g.row('Usage and limits', [
      g.graph(
        'Sockets by state',
        'short',
        [
          g.query('sum by (state) (inetdiag_tcp_sockets{%(host)s})', '{{state}}'),
        ],
        'TCP sockets by state, including listening sockets.', stacked=true
      ),
      g.graph(
        'TIME_WAIT and its limit',
        'short',
        [
          g.query('inetdiag_tcp_time_wait{%(host)s}', 'time_wait {{instance}}'),
          g.query('inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets{%(host)s}', 'limit {{instance}}'),
        ],
        'TIME_WAIT sockets. At tcp_max_tw_buckets the kernel closes connections without TIME_WAIT.'
      ),
      g.graph(
        'Orphans and their limit',
        'short',
        [
          g.query('inetdiag_tcp_orphans{%(host)s}', 'orphans {{instance}}'),
          g.query('inetdiag_sysctl_net_ipv4_tcp_max_orphans{%(host)s}', 'limit {{instance}}'),
        ],
        |||
          Orphaned TCP sockets of the host. At tcp_max_orphans the kernel resets them; those with a silent peer from a
          quarter of it on.
        |||
      ),
      g.graph(
        'Memory and tcp_mem',
        'bytes',
        [
          g.query('inetdiag_tcp_memory_bytes{%(host)s}', 'used {{instance}}'),
          g.query('inetdiag_tcp_memory_limit_bytes{%(host)s, field=~"pressure|high"}', 'limit {{field}} {{instance}}'),
        ],
        |||
          Memory of all TCP buffers of the host, and tcp_mem. Above pressure the kernel shrinks buffers, at high it
          refuses memory.
        |||
      ),
      g.graph(
        'Bytes in queues',
        'bytes',
        [
          g.query('inetdiag_tcp_receive_queue_bytes{%(host)s}', 'unread {{instance}}'),
          g.query('inetdiag_tcp_send_queue_bytes{%(host)s}', 'unacknowledged {{instance}}'),
        ],
        |||
          Received bytes that programs have not read, and sent bytes that peers have not acknowledged. As old as the
          count by port.
        |||
      ),
      g.graph(
        'Allocated sockets',
        'short',
        [
          g.query('inetdiag_tcp_allocated_sockets{%(host)s}', '{{instance}}'),
        ],
        |||
          TCP sockets of the host in any state except TIME_WAIT, including other network namespaces and sockets that
          were never connected.
        |||
      ),
    ]),
    g.row('SYN cookies and overflows', [
      g.graph(
        'SYN queue full',
        g.per_second('SYNs'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_req_q_full_do_cookies_total{%(host)s}[$__rate_interval])',
            'full {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_req_q_full_drop_total{%(host)s}[$__rate_interval])',
            'drops {{instance}}'
          ),
        ],
        |||
          SYNs per second that found a full SYN queue. full: with tcp_syncookies=1 or 2, answered with a SYN cookie
          unless the accept queue was full too; with 2 every SYN is counted. drops: SYN dropped, with
          tcp_syncookies=0.
        |||
      ),
      g.graph(
        'SYN cookies',
        g.per_second('cookies'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(host)s}[$__rate_interval])',
            'sent {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_syncookies_recv_total{%(host)s}[$__rate_interval])',
            'received {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_syncookies_failed_total{%(host)s}[$__rate_interval])',
            'failed {{instance}}'
          ),
        ],
        |||
          Per second. sent: SYN-ACKs with a SYN cookie. received: final ACKs with a valid one. failed: final ACKs with
          an invalid one or without a preceding SYN. Far fewer received than sent is a SYN flood.
        |||
      ),
      g.graph(
        'Accept queue overflows',
        g.per_second('drops'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_listen_overflows_total{%(host)s}[$__rate_interval])',
            'overflows {{instance}}'
          ),
          g.query('rate(inetdiag_nstat_tcpext_listen_drops_total{%(host)s}[$__rate_interval])', 'drops {{instance}}'),
        ],
        |||
          SYNs and final ACKs per second. overflows: the accept queue was full. drops: dropped by listeners for any
          reason.
        |||
      ),
      g.graph(
        'TIME_WAIT overflow',
        g.per_second('connections'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_time_wait_overflow_total{%(host)s}[$__rate_interval])',
            '{{instance}}'
          ),
        ],
        'Connections per second closed without TIME_WAIT because tcp_max_tw_buckets was reached.'
      ),
      g.graph(
        'Unanswered SYN-ACKs, SYNs and closes',
        'short',
        [
          g.query('sum by (%(by)s) (inetdiag_listener_syn_queue_retransmitted{%(host)s})', 'SYN-ACKs {{instance}}'),
          g.query('inetdiag_tcp_syn_sent_retransmitted{%(host)s}', 'SYNs {{instance}}'),
          g.query('inetdiag_tcp_stalled_closes{%(host)s}', 'closes {{instance}}'),
        ],
        |||
          SYN-ACKs: half-open connections whose SYN-ACK was sent again. SYNs: connections in SYN_SENT whose SYN was
          sent again. Closes: connections in FIN_WAIT1 or LAST_ACK that retransmit or probe a closed window. Packets
          are lost on the way, or the peers do not answer.
        |||
      ),
      g.graph(
        'TCP Fast Open queue full',
        g.per_second('connections'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_fast_open_listen_overflow_total{%(host)s}[$__rate_interval])',
            '{{instance}}'
          ),
        ],
        |||
          Connections per second that found a full TCP Fast Open queue and needed an ordinary handshake.
        |||
      ),
    ]),
    g.row('Retransmission', [
      g.graph(
        'Retransmitted segments',
        'percentunit',
        [
          g.query(
            'rate(inetdiag_nstat_tcp_retrans_segs_total{%(host)s}[$__rate_interval]) / rate(inetdiag_nstat_tcp_out_segs_total{%(host)s}[$__rate_interval])',
            '{{instance}}'
          ),
        ],
        'Ratio of retransmitted to sent segments. Far below 1% on a healthy network.'
      ),
      g.graph(
        'Retransmissions by kind',
        g.per_second('segments'),
        [
          g.query('rate(inetdiag_nstat_tcpext_tcp_syn_retrans_total{%(host)s}[$__rate_interval])', 'SYN {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_fast_retrans_total{%(host)s}[$__rate_interval])',
            'fast {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_slow_start_retrans_total{%(host)s}[$__rate_interval])',
            'slow start {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_lost_retransmit_total{%(host)s}[$__rate_interval])',
            'lost {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_timeouts_total{%(host)s}[$__rate_interval])',
            'timeouts {{instance}}'
          ),
        ],
        |||
          Per second. SYN: retransmitted SYNs and SYN-ACKs, the peer or its listener does not answer. fast: triggered
          by duplicate ACKs. slow start: after a timeout. lost: a retransmission was lost. timeouts: no
          acknowledgement arrived.
        |||
      ),
    ]),
    g.row('Connections', [
      g.graph(
        'Opened',
        g.per_second('connections'),
        [
          g.query('rate(inetdiag_nstat_tcp_active_opens_total{%(host)s}[$__rate_interval])', 'active {{instance}}'),
          g.query('rate(inetdiag_nstat_tcp_passive_opens_total{%(host)s}[$__rate_interval])', 'passive {{instance}}'),
          g.query('rate(inetdiag_nstat_tcp_attempt_fails_total{%(host)s}[$__rate_interval])', 'failed {{instance}}'),
        ],
        |||
          Connections opened per second. active: by connect(). passive: by listeners. failed: attempts without a
          connection.
        |||
      ),
      g.graph(
        'Resets',
        g.per_second('resets'),
        [
          g.query('rate(inetdiag_nstat_tcp_out_rsts_total{%(host)s}[$__rate_interval])', 'sent {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_tcp_estab_resets_total{%(host)s}[$__rate_interval])',
            'established {{instance}}'
          ),
        ],
        'Per second. sent: RSTs sent. established: established connections that were reset.'
      ),
      g.graph(
        'Aborts',
        g.per_second('connections'),
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_abort_on_memory_total{%(host)s}[$__rate_interval])',
            'memory {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_abort_on_timeout_total{%(host)s}[$__rate_interval])',
            'timeout {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_abort_on_data_total{%(host)s}[$__rate_interval])',
            'data {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_abort_on_close_total{%(host)s}[$__rate_interval])',
            'close {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_abort_on_linger_total{%(host)s}[$__rate_interval])',
            'linger {{instance}}'
          ),
        ],
        |||
          Connections aborted per second. memory: too many orphans, or out of memory. timeout: no answer from the
          peer. data, close: closed while data was unread or arrived. linger: closed in FIN_WAIT_2 by TCP_LINGER2.
        |||
      ),
      g.graph(
        'Ephemeral ports',
        'percentunit',
        [
          g.query('inetdiag_ephemeral_ports_fill_ratio{%(host)s}', 'fullest destination {{instance}}'),
        ],
        |||
          Share of the usable ports that connections to one destination use, for the destination with the fewest left.
          At 100% connect() fails with EADDRNOTAVAIL.
        |||
      ),
    ]),
    g.row('Memory', [
      g.graph(
        'Memory pressure',
        'percentunit',
        [
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_memory_pressures_chrono_total{%(host)s}[$__rate_interval]) / 1000',
            'pressure {{instance}}'
          ),
        ],
        'Fraction of time under memory pressure. The kernel counts it when the pressure ends.'
      ),
      g.graph(
        'Drops for lack of memory',
        g.per_second('drops'),
        [
          g.query('rate(inetdiag_nstat_tcpext_prune_called_total{%(host)s}[$__rate_interval])', 'pruned {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_rcv_q_drop_total{%(host)s}[$__rate_interval])',
            'receive queue {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_backlog_drop_total{%(host)s}[$__rate_interval])',
            'backlog {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_rcv_collapsed_total{%(host)s}[$__rate_interval])',
            'collapsed {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_tcpext_tcp_zero_window_drop_total{%(host)s}[$__rate_interval])',
            'zero window {{instance}}'
          ),
        ],
        |||
          Per second. pruned: receive queues pruned. receive queue: segments dropped because the receive buffer was
          full. backlog: segments dropped because the socket backlog was full. collapsed: segments merged to save
          memory. zero window: segments dropped because the receive window was 0.
        |||
      ),
    ]),
    g.row('Settings', [
      g.table(
        'Sysctls',
        [
          g.label('instance', 'Host', width=180),
        ] + [
          g.value(
            std.split(sysctl, '.')[2],
            'max by (%(by)s) (inetdiag_sysctl_' + std.strReplace(sysctl, '.', '_') + '{%(host)s})'
          )
          for sysctl in sysctls
        ],
        'Effective values.'
      ),
    ]),
  ]
)
