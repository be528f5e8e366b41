#pragma once

namespace inetdiag {

/// Takes the code and constants of the program and its libraries out of resident memory. What only
/// the start needs stays out; the rest comes back on use, from the page cache.
void release_code();

}  // namespace inetdiag
