"""Settings: frozen records that say everything about a run, to and from YAML.

A settings class stands next to the class it builds. Unknown keys, values out of range and changes after the fact are
errors; the docstring under a field is its help on the command line. Settings of which there are several kinds, for several
classes, make a `Family`, open to classes of one's own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Literal, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from ossein.errors import SettingsError, did_you_mean

T = TypeVar("T")


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


S = TypeVar("S", bound=Settings)

Choice = S | Callable[[S], S] | None
"""Settings in place of a preset's, what is to be made of the preset's for each fold, or nothing: the preset's."""


class Family(Mapping[str, type[T]], Generic[T]):
    """Classes that are built from settings, each told by the `kind` of its settings; anyone may add to them.

    `Annotated[Settings, family]` is the type of a field that holds settings of any class in the family, of those too that
    are added later.

    Args:
        what: What its classes are, in the singular, for errors.

    >>> class Circle: ...
    >>> class CircleSettings(Settings):
    ...     kind: Literal["circle"] = "circle"
    ...     radius: float = 1
    >>> shapes = Family[object]("shape")
    >>> shapes.add(Circle, CircleSettings)
    >>> shapes.read({"kind": "circle", "radius": 2})
    CircleSettings(kind='circle', radius=2.0)
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._members: dict[str, tuple[type[T], type[Settings]]] = {}

    def add(self, made: type[T], settings: type[Settings]) -> None:
        """Make a class known, from now on and in this process.

        The same class defined anew, by a cell of a notebook or a module that is loaded again, takes the place of the old one.

        Args:
            made: What is built.
            settings: What it is built from, with a field such as `kind: Literal["arrow"] = "arrow"`.

        Raises:
            SettingsError: The settings do not say their kind, or another class has it.
        """
        kind = _kind(settings)
        if kind in self._members and _name(self[kind]) != _name(made):
            raise SettingsError(
                f"{_name(made)}: the kind '{kind}' is that of {_name(self[kind])} already. Choose another word."
            )
        self._members[kind] = made, settings

    def read(self, data: Any) -> Settings:
        """Settings of the kind that plain data say, or settings of a class in the family as they are.

        Raises:
            ValidationError: The kind is not known, or another field is wrong.
        """
        kind = data.get("kind") if isinstance(data, dict) else None
        if isinstance(kind, str) and kind not in self:
            raise PydanticCustomError(
                "unknown_kind",
                "no {what} is called '{kind}' here. {near} If it is one of your own, name its file with --use "
                "before the verb, or import it.",
                {"what": self.what, "kind": kind, "near": did_you_mean(kind, self)},
            )
        each: dict[Any, core_schema.CoreSchema] = {
            kind: core_schema.no_info_plain_validator_function(one.model_validate)
            for kind, (_, one) in self._members.items()
        }
        return SchemaValidator(core_schema.tagged_union_schema(each, discriminator="kind")).validate_python(data)

    def settings(self, kind: str) -> type[Settings]:
        """The settings of a kind."""
        return self._members[kind][1]

    def of(self, settings: Settings) -> type[T]:
        """The class that is built from settings.

        Raises:
            SettingsError: They are of no class in the family.
        """
        for made, own in self._members.values():
            if type(settings) is own:
                return made
        raise SettingsError(
            f"{_name(type(settings))}: no {self.what} is built from such settings. Add its class to the family first."
        )

    def __getitem__(self, kind: str) -> type[T]:
        return self._members[kind][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __eq__(self, other: object) -> bool:
        return self is other  # what it holds changes

    def __hash__(self) -> int:
        return id(self)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)


def _kind(settings: type[Settings]) -> str:
    field = settings.model_fields.get("kind")
    if field is None or get_origin(field.annotation) is not Literal or get_args(field.annotation) != (field.default,):
        raise SettingsError(
            f'{_name(settings)}: does not say its kind. Give it a first field such as kind: Literal["arrow"] = "arrow".'
        )
    return field.default


def _name(one: type) -> str:
    return f"{one.__module__}.{one.__qualname__}"


def diff(old: Settings, new: Settings) -> dict[str, tuple[Any, Any]]:
    """The fields in which two settings differ: dotted path -> (old value, new value).

    >>> class Mask(Settings):
    ...     share: float = 0.5
    >>> diff(Mask(), Mask(share=0.75))
    {'share': (0.5, 0.75)}
    """
    a, b = flat(old.plain()), flat(new.plain())
    return {key: (a.get(key), b.get(key)) for key in sorted(a | b) if a.get(key) != b.get(key)}


def settle(choice: Choice[S], preset: Callable[[], S]) -> S:
    """The settings of one fold, given what a preset has for it."""
    if choice is None:
        return preset()
    return choice(preset()) if callable(choice) else choice


def changed(base: T, old: T, new: T) -> T:
    """`base` with whatever sets `new` apart from `old`; settings of another kind are taken whole.

    >>> class Mask(Settings):
    ...     share: float = 0.5
    ...     seed: int = 0
    >>> changed(Mask(seed=3), Mask(), Mask(share=0.75))
    Mask(share=0.75, seed=3)
    """
    if old == new:
        return base
    if not (isinstance(base, Settings) and type(base) is type(old) is type(new)):
        return new
    names = type(base).model_fields
    return base.change(**{name: changed(*(getattr(one, name) for one in (base, old, new))) for name in names})


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
    if first["type"] == "unknown_kind":
        return f"field '{path}.kind': {first['msg']}"
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
        if isinstance(step, int):  # one of several such settings
            names.append(str(step))
            continue
        several = choices if len(choices) > 1 else []
        kinds = {one.model_fields["kind"].default: one for one in several if "kind" in one.model_fields}
        if step in kinds:
            choices = [kinds[step]]
            continue
        names.append(str(step))
        fields = choices[0].model_fields if choices else {}
        beside = list(fields)
        field = fields.get(names[-1])
        choices = [one for part in (field.annotation, *field.metadata) for one in _classes(part)] if field else []
    return names, beside


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """The settings that a field may hold."""
    if isinstance(annotation, Family):
        return [annotation.settings(kind) for kind in annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in get_args(annotation) for one in _classes(part)]
