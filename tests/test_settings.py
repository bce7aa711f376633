"""Settings: frozen, strict, to YAML and back, and errors that name the field and the near one."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, create_model

from ossein.encoders import AnyEncoderSettings, EncoderSettings, MixerSettings
from ossein.errors import SettingsError
from ossein.files import read_yaml, write_yaml
from ossein.pretrain import SkeletonMAESettings
from ossein.settings import Family, Settings, changed, diff
from ossein.tasks import STGCNSettings, STRLSettings


class Inner(Settings):
    """What is inside."""

    share: float = Field(default=0.5, ge=0, le=1)
    """A share."""
    parts: tuple[int, ...] = (3, 5)


class Outer(Settings):
    """What is around it."""

    inner: Inner = Inner()
    epochs: int = Field(default=3, ge=1)
    name: str | None = None
    path: Path = Path("runs")
    needed: bool


GOOD = Outer(inner=Inner(share=0.25, parts=()), epochs=7, needed=True)


@pytest.mark.parametrize(
    "settings", [GOOD, Outer(needed=False, name="ü"), SkeletonMAESettings(), STRLSettings(kernel=3, interact=True)]
)
def test_settings_come_back_from_yaml_as_they_were(settings: Settings, tmp_path: Path):
    write_yaml(tmp_path / "run.yaml", settings.plain())
    back = type(settings).read(read_yaml(tmp_path / "run.yaml"))
    assert back == settings
    assert diff(settings, back) == {}
    assert list(back.plain()) == list(type(settings).model_fields)


def test_plain_data_are_plain():
    assert GOOD.plain() == {
        "inner": {"share": 0.25, "parts": []},
        "epochs": 7,
        "name": None,
        "path": "runs",
        "needed": True,
    }


def test_settings_are_frozen_and_their_docstrings_are_help():
    with pytest.raises(ValidationError, match="frozen"):
        GOOD.epochs = 4  # type: ignore[misc]
    assert Inner.model_fields["share"].description == "A share."


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"epoch": 1}, "unknown field 'epoch'. Did you mean 'epochs'?"),
        ({"zzz": 1}, "unknown field 'zzz'. Known: inner, epochs, name, path, needed."),
        ({"inner": {"shar": 1}}, "unknown field 'inner.shar'. Did you mean 'share'?"),
        ({"inner": {"zzz": 1}}, "unknown field 'inner.zzz'. Known: share, parts."),
        ({"epochs": 0}, "field 'epochs': Input should be greater than or equal to 1, got 0."),
        ({"inner": {"share": 1.5}}, "field 'inner.share': Input should be less than or equal to 1, got 1.5."),
        ({"inner": {"share": float("nan")}}, "field 'inner.share': Input should be"),
        ({"inner": {"parts": [1, "x"]}}, "field 'inner.parts.1': Input should be a valid integer"),
        ({"epochs": "many"}, "field 'epochs': Input should be a valid integer"),
        ({"epochs": 1.5}, "field 'epochs': Input should be a valid integer"),
        ({"inner": 3}, "field 'inner': Input should be a valid dictionary"),
        ({"needed": None}, "field 'needed': Input should be a valid boolean"),
    ],
)
def test_what_is_wrong_is_said(data: dict[str, Any], says: str):
    with pytest.raises(SettingsError) as caught:
        Outer.read({"needed": True, **data}, where="run.yaml")
    assert str(caught.value).startswith(f"run.yaml: {says}")


MODELS = Family[Settings]("model")
for one in (STRLSettings, STGCNSettings, SkeletonMAESettings):
    MODELS.add(one, one)  # what is built does not matter here


class Either(Settings):
    """Settings of one of several kinds."""

    model: Annotated[Settings, MODELS]
    more: tuple[Annotated[Settings, MODELS], ...] = ()
    encoder: AnyEncoderSettings = MixerSettings()


@pytest.mark.parametrize("model", [STRLSettings(layers=2), STGCNSettings(blocks=1), SkeletonMAESettings(beta=3)])
def test_the_kind_says_which_settings_are_read(model: Settings):
    assert Either.read({"model": model.plain()}).model == model
    assert type(Either.read({"model": model.plain()}).model) is type(model)
    other = Either.read({"model": STRLSettings().plain()}).change(model=model)
    assert Either.read(other.plain()).model == model


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"kind": "strl", "layer": 1}, "unknown field 'model.layer'. Did you mean 'layers'?"),
        ({"kind": "strl", "layers": 0}, "field 'model.layers': Input should be greater than or equal to 1, got 0."),
        ({"kind": "strl", "encoder": {"widht": 8}}, "unknown field 'model.encoder.widht'. Did you mean 'width'?"),
        ({"kind": "skeletonmae", "bet": 2}, "unknown field 'model.bet'. Did you mean 'beta'?"),
        ({"kind": "stgcn", "widths": [8, 0]}, "field 'model.widths.1': Input should be greater than or equal to 1"),
        (
            {"kind": "stgnc"},
            "field 'model.kind': no model is called 'stgnc' here. Did you mean 'stgcn'? If it is one of",
        ),
        (
            {"kind": "arrow"},
            "field 'model.kind': no model is called 'arrow' here. Known: strl, stgcn, skeletonmae. If it",
        ),
        ({"kind": []}, "field 'model.kind': Input should be one of 'strl', 'stgcn', 'skeletonmae', got '[]'."),
        ({"blocks": 2}, "field 'model.kind' is missing."),
        (3, "field 'model': Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_in_settings_of_several_kinds_is_said(data: Any, says: str):
    with pytest.raises(SettingsError) as caught:
        Either.read({"model": data}, where="run.yaml")
    assert str(caught.value).startswith(f"run.yaml: {says}")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            {"more": [{"kind": "strl"}, {"kind": "stgcn", "block": 1}]},
            "unknown field 'more.1.block'. Did you mean 'block",
        ),
        ({"encoder": {"kind": "mixer", "widht": 8}}, "unknown field 'encoder.widht'. Did you mean 'width'?"),
        (
            {"encoder": {"kind": "mixr"}},
            "field 'encoder.kind': Input should be one of 'gin', 'gcn', 'gat', 'mixer', got",
        ),
    ],
)
def test_what_is_wrong_in_lists_and_in_unions_that_are_closed_is_said(data: Any, says: str):
    with pytest.raises(SettingsError) as caught:
        Either.read({"model": {"kind": "strl"}, **data}, where="run.yaml")
    assert str(caught.value).startswith(f"run.yaml: {says}")


class Dot:
    """Something to build."""


class DotSettings(Settings):
    """What it is built from."""

    kind: Literal["dot"] = "dot"
    inner: Inner = Inner()
    size: float = 1


def test_a_kind_is_known_from_when_it_is_added_on():
    shapes = Family[object]("shape")

    class Page(Settings):
        shape: Annotated[Settings, shapes] | None = None

    with pytest.raises(
        SettingsError, match=r"^Page: field 'shape\.kind': no shape is called 'dot' here\. None are known\. "
    ):
        Page().change(shape=DotSettings().plain())
    with pytest.raises(SettingsError, match=r"no shape is built from such settings"):
        shapes.of(DotSettings())
    shapes.add(Dot, DotSettings)
    assert Page.read({"shape": {"kind": "dot", "size": 2}}).shape == DotSettings(size=2)
    assert (list(shapes), shapes["dot"], shapes.settings("dot"), shapes.of(DotSettings())) == (
        ["dot"], Dot, DotSettings, Dot,
    )  # fmt: skip
    for other in (Inner(), STRLSettings(), 3):
        with pytest.raises(ValidationError):
            Page.model_validate({"shape": other})


@settings(max_examples=20, deadline=None)
@given(size=st.floats(allow_nan=False, allow_infinity=False), parts=st.lists(st.integers()).map(tuple))
def test_settings_of_a_family_come_back_from_plain_data(size: float, parts: tuple[int, ...]):
    shapes = Family[object]("shape")
    shapes.add(Dot, DotSettings)
    adapter = TypeAdapter(Annotated[Settings, shapes])
    one = DotSettings(size=size, inner=Inner(parts=parts))
    assert adapter.dump_python(one, mode="json") == one.plain()
    assert adapter.validate_python(one.plain()) == adapter.validate_python(one) == one
    assert adapter.validate_json(adapter.dump_json(one)) == one


def test_a_kind_names_one_class():
    shapes = Family[object]("shape")
    shapes.add(Dot, DotSettings)

    class Other: ...

    with pytest.raises(SettingsError, match=r"\.Other: the kind 'dot' is that of test_settings\.Dot already\."):
        shapes.add(Other, DotSettings)
    assert shapes["dot"] is Dot
    again = type("Dot", (), {"__module__": Dot.__module__})  # the same cell, run again
    shapes.add(again, DotSettings)
    assert shapes["dot"] is again
    assert len(shapes) == 1


Free = create_model("Free", __base__=Settings, kind=(str, "a"))


@pytest.mark.parametrize("wrong", [Inner, Free, EncoderSettings], ids=["none", "any", "several"])
def test_settings_of_a_family_say_their_kind(wrong: type[Settings]):
    with pytest.raises(SettingsError, match=r": does not say its kind\. Give it a first field such as kind: Literal"):
        Family[object]("shape").add(Dot, wrong)


def test_what_is_missing_is_said():
    with pytest.raises(SettingsError, match=r"^run\.yaml: field 'needed' is missing"):
        Outer.read({}, where="run.yaml")


@pytest.mark.parametrize("data", [[1], None, "epochs"])
def test_what_is_no_dictionary_is_said(data: Any):
    with pytest.raises(SettingsError, match=r"^settings: field 'Outer': Input should be a valid dictionary"):
        Outer.read(data)


def test_change_gives_a_checked_copy():
    new = GOOD.change(epochs=8, inner=GOOD.inner.change(share=1))
    assert (new.epochs, new.inner.share, new.inner.parts, new.needed) == (8, 1.0, (), True)
    assert (GOOD.epochs, GOOD.inner.share) == (7, 0.25)
    with pytest.raises(SettingsError, match=r"^Outer: field 'epochs': .* got 0"):
        GOOD.change(epochs=0)
    with pytest.raises(SettingsError, match=r"^Outer: unknown field 'epoch'"):
        GOOD.change(epoch=1)


def test_diff_names_what_differs_by_its_path():
    assert diff(GOOD, GOOD) == {}
    new = GOOD.change(inner=Inner(), name="b")
    assert diff(GOOD, new) == {"inner.parts": ([], [3, 5]), "inner.share": (0.25, 0.5), "name": (None, "b")}
    assert list(diff(GOOD, new)) == sorted(diff(GOOD, new))


def test_diff_of_different_kinds_shows_fields_that_one_lacks():
    assert diff(Inner(), STRLSettings())["share"] == (0.5, None)
    assert diff(Inner(), STRLSettings())["encoder.kind"] == (None, "gin")


def test_what_was_changed_goes_into_other_settings():
    old = GOOD.change(inner=Inner(share=0.25, parts=(1,)))
    new = old.change(inner=old.inner.change(share=0.75), epochs=9)
    base = Outer(inner=Inner(share=0.1, parts=(2,)), epochs=1, name="base", needed=False)
    assert changed(base, old, new) == Outer(inner=Inner(share=0.75, parts=(2,)), epochs=9, name="base", needed=False)
    assert changed(base, old, old) == base
    assert changed(base, base, new) == new


class Plan(Settings):
    """Settings with a part of several kinds."""

    encoder: Annotated[AnyEncoderSettings, Field()]
    epochs: int = 1


def test_a_part_of_another_kind_is_taken_whole():
    old, new = Plan(encoder=EncoderSettings()), Plan(encoder=MixerSettings(width=24))
    assert changed(Plan(encoder=EncoderSettings(depth=2), epochs=5), old, new) == new.change(epochs=5)
    deeper = old.change(encoder=EncoderSettings(depth=4))
    other = Plan(encoder=MixerSettings(width=24), epochs=5)
    assert changed(other, old, deeper) == deeper.change(epochs=5)
