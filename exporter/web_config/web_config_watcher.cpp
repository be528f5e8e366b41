#include "exporter/web_config/web_config_watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/web_config/tls_context.h"

namespace inetdiag {
namespace {

constexpr std::size_t max_tls_file_bytes = 4U << 20U;
constexpr std::chrono::seconds watch_interval{1};

std::string read_file(const std::string& path) {
  const auto fail = [&](int error) {
    throw std::system_error(error, std::generic_category(), "cannot read " + path);
  };
  // O_NONBLOCK: opening a FIFO must not block.
  const kernel::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    fail(errno);
  }
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) {
      fail(errno);
    }
    if (n == 0) {
      return text;
    }
    text.append(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    if (text.size() > max_tls_file_bytes) {
      fail(EFBIG);
    }
  }
}

bool requires_certificate(ClientAuth type) {
  return type == ClientAuth::require_any || type == ClientAuth::require_and_verify;
}

/// Throws std::runtime_error if `next` is less restrictive than `current`, as a partly written file
/// may be.
void check_reload(const WebConfig& current, const WebConfig& next) {
  if (current.tls.has_value() != next.tls.has_value()) {
    throw std::runtime_error("cannot enable or disable TLS (tls_server_config) without a restart");
  }
  if (!current.users.empty() && next.users.empty()) {
    throw std::runtime_error("cannot remove all basic_auth_users without a restart");
  }
  if (!current.tls) {
    return;
  }
  const ClientAuth before = current.tls->client_auth;
  const ClientAuth after = next.tls->client_auth;
  if ((requires_certificate(before) && !requires_certificate(after)) ||
      (before == ClientAuth::require_and_verify && after != before)) {
    throw std::runtime_error("cannot weaken client_auth_type without a restart");
  }
  if (current.tls->client_ca.is_set() && !current.tls->uses_system_cas &&
      next.tls->uses_system_cas) {
    throw std::runtime_error("cannot remove client_ca_file without a restart");
  }
  if (current.tls->client_allowed_sans && !next.tls->client_allowed_sans) {
    throw std::runtime_error("cannot remove all client_allowed_sans without a restart");
  }
}

}  // namespace

WebConfigWatcher::WebConfigWatcher(const std::string& path, const Log& log)
    : path_(std::filesystem::absolute(path).lexically_normal().string()), log_(log) {
  try {
    current_ = load();
  } catch (const std::exception& error) {
    throw std::runtime_error("--web.config.file " + path + ": " + error.what());
  }
  log_warnings(current_->config);
}

std::shared_ptr<const WebConfigWatcher::Current> WebConfigWatcher::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void WebConfigWatcher::set_current(std::shared_ptr<const Current> next) {
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

void WebConfigWatcher::log_warnings(const WebConfig& config) const {
  for (const std::string& warning : config.warnings) {
    log_.warn("web configuration", {{"file", path_}, {"warning", warning}});
  }
}

void WebConfigWatcher::reload() {
  try {
    set_current(load());
  } catch (const std::exception& error) {
    log_.warn("cannot reload the web configuration, changes will have no effect",
              {{"file", path_}, {"error", error.what()}});
  }
}

void WebConfigWatcher::watch() {
  thread_ = std::jthread([this](const std::stop_token& stop) { watch_until(stop); });
}

void WebConfigWatcher::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void WebConfigWatcher::watch_until(const std::stop_token& stop) {
  const auto is_stopped = [&] {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, watch_interval, [] { return false; });
    return stop.stop_requested();
  };
  while (!is_stopped()) {
    try {
      reload_if_changed();
    } catch (const std::exception&) {
      has_failed_ = true;  // out of memory; retried after the interval
    }
  }
}

std::set<std::string> WebConfigWatcher::paths_to_read() const {
  std::set<std::string> all;
  const auto add = [&all](const std::filesystem::path& file) {
    std::error_code ignored;
    const std::filesystem::path directory = file.parent_path();
    // `/` would allow reading all files.
    all.insert(std::filesystem::equivalent(directory, "/", ignored) ? file : directory);
  };
  for (const Stamp& stamp : stamps_) {
    std::error_code ignored;
    add(stamp.path);
    add(std::filesystem::canonical(stamp.path, ignored));
  }
  all.erase("");
  return all;
}

WebConfigWatcher::Stamp WebConfigWatcher::stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) {
    return {path, {}};
  }
  return {path,
          {static_cast<long long>(s.st_dev), static_cast<long long>(s.st_ino), s.st_size,
           s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec}};
}

bool WebConfigWatcher::is_unchanged() const {
  return std::ranges::all_of(stamps_,
                             [](const Stamp& stamp) { return stamp_of(stamp.path) == stamp; });
}

/// Sets stamps_ even if it throws.
std::shared_ptr<const WebConfigWatcher::Current> WebConfigWatcher::load() {
  // Take the stamp before reading: a change in the meantime must cause another reload.
  stamps_ = {stamp_of(path_)};
  const auto next = std::make_shared<Current>();
  next->config =
      parse_web_config(read_file(path_), std::filesystem::path(path_).parent_path().string());
  if (next->config.tls) {
    TlsConfig& tls = *next->config.tls;
    if (tls.uses_system_cas) {
      tls.client_ca.path = system_ca_file();
    }
    for (const PemSource* source : {&tls.certificate, &tls.key, &tls.client_ca}) {
      if (!source->path.empty()) {
        stamps_.push_back(stamp_of(source->path));
      }
    }
  }
  if (const auto loaded = current(); loaded != nullptr) {
    check_reload(loaded->config, next->config);
  }
  if (next->config.tls) {
    next->tls = make_tls_context(*next->config.tls, read_file);
  }
  return next;
}

void WebConfigWatcher::reload_if_changed() {
  // A load that failed for lack of memory or descriptors must be retried without a change.
  if (!has_failed_ && is_unchanged()) {
    return;
  }
  try {
    const auto next = load();
    set_current(next);
    has_failed_ = false;
    last_error_.clear();
    log_.info("web configuration reloaded", {{"file", path_}});
    log_warnings(next->config);
  } catch (const std::exception& error) {
    has_failed_ = true;
    if (last_error_ != error.what()) {
      last_error_ = error.what();
      log_.error("cannot reload the web configuration, keeping the previous one",
                 {{"file", path_}, {"error", last_error_}});
    }
  }
}

}  // namespace inetdiag
