/**
 * Returns a function that replaces %(name)s by words.name. The operator % does the same, but takes seconds for texts as
 * long as those of the dashboards.
 */
function(words)
  // An array, because its elements are evaluated once; the fields of an object are evaluated whenever they are read.
  local replacements = [['%(' + name + ')s', words[name]] for name in std.objectFields(words)];
  function(text)
    local result = std.foldl(
      function(done, replacement) std.strReplace(done, replacement[0], replacement[1]),
      replacements,
      std.rstripChars(text, ' \n')
    );
    if std.strReplace(result, '%(', '') != result then error 'unknown word in: ' + result else result
