"""Occlusion: body parts out of sight for a while ("tubes"), each over a stretch of time of its own."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from ossein.augment.base import Augment, check, span
from ossein.clip import Batch
from ossein.draw import Draw
from ossein.skeleton import Skeleton

_FEW = 4
"""With fewer parts than this single joints are taken, since a part would be most of the body."""


@dataclass(frozen=True)
class Occlude(Augment):
    """Some parts of the body are not seen for a while: in every clip as many, of each clip and for a time of their own.

    With fewer than four parts each joint counts as one. One part is always left, and at least one is taken. All persons of
    a clip lose the same. A stretch lies between the first frame in which anybody is and the last.

    Args:
        share: Share of the parts, 0 to 1.
        least: The shortest time that a part is not seen, as a share of the clip, 0 to 1; one frame at least.
        most: The longest, at least `least`.

    Raises:
        SettingsError: A share is out of range.
    """

    share: float
    least: float = 0.3
    most: float = 1.0

    def __post_init__(self) -> None:
        for name, low in (("share", 0), ("least", 0), ("most", self.least)):
            check(self, name, low, 1)

    def __call__(self, batch: Batch, draw: Draw) -> Batch:
        """The batch with score 0 where parts are out of sight."""
        return batch.change(score=batch.score.masked_fill(self.hidden(batch, draw).unsqueeze(1), 0))

    def hidden(self, batch: Batch, draw: Draw) -> Bool[Tensor, "N T V"]:
        """True where a joint is out of sight, on the device of the batch; of the batch only who is where counts.

        Args:
            batch: The clips.
            draw: Where the random numbers come from.
        """
        unit, num_clips, num_frames = _units(batch.skeleton), len(batch), batch.x.shape[2]
        num = max(unit) + 1
        count = min(max(1, round(self.share * num)), num - 1)
        chosen = draw.uniform((num_clips, num)).argsort(1)[:, :count]
        first, last = span(batch)
        whole = last - first + 1
        length = (whole * draw.uniform((num_clips, count), self.least, self.most).to(batch.x)).clamp(min=1)
        start = first + draw.uniform((num_clips, count)).to(batch.x) * (whole - length)
        # Not `frame < start + length`: a sum that is rounded could leave a stretch of one frame without any.
        since = torch.arange(num_frames, device=batch.x.device)[:, None] - start[:, None]
        inside = (since >= 0) & (since < length[:, None])
        hidden = torch.zeros(num_clips, num_frames, num, dtype=torch.bool, device=batch.x.device)
        chosen = chosen.to(batch.x.device)[:, None].expand_as(inside)
        return hidden.scatter_(2, chosen, inside)[..., list(unit)]


def _units(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint the number of what is taken together with it."""
    unit = list(range(len(skeleton)))
    if len(skeleton.parts) >= _FEW:
        for number, joints in enumerate(skeleton.parts.values()):
            for joint in joints:
                unit[joint] = number
    return tuple(unit)
