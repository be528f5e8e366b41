"""TLS, client certificates and basic authentication, with curl and a real Prometheus."""

import base64
import contextlib
import ctypes
import json
import os
import re
import resource
import select
import socket
import ssl
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import wait_until
from test_prometheus import prometheus  # noqa: F401, a fixture


def openssl(*arguments, **options):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options)


class Authority:
    """A certificate authority for a test."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.certificate, self.key = directory / f"{name}.crt", directory / f"{name}.key"
        openssl("req", "-x509", *self.new_key(self.key), "-out", self.certificate, "-subj", f"/CN={name}", *self.extensions())

    @staticmethod
    def extensions():
        """Python 3.13 requires them of an authority (VERIFY_X509_STRICT)."""
        return ["-addext", "keyUsage=critical,keyCertSign"]

    @staticmethod
    def new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    def issue(self, name, san, usage, days=2):
        """Returns the paths (certificate, key)."""
        certificate, key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={san}\nextendedKeyUsage={usage}\n")
        openssl("req", *self.new_key(key), "-out", request, "-subj", f"/CN={name}")
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key),
            *("-out", certificate, "-days", days, "-extfile", extensions),
        )
        return certificate, key


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A directory with a CA and the certificates of a server and of clients."""
    directory = tmp_path_factory.mktemp("keys")
    authority = Authority(directory, "ca")
    authority.issue("server", "IP:127.0.0.1", "serverAuth")
    authority.issue("renewed", "IP:127.0.0.1", "serverAuth")
    authority.issue("client", "DNS:prometheus.example", "clientAuth")
    authority.issue("other", "DNS:other.example", "clientAuth")
    authority.issue("expired", "DNS:prometheus.example", "clientAuth", days=0)
    Authority(directory, "untrusted-ca").issue("untrusted", "DNS:prometheus.example", "clientAuth")
    return directory


@pytest.fixture(scope="session")
def hash_of():
    """Returns the bcrypt hash of a password."""

    def generate(password, cost=4):
        command = ["htpasswd", "-nbBC", str(cost), "x", password]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()[2:]

    return generate


@pytest.fixture
def config(tmp_path, keys):
    """Writes the web configuration file, next to copies of the server's certificate and key."""
    for name in ("server.crt", "server.key", "ca.crt"):
        (tmp_path / name).write_bytes((keys / name).read_bytes())

    def write(text):
        # Atomically, as an editor does.
        (tmp_path / "new.yml").write_text(text)
        (tmp_path / "new.yml").rename(tmp_path / "web.yml")
        return f"--web.config.file={tmp_path}/web.yml"

    return write


TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
MUTUAL = TLS + "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"


CHEAP_PAGE = "/metrics?collect%5B%5D=sockstat"


