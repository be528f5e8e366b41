#include "exporter/diagnosis/backlog.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "exporter/diagnosis/number_format.h"

namespace inetdiag::diagnosis {
namespace {

struct Server {
  std::string_view name;     ///< a word of the unit's name
  std::string_view setting;  ///< from its manual
};

// The first match wins.
constexpr std::array<Server, 18> servers = {{
    {"lighttpd", "lighttpd: `server.listen-backlog = N`, 1024 by default"},
    {"nginx", "nginx: `listen ... backlog=N`, 511 by default"},
    {"haproxy", "haproxy: `backlog N` in the frontend, its maxconn by default"},
    {"apache", "Apache: `ListenBacklog N`, 511 by default"},
    {"httpd", "Apache: `ListenBacklog N`, 511 by default"},
    {"envoy", "Envoy: `tcp_backlog_size` of the listener"},
    {"redis", "Redis: `tcp-backlog N`, 511 by default"},
    {"valkey", "Valkey: `tcp-backlog N`, 511 by default"},
    {"pgbouncer", "PgBouncer: `listen_backlog = N`, 128 by default"},
    {"postgres", "PostgreSQL: the backlog is twice `max_connections`"},
    {"gunicorn", "gunicorn: `--backlog N`, 2048 by default"},
    {"uwsgi", "uWSGI: `listen = N`, 100 by default"},
    {"fpm", "php-fpm: `listen.backlog = N` in the pool, 511 by default"},
    {"mysql", "MySQL: `back_log = N`"},
    {"mariadb", "MariaDB: `back_log = N`"},
    {"memcached", "memcached: `-b N`, 1024 by default"},
    {"tomcat", "Tomcat: `acceptCount=\"N\"` of the Connector, 100 by default"},
    {"squid", "squid: the backlog is a quarter of `max_filedescriptors`"},
}};

/// Returns whether a word of the unit's name begins with `server`: `php8.2-fpm.service` matches
/// fpm, `uhttpd.service` does not match httpd.
bool has_word(std::string_view unit, std::string_view server) {
  for (std::size_t at = unit.find(server); at != std::string_view::npos;
       at = unit.find(server, at + 1)) {
    if (at == 0 || std::string_view("-@_.").find(unit[at - 1]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::string backlog_setting(const Owner& owner) {
  const bool is_exporter = owner.unit.find("exporter") != std::string::npos;
  const auto* const found = std::ranges::find_if(servers, [&](const Server& server) {
    return !is_exporter && has_word(owner.unit, server.name);
  });
  return std::string(found == servers.end() ? "the argument of listen()" : found->setting);
}

}  // namespace

BacklogLimit limit_of(const Listener& listener, std::optional<double> somaxconn) {
  if (!somaxconn || !listener.is_capped) {
    return BacklogLimit::unknown;
  }
  // One of several sockets may be capped while the fullest is not.
  if (!*listener.is_capped || listener.queue_backlog() < *somaxconn) {
    return BacklogLimit::program;
  }
  return listener.queue_backlog() > *somaxconn ? BacklogLimit::former_somaxconn
                                               : BacklogLimit::somaxconn;
}

std::string_view name_of(BacklogLimit limit) {
  switch (limit) {
    case BacklogLimit::program:
      return "program";
    case BacklogLimit::somaxconn:
      return "somaxconn";
    case BacklogLimit::former_somaxconn:
      return "former_somaxconn";
    default:
      return "?";
  }
}

std::string describe_limit(const Listener& listener, std::optional<double> somaxconn) {
  if (listener.endpoint.is_aggregated()) {
    return "the backlogs of several listeners, aggregated beyond --collector.listeners.max";
  }
  const std::string backlog = format_number(listener.queue_backlog());
  const std::string sysctl = format_number(somaxconn.value_or(0));
  switch (limit_of(listener, somaxconn)) {
    case BacklogLimit::program:
      return "backlog " + backlog +
             ", set by the program, or by a net.core.somaxconn that was lower when it called "
             "listen() (now " +
             sysctl + ")";
    case BacklogLimit::somaxconn:
      return "net.core.somaxconn = " + sysctl + " (the program requested at least that)";
    case BacklogLimit::former_somaxconn:
      return "backlog " + backlog + ", set by a former net.core.somaxconn (now " + sysctl + ")";
    default:
      return "backlog " + backlog;
  }
}

std::string backlog_advice(const Listener& listener, std::optional<double> somaxconn) {
  if (listener.endpoint.is_aggregated()) {
    return "identify the listener first (raise --collector.listeners.max of the exporter)";
  }
  const std::string setting = backlog_setting(listener.owner);
  switch (limit_of(listener, somaxconn)) {
    case BacklogLimit::program:
      return "raise the backlog in the program (" + setting +
             "). If it already requests more, restart it: somaxconn was lower when it called "
             "listen(). A higher somaxconn does not help";
    case BacklogLimit::somaxconn:
      return "raise net.core.somaxconn, then restart the program: the new value applies at the "
             "next listen(). Make sure that the program requests as much (" +
             setting + ")";
    case BacklogLimit::former_somaxconn:
      return "raise net.core.somaxconn before you restart the program, or its backlog shrinks to "
             "the current value";
    default:
      return "raise net.core.somaxconn or the program's backlog (" + setting +
             "), whichever is lower, then restart the program";
  }
}

}  // namespace inetdiag::diagnosis
