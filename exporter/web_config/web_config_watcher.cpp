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

constexpr std::size_t max_file_bytes = 4U << 20U;
constexpr std::chrono::seconds between_looks{1};

std::string read_file(const std::string& path) {
  const auto fail = [&](int error) {
    throw std::system_error(error, std::generic_category(), "cannot read " + path);
  };
  // O_NONBLOCK: a FIFO must not hold up a request.
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
    if (text.size() > max_file_bytes) {
      fail(EFBIG);
    }
  }
}

bool requires_certificate(ClientAuth kind) {
  return kind == ClientAuth::require_any || kind == ClientAuth::require_and_verify;
}

/// Half of a file is often valid, and must not let in whom the whole one keeps out.
void refuse_what_needs_a_restart(const WebConfig& now, const WebConfig& next) {
  if (now.tls.has_value() != next.tls.has_value()) {
    throw std::runtime_error(
        "tls_server_config cannot be turned on or off while it runs; restart to do so");
  }
  if (!now.users.empty() && next.users.empty()) {
    throw std::runtime_error(
        "there are no basic_auth_users any more; restart to serve without passwords");
  }
  if (!now.tls) {
    return;
  }
  const ClientAuth before = now.tls->client_auth;
  const ClientAuth after = next.tls->client_auth;
  if ((requires_certificate(before) && !requires_certificate(after)) ||
      (before == ClientAuth::require_and_verify && after != before)) {
    throw std::runtime_error("client_auth_type asks for less than before; restart to do so");
  }
  if (!now.tls->client_allowed_sans.empty() && next.tls->client_allowed_sans.empty()) {
    throw std::runtime_error(
        "there are no client_allowed_sans any more; restart to serve clients of any name");
  }
}

}  // namespace

WebConfigWatcher::WebConfigWatcher(const std::string& path, const Log& log)
    : path_(std::filesystem::absolute(path).lexically_normal().string()), log_(log) {
  try {
    current_ = read();
  } catch (const std::exception& error) {
    throw std::runtime_error("--web.config.file " + path + ": " + error.what());
  }
  for (const std::string& note : current_->config.notes) {
    log_.info("web configuration", {{"file", path_}, {"note", note}});
  }
}

std::shared_ptr<const WebConfigWatcher::Current> WebConfigWatcher::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void WebConfigWatcher::hold(std::shared_ptr<const Current> next) {
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

void WebConfigWatcher::reread() {
  try {
    hold(read());
  } catch (const std::exception& error) {
    log_.warn("the web configuration cannot be read again, so changes will not be seen",
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
  const auto is_over = [&] {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, between_looks, [] { return false; });
    return stop.stop_requested();
  };
  while (!is_over()) {
    try {
      look();
    } catch (const std::exception&) {
      // Without the memory to tell it; the next look is another attempt.
      has_failed_ = true;
    }
  }
}

std::set<std::string> WebConfigWatcher::paths_to_read() const {
  std::set<std::string> all;
  const auto add = [&all](const std::filesystem::path& file) {
    std::error_code ignored;
    const std::filesystem::path folder = file.parent_path();
    // Below that one is everything.
    all.insert(std::filesystem::equivalent(folder, "/", ignored) ? file : folder);
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

/// Leaves in stamps_ what was looked at, also where it throws.
std::shared_ptr<const WebConfigWatcher::Current> WebConfigWatcher::read() {
  // Before it is read: what changes meanwhile is seen the next time.
  stamps_ = {stamp_of(path_)};
  const auto next = std::make_shared<Current>();
  next->config =
      parse_web_config(read_file(path_), std::filesystem::path(path_).parent_path().string());
  if (next->config.tls) {
    const TlsConfig& tls = *next->config.tls;
    for (const PemSource* source : {&tls.certificate, &tls.key, &tls.client_ca}) {
      if (!source->path.empty()) {
        stamps_.push_back(stamp_of(source->path));
      }
    }
    next->tls = make_tls_context(tls, read_file);
  }
  if (const auto now = current(); now != nullptr) {
    refuse_what_needs_a_restart(now->config, next->config);
  }
  return next;
}

void WebConfigWatcher::look() {
  // What failed for want of memory or descriptors shows no change of the file when it would
  // succeed.
  if (!has_failed_ && is_unchanged()) {
    return;
  }
  try {
    hold(read());
    has_failed_ = false;
    told_.clear();
    log_.info("web configuration read again", {{"file", path_}});
  } catch (const std::exception& error) {
    has_failed_ = true;
    if (told_ != error.what()) {
      told_ = error.what();
      log_.error("web configuration is invalid, the previous one stays in force",
                 {{"file", path_}, {"error", told_}});
    }
  }
}

}  // namespace inetdiag
