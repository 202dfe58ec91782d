"""Opens the face models of the store: which networks there are, and the best tracker they make."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mien.errors import ModelError


def read_task(path: Path) -> dict[str, bytes]:
    """Members of a MediaPipe `.task` bundle (a zip). Raises ModelError where it is damaged."""
    try:
        with zipfile.ZipFile(path) as bundle:
            return {name: bundle.read(name) for name in bundle.namelist() if bundle.getinfo(name).file_size < 64 << 20}
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ModelError(f"{path} is damaged. `mien models pull face-landmarker` fetches it again.") from error
