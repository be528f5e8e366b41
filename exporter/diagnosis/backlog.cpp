#include "exporter/diagnosis/backlog.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "exporter/diagnosis/number_format.h"

namespace inetdiag::diagnosis {
namespace {

struct Server {
  std::string_view word;     ///< in the name of the unit
  std::string_view setting;  ///< as its manual has it
};

// The first match counts.
constexpr std::array<Server, 18> servers = {{
    {"lighttpd", "lighttpd: `server.listen-backlog = N`, 1024 by default"},
    {"nginx", "nginx: `listen ... backlog=N`, 511 by default"},
    {"haproxy", "haproxy: `backlog N` in the frontend, by default its maxconn"},
    {"apache", "Apache: `ListenBacklog N`, 511 by default"},
    {"httpd", "Apache: `ListenBacklog N`, 511 by default"},
    {"envoy", "Envoy: `tcp_backlog_size` of the listener"},
    {"redis", "Redis: `tcp-backlog N`, 511 by default"},
    {"valkey", "Valkey: `tcp-backlog N`, 511 by default"},
    {"pgbouncer", "PgBouncer: `listen_backlog = N`, 128 by default"},
    {"postgres", "PostgreSQL: its backlog is twice `max_connections`"},
    {"gunicorn", "gunicorn: `--backlog N`, 2048 by default"},
    {"uwsgi", "uWSGI: `listen = N`, 100 by default"},
    {"fpm", "php-fpm: `listen.backlog = N` in the pool, 511 by default"},
    {"mysql", "MySQL: `back_log = N`"},
    {"mariadb", "MariaDB: `back_log = N`"},
    {"memcached", "memcached: `-b N`, 1024 by default"},
    {"tomcat", "Tomcat: `acceptCount=\"N\"` of the Connector, 100 by default"},
    {"squid", "squid: its backlog is a quarter of its file descriptors, `max_filedescriptors`"},
}};

// What somaxconn was by default before Linux 5.4, and is since.
constexpr std::array<double, 2> default_somaxconn = {128, 4096};

double backlog_of_one(const Listener& listener) {
  return listener.sockets > 0 ? listener.backlog / listener.sockets : listener.backlog;
}

/// Whether a word of the unit's name begins with it: `php8.2-fpm.service` has fpm, but uhttpd is no
/// httpd.
bool names(std::string_view unit, std::string_view server) {
  for (std::size_t at = unit.find(server); at != std::string_view::npos;
       at = unit.find(server, at + 1)) {
    if (at == 0 || std::string_view("-@_.").find(unit[at - 1]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::string_view setting_of(const Owner& owner) {
  const bool is_exporter = owner.unit.find("exporter") != std::string::npos;
  const auto* const found = std::ranges::find_if(servers, [&](const Server& server) {
    return !is_exporter && names(owner.unit, server.word);
  });
  return found == servers.end() ? "the backlog that it passes to listen()" : found->setting;
}

}  // namespace

BacklogLimit limit_of(const Listener& listener, std::optional<double> somaxconn) {
  if (!somaxconn || !listener.is_capped) {
    return BacklogLimit::unknown;
  }
  if (!*listener.is_capped) {
    return BacklogLimit::program;
  }
  return backlog_of_one(listener) > *somaxconn ? BacklogLimit::former_somaxconn
                                               : BacklogLimit::somaxconn;
}

std::string short_text(BacklogLimit limit) {
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

std::string limit_text(const Listener& listener, std::optional<double> somaxconn) {
  if (listener.endpoint.is_folded()) {
    return "the backlogs of several listeners, beyond --collector.listeners.max";
  }
  const std::string backlog = number_text(backlog_of_one(listener));
  const std::string sysctl = number_text(somaxconn.value_or(0));
  switch (limit_of(listener, somaxconn)) {
    case BacklogLimit::program:
      return "the program's own backlog of " + backlog + "; net.core.somaxconn is " + sysctl;
    case BacklogLimit::somaxconn:
      return "net.core.somaxconn, " + sysctl + ": the program asked for that much or more";
    case BacklogLimit::former_somaxconn:
      return "a backlog of " + backlog + ", from when net.core.somaxconn was higher than its " +
             sysctl + " of now";
    default:
      return "a backlog of " + backlog;
  }
}

std::string how_to_raise(const Listener& listener, std::optional<double> somaxconn) {
  if (listener.endpoint.is_folded()) {
    return "raise --collector.listeners.max of the exporter, to see which listener it is";
  }
  const std::string setting(setting_of(listener.owner));
  const bool may_be_former = std::ranges::count(default_somaxconn, backlog_of_one(listener)) > 0;
  switch (limit_of(listener, somaxconn)) {
    case BacklogLimit::program: {
      std::string advice =
          "raise the backlog in the program (" + setting + "); a higher somaxconn does not help";
      if (may_be_former) {
        advice +=
            ". If it is set higher already, somaxconn was raised after the program listened: "
            "restart it";
      }
      return advice;
    }
    case BacklogLimit::somaxconn:
      return "raise net.core.somaxconn, then restart the program: it takes effect when the program "
             "listens again. See that the program asks for as much (" +
             setting + ")";
    case BacklogLimit::former_somaxconn:
      return "raise net.core.somaxconn before the program is restarted, or its backlog becomes "
             "smaller";
    default:
      return "raise the smaller of net.core.somaxconn and of the program's backlog (" + setting +
             "), then restart the program";
  }
}

}  // namespace inetdiag::diagnosis
