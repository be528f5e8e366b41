"""A Prometheus server for the tests."""

import json
import subprocess
import urllib.parse
import urllib.request


class Prometheus:
    """A Prometheus server with this configuration and these flags that keeps its files in `directory`."""

    url = "http://127.0.0.1:9090/api/v1/"

    def __init__(self, directory, configuration, *flags, program="prometheus"):
        (directory / "prometheus.yml").write_text(configuration)
        with open(directory / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    f"--config.file={directory}/prometheus.yml",
                    f"--storage.tsdb.path={directory}/data",
                    "--web.listen-address=127.0.0.1:9090",
                    *flags,
                ],
                stdout=log,
                stderr=log,
            )

    def _get(self, path, **parameters):
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as response:
            return json.load(response)["data"]["result"]

    def query(self, expression):
        """Returns the result of an instant query, or [] if Prometheus does not answer."""
        try:
            return self._get("query", query=expression)
        except OSError:
            return []

    def query_range(self, expression, start, end):
        """Returns the result of a range query with a step of 1 s. Throws HTTPError if the query is invalid."""
        return self._get("query_range", query=expression, start=start, end=end, step=1)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
