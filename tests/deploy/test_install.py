"""`meson install` installs each file where distributions expect it."""

from tools import ROOT, output


def test_files(installed):
    assert {str(file.relative_to(installed)) for file in installed.rglob("*") if file.is_file()} == {
        "bin/inetdiag_exporter",
        "lib/systemd/system/inetdiag_exporter.service",
        "share/bash-completion/completions/inetdiag_exporter",
        "share/doc/inetdiag_exporter/CHANGELOG.md",
        "share/doc/inetdiag_exporter/LICENSE",
        "share/doc/inetdiag_exporter/SECURITY.md",
        "share/doc/inetdiag_exporter/README.md",
        "share/doc/inetdiag_exporter/cli.md",
        "share/doc/inetdiag_exporter/diagnosis.md",
        "share/doc/inetdiag_exporter/hardening.md",
        "share/doc/inetdiag_exporter/metrics.md",
        "share/doc/inetdiag_exporter/namespaces.md",
        "share/doc/inetdiag_exporter/output.md",
        "share/doc/inetdiag_exporter/performance.md",
        "share/doc/inetdiag_exporter/scale.md",
        "share/doc/inetdiag_exporter/statsd.md",
        "share/doc/inetdiag_exporter/inetdiag_exporter.default",
        "share/doc/inetdiag_exporter/inetdiag_exporter.socket",
        "share/doc/inetdiag_exporter/netns.conf",
        "share/fish/vendor_completions.d/inetdiag_exporter.fish",
        "share/man/man8/inetdiag_exporter.8",
        "share/zsh/site-functions/_inetdiag_exporter",
    }


def test_unit_uses_the_prefix(installed):
    unit = (installed / "lib/systemd/system/inetdiag_exporter.service").read_text()
    assert "ExecStart=/usr/local/bin/inetdiag_exporter $ARGS\n" in unit
    assert "EnvironmentFile=-/usr/local/etc/default/inetdiag_exporter\n" in unit


def test_installed_program_runs(installed):
    assert output(installed / "bin/inetdiag_exporter", "--version").startswith("inetdiag_exporter, version ")


def test_revision_option(tmp_path):
    """Sets the revision of a build without .git."""
    output("meson", "setup", tmp_path, "-Drevision=0123456789ab", "-Dtests=disabled", cwd=ROOT)
    output("ninja", "-C", tmp_path, "exporter/build_info.h")
    assert 'revision = "0123456789ab"' in (tmp_path / "exporter/build_info.h").read_text()
