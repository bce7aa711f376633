"""Clips as animations that play anywhere: GIF."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ossein.clip import Clip
from ossein.errors import SettingsError
from ossein.files import atomic
from ossein.skeleton import Skeleton
from ossein.view import base
from ossein.words import count

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

FINE = 3
"""Pictures are drawn so many times as large, then shrunk, which smooths their edges."""
HALOS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""What is behind the bones of each person, where there are several."""

_FASTEST = 50.0
"""Frames per second; programs that show GIFs slow down what is faster."""
_RATE = 25.0


def draw_animation(clip: Clip, skeleton: Skeleton, path: Path | str, *, width: int = 300, most: int = 300) -> None:
    """Write a GIF of one clip at its own speed, with the number of each frame; absent joints are not drawn.

    The body's left is blue, its right orange; several persons have halos of their own. 3-D clips are seen from the front.

    Args:
        clip: The clip.
        skeleton: Its joints.
        path: Where to write.
        width: In pixels.
        most: Show so many frames at most, evenly spread over the same time.

    Raises:
        SkeletonError: The clip does not have the skeleton's joints.
        DataError: The file cannot be written.
        SettingsError: No frame or no pixel is to be shown.
    """
    from PIL import Image, ImageDraw

    seen = clip.fit(skeleton).score > 0
    if width < 32:
        raise SettingsError(f"{count(width, 'pixel')} wide, expected 32 or more.")
    rate = clip.rate or _RATE
    shown = base.pick(clip.num_frames, min(most, max(1, round(clip.num_frames * min(1, _FASTEST / rate)))))
    xy, height = _place(clip.x @ base.front(clip.x, seen, skeleton), seen, width)
    pictures = []
    for frame in shown:
        picture = Image.new("RGB", (FINE * width, FINE * height), "white")
        pen = ImageDraw.Draw(picture)
        for m in range(clip.num_persons):
            halo = HALOS[m % len(HALOS)] if clip.num_persons > 1 else None
            _body(pen, xy[m, frame], seen[m, frame], skeleton, FINE * width / 110, halo)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        _words(ImageDraw.Draw(picture), base.short(clip.name, 44), f"frame {frame}", height)
        pictures.append(picture.quantize(32, dither=Image.Dither.NONE))
    each = 1000 * clip.num_frames / rate / len(shown)
    with atomic(path) as file:
        pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=round(each), loop=0)


def _place(xy: np.ndarray, seen: np.ndarray, width: int) -> tuple[np.ndarray, int]:
    """Joints in pixels of the fine picture, and the height of the coarse one."""
    low, high = base.room(xy[seen]) if seen.any() else (np.zeros(2), np.ones(2))
    across, down = np.maximum(high - low, 1e-9)
    inside = width - 36
    tall = int(np.clip(inside * down / across, 0.5 * inside, 1.3 * inside))
    scale = min(inside / across, tall / down)
    height = tall + 72
    return FINE * ((xy - (low + high) / 2) * scale + (width / 2, height / 2)), height


def _body(
    pen: "ImageDraw", xy: np.ndarray, seen: np.ndarray, skeleton: Skeleton, thick: float, halo: str | None
) -> None:
    joints, bones = base.sides(skeleton)
    there = [(a, b, c) for (a, b), c in zip(skeleton.bones, bones, strict=True) if seen[a] and seen[b]]
    if halo:
        soft = "#" + "".join(f"{255 - (255 - int(halo[i : i + 2], 16)) * 2 // 5:02X}" for i in (1, 3, 5))
        for a, b, _ in there:
            pen.line([*xy[a], *xy[b]], fill=soft, width=round(3.2 * thick))
    for a, b, colour in there:
        pen.line([*xy[a], *xy[b]], fill=colour, width=round(thick))
    for (x, y), colour, is_seen in zip(xy, joints, seen, strict=True):
        if is_seen:
            pen.ellipse([x - thick, y - thick, x + thick, y + thick], fill=colour)


def _words(pen: "ImageDraw", name: str, frame: str, height: int) -> None:
    import matplotlib
    from PIL import ImageFont

    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 12)
    pen.text((10, 8), name, fill=base.INK, font=font)
    pen.text((10, height - 22), frame, fill=base.GREY, font=font)
