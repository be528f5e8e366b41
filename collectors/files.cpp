#include "collectors/files.h"

#include <string_view>

#include "collectors/kernel/base/text.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

class Files final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    std::string_view text = context.proc.read("sys/fs/file-nr").value_or("");
    const auto allocated = kernel::to_double(kernel::next_word(text));
    kernel::next_word(text);  // always 0
    const auto maximum = kernel::to_double(kernel::next_word(text));
    if (!allocated || !maximum) {
      collection.errors.emplace_back("no numbers in sys/fs/file-nr below --path.procfs");
      return collection;
    }
    collection.families.push_back(
        single_gauge("inetdiag_open_files",
                     "Open files of the host, sockets included (fs.file-nr).", *allocated));
    collection.families.push_back(single_gauge(
        "inetdiag_open_files_limit",
        "Maximum number of open files of the host; beyond it open(), socket() and accept() fail "
        "with ENFILE, except for processes with CAP_SYS_ADMIN (fs.file-max).",
        *maximum));
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_files(const Settings& /*settings*/) {
  return std::make_unique<Files>();
}

}  // namespace inetdiag
