"""The browser is let in by a file of this user's own, and nobody else learns how from the command line."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import stat
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from mien.studio import launch
from mien.studio.preview import Preview
from patience import LONG, eventually
from visits import ask

LINK = 'http://127.0.0.1:8750/open?token=the-code&more="<'
STUDIO = [sys.executable, "-c", "from mien.cli import main; main()", "studio", "--port", "0", "--json"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders on a system without snaps, and a screen."""
    for folder in ("home", "run", "tmp"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(launch, "SNAPS", tmp_path / "no-snaps")
    return tmp_path


@pytest.fixture
def given(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What browsers were started with."""
    urls: list[str] = []

    def start(url: str) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", start)
    return urls


def path_of(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path))


def test_the_browser_gets_a_file_that_only_this_user_reads(given: list[str]) -> None:
    assert launch.open_browser(LINK)
    (url,) = given
    assert url.startswith("file:///")
    assert "code" not in url
    page = path_of(url)
    assert LINK in html.unescape(page.read_text())
    if sys.platform != "win32":
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700


def test_the_file_goes_when_the_code_has_run_out(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "CODE_LIFETIME", 1.5)
    assert launch.open_browser(LINK)
    folder = path_of(given[0]).parent
    assert folder.exists()
    assert eventually(lambda: not folder.exists())


def test_nothing_is_left_where_there_is_no_browser(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert not launch.open_browser(LINK)
    assert [path for path in home.rglob("*") if path.parent != home] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a browser has windows of its own")
def test_no_browser_takes_over_the_terminal(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for screen in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(screen, raising=False)
    assert not launch.open_browser(LINK)
    assert given == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has snaps")
def test_a_browser_in_a_snap_gets_a_file_that_it_can_see(
    given: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch.open_browser(LINK)
    assert path_of(given[0]).is_relative_to(home / "run")  # in memory
    snaps = home / "snaps"
    snaps.mkdir()
    (snaps / "firefox").touch()
    monkeypatch.setattr(launch, "SNAPS", snaps)
    assert launch.open_browser(LINK)
    seen = path_of(given[1])
    assert seen.parent.parent == home / "home"
    assert not seen.parent.name.startswith(".")


def test_the_preview_is_opened_that_way_too(given: list[str]) -> None:
    with Preview() as preview:
        preview.open_browser()
    assert [urlsplit(url).scheme for url in given] == ["file"]
    assert preview.link.partition("token=")[0] in path_of(given[0]).read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script for a browser, and signals")
def test_no_command_line_holds_what_opens_the_studio(tmp_path: Path) -> None:
    """The whole program, with a browser that notes how it was started."""
    browser, noted = tmp_path / "browser", tmp_path / "noted"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" > "{noted}.new" && mv "{noted}.new" "{noted}"\n')
    browser.chmod(0o700)
    environment = {**os.environ, "BROWSER": f"{browser} %s", "MIEN_SESSIONS": str(tmp_path / "sessions")}
    with subprocess.Popen(STUDIO, stdout=subprocess.PIPE, text=True, env=environment) as studio:
        try:
            assert studio.stdout is not None
            link = json.loads(studio.stdout.readline())["studio"]
            port = urlsplit(link).port
            assert port is not None
            assert eventually(noted.exists)
            command = noted.read_text().strip()
            assert "token" not in command
            assert str(port) not in command
            page = path_of(command)
            found = re.search(r'url=([^"]+)"', page.read_text())
            assert found is not None
            target = urlsplit(html.unescape(found[1]))
            assert target.port == port
            assert ask(port, f"{target.path}?{target.query}").status == 303
            assert ask(port, f"{target.path}?{target.query}").status == 403  # once
            studio.send_signal(signal.SIGINT)
            studio.wait(LONG)
        finally:
            studio.kill()
    assert not page.parent.exists()
