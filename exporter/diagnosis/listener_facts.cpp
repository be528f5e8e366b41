#include "exporter/diagnosis/listener_facts.h"

#include <algorithm>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

/// Returns whether the SYN queue is as full as `ratio`. Kernels before 2025 hold one entry less in
/// it than in the accept queue.
bool has_syn_fill(const Listener& listener, double ratio) {
  const double half_open = listener.half_open.value_or(0);
  return half_open > 0 && (listener.syn_fill.value_or(0) >= ratio || half_open >= listener.backlog);
}

/// The counters of SYN cookies and dropped SYNs are those of the namespace. If a queue is full,
/// they do not mean one that is only nearly full.
bool may_be_meant(const Listener& listener, const NamespaceDelta& delta) {
  const auto is_full = [](const Listener& any) { return has_syn_fill(any, full_ratio); };
  return is_full(listener) || (has_syn_fill(listener, nearly_full_ratio) &&
                               std::ranges::none_of(delta.now.listeners, is_full));
}

}  // namespace

Finding listener_finding(const Listener& listener, const NamespaceDelta& delta) {
  Affected affected{.kind = "listener",
                    .name = listener.endpoint.text(),
                    .labels = delta.with_netns(listener.endpoint.labels())};
  const std::string owner = listener.owner.text(delta.now.pod);
  if (!owner.empty()) {
    affected.name += " (" + owner + ")";
  }
  affected.labels.merge(listener.owner.labels());
  return {.affected = std::move(affected)};
}

Finding namespace_finding(const NamespaceDelta& delta) {
  return {.affected = {.kind = "namespace",
                       .name = namespace_name(delta.netns, delta.now.pod),
                       .labels = delta.with_netns({})}};
}

std::string listener_series(std::string_view metric, const Listener& listener,
                            const NamespaceDelta& delta) {
  return selector(metric, delta.with_netns(listener.endpoint.labels()));
}

std::string find_owner(const Listener& listener) {
  return listener.owner.text().empty() && !listener.endpoint.is_aggregated()
             ? " `ss -ltnp sport = :" + listener.endpoint.port + "` names the program."
             : "";
}

std::string find_peers(const Listener& listener, std::string_view filter) {
  return listener.endpoint.is_aggregated()
             ? ""
             : std::string(" `inetdiag_exporter sockets --top=peer --port=")
                   .append(listener.endpoint.port)
                   .append(" ")
                   .append(filter)
                   .append("` shows which clients are in it.");
}

double new_listen_drops(const Listener& listener, const NamespaceDelta& delta) {
  return delta.growth(listener, &Listener::listen_drops).value_or(0);
}

bool may_have_dropped(const Listener& listener, const NamespaceDelta& delta) {
  return new_listen_drops(listener, delta) > 0 ||
         (delta.grew(metric::listen_drops) &&
          delta.growth(listener, &Listener::socket_drops).value_or(0) > 0);
}

Severity severity_of_drops(double drops, const NamespaceDelta& delta) {
  return drops >= min_critical_drops && delta.per_second(drops) >= min_critical_drops_per_second
             ? Severity::critical
             : Severity::warning;
}

bool sends_cookies(const Listener& listener, const NamespaceDelta& delta) {
  return delta.now.value(metric::syncookies) == cookies_when_full &&
         (delta.grew(metric::cookies_sent) || delta.grew(metric::cookies_received)) &&
         may_be_meant(listener, delta);
}

bool drops_syns(const Listener& listener, const NamespaceDelta& delta) {
  return delta.now.value(metric::syncookies) == no_cookies &&
         has_syn_fill(listener, nearly_full_ratio) &&
         ((delta.grew(metric::syns_dropped) && may_be_meant(listener, delta)) ||
          new_listen_drops(listener, delta) > 0);
}

}  // namespace inetdiag::diagnosis
