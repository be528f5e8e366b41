// The queues of pods and containers, and the limits of their network namespaces.
local g = import 'grafana.libsonnet';

// Widths of the columns.
local sysctls = {
  'net.core.somaxconn': 105,
  'net.ipv4.tcp_max_syn_backlog': 170,
  'net.ipv4.tcp_syncookies': 125,
  'net.ipv4.tcp_abort_on_overflow': 190,
  'net.ipv4.tcp_max_tw_buckets': 175,
};
local name_of(sysctl) = std.split(sysctl, '.')[2];
local metric_of(sysctl) = std.strReplace(sysctl, '.', '_');

function(common)
  local alert_selector = common.words.pods + ', netns!=""';
  local fullest = |||
    topk(20, max by (%(by_listener)s) (
      {__name__=~"listener:inetdiag_(accept|syn)_queue:fill_max2m", %(target)s} %(of_pods)s
    ))
  |||;
  local of_fullest(aggregation, series) = aggregation + ' by (%(by_listener)s) (' + series + ') and ' + fullest;
  local owners =
    'max by (%(by_listener)s, pod_namespace, pod_name, container_name) (listener:inetdiag_owner:info{%(target)s})'
    + ' and on (%(by_listener)s) ' + fullest;

  g.dashboard(
    'pods',
    'pods',
    |||
      Network namespaces of pods and containers, and their queues closest to the limit at which the kernel drops
      connections. Requires --netns.discover.
    |||,
    common.target_variables + [
      g.variable('pod_namespace', 'Namespace', 'label_values(inetdiag_netns_info{%(target)s}, pod_namespace)', '.*'),
      g.variable(
        'pod',
        'Pod',
        'label_values(inetdiag_netns_info{%(target)s, pod_namespace=~"$pod_namespace"}, pod_name)',
        '.*'
      ),
    ],
    common.annotations(alert_selector),
    [
      g.row('Now', [
        g.stat(
          'Firing alerts',
          'short',
          [
            g.query('count(ALERTS{alertname=~"Inetdiag.+", alertstate="firing", ' + alert_selector + '}) or vector(0)'),
          ],
          'Number of firing alerts of inetdiag_exporter for these pods.'
        ),
        g.stat(
          'Full listeners',
          'short',
          [
            g.query('sum(inetdiag_listener_accept_queue_fill_ratio{%(target)s} >= bool 1 %(of_pods)s)'),
          ],
          |||
            Listeners in pods that drop new connections now because their program does not call accept().
          |||
        ),
        g.stat(
          'Full SYN queues',
          'short',
          [
            g.query('sum((inetdiag_listener_syn_queue_length{%(target)s} > 0) >= bool inetdiag_listener_accept_queue_limit{%(target)s} %(of_pods)s) or vector(0)'),
          ],
          |||
            Listeners in pods with as many half-open connections as their backlog allows. The kernel sends SYN cookies,
            or drops SYNs. As old as the TCP dump below.
          |||
        ),
        g.stat(
          'Listener drops',
          g.per_second('drops'),
          [
            g.query('sum(rate(inetdiag_listener_listen_drops_total{%(target)s}[$__rate_interval]) %(of_pods)s)'),
          ],
          'SYNs and final ACKs per second that listeners in pods dropped.'
        ),
        g.stat(
          'SYN cookies',
          g.per_second('cookies'),
          [
            g.query('sum(rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(target)s}[$__rate_interval]) * (inetdiag_sysctl_net_ipv4_tcp_syncookies{%(target)s} == bool 1) %(of_pods)s)'),
          ],
          'SYN cookies sent per second because a SYN queue was full, in pods with tcp_syncookies=1.'
        ),
        g.stat(
          'High TIME_WAIT',
          'short',
          [
            g.query('sum(inetdiag_tcp_time_wait{%(target)s} / inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets{%(target)s} > bool 0.8 %(of_pods)s)'),
          ],
          'Pods whose TIME_WAIT sockets exceed 80% of their tcp_max_tw_buckets.'
        ),
        g.stat(
          'UDP drops',
          g.per_second('drops'),
          [
            g.query('sum(rate(inetdiag_udp_drops_total{%(target)s}[$__rate_interval]) %(of_pods)s)'),
          ],
          'Datagrams per second dropped in pods because the receive buffer was full.'
        ),
        g.stat(
          'Skipped',
          'short',
          [
            g.query('sum(inetdiag_netns_skipped{%(target)s})'),
          ],
          |||
            Network namespaces of these nodes that were discovered but skipped because of --netns.max, the scrape
            deadline or missing privileges. Their pods are not monitored.
          |||
        ),
        common.alert_table(alert_selector),
        g.table(
          'Listeners closest to their limit',
          [
            g.label('pod', 'Pod', link=common.to_pod),
            g.label('container_name', 'Container', width=120),
            g.label('listener', 'Listener', width=190, link=common.to_listener),
            g.label('instance', 'Node', width=150, link=common.to_host),
            g.fill('Accept queue', of_fullest('max', 'listener:inetdiag_accept_queue:fill_max2m{%(target)s}')),
            g.value('Waiting', of_fullest('sum', 'listener:inetdiag_accept_queue:length_max2m{%(target)s}'), width=80),
            g.value('Limit', of_fullest('sum', 'listener:inetdiag_accept_queue:limit{%(target)s}'), width=80),
            g.choice(
              'Limited by',
              of_fullest('max', 'inetdiag_listener_backlog_capped{%(target)s}'),
              { '0': 'program', '1': 'somaxconn' },
              width=110
            ),
            g.fill('SYN queue', of_fullest('max', 'listener:inetdiag_syn_queue:fill_max2m{%(target)s}')),
            g.bad(
              'Drops',
              of_fullest('sum', 'listener:inetdiag_listen_drops:rate5m{%(target)s}'),
              g.per_second('drops'),
              width=120
            ),
          ] + common.link_labels,
          |||
            The twenty listeners in pods with the fullest accept or SYN queue. At 100% the kernel drops connections, or
            sends SYN cookies. Limited by: the backlog that the program passed to listen(), or the pod's
            net.core.somaxconn. Listeners whose queues were empty for two minutes are not listed; fill ratios are the
            maximum of two minutes. Click a pod or listener for its dashboard.
          |||,
          info=[
            common.join_labels(
              'label_join(' + owners + ', "listener", ":", "address", "port")', 'pod', '/', ['pod_namespace', 'pod_name']
            ),
          ],
          h=11,
          sort_by='Accept queue',
        ),
      ]),
      g.row('Queues over time', [
        g.fill_graph(
          'Fullest accept queues',
          [
            g.query(
              'topk(10, listener:inetdiag_accept_queue:fill_max2m{%(target)s} %(with_pod)s)',
              '{{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            Fill ratio of the ten fullest accept queues, without empty ones: the maximum of two minutes. At 100% the
            kernel drops new connections.
          |||
        ),
        g.fill_graph(
          'Fullest SYN queues',
          [
            g.query(
              'topk(10, listener:inetdiag_syn_queue:fill_max2m{%(target)s} %(with_pod)s)',
              '{{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            Fill ratio of the ten fullest SYN queues, without empty ones: the maximum of two minutes. At 100% the kernel
            sends SYN cookies, or drops SYNs. As old as the TCP dump below.
          |||
        ),
        g.graph(
          'Accept queues and their limits',
          'short',
          [
            g.query(
              '(listener:inetdiag_accept_queue:length_max2m{%(target)s} and topk(10, listener:inetdiag_accept_queue:fill_max2m{%(target)s} %(of_pods)s)) %(with_pod)s',
              'waiting {{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
            g.query(
              '(listener:inetdiag_accept_queue:limit{%(target)s} and topk(10, listener:inetdiag_accept_queue:fill_max2m{%(target)s} %(of_pods)s)) %(with_pod)s',
              'limit {{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            Connections that wait for accept() at the ten fullest listeners, and their backlog. Empty queues are not
            shown.
          |||
        ),
        g.fill_graph(
          'Fullest UNIX sockets',
          [
            g.query(
              'topk(10, path:inetdiag_unix_accept_queue:fill_max2m{%(target)s} %(with_pod)s)',
              '{{path}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            Fill ratio of the ten fullest accept queues of UNIX sockets that were opened in these network namespaces,
            without empty ones: the maximum of two minutes. At 100% connect() blocks, or fails with EAGAIN; the kernel
            does not count it.
          |||
        ),
        g.graph(
          'Longest waits for accept()',
          's',
          [
            g.query(
              'topk(10, inetdiag_listener_accept_queue_oldest_seconds{%(target)s} %(with_pod)s)',
              'oldest {{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
            g.query(
              'topk(10, inetdiag_listener_accept_queue_stalled_seconds{%(target)s} %(with_pod)s)',
              'stalled {{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            oldest: how long the oldest connection has waited. stalled: how long the program has accepted none of
            the waiting connections. Top ten.
          |||
        ),
        g.graph(
          'Connections without an answer',
          'short',
          [
            g.query(
              'topk(10, inetdiag_listener_syn_queue_retransmitted{%(target)s} %(with_pod)s)',
              'SYN-ACKs {{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
            g.query(
              'topk(10, inetdiag_tcp_syn_sent_retransmitted{%(target)s} %(with_pod)s)',
              'SYNs {{instance}} {{owner_name}}'
            ),
          ],
          |||
            SYN-ACKs: half-open connections whose SYN-ACK was sent again. SYNs: connections in SYN_SENT whose SYN was
            sent again. Top ten.
          |||
        ),
      ]),
      g.row('Drops by reason', [
        g.graph(
          'Drops by listener',
          g.per_second('drops'),
          [
            g.query(
              'topk(10, listener:inetdiag_listen_drops:rate5m{%(target)s} %(with_pod)s)',
              '{{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            SYNs and final ACKs per second that a listener dropped, as far as no other listener of the pod can have
            dropped them, top ten: the mean of five minutes. The clients wait or time out.
          |||
        ),
        g.graph(
          'TCP listener drops by reason',
          g.per_second('drops'),
          [
            g.query(
              'sum(rate(inetdiag_nstat_tcpext_listen_overflows_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'accept queue'
            ),
            g.query(
              'sum(rate(inetdiag_nstat_tcpext_tcp_req_q_full_drop_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'SYN queue'
            ),
            g.query(
              'sum(clamp_min(rate(inetdiag_nstat_tcpext_listen_drops_total{%(target)s}[$__rate_interval]) - rate(inetdiag_nstat_tcpext_listen_overflows_total{%(target)s}[$__rate_interval]) - rate(inetdiag_nstat_tcpext_tcp_req_q_full_drop_total{%(target)s}[$__rate_interval]), 0) %(of_pods)s)',
              'other'
            ),
            g.query(
              'sum(rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'cookies'
            ),
          ],
          |||
            Kernel counters per second, for these pods together. accept queue: full. SYN queue: full, with
            tcp_syncookies=0. other: no memory. cookies: SYN queue full, SYN cookie sent instead of a drop; with
            tcp_syncookies=2 for every SYN.
          |||
        ),
        g.graph(
          'UDP drops by socket',
          g.per_second('drops'),
          [
            g.query(
              'topk(10, listener:inetdiag_udp_drops:rate5m{%(target)s} %(with_pod)s)',
              '{{address}}:{{port}} {{device}} {{instance}} {{owner_name}}'
            ),
          ],
          |||
            Datagrams per second dropped because the receive buffer was full, top ten: the mean of five minutes.
          |||
        ),
        g.graph(
          'UDP drops by reason',
          g.per_second('drops'),
          [
            g.query(
              'sum(rate(inetdiag_nstat_udp_rcvbuf_errors_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'receive buffer'
            ),
            g.query(
              'sum(rate(inetdiag_nstat_udp_sndbuf_errors_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'send buffer'
            ),
            g.query('sum(rate(inetdiag_nstat_udp_no_ports_total{%(target)s}[$__rate_interval]) %(of_pods)s)', 'no port'),
            g.query(
              'sum(rate(inetdiag_nstat_udp6_rcvbuf_errors_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'receive buffer IPv6'
            ),
            g.query(
              'sum(rate(inetdiag_nstat_udp6_sndbuf_errors_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'send buffer IPv6'
            ),
            g.query(
              'sum(rate(inetdiag_nstat_udp6_no_ports_total{%(target)s}[$__rate_interval]) %(of_pods)s)',
              'no port IPv6'
            ),
          ],
          |||
            Datagrams per second, for these pods together. receive buffer: full, the program reads too slowly. send
            buffer: full. no port: no socket at the port.
          |||
        ),
      ]),
      g.row('Limits', [
        g.table(
          'Limits that differ from the node',
          [
            g.label('owner_name', 'Pod'),
            g.label('instance', 'Node', width=150),
          ] + [
            g.value(
              name_of(sysctl),
              '(inetdiag_sysctl_' + metric_of(sysctl) + '{%(target)s} != on (%(by)s) group_left () inetdiag_sysctl_'
              + metric_of(sysctl) + '{%(host)s}) %(with_pod)s',
              width=sysctls[sysctl]
            )
            for sysctl in std.objectFields(sysctls)
          ],
          |||
            Sysctls of pods that differ from those of the node; an empty field is equal. A new network namespace starts
            with the kernel defaults (somaxconn 4096), not with the values of the node. somaxconn takes effect at the
            program's next listen().
          |||,
          h=7,
          sort_by='Pod', descending=false
        ),
        g.table(
          'Limits of the node',
          [
            g.label('instance', 'Node'),
          ] + [
            g.value(
              name_of(sysctl),
              'max by (%(by)s) (inetdiag_sysctl_' + metric_of(sysctl) + '{%(host)s})',
              width=sysctls[sysctl]
            )
            for sysctl in std.objectFields(sysctls)
          ],
          "Sysctls of the exporter's own network namespace, that of the node.",
          h=6
        ),
        g.fill_graph(
          'TIME_WAIT fill ratio',
          [
            g.query(
              'topk(10, (inetdiag_tcp_time_wait{%(target)s} / inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets{%(target)s}) %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            TIME_WAIT sockets relative to tcp_max_tw_buckets, top ten pods. At 100% the kernel closes connections
            without TIME_WAIT.
          |||
        ),
        g.graph(
          'TIME_WAIT overflow',
          g.per_second('connections'),
          [
            g.query(
              'topk(10, rate(inetdiag_nstat_tcpext_tcp_time_wait_overflow_total{%(target)s}[$__rate_interval]) %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            Connections per second closed without TIME_WAIT because tcp_max_tw_buckets was reached, top ten pods.
          |||
        ),
      ]),
      g.row('Connections', [
        g.graph(
          'Retransmitted segments',
          'percentunit',
          [
            g.query(
              'topk(10, (rate(inetdiag_nstat_tcp_retrans_segs_total{%(target)s}[$__rate_interval]) / (rate(inetdiag_nstat_tcp_out_segs_total{%(target)s}[$__rate_interval]) > 1)) %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            Ratio of retransmitted to sent segments, top ten of the pods that send at least one per second. Far below 1%
            on a healthy network.
          |||
        ),
        g.graph(
          'Resets sent',
          g.per_second('resets'),
          [
            g.query(
              'topk(10, rate(inetdiag_nstat_tcp_out_rsts_total{%(target)s}[$__rate_interval]) %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            RSTs per second, top ten pods. No socket listens at the port, or a program closed a connection with unread
            data.
          |||
        ),
        g.graph(
          'Sockets by state',
          'short',
          [
            g.query('sum by (state) (inetdiag_tcp_sockets{%(target)s} %(of_pods)s)', '{{state}}'),
          ],
          |||
            TCP sockets of these pods together, including listening sockets. As old as the TCP dump below.
          |||, stacked=true
        ),
        g.graph(
          'CLOSE_WAIT',
          'short',
          [
            g.query(
              'topk(10, inetdiag_tcp_sockets{%(target)s, state="close_wait"} %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            Connections that the peer closed and the program did not, top ten pods. A growing number is a leak in the
            program.
          |||, stacked=true
        ),
      ]),
      g.row('Network namespaces', [
        g.graph(
          'Discovered and skipped',
          'short',
          [
            g.query('inetdiag_netns_discovered{%(target)s}', 'discovered {{instance}}'),
            g.query('inetdiag_netns_skipped{%(target)s}', 'skipped {{instance}}'),
            g.query(
              'sum by (%(by)s) (inetdiag_netns_directory_exists{%(target)s} == bool 0)',
              'missing directories {{instance}}'
            ),
          ],
          'Network namespaces other than that of the node, and how many of them were skipped.', stacked=true, w=8
        ),
        g.graph(
          'Age of the TCP dump',
          's',
          [
            g.query(
              'topk(10, inetdiag_netns_tcp_dump_age_seconds{%(target)s} %(with_pod)s)',
              '{{instance}} {{owner_name}}'
            ),
          ],
          |||
            Age of the SYN queues and the sockets by state, top ten. A dump iterates over all sockets of the node, as
            often as its CPU budget allows.
          |||, stacked=true, w=8
        ),
        g.graph(
          'Collection',
          'short',
          [
            g.query('inetdiag_scrape_collector_success{%(target)s, collector="netns"}', 'success {{instance}}'),
            g.query('inetdiag_scrape_collector_duration_seconds{%(target)s, collector="netns"}', 'seconds {{instance}}'),
          ],
          |||
            success: 0 if a network namespace failed or timed out; the log has the reason. seconds: duration for all
            network namespaces in a scrape.
          |||, stacked=true, w=8
        ),
        g.table(
          'Pods by network namespace',
          [
            g.label('pod', 'Pod', width=260),
            g.label('instance', 'Node', width=150, link=common.to_host),
            g.label('netns', 'Network namespace', width=330),
            g.label('path', 'Path'),
            g.label('inode', 'Inode', width=110),
            g.label('container', 'Container', width=130),
          ] + common.link_labels_of_target,
          |||
            Each monitored network namespace, with its pod and one of its containers if cgroups or pod log directories
            name them.
          |||,
          info=[
            common.join_labels(
              'label_replace(max by (%(by)s, netns, inode, path, pod_namespace, pod_name, container_id)'
            + ' (inetdiag_netns_info{%(pods)s}), "container", "${1}", "container_id", "(.{12}).*")',
              'pod', '/', ['pod_namespace', 'pod_name']
            ),
          ],
          h=8,
          sort_by='Pod', descending=false
        ),
      ], collapsed=true),
    ]
  )
