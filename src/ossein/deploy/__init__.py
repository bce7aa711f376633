"""Using a trained model."""

from ossein.deploy.bundle import Card, load_pretrained, load_recogniser, read_card, write_bundle
from ossein.deploy.predict import Answer, Predictor, load

__all__ = ["Answer", "Card", "Predictor", "load", "load_pretrained", "load_recogniser", "read_card", "write_bundle"]
