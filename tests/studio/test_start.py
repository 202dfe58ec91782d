"""What the studio does with its options, and tells its pages of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from mien.errors import InputError
from mien.studio.start import Consulting, opened

ELSEWHERE = "https://consult.example.org"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIEN_SESSIONS", "MIEN_AVATARS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("MIEN_TURN_SECRET", "MIEN_TURN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def told(**options: Any) -> dict[str, Any]:
    """What the studio tells its pages of the relay."""
    with opened(Consulting(port=0, browser=False, **options)) as (doors, _), httpx.Client() as browser:
        browser.get(doors.link)
        relay: dict[str, Any] = browser.get(doors.link.replace("/open", "/api/state")).json()["relay"]
    return relay


@pytest.mark.parametrize("wish", [True, False])
def test_relay_only_reaches_the_page_also_with_a_relay_elsewhere(wish: bool) -> None:
    assert told(relay=ELSEWHERE, relay_only=wish) == {
        "signal": "wss://consult.example.org/relay", "join": f"{ELSEWHERE}/join", "reach": "internet",
        "relay_only": wish,
    }  # fmt: skip


@pytest.mark.parametrize("wish", [True, False])
def test_relay_only_reaches_the_page_with_a_relay_of_its_own(wish: bool) -> None:
    assert told(relay_only=wish, turn="turn:127.0.0.1:9", turn_secret="secret")["relay_only"] is wish


def test_relay_only_without_a_turn_server_of_its_own_is_an_error() -> None:
    with pytest.raises(InputError, match="--turn"), opened(Consulting(port=0, relay_only=True)):
        pass


@pytest.mark.parametrize(
    "option",
    [
        {"host": "192.168.1.20"}, {"invite_port": 9000}, {"certificate": Path("c.pem")}, {"key": Path("k.pem")},
        {"stun": "stun:a.example"}, {"turn": "turn:a.example"}, {"turn_user": "u"}, {"turn_password": "p"},
        {"turn_secret": "s"},
    ],
)  # fmt: skip
def test_what_has_no_effect_with_a_relay_elsewhere_is_not_dropped_in_silence(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(InputError) as refused, opened(Consulting(port=0, relay=ELSEWHERE, **option)):
        pass
    assert f"--{name.replace('_', '-')}" in str(refused.value)


def test_credentials_in_the_environment_do_not_forbid_a_relay_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_TURN_SECRET", "for another program")
    assert told(relay=ELSEWHERE)["relay_only"] is False
