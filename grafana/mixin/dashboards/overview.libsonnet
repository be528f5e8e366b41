// Which queue is full, which limit binds, and who owns it, for all hosts.
local g = import 'grafana.libsonnet';

function(common)
  local fullest = |||
    topk(20, max by (%(by_listener)s) ({__name__=~"listener:inetdiag_(accept|syn)_queue:fill_max2m", %(target)s}))
  |||;
  local of_fullest(aggregation, series) = aggregation + ' by (%(by_listener)s) (' + series + ') and ' + fullest;
  local owners =
    'max by (%(by_listener)s, unit, pod_namespace, pod_name) (listener:inetdiag_owner:info{%(target)s})'
    + ' and on (%(by_listener)s) ' + fullest;
  local host_max(series) = 'max by (%(by)s) (' + series + ')';
  local listener_name = '{{instance}} {{address}}:{{port}} {{device}} {{owner_name}}';
  local place_name = '{{instance}} {{owner_name}}';
  local of_listener(series) = [g.query('topk(10, ' + series + ') %(with_owner)s', listener_name)];
  local of_place(series) = [g.query(common.with_place('topk(10, ' + series + ')'), place_name)];

  g.dashboard(
    'overview',
    'overview',
    'Hosts and listeners closest to the limit at which the kernel drops connections.',
    common.target_variables,
    common.annotations(),
    [
      g.row('Now', [
        g.stat('Firing alerts', 'short', [
          g.query('count(ALERTS{alertname=~"Inetdiag.+", alertstate="firing", %(target)s}) or vector(0)'),
        ], 'Number of firing alerts of inetdiag_exporter.'),
        g.stat('Exporters down', 'short', [
          g.query('sum(up{%(target)s} == bool 0)'),
        ], 'Exporters that Prometheus cannot scrape. The queues of their hosts are not monitored.'),
        g.stat('Full listeners', 'short', [
          g.query('sum(inetdiag_listener_accept_queue_fill_ratio{%(target)s} >= bool 1)'),
        ], 'Listeners that drop new connections now because their program does not call accept().'),
        g.stat('Full SYN queues', 'short', [
          g.query(|||
            sum(
              inetdiag_listener_syn_queue_length{%(target)s} >= bool inetdiag_listener_accept_queue_limit{%(target)s}
              and inetdiag_listener_syn_queue_length{%(target)s} > 0
            ) or vector(0)
          |||),
        ], |||
          Listeners with as many half-open connections as their backlog allows. The kernel sends SYN cookies, or drops
          SYNs.
        |||),
        g.stat('Listener drops', g.per_second('drops'), [
          g.query('sum(rate(inetdiag_listener_listen_drops_total{%(target)s}[$__rate_interval]))'),
        ], 'SYNs and final ACKs per second that listeners dropped.'),
        g.stat('SYN cookies', g.per_second('cookies'), [
          g.query(|||
            sum(
              rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(target)s}[$__rate_interval])
              and inetdiag_sysctl_net_ipv4_tcp_syncookies{%(target)s} == 1
            ) or vector(0)
          |||),
        ], 'SYN cookies sent per second because a SYN queue was full, on hosts with tcp_syncookies=1.', bad='orange'),
        g.stat('UDP drops', g.per_second('drops'), [
          g.query('sum(rate(inetdiag_udp_drops_total{%(target)s}[$__rate_interval]))'),
        ], 'Datagrams per second dropped because the receive buffer was full.'),
        g.stat('Full UNIX queues', 'short', [
          g.query('sum(inetdiag_unix_listener_accept_queue_fill_ratio{%(target)s} >= bool 1) or vector(0)'),
        ], 'UNIX sockets at which connect() blocks or fails now.'),
        g.table(
          'Listeners closest to their limit',
          [
            g.label('instance', 'Host', width=120, link=common.to_host),
            g.label('listener', 'Listener', width=165, link=common.to_listener),
            g.label('pod', 'Pod', width=190, link=common.to_pod),
            g.label('unit', 'Unit'),
            g.fill('Accept queue', of_fullest('max', 'listener:inetdiag_accept_queue:fill_max2m{%(target)s}')),
            g.value('Waiting', of_fullest('sum', 'listener:inetdiag_accept_queue:length_max2m{%(target)s}'), width=75),
            g.value('Limit', of_fullest('sum', 'listener:inetdiag_accept_queue:limit{%(target)s}'), width=75),
            g.choice(
              'Limited by',
              of_fullest('max', 'inetdiag_listener_backlog_capped{%(target)s}'),
              { '0': 'program', '1': 'somaxconn' },
              width=100,
            ),
            g.fill('SYN queue', of_fullest('max', 'listener:inetdiag_syn_queue:fill_max2m{%(target)s}')),
            g.bad(
              'Drops',
              of_fullest('sum', 'listener:inetdiag_listen_drops:rate5m{%(target)s}'),
              g.per_second('drops'),
              width=110,
            ),
            g.value(
              'Oldest',
              of_fullest('max', 'inetdiag_listener_accept_queue_oldest_seconds{%(target)s}'),
              's',
              width=90
            ),
            g.value(
              'No accept()',
              of_fullest('max', 'inetdiag_listener_accept_queue_stalled_seconds{%(target)s}'),
              's',
              width=110
            ),
          ] + common.link_labels,
          |||
            The twenty listeners with the fullest accept or SYN queue. At 100% the kernel drops connections, or sends
            SYN cookies. Limited by: the backlog that the program passed to listen(), or net.core.somaxconn. Oldest: how
            long the oldest connection has waited for accept(). No accept(): how long the program has accepted none of
            them. Listeners whose queues were empty for two minutes are not listed; fill ratios and waiting connections
            are the maximum of two minutes. Click a host, listener or pod for its dashboard.
          |||,
          info=[
            common.join_labels(
              'label_join(' + owners + ', "listener", ":", "address", "port")', 'pod', '/', ['pod_namespace', 'pod_name']
            ),
          ],
          h=11,
          sort_by='Accept queue',
        ),
        common.alert_table(common.words.target),
        g.table(
          'Hosts closest to a limit',
          [
            g.label('instance', 'Host', width=150, link=common.to_host),
            g.fill('Highest', host_max('instance:inetdiag_queue:fill_max{%(target)s}')),
            g.bad(
              'Drops',
              'sum by (%(by)s) (rate(inetdiag_listener_listen_drops_total{%(target)s}[$__rate_interval]))',
              g.per_second('drops'),
              width=110
            ),
            g.ratio('Accept', host_max('inetdiag_listener_accept_queue_fill_ratio{%(target)s}'), width=75),
            g.ratio('SYN', host_max('inetdiag_listener_syn_queue_fill_ratio{%(target)s}'), width=75),
            g.ratio('UNIX', host_max('inetdiag_unix_listener_accept_queue_fill_ratio{%(target)s}'), width=75),
            g.ratio('UDP', host_max('inetdiag_udp_receive_queue_fill_ratio{%(target)s}'), width=75),
            g.ratio(
              'TIME_WAIT',
              host_max('inetdiag_tcp_time_wait{%(target)s} / inetdiag_sysctl_net_ipv4_tcp_max_tw_buckets{%(target)s}'),
              width=105
            ),
            g.ratio(
              'Orphans',
              host_max('inetdiag_tcp_orphans{%(target)s} / inetdiag_sysctl_net_ipv4_tcp_max_orphans{%(target)s}'),
              width=85
            ),
            g.ratio(
              'TCP memory',
              host_max(|||
                inetdiag_tcp_memory_bytes{%(target)s}
                / ignoring (field) inetdiag_tcp_memory_limit_bytes{%(target)s, field="pressure"}
              |||),
              width=110
            ),
            g.ratio('Ports', host_max('inetdiag_ephemeral_ports_fill_ratio{%(target)s}'), width=75),
            g.ratio(
              'Conntrack',
              host_max('inetdiag_conntrack_entries{%(target)s} / inetdiag_conntrack_limit{%(target)s}'),
              width=100
            ),
            g.ratio(
              'Neighbours',
              host_max('inetdiag_neighbour_entries{%(target)s} / inetdiag_neighbour_limit{%(target)s}'),
              width=105
            ),
            g.ratio(
              'Fragments',
              host_max('inetdiag_fragments_memory_bytes{%(target)s} / inetdiag_fragments_memory_limit_bytes{%(target)s}'),
              width=100
            ),
            g.ratio(
              'Files',
              host_max('inetdiag_open_files{%(target)s} / inetdiag_open_files_limit{%(target)s}'),
              width=75
            ),
            g.ratio(
              'Retransmitted',
              |||
                sum by (%(by)s) (rate(inetdiag_nstat_tcp_retrans_segs_total{%(target)s}[$__rate_interval]))
                / sum by (%(by)s) (rate(inetdiag_nstat_tcp_out_segs_total{%(target)s}[$__rate_interval]))
              |||,
              width=120, warning=0.02, critical=0.05, decimals=1
            ),
          ] + common.link_labels_of_target,
          |||
            Highest fill ratio of each kind of queue or table on every host, other network namespaces included. TCP
            memory is relative to the pressure value of tcp_mem.
          |||,
          sort_by='Highest',
        ),
      ]),
      g.row('Listeners over time', [
        g.fill_graph('Fullest accept queues', of_listener('listener:inetdiag_accept_queue:fill_max2m{%(target)s}'), |||
          Fill ratio of the ten fullest accept queues, without empty ones: the maximum of two minutes. At 100% the kernel
          drops new connections.
        |||),
        g.graph(
          'Drops by listener',
          g.per_second('drops'),
          of_listener('listener:inetdiag_listen_drops:rate5m{%(target)s}'),
          |||
            SYNs and final ACKs per second that a listener dropped, as far as no other listener can have dropped them:
            the mean of five minutes. The clients wait or time out.
          |||
        ),
        g.fill_graph('Fullest SYN queues', of_listener('listener:inetdiag_syn_queue:fill_max2m{%(target)s}'), |||
          Fill ratio of the ten fullest SYN queues, without empty ones: the maximum of two minutes. At 100% the kernel
          sends SYN cookies, or drops SYNs.
        |||),
        g.graph(
          'Longest waits for accept()',
          's',
          of_listener('inetdiag_listener_accept_queue_oldest_seconds{%(target)s}'),
          |||
            How long the oldest connection has waited, top ten. If it grows as fast as time, the program is stuck,
            however short its queue.
          |||
        ),
        g.graph(
          'Time without accept()',
          's',
          of_listener('inetdiag_listener_accept_queue_stalled_seconds{%(target)s}'),
          'How long the program has accepted none of the waiting connections, top ten.'
        ),
        g.graph(
          'Drops without a known listener',
          g.per_second('drops'),
          of_place('instance:inetdiag_unattributed_listen_drops:rate5m{%(target)s}'),
          |||
            SYNs and final ACKs per second that listeners of a host or network namespace dropped, and that no single
            listener explains, top ten: the mean of five minutes.
          |||
        ),
      ]),
      g.row('Hosts over time', [
        g.graph(
          'SYN cookies by host',
          g.per_second('cookies'),
          of_place('rate(inetdiag_nstat_tcpext_syncookies_sent_total{%(target)s}[$__rate_interval])'),
          |||
            SYN cookies sent per second because a SYN queue was full, top ten. They do not count as drops. With
            tcp_syncookies=2 every SYN is answered with a cookie.
          |||
        ),
        g.graph(
          'Retransmitted segments',
          'percentunit',
          of_place('instance:inetdiag_tcp_retransmission:ratio_rate5m{%(target)s}'),
          |||
            Ratio of retransmitted to sent segments without SYNs, the mean of five minutes. Far below 1% on a healthy
            network.
          |||
        ),
        g.graph(
          'UDP drops by socket',
          g.per_second('drops'),
          [g.query(
            common.with_place('topk(10, listener:inetdiag_udp_drops:rate5m{%(target)s})'),
            '{{instance}} {{address}}:{{port}} {{device}} {{owner_name}}'
          )],
          'Datagrams per second dropped because the receive buffer was full: the mean of five minutes.'
        ),
        g.graph(
          'UNIX datagrams not read',
          'bytes',
          [g.query(
            common.with_place('topk(10, inetdiag_unix_datagram_pending_bytes{%(target)s})'),
            '{{instance}} {{path}} {{owner_name}}'
          )],
          'Memory of datagrams that connected senders wait to have read, top ten UNIX sockets.'
        ),
      ], collapsed=true),
    ]
  )
