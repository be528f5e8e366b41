"""A Prometheus of the test's own."""

import json
import subprocess
import urllib.parse
import urllib.request


class Prometheus:
    """Runs with this configuration; its files are in `folder`."""

    url = "http://127.0.0.1:9090/api/v1/"

    def __init__(self, folder, configuration):
        (folder / "prometheus.yml").write_text(configuration)
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/data",
                    "--web.listen-address=127.0.0.1:9090",
                ],
                stdout=log,
                stderr=log,
            )

    def _get(self, path, **parameters):
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as response:
            return json.load(response)["data"]["result"]

    def ask(self, query):
        """What the query gives now; nothing while Prometheus does not answer."""
        try:
            return self._get("query", query=query)
        except OSError:
            return []

    def ask_range(self, query, start, end):
        """What the query gave at each second; an HTTPError where it is wrong."""
        return self._get("query_range", query=query, start=start, end=end, step=1)

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=60)
