/**
 * Returns a function that inserts the configuration, and `words`, into a PromQL expression, and removes what an empty
 * selector leaves.
 */
function(config, words={})
  local thresholds = { [name]: '%g' % config[name] for name in std.objectFields(config) if std.isNumber(config[name]) };
  local substitute = (import 'substitute.libsonnet')(
    words + thresholds { selector: config.selector, jobSelector: config.jobSelector }
  );
  function(expr) std.strReplace(std.strReplace(substitute(expr), '{, ', '{'), '{}', '')
