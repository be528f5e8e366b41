{
  // The names are those of the files in grafana/.
  grafanaDashboards+::
    local common = (import 'common.libsonnet')($._config);
    local substitute = (import '../substitute.libsonnet')(common.words);
    local format_queries(value) =
      if std.isArray(value) then std.map(format_queries, value)
      else if std.isObject(value) then {
        [name]: if std.member(['expr', 'query'], name) && std.isString(value[name])
        then substitute(value[name])
        else format_queries(value[name])
        for name in std.objectFields(value)
      }
      else value;
    std.mapWithKey(function(_, dashboard) format_queries(dashboard(common)), {
      'host.json': import 'host.libsonnet',
      'listener.json': import 'listener.libsonnet',
      'overview.json': import 'overview.libsonnet',
      'pods.json': import 'pods.libsonnet',
      'tcp.json': import 'tcp.libsonnet',
    }),
}
