"""The Debian package, installed on a minimal Debian."""

import re

from tools import SUITE, assert_all_collectors_succeed, output, packages, get_when_up, running, version


def test_lintian_reports_nothing(package):
    # The package is not uploaded to Debian, so it closes no ITP bug.
    tags = "--suppress-tags=initial-upload-closes-no-bugs"
    assert output("lintian", "--allow-root", "--fail-on=warning,info", tags, package) == ""


def test_package_contents(package):
    files = set(re.findall(r"^-\S+ \S+ +\S+ \S+ \S+ \.(\S+)$", output("dpkg", "--contents", package), re.MULTILINE))
    # dh_compress compresses documents of 4 KiB and more.
    files = {name.replace(".md.gz", ".md") for name in files}
    # In /lib on Debian 12, in /usr/lib on newer releases.
    files = {name.replace("/usr/lib/systemd", "/lib/systemd") for name in files}
    assert files == {
        "/etc/default/inetdiag_exporter",
        "/lib/systemd/system/inetdiag_exporter.service",
        "/usr/bin/inetdiag_exporter",
        "/usr/share/bash-completion/completions/inetdiag_exporter",
        "/usr/share/doc/inetdiag-exporter/SECURITY.md",
        "/usr/share/doc/inetdiag-exporter/README.md",
        "/usr/share/doc/inetdiag-exporter/cli.md",
        "/usr/share/doc/inetdiag-exporter/diagnosis.md",
        "/usr/share/doc/inetdiag-exporter/hardening.md",
        "/usr/share/doc/inetdiag-exporter/metrics.md",
        "/usr/share/doc/inetdiag-exporter/namespaces.md",
        "/usr/share/doc/inetdiag-exporter/output.md",
        "/usr/share/doc/inetdiag-exporter/performance.md",
        "/usr/share/doc/inetdiag-exporter/scale.md",
        "/usr/share/doc/inetdiag-exporter/statsd.md",
        "/usr/share/doc/inetdiag-exporter/changelog.Debian.gz",
        "/usr/share/doc/inetdiag-exporter/changelog.gz",
        "/usr/share/doc/inetdiag-exporter/copyright",
        "/usr/share/doc/inetdiag-exporter/examples/inetdiag_exporter.socket",
        "/usr/share/doc/inetdiag-exporter/examples/netns.conf",
        "/usr/share/fish/vendor_completions.d/inetdiag_exporter.fish",
        "/usr/share/man/man8/inetdiag_exporter.8.gz",
        "/usr/share/zsh/site-functions/_inetdiag_exporter",
    }
    assert output("dpkg", "--info", package, "conffiles").split() == ["/etc/default/inetdiag_exporter"]
    assert output("dpkg-deb", "--field", package, "Version").strip() == version() + "-1"


def test_dependencies_match_packages_txt(host, package):
    provided = {}
    for line in output("dpkg-query", "--admindir", host / "var/lib/dpkg", "-Wf", "${Package} ${Provides}\n").splitlines():
        name, *rest = re.split(r"[ ,]+", re.sub(r" \([^)]*\)", "", line.strip()))
        provided |= {virtual: name for virtual in rest}
    depends = re.findall(r"[\w.+-]+(?= \(|,|$)", output("dpkg-deb", "--field", package, "Depends").strip())
    # Every C++ program depends on libc6 and libgcc-s1.
    found = {provided.get(name, name) for name in depends} - {"libc6", "libgcc-s1"}
    expected = packages("run")
    if SUITE != "bookworm":  # packages.txt has the names of Debian 12, with the versions of its libraries
        found, expected = ({re.split(r"\d", name)[0] for name in names} for names in (found, expected))
    assert found == expected


def test_version_and_revision(host):
    reported = output("chroot", host, "inetdiag_exporter", "--version")
    assert f"version {version()} (revision: {version('revision')})" in reported


def test_scrape_as_unprivileged_user(host, network):
    script = """
mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" &&
exec setpriv --bounding-set=-all,+sys_chroot,+setuid,+setgid \\
  chroot --userspec=65534:65534 "$1" inetdiag_exporter --web.listen-address=127.0.0.1:10045
"""
    with running("unshare", "--mount", "sh", "-c", script, "sh", host) as exporter:
        assert_all_collectors_succeed(get_when_up(exporter, "http://127.0.0.1:10045/metrics"))
