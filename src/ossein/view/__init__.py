"""Pictures, as files: clips, reconstructions, what answers rest on, confusion, curves, and pages that need no server."""

from ossein.view.animate import draw_animation
from ossein.view.charts import Curve, draw_comparison, draw_confusion, draw_curves
from ossein.view.draw import Rebuilt, draw_clip, draw_rebuilt
from ossein.view.figures import Bar
from ossein.view.page import Html, Section, page
from ossein.view.player import Film, Panel, Reel, write_player
from ossein.view.report import Known, rebuilt_film
from ossein.view.saliency import Saliency, draw_saliency, occlude, write_saliency

__all__ = [
    "Bar",
    "Curve",
    "Film",
    "Html",
    "Known",
    "Panel",
    "Rebuilt",
    "Reel",
    "Saliency",
    "Section",
    "draw_animation",
    "draw_clip",
    "draw_comparison",
    "draw_confusion",
    "draw_curves",
    "draw_rebuilt",
    "draw_saliency",
    "occlude",
    "page",
    "rebuilt_film",
    "write_player",
    "write_saliency",
]
