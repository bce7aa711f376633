"""ossein learns from unlabelled skeleton sequences and recognises actions, gestures and people from few labels."""

__version__ = "0.1.0"
