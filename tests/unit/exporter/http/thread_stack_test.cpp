#include "exporter/http/thread_stack.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace inetdiag {
namespace {

constexpr std::size_t touched_bytes = 65536;

// AddressSanitizer would put the buffer on the heap.
[[gnu::noinline, gnu::no_sanitize_address]] void touch_deep_stack(std::uintptr_t& address) {
  std::array<volatile char, touched_bytes> buffer;  // NOLINT(*-member-init)
  for (volatile char& byte : buffer) {
    byte = 1;
  }
  address = reinterpret_cast<std::uintptr_t>(&buffer);
}

/// The number of resident pages that lie completely in the range.
std::size_t resident_pages(std::uintptr_t begin, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = (begin + page - 1) & ~(page - 1);
  std::vector<unsigned char> pages((begin + bytes - first) / page);
  EXPECT_EQ(::mincore(reinterpret_cast<void*>(first), pages.size() * page, pages.data()), 0);
  std::size_t resident = 0;
  for (const unsigned char state : pages) {
    resident += state & 1U;
  }
  return resident;
}

TEST(ThreadStack, ReleasesWhatDeeperCallsTouched) {
  std::thread([] {
    std::uintptr_t touched = 0;
    touch_deep_stack(touched);
    ASSERT_GT(resident_pages(touched, touched_bytes / 2), 0U);
    std::array<int, 4> kept = {1, 2, 3, 4};
    release_unused_stack(stack_bottom());
    EXPECT_EQ(resident_pages(touched, touched_bytes / 2), 0U);
    EXPECT_EQ(kept, (std::array<int, 4>{1, 2, 3, 4}));
  }).join();
}

TEST(ThreadStack, StackOfTheThreadContainsItsFrame) {
  std::thread([] {
    EXPECT_LT(reinterpret_cast<std::uintptr_t>(stack_bottom()),
              reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  }).join();
}

TEST(ThreadStack, NothingIsReleasedWithoutAnAddress) {
  std::thread([] {
    std::uintptr_t touched = 0;
    touch_deep_stack(touched);
    const std::size_t resident = resident_pages(touched, touched_bytes / 2);
    release_unused_stack(nullptr);
    EXPECT_EQ(resident_pages(touched, touched_bytes / 2), resident);
  }).join();
}

}  // namespace
}  // namespace inetdiag
