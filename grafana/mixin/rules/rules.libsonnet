{
  prometheusRules+::
    local expression = (import '../expression.libsonnet')($._config);
    local group(name, rules) = {
      name: 'inetdiag.' + name,
      rules: [rule { expr: expression(rule.expr) } for rule in rules],
    };
    {
      groups+: [
        group('rules', import 'for_alerts.libsonnet'),
        group('dashboards', import 'for_dashboards.libsonnet'),
      ],
    },
}
