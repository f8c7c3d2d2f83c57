"""Plain elements for our pages: real tags, our own classes, no look of a widget library."""

from __future__ import annotations

from typing import TypeVar

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

E = TypeVar("E", bound=ui.element)


def text(tag: str, words: str, classes: str = "", **attributes: str) -> TextElement:
    """An element with words in it. See `dressed` for the attributes."""
    return dressed(TextElement(tag=tag, text=words), classes, attributes)


def box(tag: str, classes: str = "", **attributes: str) -> ui.element:
    """An element that holds others. See `dressed` for the attributes."""
    return dressed(ui.element(tag), classes, attributes)


def dressed(element: E, classes: str, attributes: dict[str, str]) -> E:
    """`element` with classes and attributes; underscores in their names are hyphens (`aria_label`)."""
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        element.props[name.rstrip("_").replace("_", "-")] = value
    return element
