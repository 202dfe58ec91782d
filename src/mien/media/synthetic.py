"""The line by which every video and picture of ours says that it is synthetic."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

_VERSION: Final = version("mien")
VIDEO_NOTE: Final = f"Synthetic video: face re-rendered by mien {_VERSION}"
PICTURE_NOTE: Final = f"Synthetic picture: face re-rendered by mien {_VERSION}"
