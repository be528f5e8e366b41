// The other queues and tables of a host, and the exporter itself.
local g = import 'grafana.libsonnet';

function(common) g.dashboard(
  'host',
  'host',
  'UDP and UNIX sockets of the exporter\'s own network namespace, per-CPU packet backlogs, conntrack, and the exporter itself.',
  common.target_variables,
  common.annotations(common.words.host, common.words.host),
  [
    g.row('UDP', [
      g.fill_graph(
        'Fullest receive queues',
        [
          g.query(
            'topk(10, inetdiag_udp_receive_queue_fill_ratio{%(host)s})',
            '{{instance}} {{address}}:{{port}} {{device}}'
          ),
        ],
        |||
          Fill ratio of the ten fullest UDP receive buffers. Near 100% the kernel drops datagrams: the program reads
          too slowly.
        |||
      ),
      g.graph(
        'Receive queues and their limits',
        'bytes',
        [
          g.query(
            'inetdiag_udp_receive_queue_bytes{%(host)s} and topk(10, inetdiag_udp_receive_queue_fill_ratio{%(host)s})',
            'waiting {{instance}} {{address}}:{{port}} {{device}}'
          ),
          g.query(
            'inetdiag_udp_receive_queue_limit_bytes{%(host)s} and topk(10, inetdiag_udp_receive_queue_fill_ratio{%(host)s})',
            'limit {{instance}} {{address}}:{{port}} {{device}}'
          ),
        ],
        |||
          Bytes in the ten fullest receive queues, including kernel overhead, and their receive buffer (SO_RCVBUF).
        |||
      ),
      g.graph(
        'Drops by socket',
        g.per_second('drops'),
        [
          g.query(
            'topk(10, rate(inetdiag_udp_drops_total{%(host)s}[$__rate_interval]))',
            '{{instance}} {{address}}:{{port}} {{device}}'
          ),
        ],
        'Datagrams per second that each socket dropped, top ten.'
      ),
      g.graph(
        'Protocol errors',
        g.per_second('errors'),
        [
          g.query('rate(inetdiag_nstat_udp_in_errors_total{%(host)s}[$__rate_interval])', 'all {{instance}}'),
          g.query('rate(inetdiag_nstat_udp_rcvbuf_errors_total{%(host)s}[$__rate_interval])', 'rcvbuf {{instance}}'),
          g.query('rate(inetdiag_nstat_udp_sndbuf_errors_total{%(host)s}[$__rate_interval])', 'sndbuf {{instance}}'),
          g.query('rate(inetdiag_nstat_udp_no_ports_total{%(host)s}[$__rate_interval])', 'no port {{instance}}'),
          g.query('rate(inetdiag_nstat_udp_mem_errors_total{%(host)s}[$__rate_interval])', 'memory {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_udp_in_csum_errors_total{%(host)s}[$__rate_interval])',
            'checksum {{instance}}'
          ),
          g.query('rate(inetdiag_nstat_udp6_in_errors_total{%(host)s}[$__rate_interval])', 'all IPv6 {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_udp6_rcvbuf_errors_total{%(host)s}[$__rate_interval])',
            'rcvbuf IPv6 {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_udp6_sndbuf_errors_total{%(host)s}[$__rate_interval])',
            'sndbuf IPv6 {{instance}}'
          ),
          g.query('rate(inetdiag_nstat_udp6_no_ports_total{%(host)s}[$__rate_interval])', 'no port IPv6 {{instance}}'),
          g.query(
            'rate(inetdiag_nstat_udp6_mem_errors_total{%(host)s}[$__rate_interval])',
            'memory IPv6 {{instance}}'
          ),
          g.query(
            'rate(inetdiag_nstat_udp6_in_csum_errors_total{%(host)s}[$__rate_interval])',
            'checksum IPv6 {{instance}}'
          ),
        ],
        |||
          Errors per second. all: datagrams that could not be delivered. rcvbuf: receive buffer full. sndbuf: send
          buffer full. no port: no socket at the port. memory: udp_mem exceeded. checksum: damaged.
        |||
      ),
      g.graph(
        'Fullest socket of several',
        'bytes',
        [
          g.query(
            'inetdiag_udp_fullest_receive_queue_bytes{%(host)s}',
            'waiting {{instance}} {{address}}:{{port}} {{device}}'
          ),
          g.query(
            'inetdiag_udp_fullest_receive_queue_limit_bytes{%(host)s}',
            'limit {{instance}} {{address}}:{{port}} {{device}}'
          ),
        ],
        |||
          Where several sockets share an address and port: bytes in the fullest receive queue, and its receive buffer.
        |||
      ),
      g.table(
        'Owners',
        [
          g.label('instance', 'Host', width=150),
          g.label('socket', 'Socket', width=180),
          g.label('pod', 'Pod', width=180),
          g.label('container_name', 'Container', width=110),
          g.label('unit', 'Unit'),
        ],
        'Owner of the UDP sockets by address and port, from the cgroup in which they were created.',
        info=[
          common.join_labels(
            'label_join(max by (%(by)s, address, port, device, unit, pod_namespace, pod_name, container_name)'
            + ' (inetdiag_udp_info{%(host)s}), "socket", ":", "address", "port")',
            'pod', '/', ['pod_namespace', 'pod_name']
          ),
        ],
        w=12, h=8
      ),
      g.graph(
        'Datagrams',
        g.per_second('datagrams'),
        [
          g.query('rate(inetdiag_nstat_udp_in_datagrams_total{%(host)s}[$__rate_interval])', 'in {{instance}}'),
          g.query('rate(inetdiag_nstat_udp_out_datagrams_total{%(host)s}[$__rate_interval])', 'out {{instance}}'),
        ],
        'Datagrams per second received and sent by programs (IPv4).'
      ),
      g.graph(
        'Memory and udp_mem',
        'bytes',
        [
          g.query('inetdiag_udp_memory_bytes{%(host)s}', 'used {{instance}}'),
          g.query('inetdiag_udp_memory_limit_bytes{%(host)s, field="high"}', 'limit {{instance}}'),
        ],
        'Memory of all UDP buffers of the host, and udp_mem. At the limit the kernel drops datagrams.'
      ),
    ]),
    g.row('UNIX sockets', [
      g.fill_graph(
        'Fullest accept queues',
        [
          g.query('topk(10, inetdiag_unix_listener_accept_queue_fill_ratio{%(host)s})', '{{instance}} {{path}}'),
        ],
        |||
          Fill ratio of the ten fullest accept queues of UNIX sockets. At 100% connect() blocks, or fails with EAGAIN;
          the kernel does not count it.
        |||
      ),
      g.graph(
        'Accept queues and their limits',
        'short',
        [
          g.query(
            'inetdiag_unix_listener_accept_queue_length{%(host)s} and topk(10, inetdiag_unix_listener_accept_queue_fill_ratio{%(host)s})',
            'waiting {{instance}} {{path}}'
          ),
          g.query(
            'inetdiag_unix_listener_accept_queue_limit{%(host)s} and topk(10, inetdiag_unix_listener_accept_queue_fill_ratio{%(host)s})',
            'limit {{instance}} {{path}}'
          ),
        ],
        'Connections that wait for accept() at the ten fullest UNIX sockets, and their backlog.'
      ),
      g.graph(
        'Datagrams not read',
        'bytes',
        [
          g.query('topk(10, inetdiag_unix_datagram_pending_bytes{%(host)s})', 'pending {{instance}} {{path}}'),
          g.query('768 * (inetdiag_sysctl_net_unix_max_dgram_qlen{%(host)s} + 1)', 'limit {{instance}}'),
        ],
        |||
          Memory of datagrams that sockets connected to a UNIX datagram socket have sent and that are not read, top
          ten. The limit is the least memory of a full queue (net.unix.max_dgram_qlen).
        |||
      ),
      g.table(
        'Owners of UNIX listeners',
        [
          g.label('instance', 'Host', width=150),
          g.label('path', 'Path'),
          g.label('uid', 'User ID', width=100),
        ],
        'User ID of the owner of each listening UNIX socket.',
        info=['max by (%(by)s, path, uid) (inetdiag_unix_listener_info{%(host)s})'],
        w=12, h=8
      ),
      g.graph(
        'Sockets with unread datagrams',
        'short',
        [
          g.query('inetdiag_unix_datagram_unread{%(host)s}', '{{instance}} {{path}}'),
        ],
        'UNIX datagram sockets of which datagrams wait in the queue, by path: 1 while any does.'
      ),
      g.graph(
        'Sockets by type and state',
        'short',
        [
          g.query('sum by (type, state) (inetdiag_unix_sockets{%(host)s})', '{{type}} {{state}}'),
        ],
        'Number of UNIX sockets by type and state.', stacked=true, w=24
      ),
    ]),
    g.row('Packet backlogs', [
      g.graph(
        'Packets by CPU',
        g.per_second('packets'),
        [
          g.query('rate(inetdiag_softnet_processed_total{%(host)s}[$__rate_interval])', '{{instance}} cpu {{cpu}}'),
        ],
        |||
          Packets per second that each CPU processed. One CPU far above the others: the interrupts are not
          distributed.
        |||
      ),
      g.graph(
        'Backlog and its limit',
        'short',
        [
          g.query('max by (%(by)s) (inetdiag_softnet_backlog_length{%(host)s})', 'waiting {{instance}}'),
          g.query('inetdiag_sysctl_net_core_netdev_max_backlog{%(host)s}', 'limit {{instance}}'),
        ],
        'Packets in the backlog of the fullest CPU, and netdev_max_backlog.'
      ),
      g.graph(
        'Drops by CPU',
        g.per_second('drops'),
        [
          g.query('rate(inetdiag_softnet_dropped_total{%(host)s}[$__rate_interval])', '{{instance}} cpu {{cpu}}'),
        ],
        'Packets per second dropped because the backlog of the CPU was full.'
      ),
      g.graph(
        'Time squeezed by CPU',
        g.per_second('times'),
        [
          g.query(
            'rate(inetdiag_softnet_time_squeezed_total{%(host)s}[$__rate_interval])',
            '{{instance}} cpu {{cpu}}'
          ),
        ],
        |||
          Times per second that net_rx_action stopped with packets left, out of netdev_budget or time. Some are normal
          under load.
        |||
      ),
      g.graph(
        'RPS and flow limit',
        g.per_second('events'),
        [
          g.query(
            'sum by (%(by)s) (rate(inetdiag_softnet_received_rps_total{%(host)s}[$__rate_interval]))',
            'rps {{instance}}'
          ),
          g.query(
            'sum by (%(by)s) (rate(inetdiag_softnet_flow_limit_total{%(host)s}[$__rate_interval]))',
            'flow limit {{instance}}'
          ),
        ],
        |||
          rps: inter-processor interrupts per second from other CPUs. flow limit: packets per second of large flows
          dropped in favor of small ones.
        |||, w=24
      ),
    ], collapsed=true),
    g.row('Neighbours, open files, fragments', [
      g.graph(
        'Neighbours and limit',
        'short',
        [
          g.query('inetdiag_neighbour_entries{%(host)s}', '{{family}} {{instance}}'),
          g.query('inetdiag_neighbour_limit{%(host)s}', 'limit {{family}} {{instance}}'),
        ],
        |||
          Entries of the ARP and NDISC tables of the host, and gc_thresh3. Permanent and learned entries do not count
          against the limit. At the limit the kernel drops packets to new neighbours.
        |||
      ),
      g.graph(
        'Full neighbour tables',
        g.per_second('events'),
        [
          g.query(
            'rate(inetdiag_neighbour_table_fulls_total{%(host)s}[$__rate_interval])',
            'full {{family}} {{instance}}'
          ),
          g.query(
            'rate(inetdiag_neighbour_forced_gc_runs_total{%(host)s}[$__rate_interval])',
            'collection {{family}} {{instance}}'
          ),
        ],
        |||
          Events per second. full: a neighbour could not be added. collection: old entries were removed to make room.
        |||
      ),
      g.graph(
        'Open files and limit',
        'short',
        [
          g.query('inetdiag_open_files{%(host)s}', 'open {{instance}}'),
          g.query('inetdiag_open_files_limit{%(host)s} < 1e15', 'limit {{instance}}'),
        ],
        |||
          Open files of the host, sockets included, and fs.file-max where it is not the maximum. At the limit accept()
          fails with ENFILE.
        |||
      ),
      g.graph(
        'Fragments and limit',
        'bytes',
        [
          g.query('inetdiag_fragments_memory_bytes{%(host)s}', '{{family}} {{instance}}'),
          g.query('inetdiag_fragments_memory_limit_bytes{%(host)s}', 'limit {{family}} {{instance}}'),
        ],
        |||
          Memory of IP fragments that wait for reassembly, and its limit. At the limit the kernel drops fragments of
          other datagrams.
        |||
      ),
      g.graph(
        'IPv6 route cache and limit',
        'short',
        [
          g.query('inetdiag_route_cache_entries{%(host)s}', 'entries {{instance}}'),
          g.query('inetdiag_route_cache_limit{%(host)s}', 'limit {{instance}}'),
        ],
        |||
          Destination entries of IPv6, and net.ipv6.route.max_size. Only kernels before 6.3 have this limit.
        |||
      ),
      g.graph(
        'Reassembly failures',
        g.per_second('failures'),
        [
          g.query('rate(inetdiag_nstat_ip_reasm_fails_total{%(host)s}[$__rate_interval])', 'ipv4 {{instance}}'),
          g.query('rate(inetdiag_nstat_ip6_reasm_fails_total{%(host)s}[$__rate_interval])', 'ipv6 {{instance}}'),
        ],
        'Failures per second: fragments were lost, or their memory was full.'
      ),
    ]),
    g.row('Queueing disciplines of devices', [
      g.graph(
        'Drops by device',
        g.per_second('drops'),
        [
          g.query(
            'topk(10, rate(inetdiag_qdisc_drops_total{%(host)s}[$__rate_interval]))',
            '{{device}} {{kind}} {{instance}}'
          ),
        ],
        'Packets per second that the queueing discipline dropped instead of sending.'
      ),
      g.graph(
        'Share of packets dropped',
        'percentunit',
        [
          g.query(
            'topk(10, rate(inetdiag_qdisc_drops_total{%(host)s}[$__rate_interval]) / (rate(inetdiag_qdisc_drops_total{%(host)s}[$__rate_interval]) + rate(inetdiag_qdisc_packets_total{%(host)s}[$__rate_interval]) > 0))',
            '{{device}} {{kind}} {{instance}}'
          ),
        ],
        'Share of the outgoing packets that the queueing discipline dropped.'
      ),
      g.graph(
        'Queues and their limits',
        'short',
        [
          g.query('topk(10, inetdiag_qdisc_queue_packets{%(host)s})', '{{device}} {{kind}} {{instance}}'),
          g.query(
            'inetdiag_qdisc_limit_packets{%(host)s} and topk(10, inetdiag_qdisc_queue_packets{%(host)s})',
            'limit {{device}} {{kind}} {{instance}}'
          ),
        ],
        'Packets that wait for a device, and the limit of queueing disciplines with a single queue.'
      ),
      g.graph(
        'Overlimits and requeues',
        g.per_second('events'),
        [
          g.query(
            'topk(10, rate(inetdiag_qdisc_overlimits_total{%(host)s}[$__rate_interval]))',
            'overlimit {{device}} {{instance}}'
          ),
          g.query(
            'topk(10, rate(inetdiag_qdisc_requeues_total{%(host)s}[$__rate_interval]))',
            'requeue {{device}} {{instance}}'
          ),
        ],
        |||
          Events per second. overlimit: a configured rate or limit was exceeded. requeue: the device had no room.
        |||
      ),
    ], collapsed=true),
    g.row('Netlink, raw and packet sockets', [
      g.graph(
        'Drops by protocol',
        g.per_second('drops'),
        [
          g.query(
            'rate(inetdiag_netlink_drops_total{%(host)s}[$__rate_interval])',
            'netlink {{protocol}} {{instance}}'
          ),
          g.query(
            'rate(inetdiag_raw_drops_total{%(host)s}[$__rate_interval])',
            'raw {{protocol}} {{family}} {{instance}}'
          ),
          g.query('rate(inetdiag_packet_drops_total{%(host)s}[$__rate_interval])', 'packet {{protocol}} {{instance}}'),
        ],
        |||
          Messages and packets per second that sockets lost. Raw and packet sockets of programs that only send drop
          without harm.
        |||
      ),
      g.graph(
        'Receive queues by protocol',
        'bytes',
        [
          g.query('inetdiag_netlink_receive_queue_bytes{%(host)s}', 'netlink {{protocol}} {{instance}}'),
          g.query('inetdiag_raw_receive_queue_bytes{%(host)s}', 'raw {{protocol}} {{family}} {{instance}}'),
          g.query('inetdiag_packet_receive_queue_bytes{%(host)s}', 'packet {{protocol}} {{instance}}'),
        ],
        'Memory of messages and packets that programs have not read.'
      ),
      g.graph(
        'Drops by socket',
        g.per_second('drops'),
        [
          g.query(
            'rate(inetdiag_netlink_socket_drops_total{%(host)s}[$__rate_interval])',
            'netlink {{protocol}} socket {{inode}} {{instance}}'
          ),
          g.query(
            'rate(inetdiag_raw_socket_drops_total{%(host)s}[$__rate_interval])',
            'raw {{protocol}} {{family}} socket {{inode}} {{instance}}'
          ),
          g.query(
            'rate(inetdiag_packet_socket_drops_total{%(host)s}[$__rate_interval])',
            'packet {{protocol}} socket {{inode}} {{instance}}'
          ),
        ],
        'Drops per second of the open sockets with most drops.'
      ),
      g.graph(
        'Receive queues of sockets that drop',
        'bytes',
        [
          g.query(
            'inetdiag_netlink_socket_receive_queue_bytes{%(host)s}',
            'netlink {{protocol}} socket {{inode}} {{instance}}'
          ),
          g.query(
            'inetdiag_raw_socket_receive_queue_bytes{%(host)s}',
            'raw {{protocol}} {{family}} socket {{inode}} {{instance}}'
          ),
          g.query(
            'inetdiag_packet_socket_receive_queue_bytes{%(host)s}',
            'packet {{protocol}} socket {{inode}} {{instance}}'
          ),
        ],
        'A queue that never becomes shorter is that of a program that only sends, or that is stuck.'
      ),
      g.table(
        'Processes of sockets that drop',
        [
          g.label('instance', 'Host', width=180),
          g.label('comm', 'Command', width=180),
          g.label('pid', 'PID', width=100),
          g.label('protocol', 'Protocol', width=180),
          g.label('family', 'Family', width=100),
          g.label('inode', 'Socket'),
        ],
        'A process of each socket whose drops grew. It needs access to /proc/PID/fd.',
        info=[
          |||
            max by (%(by)s, protocol, family, inode, pid, comm) (
              inetdiag_netlink_socket_info{%(host)s}
              or inetdiag_raw_socket_info{%(host)s}
              or inetdiag_packet_socket_info{%(host)s}
            )
          |||,
        ],
        h=8
      ),
    ], collapsed=true),
    g.row('Conntrack', [
      g.graph(
        'Entries and limit',
        'short',
        [
          g.query('inetdiag_conntrack_entries{%(host)s}', 'entries {{instance}}'),
          g.query('inetdiag_conntrack_limit{%(host)s}', 'limit {{instance}}'),
        ],
        |||
          Entries of the conntrack table, and nf_conntrack_max. At the limit the kernel drops packets of new
          connections.
        |||
      ),
      g.graph(
        'Drops and failures',
        g.per_second('drops'),
        [
          g.query('rate(inetdiag_conntrack_drop_total{%(host)s}[$__rate_interval])', 'drop {{instance}}'),
          g.query('rate(inetdiag_conntrack_early_drop_total{%(host)s}[$__rate_interval])', 'early drop {{instance}}'),
          g.query(
            'rate(inetdiag_conntrack_insert_failed_total{%(host)s}[$__rate_interval])',
            'insert failed {{instance}}'
          ),
          g.query(
            'rate(inetdiag_conntrack_search_restart_total{%(host)s}[$__rate_interval])',
            'search restart {{instance}}'
          ),
        ],
        |||
          Events per second. drop: table full. early drop: an entry was deleted to make room. insert failed: usually a
          race of two packets. search restart: hash table lookups that were restarted.
        |||
      ),
    ]),
    g.row('The exporter', [
      g.graph(
        'Scrapes',
        'short',
        [
          g.query('up{%(host)s}', '{{instance}}'),
        ],
        'Whether Prometheus could scrape the exporter (up).'
      ),
      g.graph(
        'Failing collectors',
        'short',
        [
          g.query('sum by (%(by)s) (inetdiag_scrape_collector_success{%(host)s} == bool 0)', '{{instance}}'),
        ],
        'Collectors that failed or timed out. The log has the reason.'
      ),
      g.graph(
        'Duration by collector',
        's',
        [
          g.query(
            'max by (%(by)s, collector) (inetdiag_scrape_collector_duration_seconds{%(host)s})',
            '{{instance}} {{collector}}'
          ),
        ],
        'Duration of the ten slowest collectors in a scrape.'
      ),
      g.graph(
        'CPU',
        'percentunit',
        [
          g.query('rate(process_cpu_seconds_total{%(host)s}[$__rate_interval])', '{{instance}}'),
        ],
        'CPU time of the exporter, as a fraction of one CPU.'
      ),
      g.graph(
        'Memory',
        'bytes',
        [
          g.query('process_resident_memory_bytes{%(host)s}', '{{instance}}'),
        ],
        'Resident memory of the exporter.'
      ),
      g.graph(
        'File descriptors',
        'short',
        [
          g.query('process_open_fds{%(host)s}', 'open {{instance}}'),
          g.query('process_max_fds{%(host)s}', 'limit {{instance}}'),
        ],
        'Open file descriptors of the exporter, and their limit.'
      ),
      g.table(
        'Builds',
        [
          g.label('instance', 'Host'),
          g.label('version', 'Version'),
          g.label('revision', 'Revision'),
          g.value('Started', 'max by (%(by)s) (process_start_time_seconds{%(host)s}) * 1000', 'dateTimeFromNow'),
        ],
        'Version and start of each exporter.',
        info=['max by (%(by)s, version, revision) (inetdiag_exporter_build_info{%(host)s})'],
        w=12, h=8
      ),
      g.graph(
        'Sandbox',
        'short',
        [
          g.query('min by (%(by)s, part) (inetdiag_sandbox_active{%(host)s})', '{{instance}} {{part}}'),
        ],
        |||
          Whether each part of the sandbox is applied: 0 if the kernel or the container does not allow it, or with
          --no-sandbox.
        |||, w=24
      ),
    ], collapsed=true),
  ]
)
