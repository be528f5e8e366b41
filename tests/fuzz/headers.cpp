#include "exporter/http/accept.h"
#include "exporter/http/basic_auth.h"
#include "exporter/http/collector_query.h"
#include "exporter/http/scrape_timeout.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  (void)accepts_gzip(input);
  (void)prefers_openmetrics(input);
  require(!prefers_openmetrics("text/plain," + std::string(input)),
          "text is the default if both have the same weight");
  if (const auto credentials = parse_basic_auth(input)) {
    require(credentials->user.find(':') == std::string::npos, "user names have no colon");
    require(credentials->user.size() + credentials->password.size() < input.size(),
            "credentials are shorter than the header");
  }
  try {
    const auto timeout = scrape_timeout(input);
    require(timeout > timeout.zero(), "scrape timeouts are positive");
    require(timeout <= std::chrono::seconds(300), "scrape timeouts are bounded");
  } catch (const BadRequest& error) {
    require(*error.what() != '\0', "errors have a message");
  }
}

std::vector<std::string> seeds() {
  return {
      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "text/*, Application/OpenMetrics-Text ; version=\"1.0.0\"",
      "gzip",
      "deflate, gzip;q=0.5",
      "*;q=0",
      "identity;q=1, *;q=0",
      "10",
      "0.5",
      "1e9",
      "5e-324",
      "nan",
      "-1",
      "inf",
      "Basic c2NyYXBlcjpzZWNyZXQ=",
      "basic  Og=="};
}

}  // namespace inetdiag::fuzz
