"""What is hidden from the encoder: whole parts of the body or single joints, the same number in every clip."""

from typing import Literal

import torch
from jaxtyping import Bool
from pydantic import Field
from torch import Tensor

from ossein.draw import Draw
from ossein.errors import SettingsError
from ossein.settings import Settings
from ossein.skeleton import Skeleton


class MaskSettings(Settings):
    """Which joints are hidden; a clip hides the same joints in all its frames and persons."""

    kind: Literal["parts", "random-parts", "random-joints"] = "parts"
    """parts: the same parts in every clip (every table of the paper). random-parts: parts drawn for each clip until the
    share is full. random-joints: single joints drawn for each clip (the paper's control, Table 5b)."""
    parts: tuple[int, ...] = (3, 5)
    """Numbers of the hidden parts, in the order of the skeleton's parts; for kind parts."""
    share: float = Field(default=0.3, gt=0, lt=1)
    """Share of the joints that is hidden; for the random kinds."""


class Mask:
    """Draws which joints of each clip are hidden.

    Args:
        skeleton: The V joints and their parts.
        settings: What to hide.

    Raises:
        SettingsError: A part does not exist, or all joints or none would be hidden.
    """

    def __init__(self, skeleton: Skeleton, settings: MaskSettings) -> None:
        self.settings = settings
        self.num_joints = len(skeleton)
        self.part = torch.empty(self.num_joints, dtype=torch.long)
        for number, joints in enumerate(skeleton.parts.values()):
            self.part[list(joints)] = number
        self.num_parts = len(skeleton.parts)
        missing = [number for number in settings.parts if not 0 <= number < self.num_parts]
        if settings.kind == "parts" and missing:
            raise SettingsError(
                f"mask.parts: {skeleton.name} has no part {missing[0]}. "
                f"Its parts are {', '.join(f'{i} {name}' for i, name in enumerate(skeleton.parts))}."
            )
        if not 0 < self.count < self.num_joints:
            raise SettingsError(
                f"mask: {self.count} of {self.num_joints} joints would be hidden. Hide some and leave some; change "
                f"mask.{'parts' if settings.kind == 'parts' else 'share'}."
            )

    @property
    def count(self) -> int:
        """How many joints are hidden, in every clip."""
        if self.settings.kind == "parts":
            return int(torch.isin(self.part, torch.tensor(self.settings.parts, dtype=torch.long)).sum())
        return round(self.settings.share * self.num_joints)

    def __call__(self, num_clips: int, draw: Draw) -> Bool[Tensor, "N V"]:
        """True where a joint of a clip is hidden, on the CPU."""
        if self.settings.kind == "parts":
            return torch.isin(self.part, torch.tensor(self.settings.parts)).expand(num_clips, -1)
        order = draw.uniform((num_clips, self.num_joints))
        if self.settings.kind == "random-parts":
            # Joints of a part stay together in the order; the part at the border may be hidden in part only.
            order = order / 2 + draw.uniform((num_clips, self.num_parts)).argsort(1)[:, self.part]
        return order.argsort(1).argsort(1) < self.count