def curl(exporter, keys, *arguments, path=CHEAP_PAGE, scheme="https"):
    """Returns (exit status of curl, HTTP status, body or curl's error)."""
    result = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--max-time", "60", "--cacert", str(keys / "ca.crt")),
            *("--write-out", "\n%{http_code}", *arguments, f"{scheme}://127.0.0.1:{exporter.port}{path}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    body, _, status = result.stdout.rpartition("\n")
    return result.returncode, int(status), body if result.returncode == 0 else result.stderr


def client_certificate(keys, name):
    return ["--cert", str(keys / f"{name}.crt"), "--key", str(keys / f"{name}.key")]


def served_serial(exporter):
    pem = ssl.get_server_certificate(("127.0.0.1", exporter.port))
    command = ["openssl", "x509", "-noout", "-serial"]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout


def test_tls(start, config, keys):
    exporter = start(config(TLS))
    assert exporter.url.startswith("https://")
    assert curl(exporter, keys, path="/-/healthy") == (0, 200, "OK\n")
    code, status, page = curl(exporter, keys, path="/metrics")
    assert (code, status) == (0, 200)
    assert 'inetdiag_scrape_collector_success{collector="listeners"} 1' in page
    assert curl(exporter, keys, "--head")[1] == 200
    assert curl(exporter, keys, "--compressed", path="/metrics")[2].count("# TYPE") == page.count("# TYPE")
    assert curl(exporter, keys, "--data", "x" * 100_000)[1] == 405


def test_tls_over_ipv6(start, config, keys):
    exporter = start(config(TLS), listen="[::1]:0")
    pem = ssl.get_server_certificate(("::1", exporter.port))
    assert ssl.PEM_cert_to_DER_cert(pem) == ssl.PEM_cert_to_DER_cert((keys / "server.crt").read_text())


def test_plain_http_to_the_tls_port_is_rejected(start, config, keys):
    exporter = start(config(TLS))
    code, status, body = curl(exporter, keys, scheme="http")
    assert (code, status) == (0, 400)
    assert body == "Client sent an HTTP request to an HTTPS server.\n"
    wait_until("it is logged", lambda: "client sent an HTTP request to an HTTPS server" in exporter.log)
    assert curl(exporter, keys)[1] == 200


def test_versions_and_ciphers(start, config, keys):
    suites = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n"
    exporter = start(config(TLS + suites + "  curve_preferences: [CurveP384]\n"))
    assert curl(exporter, keys, "--tlsv1.3")[0] == 35
    assert curl(exporter, keys, "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")[1] == 200
    assert curl(exporter, keys, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")[0] == 35
    assert curl(exporter, keys, "--curves", "P-256")[0] == 35
    exporter = start(config(TLS + "  min_version: TLS13\n"))
    assert curl(exporter, keys, "--tls-max", "1.2")[0] == 35
    assert curl(exporter, keys)[1] == 200


def test_invalid_client_certificates_are_rejected(start, config, keys):
    exporter = start(config(MUTUAL))
    assert curl(exporter, keys, *client_certificate(keys, "client"))[1] == 200
    for name, error in [
        ("expired", "certificate has expired"),
        ("untrusted", "unable to get local issuer certificate"),
        ("server", "unsuitable certificate purpose|unsupported certificate purpose"),
    ]:
        code, status, _ = curl(exporter, keys, *client_certificate(keys, name))
        assert code != 0 and status == 0, name
        exporter.end()
        assert re.search(f"client certificate: ({error})", exporter.log), exporter.log
        exporter = start(config(MUTUAL))
    code, _, message = curl(exporter, keys)
    assert code != 0
    assert "certificate required" in message
    wait_until("it is logged", lambda: "peer did not return a certificate" in exporter.log)


@pytest.mark.parametrize(
    "auth_type, status_without, status_untrusted",
    [
        ("NoClientCert", 200, 200),
        ("RequestClientCert", 200, 200),
        ("RequireAnyClientCert", 0, 200),
        ("VerifyClientCertIfGiven", 200, 0),
    ],
)
def test_other_client_auth_types(start, config, keys, auth_type, status_without, status_untrusted):
    authority = "  client_ca_file: ca.crt\n" if auth_type == "VerifyClientCertIfGiven" else ""
    exporter = start(config(f"{TLS}{authority}  client_auth_type: {auth_type}\n"))
    assert curl(exporter, keys)[1] == status_without
    assert curl(exporter, keys, *client_certificate(keys, "untrusted"))[1] == status_untrusted
    assert curl(exporter, keys, *client_certificate(keys, "client"))[1] == 200


def test_client_certificates_are_verified_by_the_cas_of_the_system(start, config, keys):
    exporter = start(config(f"{TLS}  client_auth_type: VerifyClientCertIfGiven\n"))
    assert "issued by a CA of the system is accepted" in exporter.log
    assert curl(exporter, keys)[1] == 200
    assert curl(exporter, keys, *client_certificate(keys, "client"))[1] == 0
    assert "cannot reload the web configuration" not in exporter.log


def test_allowed_sans_of_certificates_that_are_not_verified(start, config, keys):
    sans = "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [prometheus.example]\n"
    exporter = start(config(TLS + sans))
    assert curl(exporter, keys, *client_certificate(keys, "untrusted"))[1] == 200
    assert curl(exporter, keys, *client_certificate(keys, "other"))[1] == 0
    assert curl(exporter, keys)[1] == 0


def test_client_allowed_sans(start, config, keys):
    exporter = start(config(MUTUAL + "  client_allowed_sans: [prometheus.example]\n"))
    assert curl(exporter, keys, *client_certificate(keys, "client"))[1] == 200
    assert curl(exporter, keys, *client_certificate(keys, "other"))[1] == 0


def test_passwords(start, config, keys, hash_of):
    users = f"basic_auth_users:\n  scraper: {hash_of('secret')}\n"
    for tls, scheme in ((TLS, "https"), ("", "http")):
        exporter = start(config(tls + users))

        def status(*arguments, path="/metrics"):
            return curl(exporter, keys, *arguments, path=path, scheme=scheme)[1]

        assert status("--user", "scraper:secret") == 200
        for wrong in ("scraper:Secret", "scraper:", "nobody:secret", ":"):
            assert status("--user", wrong, "--local-port", "20000-20099") == 401, wrong
        for path in ("/", "/metrics", "/api/v1/status", "/-/", "/-/healthy/", "/nothing"):
            assert status(path=path) == 401, path
        for path in ("/-/healthy", "/-/ready"):
            assert status(path=path) == 200, path
            assert status("--user", "scraper:wrong", path=path) == 200, path
        head = curl(exporter, keys, "--head", scheme=scheme)[2]
        assert "WWW-Authenticate: Basic" in head
        expected = r'client="127\.0\.0\.1 port 200\d\d" error="wrong password" user=scraper suppressed=0'
        wait_until("it is logged", lambda: re.search(expected, exporter.log))
        assert "ecret" not in exporter.log


def test_a_correct_password_costs_bcrypt_once(start, config, hash_of):
    # A bcrypt cost of 12 takes much longer than the request.
    exporter = start(config(f"basic_auth_users:\n  scraper: {hash_of('secret', 12)}\n"))
    header = {"Authorization": "Basic c2NyYXBlcjpzZWNyZXQ="}

    def cpu_ticks():
        with open(f"/proc/{exporter.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    begin = cpu_ticks()
    assert exporter.get(CHEAP_PAGE, headers=header)[0] == 200
    first = cpu_ticks() - begin
    for _ in range(20):
        assert exporter.get(CHEAP_PAGE, headers=header)[0] == 200
    assert cpu_ticks() - begin - first < 10 * first


def test_wrong_passwords_do_not_lock_out_the_right_one(start, config, hash_of):
    exporter = start(config(f"basic_auth_users:\n  scraper: {hash_of('secret', 8)}\n"))
    over = threading.Event()

    def status(password):
        user = base64.b64encode(f"scraper:{password}".encode()).decode()
        return exporter.get(CHEAP_PAGE, headers={"Authorization": f"Basic {user}"})[0]

    def guess(number):
        statuses = set()
        while not over.is_set():
            statuses.add(status(f"guess{number}"))
        return statuses

    with ThreadPoolExecutor(10) as pool:  # fewer than PasswordVerifier::default_max_concurrent
        try:
            guesses = [pool.submit(guess, number) for number in range(10)]
            right = status("secret")
        finally:
            over.set()
    assert right == 200
    assert {code for guess in guesses for code in guess.result()} <= {401}


def test_the_rate_of_requests_is_limited(start, config):
    exporter = start(config("rate_limit: {interval: 1h, burst: 3}\n"))
    assert [exporter.get(CHEAP_PAGE)[0] for _ in range(4)] == [200, 200, 200, 429]
    assert exporter.get("/-/healthy")[0] == 200
    status, headers, body = exporter.get("/metrics")
    assert (status, body) == (429, b"Too Many Requests\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_configured_headers(start, config, keys):
    headers = "  headers: {Strict-Transport-Security: max-age=31536000, X-Frame-Options: deny}\n"
    exporter = start(config(f"http_server_config:\n{headers}"))
    for path in ("/", "/metrics", "/nothing"):
        head = exporter.get(path)[1]
        assert head["Strict-Transport-Security"] == "max-age=31536000"
        assert head["X-Frame-Options"] == "deny"
        assert head.get_all("X-Content-Type-Options") == ["nosniff"]


def test_a_renewed_certificate_needs_no_restart(start, config, keys, tmp_path):
    def renew(name):
        (tmp_path / "next").write_bytes((keys / name.replace("server", "renewed")).read_bytes())
        (tmp_path / "next").rename(tmp_path / name)

    exporter = start(config(TLS))
    before = served_serial(exporter)
    assert served_serial(exporter) == before
    # Certificate and key do not match between the two steps: the previous pair stays in use.
    renew("server.crt")
    wait_until("it is logged", lambda: "is not the private key of" in exporter.log)
    assert served_serial(exporter) == before
    renew("server.key")
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert served_serial(exporter) != before
    assert curl(exporter, keys)[1] == 200
    status, log = exporter.end()
    assert status == 0
    assert log.count("cannot reload the web configuration") == 1


def test_a_certificate_behind_symbolic_links_is_renewed(start, keys, tmp_path):
    """As Kubernetes updates a mounted secret: it replaces a link to a directory."""
    for directory, name in (("..1", "server"), ("..2", "renewed")):
        (tmp_path / directory).mkdir()
        for end in ("crt", "key"):
            (tmp_path / directory / f"server.{end}").write_bytes((keys / f"{name}.{end}").read_bytes())
    (tmp_path / "..data").symlink_to("..1")
    for name in ("server.crt", "server.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    (tmp_path / "web.yml").write_text(TLS)
    exporter = start(f"--web.config.file={tmp_path}/web.yml")
    before = served_serial(exporter)
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").rename(tmp_path / "..data")
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert served_serial(exporter) != before


def test_a_ca_that_rejects_all_clients_is_renewed(start, config, keys, tmp_path):
    (tmp_path / "ca.crt").write_bytes((keys / "untrusted-ca.crt").read_bytes())
    exporter = start(config(MUTUAL))
    request = [exporter, keys, *client_certificate(keys, "client")]
    assert curl(*request)[1] == 0
    (tmp_path / "next").write_bytes((keys / "ca.crt").read_bytes())
    (tmp_path / "next").rename(tmp_path / "ca.crt")
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert curl(*request)[1] == 200


@contextlib.contextmanager
def blocked_open(path):
    """open() of this file blocks until the end of the block, as on a hanging file system. Yields a function
    that waits for a process to open it."""
    class_content, add, open_permission, at_fdcwd, allow = 4, 1, 0x10000, -100, 1
    library = ctypes.CDLL(None, use_errno=True)
    events = library.fanotify_init(class_content, os.O_RDONLY)
    if events < 0:
        pytest.skip(f"fanotify is not available: {os.strerror(ctypes.get_errno())}")

    def wait_for_opener():
        assert select.select([events], [], [], 60)[0], "the file is not opened"
        file, process = struct.unpack("=16xii", os.read(events, 24))
        os.close(file)
        return process

    try:
        mask = ctypes.c_uint64(open_permission)
        assert library.fanotify_mark(events, add, mask, at_fdcwd, os.fsencode(path)) == 0, ctypes.get_errno()
        yield wait_for_opener
    finally:
        os.close(events)  # allows the open()


def test_hanging_files_do_not_delay_requests(start, config, keys, hash_of, tmp_path):
    exporter = start(config(f"{TLS}basic_auth_users:\n  a: {hash_of('one')}\n"))

    def change_and_block(password):
        (tmp_path / "next.yml").write_text(f"{TLS}basic_auth_users:\n  a: {hash_of(password)}\n")
        return blocked_open(tmp_path / "next.yml")

    with change_and_block("two") as wait_for_opener:
        (tmp_path / "next.yml").rename(tmp_path / "web.yml")
        assert wait_for_opener() == exporter.process.pid
        for path in (CHEAP_PAGE, "/"):
            assert curl(exporter, keys, "--user", "a:one", path=path)[1] == 200
        assert curl(exporter, keys)[1] == 401
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert curl(exporter, keys, "--user", "a:two")[1] == 200
    with change_and_block("three") as wait_for_opener:
        (tmp_path / "next.yml").rename(tmp_path / "web.yml")
        wait_for_opener()
        assert exporter.end()[0] == 0


def test_an_invalid_reload_keeps_the_previous_configuration(start, config, hash_of, keys):
    exporter = start(config(f"basic_auth_users:\n  a: {hash_of('one')}\n"))

    def status(user):
        return curl(exporter, keys, "--user", user, scheme="http")[1]

    assert status("a:one") == 200
    config("basic_auth_users: {a: no hash}\n")
    wait_until("it is logged", lambda: "line 1: a: is not a bcrypt hash" in exporter.log)
    assert status("a:one") == 200
    assert status("a:two") == 401
    config(f"basic_auth_users:\n  a: {hash_of('two')}\n")
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert status("a:one") == 401
    assert status("a:two") == 200
    config(f"{TLS}basic_auth_users:\n  a: {hash_of('three')}\n")
    wait_until("it is logged", lambda: "cannot enable or disable TLS" in exporter.log)
    assert status("a:two") == 200
    _, log = exporter.end()
    assert log.count("keeping the previous one") == 2


def test_a_partly_written_configuration_does_not_disable_authentication(start, config, hash_of, keys):
    users = f"basic_auth_users:\n  a: {hash_of('one')}\n"
    mutual = f"{MUTUAL}  client_allowed_sans: [prometheus.example]\n"
    no_users = "cannot remove all basic_auth_users without a restart"
    weaker = "cannot weaken client_auth_type without a restart"
    for complete, partial in (
        (users, {"": no_users}),
        (
            mutual + users,
            {
                f"{TLS}  client_auth_type: RequireAnyClientCert\n{users}": weaker,
                f"{mutual}basic_auth_users:\n": no_users,
                TLS + users: weaker,
                MUTUAL + users: "cannot remove all client_allowed_sans without a restart",
                mutual.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven") + users: "client_allowed_sans requires",
                mutual.replace("  client_ca_file: ca.crt\n", "") + users: "cannot remove client_ca_file without a restart",
            },
        ),
    ):
        exporter = start(config(complete))
        has_tls = exporter.url.startswith("https")

        def status(*arguments, client="client"):
            certificate = client_certificate(keys, client) if client and has_tls else []
            return curl(exporter, keys, *certificate, *arguments, scheme="https" if has_tls else "http")[1]

        for text, error in partial.items():
            logged = len(exporter.log)
            config(text)
            wait_until(error, lambda: status() == 401 and error in exporter.log[logged:])
            assert status() == 401, text
            if has_tls:
                for client in (None, "other", "untrusted"):
                    assert status("--user", "a:one", client=client) == 0, (text, client)
        config(complete + f"  b: {hash_of('two')}\n")
        wait_until("the complete file is loaded", lambda: status("--user", "b:two") == 200)


def test_a_reload_without_descriptors_is_retried(start, config, hash_of, keys):
    exporter = start(config(f"basic_auth_users:\n  a: {hash_of('one')}\n"))
    pid = exporter.process.pid

    def status(user):
        return curl(exporter, keys, "--user", user, scheme="http")[1]

    def descriptors():
        return {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}

    open_descriptors = descriptors()
    assert status("a:one") == 200
    wait_until("the client is closed", lambda: descriptors() == open_descriptors)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # The lowest limit that leaves none; below the number of open ones, poll() would fail, too.
    free = next(number for number in range(len(open_descriptors) + 1) if number not in open_descriptors)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, limits[1]))
    config(f"basic_auth_users:\n  a: {hash_of('two')}\n")
    wait_until("it is logged", lambda: "Too many open files" in exporter.log)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    wait_until("it is reloaded", lambda: "web configuration reloaded" in exporter.log)
    assert status("a:two") == 200
    assert status("a:one") == 401


@pytest.mark.parametrize(
    "text, error",
    [
        ("tls_server_confg: {}", "line 1: unknown field 'tls_server_confg'"),
        (TLS.replace("server.crt", "absent.crt"), "cannot read /.*/absent.crt: No such file or directory"),
        (TLS.replace("server.crt", "server.key"), "server.key contains no usable certificate"),
        (TLS.replace("server.key", "ca.key"), "cannot read /.*/ca.key"),
        (TLS.replace("server.crt", "ca.crt"), "server.key is not the private key of /.*/ca.crt"),
        (MUTUAL.replace("ca.crt", "server.key"), "server.key contains no certificate"),
    ],
)
def test_an_invalid_configuration_is_fatal_at_startup(run, config, text, error):
    result = run("--web.listen-address=127.0.0.1:0", config(text))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert re.search(error, result.stderr), result.stderr
    assert "--web.config.file" in result.stderr


def test_a_missing_configuration_is_fatal_at_startup(run):
    result = run("--web.listen-address=127.0.0.1:0", "--web.config.file=/nowhere/web.yml")
    assert result.returncode == 1
    assert "cannot read /nowhere/web.yml: No such file or directory" in result.stderr


def test_tls_cannot_be_bypassed_within_the_host(start, config, keys):
    exporter = start(config(MUTUAL))
    for field in (b"", b"X-Inetdiag-Client: " + b"0" * 32 + b" x\r\n"):
        with exporter.connect_to_inner_server() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n" + field + b"Host: x\r\n\r\n")
            response = b"".join(iter(lambda: client.recv(65536), b""))
        assert response.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert response.count(b"HTTP/1.1") == 1
        assert b"inetdiag_" not in response
    assert curl(exporter, keys, *client_certificate(keys, "client"), path="/metrics")[1] == 200


@pytest.mark.many_clients
def test_hanging_clients_do_not_delay_scrapes(start, config, keys):
    exporter = start(config(TLS))

    def descriptors():
        return len(os.listdir(f"/proc/{exporter.process.pid}/fd"))

    assert curl(exporter, keys, path="/metrics")[1] == 200
    before = descriptors() + 1  # the socket that samples accept queues; a scrape keeps sysctls open
    context = ssl.create_default_context(cafile=keys / "ca.crt")
    hanging = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(300)]
    for client in hanging[::3]:
        client.sendall(b"\x16\x03\x01")
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", exporter.port))
        client = context.wrap_socket(client, server_hostname="127.0.0.1")
        client.sendall(b"GET /metrics HT")
        hanging.append(client)
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: curl(exporter, keys, path="/metrics")[1], range(8)))
    assert pages == [200] * 8
    for client in hanging:
        client.close()
    wait_until("all of them are closed", lambda: descriptors() <= before)


