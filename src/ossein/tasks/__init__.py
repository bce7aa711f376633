"""Learning with labels."""

from ossein.tasks.recognise import Recognise
from ossein.tasks.strl import STRL, STRLSettings

__all__ = ["STRL", "Recognise", "STRLSettings"]
