"""Pictures, as files: clips, reconstructions, confusion matrices and curves."""

from ossein.view.charts import draw_confusion, draw_curves
from ossein.view.draw import Rebuilt, draw_clip, draw_rebuilt

__all__ = ["Rebuilt", "draw_clip", "draw_confusion", "draw_curves", "draw_rebuilt"]
