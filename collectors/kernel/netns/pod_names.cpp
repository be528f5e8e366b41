#include "collectors/kernel/netns/pod_names.h"

#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/podman_names.h"

namespace inetdiag::kernel {
namespace {

void for_each_entry(const std::string& directory,
                    const std::function<void(std::string_view name)>& visit) {
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(directory, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw std::system_error(error, "cannot read " + directory);
  }
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    visit(entry->path().filename().string());
  }
}

/// Three parts that are separated by underscores, which names in Kubernetes cannot contain (RFC
/// 1123). All are empty if the text has another form.
struct ThreeParts {
  std::string first, second, third;
};

ThreeParts split(std::string_view text) {
  ThreeParts parts{std::string(cut(text, '_')), std::string(cut(text, '_')), std::string(text)};
  const bool is_valid = !parts.first.empty() && !parts.second.empty() && !parts.third.empty() &&
                        parts.third.find('_') == std::string::npos;
  return is_valid ? std::move(parts) : ThreeParts();
}

}  // namespace

std::map<std::string, PodName> read_pod_names(const std::string& directory) {
  std::map<std::string, PodName> pods;
  for_each_entry(directory, [&](std::string_view entry) {
    if (auto [pod_namespace, name, uid] = split(entry); !uid.empty()) {
      pods[uid] = {std::move(pod_namespace), std::move(name)};
    }
  });
  return pods;
}

std::map<std::string, ContainerName> read_container_names(const std::string& directory) {
  std::map<std::string, ContainerName> containers;
  for_each_entry(directory, [&](std::string_view entry) {
    constexpr std::string_view suffix = ".log";
    if (!entry.ends_with(suffix)) {
      return;
    }
    entry.remove_suffix(suffix.size());
    auto [pod, pod_namespace, container] = split(entry);
    const std::size_t hyphen = container.rfind('-');
    if (hyphen != std::string::npos && hyphen > 0 && hyphen + 1 < container.size()) {
      containers[container.substr(hyphen + 1)] = {
          .pod = {.pod_namespace = std::move(pod_namespace), .name = std::move(pod)},
          .name = container.substr(0, hyphen)};
    }
  });
  return containers;
}

PodName PodNames::Names::pod_of(const std::string& container_id, const std::string& uid) const {
  if (const auto container = containers.find(container_id); container != containers.end()) {
    return container->second.pod;
  }
  const auto pod = pods.find(uid);
  return pod == pods.end() ? PodName() : pod->second;
}

const PodNames::Names& PodNames::read(std::vector<std::string>& missing) {
  return names_.get(deadline_, [&] {
    Names names;
    const auto or_missing = [&](const char* what, const auto& read) {
      try {
        read();
      } catch (const std::system_error& error) {
        missing.push_back(std::string(what) + error.what());
      }
    };
    or_missing("pod names: ", [&] { names.pods = read_pod_names(logs_.pods); });
    or_missing("container names: ",
               [&] { names.containers = read_container_names(logs_.containers); });
    return names;
  });
}

std::string PodNames::podman_container(const FileTree& proc, const FileTree& sys,
                                       std::string_view cgroup, const std::string& id) {
  const std::scoped_lock lock(podman_mutex_);
  for (const std::string& conmon : conmon_cgroups(cgroup, id)) {
    auto names = podman_.find(conmon);
    if (names == podman_.end()) {
      deadline_.check();
      names = podman_.emplace(conmon, read_conmon_names(proc, sys, conmon)).first;
    }
    if (const auto name = names->second.find(id); name != names->second.end()) {
      return name->second;
    }
  }
  return {};
}

}  // namespace inetdiag::kernel
