"""Using a trained model."""

from ossein.deploy.bundle import Card, load_pretrained, load_recogniser, read_card, write_bundle
from ossein.deploy.predict import Answer, Recogniser, load

__all__ = ["Answer", "Card", "Recogniser", "load", "load_pretrained", "load_recogniser", "read_card", "write_bundle"]
