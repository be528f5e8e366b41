local phrases = (import 'alert.libsonnet').phrases;

{
  prometheusAlerts+::
    local expression = (import '../expression.libsonnet')($._config, phrases);
    local substitute = (import '../substitute.libsonnet')(phrases { runbookBase: $._config.runbookBase });
    // One line: in a template, `{{-` removes the blank before it.
    local text(template) = std.strReplace(substitute(template), '\n', ' ');
    local group(name, alerts) = {
      name: 'inetdiag.' + name,
      rules: [
        alert {
          expr: expression(alert.expr),
          annotations: { [name]: text(alert.annotations[name]) for name in std.objectFields(alert.annotations) },
        }
        for alert in alerts
      ],
    };
    {
      groups+: [
        group('listeners', import 'listeners.libsonnet'),
        group('tcp', import 'tcp.libsonnet'),
        group('host', import 'host.libsonnet'),
        group('exporter', import 'exporter.libsonnet'),
      ],
    },
}
