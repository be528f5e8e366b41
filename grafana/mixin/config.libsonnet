{
  _config+:: {
    // Added to every selector of the exporter's series in rules and alerts, such as 'cluster="prod"'.
    selector: '',
    // The targets of the exporter. The job is inetdiag, or NAMESPACE/inetdiag-exporter from a PodMonitor.
    jobSelector: 'job=~".*inetdiag.*"',
    // Labels that identify a target in the dashboards. The last is the host.
    targetLabels: ['cluster', 'job', 'instance'],

    // Alerts fire above (or below) these.
    nearlyFullRatio: 0.8,  // of any queue or table
    stuckSeconds: 15,  // without accept() although connections wait
    slowAcceptSeconds: 1,  // that the oldest connection has waited
    burstTimeRatio: 0.005,  // of the time for which bursts fill a queue
    dropsIn15m: 10,  // connections, datagrams, packets or messages
    deviceDropRatio: 0.05,  // of the outgoing packets of a device
    retransmissionRatio: 0.05,  // of retransmitted to sent segments
    stalledRatio: 0.2,  // of the connections of a port
    orphansRatio: 0.5,  // the kernel counts an orphan two or four times if its peer is silent

    // The URL of a runbook is runbookBase/ALERT.md. Alertmanager shows links only for absolute URLs; the default is a
    // placeholder (RFC 2606).
    runbookBase: 'https://git.example.org/inetdiag_exporter/blob/main/deploy/prometheus/runbooks',
  },
}
