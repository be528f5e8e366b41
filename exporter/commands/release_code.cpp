#include "exporter/commands/release_code.h"

#include <cstddef>
#include <cstdint>

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace inetdiag {
namespace {

int release_object(dl_phdr_info* object, std::size_t /*size*/, void* /*data*/) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    // Writable segments, which include what the dynamic linker relocated, differ from the file.
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) {
      const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
      const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
      auto* const address = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
      ::madvise(address, end - begin, MADV_DONTNEED);
    }
  }
  return 0;
}

}  // namespace

void release_code() { ::dl_iterate_phdr(&release_object, nullptr); }

}  // namespace inetdiag
