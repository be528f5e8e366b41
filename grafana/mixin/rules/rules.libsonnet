{
  prometheusRules+::
    local expression = (import '../expression.libsonnet')($._config);
    local group(name, rules) = {
      name: 'inetdiag.' + name,
      rules: [rule { expr: expression(rule.expr) } for rule in rules],
    };
    {
      groups+: [
        group('rules', import 'alerts.libsonnet'),
        group('dashboards', import 'dashboards.libsonnet'),
      ],
    },
}
