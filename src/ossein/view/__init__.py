"""Pictures, as files: clips, reconstructions, confusion matrices and curves."""

from ossein.view.charts import Curve, draw_comparison, draw_confusion, draw_curves
from ossein.view.draw import Rebuilt, draw_clip, draw_rebuilt

__all__ = ["Curve", "Rebuilt", "draw_clip", "draw_comparison", "draw_confusion", "draw_curves", "draw_rebuilt"]
