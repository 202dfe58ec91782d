"""Scene.PASTE in two passes: `watch` finds every place that must not be seen, then `scene` draws and covers."""

from mien.scene.paste.plan import Plan
from mien.scene.paste.recall import Recall
from mien.scene.paste.scene import PasteScene
from mien.scene.paste.watch import Watch

__all__ = ["PasteScene", "Plan", "Recall", "Watch"]