def update_keys_until(over, port):
    """Sends TLS 1.3 key updates as fast as possible, which the ssl module cannot. Stops after 60 s."""
    library = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(library, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.SSL_CTX_new(ctypes.c_void_p(library.TLS_client_method())))
    not_requested = 0
    end = time.monotonic() + 60
    while not over.is_set() and time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(None)
            tls = ctypes.c_void_p(library.SSL_new(context))
            library.SSL_set_fd(tls, client.fileno())
            usable = library.SSL_connect(tls) == 1
            while usable and not over.is_set() and time.monotonic() < end:
                usable = library.SSL_key_update(tls, not_requested) == 1 and library.SSL_do_handshake(tls) == 1
            library.SSL_free(tls)
    library.SSL_CTX_free(context)


def test_endless_key_updates_do_not_delay_requests(start, config, keys):
    exporter = start(config(TLS))
    over = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(update_keys_until, over, exporter.port) for _ in range(2)]
        statuses = [curl(exporter, keys)[1] for _ in range(5)]
        were_connected = not any(client.done() for client in clients)
        over.set()
    assert were_connected, [client.result() for client in clients]
    assert statuses == [200] * 5


def all_threads_sleep(exporter):
    """A busy loop would be runnable in every sample, whatever the load of the machine."""

    def state(stat):
        return stat.read_text().rpartition(")")[2].split()[0]

    threads = list(Path(f"/proc/{exporter.process.pid}/task").glob("*/stat"))
    for _ in range(20):
        if {state(stat) for stat in threads} != {"S"}:
            return False
        time.sleep(0.005)
    return True


