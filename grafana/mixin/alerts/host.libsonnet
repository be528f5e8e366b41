// UDP, and what lies below the sockets: conntrack, packet backlogs, neighbours, fragments, devices.
local alert = (import 'alert.libsonnet').alert;
local withPod = (import 'alert.libsonnet').withPod;

[
  alert(
    'InetdiagUdpDrops', 'warning', '2m',
    |||
      (
        listener:inetdiag_udp_drops:increase15m
        * ignoring (cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name)
        group_left (unit, machine, pod_uid, pod_namespace, pod_name, container_name)
        topk without (cgroup, unit, machine, pod_uid, pod_namespace, pod_name, container_id, container_name) (1, inetdiag_udp_info{%(selector)s})
        or ignoring (unit, machine, pod_uid, pod_namespace, pod_name, container_name)
        listener:inetdiag_udp_drops:increase15m
        * ignoring (address, port, device, pod_namespace, pod_name, owner_name)
        group_left (pod_namespace, pod_name) netns:inetdiag_pod:info
        or ignoring (unit, machine, pod_uid, pod_namespace, pod_name, container_name)
        listener:inetdiag_udp_drops:increase15m
      ) > %(dropsIn15m)s
    |||,
    summary='UDP socket %(listener)s%(place)s on %(instance)s drops datagrams',
    description=|||
      UDP socket %(listener)s%(owner)s dropped %(count)s datagrams in the last 15 minutes because its receive
      buffer was full.
    |||,
  ),

  alert(
    'InetdiagConntrackNearLimit', 'warning', '5m',
    'instance:inetdiag_conntrack:fill_ratio > %(nearlyFullRatio)s',
    summary='The conntrack table of %(instance)s is nearly full',
    description=|||
      The conntrack table of %(instance)s%(namespace)s holds %(percentage)s of the entries that
      net.netfilter.nf_conntrack_max allows. At 100% the kernel drops packets of new connections.
    |||,
  ),

  alert(
    'InetdiagConntrackDrops', 'critical', '1m',
    |||
      rate(inetdiag_conntrack_drop_total{%(selector)s}[5m]) + rate(inetdiag_conntrack_early_drop_total{%(selector)s}[5m])
        > (rate(inetdiag_conntrack_insert_failed_total{%(selector)s}[5m]) or 0 * rate(inetdiag_conntrack_drop_total{%(selector)s}[5m]))
      and (
        rate(inetdiag_conntrack_early_drop_total{%(selector)s}[5m]) > 0
        or instance:inetdiag_conntrack:fill_ratio > %(nearlyFullRatio)s
      )
    |||,
    summary='The conntrack table of %(instance)s is full',
    description=|||
      %(instance)s%(namespace)s dropped {{ $value | humanize }} packets or connections per second because the
      conntrack table is full.
    |||,
  ),

  alert(
    'InetdiagSoftnetDrops', 'warning', '5m',
    'instance:inetdiag_softnet_dropped:increase15m > %(dropsIn15m)s',
    summary='%(instance)s drops packets before they reach the network stack',
    description=|||
      %(count)s packets were dropped on %(instance)s in the last 15 minutes because the backlog of their CPU was
      full (net.core.netdev_max_backlog).
    |||,
  ),

  alert(
    'InetdiagNeighbourTableNearlyFull', 'warning', '5m',
    |||
      (instance:inetdiag_neighbour:fill_ratio > %(nearlyFullRatio)s)
      and increase(inetdiag_neighbour_forced_gc_runs_total{%(selector)s}[60m]) > 0
    |||,
    summary='The {{ $labels.family }} neighbour table of %(instance)s is nearly full',
    description=|||
      The {{ $labels.family }} neighbour table of %(instance)s, which all network namespaces share, has
      %(percentage)s of the entries that gc_thresh3 allows. At 100% the kernel drops packets to new neighbours.
    |||,
  ),

  alert(
    'InetdiagNeighbourTableFull', 'critical', '1m',
    'increase(inetdiag_neighbour_table_fulls_total{%(selector)s}[5m]) > 5',
    summary='The {{ $labels.family }} neighbour table of %(instance)s is full',
    description=|||
      The {{ $labels.family }} neighbour table of %(instance)s was full: the kernel dropped packets to new
      neighbours, %(count)s times in 5 minutes.
    |||,
  ),

  alert(
    'InetdiagOpenFilesNearlyExhausted', 'warning', '5m',
    'instance:inetdiag_open_files:fill_ratio > %(nearlyFullRatio)s',
    summary='%(instance)s is near its limit of open files',
    description=|||
      %(instance)s has %(percentage)s of the open files that fs.file-max allows. At 100% accept(), socket() and
      open() fail with ENFILE.
    |||,
  ),

  alert(
    'InetdiagFragmentsNearLimit', 'warning', '2m',
    withPod('instance:inetdiag_fragments_memory:fill_ratio', '> %(nearlyFullRatio)s', 'family'),
    summary='%(instance)s has little memory left for IP fragments',
    description=|||
      Fragments ({{ $labels.family }}) that wait for reassembly on %(instance)s%(podAndNamespace)s use
      %(percentage)s of their memory. At 100% the kernel drops fragments of other datagrams.
    |||,
  ),

  alert(
    'InetdiagRouteCacheNearLimit', 'warning', '5m',
    'instance:inetdiag_route_cache:fill_ratio > %(nearlyFullRatio)s',
    summary='The IPv6 route cache of %(instance)s is nearly full',
    description=|||
      The IPv6 route cache of %(instance)s%(namespace)s has %(percentage)s of the entries that
      net.ipv6.route.max_size allows. At 100% packets to new destinations fail.
    |||,
  ),

  alert(
    'InetdiagQdiscDrops', 'warning', '5m',
    |||
      (device:inetdiag_qdisc_drops:ratio_rate5m{kind!~"tbf|htb|hfsc|cbq|cake"} > %(deviceDropRatio)s)
      and (increase(inetdiag_qdisc_drops_total{%(selector)s}[5m]) > 50)
    |||,
    summary='{{ $labels.device }} of %(instance)s drops outgoing packets',
    description=|||
      The queueing discipline ({{ $labels.kind }}) of {{ $labels.device }} on %(instance)s%(namespace)s drops
      %(percentage)s of its outgoing packets.
    |||,
  ),

  alert(
    'InetdiagNetlinkMessagesLost', 'warning', '2m',
    'increase(inetdiag_netlink_drops_total{%(selector)s}[15m]) > %(dropsIn15m)s',
    summary='A program on %(instance)s loses netlink messages',
    description=|||
      Netlink sockets of protocol {{ $labels.protocol }} on %(instance)s%(namespace)s lost %(count)s messages in
      the last 15 minutes: a program that does not read them fast enough works with an old view of routes,
      devices or connections.
    |||,
  ),

  alert(
    'InetdiagSocketDropsPackets', 'warning', '2m',
    |||
      (
        socket:inetdiag_dropped_packets:increase15m
        * ignoring (kind, pid, comm) group_left (pid, comm)
        (inetdiag_raw_socket_info{%(selector)s} or inetdiag_packet_socket_info{%(selector)s})
        or ignoring (pid, comm) socket:inetdiag_dropped_packets:increase15m
      ) > %(dropsIn15m)s
    |||,
    summary='A {{ $labels.kind }} socket on %(instance)s drops packets',
    description=|||
      A {{ $labels.kind }} socket for {{ $labels.protocol }} on %(instance)s%(namespace)s {{- with $labels.comm
      }} of {{ . }} (PID {{ $labels.pid }}){{ end }} dropped %(count)s packets in the last 15 minutes, because
      its program does not read them fast enough.
    |||,
  ),
]
