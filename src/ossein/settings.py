"""Settings: frozen records that say everything about a run, to and from YAML.

A settings class stands next to the class it builds. Unknown keys, values out of range and changes after the fact are
errors; the docstring under a field is its help on the command line.
"""

from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from ossein.errors import SettingsError, did_you_mean


class Settings(BaseModel):
    """The base of all settings: frozen, strict, readable from and writable to YAML.

    >>> class Mask(Settings):
    ...     share: float = 0.5
    >>> Mask(share=0.25).change(share=0.75)
    Mask(share=0.75)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def read(cls, data: Any, *, where: str = "settings") -> Self:
        """Settings from plain data, for instance out of a YAML file.

        Args:
            data: Nested dictionaries, lists, strings and numbers.
            where: What to name in an error.

        Raises:
            SettingsError: A key is unknown, missing, or a value is out of range.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise SettingsError(f"{where}: {_in_words(cls, error)}") from None

    def plain(self) -> dict[str, Any]:
        """The settings as plain dictionaries, lists, strings and numbers."""
        return self.model_dump(mode="json")

    def change(self, **fields: Any) -> Self:
        """A copy with some fields replaced, checked like new settings.

        Raises:
            SettingsError: A field is unknown or a value is out of range.
        """
        return type(self).read({**dict(self), **fields}, where=type(self).__name__)


def diff(old: Settings, new: Settings) -> dict[str, tuple[Any, Any]]:
    """The fields in which two settings differ: dotted path -> (old value, new value).

    >>> class Mask(Settings):
    ...     share: float = 0.5
    >>> diff(Mask(), Mask(share=0.75))
    {'share': (0.5, 0.75)}
    """
    a, b = flat(old.plain()), flat(new.plain())
    return {key: (a.get(key), b.get(key)) for key in sorted(a | b) if a.get(key) != b.get(key)}


def flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted paths.

    >>> flat({"train": {"epochs": 5}, "smoothing": 0.1})
    {'train.epochs': 5, 'smoothing': 0.1}
    """
    out: dict[str, Any] = {}
    for key, value in data.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return out


def _in_words(cls: type[BaseModel], error: ValidationError) -> str:
    first = error.errors()[0]
    steps, known = _way(cls, first["loc"])
    path = ".".join(steps) or cls.__name__
    if first["type"] == "extra_forbidden":
        return f"unknown field '{path}'. {did_you_mean(steps[-1], known)}"
    if first["type"] == "union_tag_invalid":
        told = first.get("ctx", {})
        return f"field '{path}.kind': Input should be one of {told['expected_tags']}, got '{told['tag']}'. Mend it."
    if first["type"] == "union_tag_not_found":
        path += ".kind"
    if first["type"] in ("missing", "union_tag_not_found"):
        return f"field '{path}' is missing. Add it; run with --help to see every field and its range."
    return f"field '{path}': {first['msg']}, got {first['input']!r}. Run with --help to see every field and its range."


def _way(cls: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[str], list[str]]:
    """The fields on the way to an error, and what stands beside the last; the kinds that pydantic names are left out."""
    names: list[str] = []
    beside: list[str] = []
    choices = [cls]
    for step in loc:
        several = choices if len(choices) > 1 else []
        kinds = {one.model_fields["kind"].default: one for one in several if "kind" in one.model_fields}
        if step in kinds:
            choices = [kinds[step]]
            continue
        names.append(str(step))
        fields = choices[0].model_fields if choices else {}
        beside = list(fields)
        choices = _classes(fields[names[-1]].annotation) if names[-1] in fields else []
    return names, beside


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """The settings that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in get_args(annotation) for one in _classes(part)]