def test_a_client_that_reads_slowly_gets_the_complete_page(start, config, keys):
    # Keeps most of the page in the exporter.
    Path("/proc/sys/net/ipv4/tcp_wmem").write_text("4096 4096 4096")
    exporter = start(config(TLS))
    context = ssl.create_default_context(cafile=keys / "ca.crt")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", exporter.port))
    with context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        response = client.recv(1)
        wait_until("the proxy waits for the client", lambda: all_threads_sleep(exporter))
        while piece := client.recv(1000):
            response += piece
    head, _, body = response.partition(b"\r\n\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head).group(1)) == len(body)


def test_a_signal_shuts_down_with_tls_clients(start, config, keys):
    exporter = start(config(TLS))
    silent = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        scrapes = [pool.submit(curl, exporter, keys, path="/metrics") for _ in range(20)]
        assert scrapes[0].result()[1] == 200
        begin = time.monotonic()
        status, log = exporter.end()
        seconds = time.monotonic() - begin
    assert status == 0
    # On a busy machine the threads may need longer than the second that they have (shutdown_timeout).
    assert "msg=stopped" in log or seconds >= 1
    assert {scrape.result()[1] for scrape in scrapes} <= {200, 503, 0}
    for client in silent:
        client.close()


def test_prometheus_scrapes_with_certificate_and_password(start, config, keys, hash_of, prometheus):  # noqa: F811
    exporter = start(config(f"{MUTUAL}basic_auth_users:\n  scraper: {hash_of('secret')}\n"))
    scrape_config = {
        "scheme": "https",
        "basic_auth": {"username": "scraper", "password": "secret"},
        "tls_config": {
            "ca_file": f"{keys}/ca.crt",
            "cert_file": f"{keys}/client.crt",
            "key_file": f"{keys}/client.key",
        },
    }
    query = prometheus(exporter.port, "\n    ".join(f"{name}: {json.dumps(value)}" for name, value in scrape_config.items()))
    wait_until("Prometheus has scraped", lambda: query("up{job='inetdiag'} == 1"))
    assert query("inetdiag_scrape_collector_success == 1")
    assert not query("inetdiag_scrape_collector_success == 0")


def test_a_wrong_password_in_prometheus_means_down(start, config, keys, hash_of, prometheus):  # noqa: F811
    exporter = start(config(f"{TLS}basic_auth_users:\n  scraper: {hash_of('secret')}\n"))
    scrape_config = f'scheme: https\n    basic_auth: {{username: scraper, password: guess}}\n    tls_config: {{ca_file: "{keys}/ca.crt"}}'
    query = prometheus(exporter.port, scrape_config)
    wait_until("Prometheus has scraped", lambda: query("up{job='inetdiag'} == 0"))
    assert not query("inetdiag_exporter_build_info")
