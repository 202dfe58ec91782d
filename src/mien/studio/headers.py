"""The security headers that every response carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_OFF: Final = (
    "accelerometer", "browsing-topics", "clipboard-read",
    "compute-pressure", "cross-origin-isolated", "display-capture", "encrypted-media", "gamepad", "geolocation",
    "gyroscope", "hid", "identity-credentials-get", "idle-detection", "keyboard-map", "local-fonts", "magnetometer",
    "midi", "otp-credentials", "payment", "publickey-credentials-create", "publickey-credentials-get", "serial",
    "storage-access", "sync-xhr", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip
_OURS: Final = (
    "autoplay", "camera", "clipboard-write", "fullscreen", "microphone", "picture-in-picture", "screen-wake-lock",
    "speaker-selection",
)  # fmt: skip
"""What the pages use: camera and microphone, an invitation copied, a screen that stays awake."""

_ALWAYS: Final = {
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": ", ".join([f"{n}=(self)" for n in _OURS] + [f"{n}=()" for n in _OFF]).encode(),
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
_HSTS: Final = (b"strict-transport-security", b"max-age=86400")
"""A day: a browser applies it to every port of that host, and other things may live there without TLS."""

_CSP: Final = b"content-security-policy"
_FORBIDDEN: Final = (b"access-control-", b"server", b"x-powered-by")


REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts"
)
"""A report brings its own code and may reach nothing with it, our pages neither; its own policy is narrower still."""


def dressed(headers: Iterable[tuple[bytes, bytes]], *, connect: Iterable[str], tls: bool) -> list[tuple[bytes, bytes]]:
    """An app's headers with ours over them. Only the Content-Security-Policy is the app's own if it gives one.

    `connect` lists the origins that a page may reach besides its own; `tls` says whether the browser came by it.
    """
    ours = dict(_ALWAYS)
    if tls:
        ours[_HSTS[0]] = _HSTS[1]
    kept = [(name.lower(), value) for name, value in headers]
    kept = [(name, value) for name, value in kept if name not in ours and not name.startswith(_FORBIDDEN)]
    if not any(name == _CSP for name, _ in kept):
        kept.append((_CSP, content_security_policy(connect).encode("latin-1")))
    return [*kept, *ours.items()]


def content_security_policy(connect: Iterable[str] = ()) -> str:
    """The policy of our own pages: nothing but what this server sends, no inline code, no frames, no forms."""
    return "; ".join(
        [
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
            "media-src 'self' blob:", " ".join(["connect-src 'self'", *connect]), "worker-src 'self'",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "frame-src 'none'", "object-src 'none'",
        ]
    )  # fmt: skip
