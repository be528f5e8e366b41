{
  /** Returns a recording rule. `expr` is formatted with the configuration: %(selector)s. */
  record(name, expr):: { record: name, expr: expr },
}
