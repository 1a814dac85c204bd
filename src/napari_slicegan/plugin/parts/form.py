"""From the fields of a frozen dataclass to a form of magicgui and back."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import Field, fields, replace
from enum import StrEnum
from math import floor, log10
from typing import Any, TypeVar

from magicgui.widgets import ComboBox, Container, LineEdit, create_widget
from magicgui.widgets.bases import ValueWidget

from napari_slicegan.core.errors import ConfigError

Config = TypeVar("Config")


def build_form(config: Any, names: Iterable[str] | None = None) -> Container[Any]:
    """Make a form that shows a config.

    Parameters
    ----------
    config : frozen dataclass
        Its fields are int, float, a StrEnum or a tuple of int; their metadata gives "help", and "low" and "high"
        for numbers.
    names : iterable of str, optional
        Fields to show, in this order; all by default.

    Returns
    -------
    Container
        One widget for each field, by the name of the field.
    """
    by_name = {field.name: field for field in fields(config)}
    chosen = [by_name[name] for name in (by_name if names is None else names)]
    return Container(widgets=[_widget(field, getattr(config, field.name)) for field in chosen], labels=False)


def show_config(form: Container[Any], config: Any) -> None:
    """Show another config of the same class in a form."""
    for widget in form:
        value = getattr(config, widget.name)
        if isinstance(widget, LineEdit):
            value = _as_text(value)
        elif isinstance(value, float):
            widget.step = _step(value, widget.max)  # sets the decimals that are shown, so before the value
        widget.value = value


def read_form(form: Container[Any], base: Config) -> Config:
    """Give a config back with what the form says.

    Parameters
    ----------
    form : Container
        What `build_form` made.
    base : frozen dataclass
        Where the fields come from that the form does not show.

    Returns
    -------
    frozen dataclass
        A config of the same class.

    Raises
    ------
    ConfigError
        A text is no list of numbers, or the config refuses its fields.
    """
    changes = {
        widget.name: _as_numbers(widget.name, widget.value) if isinstance(widget, LineEdit) else widget.value
        for widget in form
    }
    return replace(base, **changes)  # type: ignore[type-var]


def _widget(field: Field[Any], value: Any) -> ValueWidget[Any]:
    name, label, tooltip = field.name, field.name.replace("_", " ").capitalize(), field.metadata["help"]
    if isinstance(value, StrEnum):
        choices = [(str(item), item) for item in type(value)]
        return ComboBox(value=value, choices=choices, name=name, label=label, tooltip=tooltip)
    if isinstance(value, tuple):
        return LineEdit(value=_as_text(value), name=name, label=label, tooltip=tooltip)
    options = {"min": field.metadata["low"], "max": field.metadata["high"], "tooltip": tooltip}
    if isinstance(value, float):
        options["step"] = _step(value, options["max"])
    widget = create_widget(value=value, annotation=type(value), name=name, label=label, options=options)
    assert isinstance(widget, ValueWidget)
    return widget


def _step(value: float, high: float) -> float:
    """A tenth of the value's size, fine where numbers are fractions; the box shows as many decimals as its step has."""
    coarsest = -3 if high <= 1 else -1
    return 10.0 ** min(floor(log10(abs(value))) - 1, coarsest) if value else 10.0**coarsest


def _as_text(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _as_numbers(name: str, text: str) -> tuple[int, ...]:
    try:
        value = ast.literal_eval(f"({text},)" if text.strip() else "()")
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, tuple) or not all(type(number) is int for number in value):
        raise ConfigError(f"The setting {name.replace('_', ' ')} is {text!r}: write whole numbers with commas between.")
    return value
