"""The pictures of a page: address, alternative text, caption and credit."""

from lxml.html import HtmlElement

from schemas.document import Image

#: Where lazy loading keeps the real address, most specific first.
_ADDRESS = ("data-src", "data-original", "data-lazy-src", "data-url", "src")

#: More pictures than any story shows: the rest of such a page is a wall of teasers.
_MOST = 60


def read_images(tree: HtmlElement) -> tuple[Image, ...]:
    """Give the pictures that stand in a figure, in page order; their captions still hold the credit.

    Pictures outside a figure are icons, teasers and trackers far more often than part of the story.
    """
    found = []
    for figure in tree.iter("figure"):
        picture = next(figure.iter("img", "amp-img"), None)
        if picture is None or _in_teaser(figure):
            continue
        credit = _of_class(figure, ("credit", "copyright", "photographer", "source"))
        legend = next(figure.iter("figcaption"), None)
        if legend is None:
            legend = _of_class(figure, ("caption", "legend"))
        found.append(
            Image(
                url=next(
                    (
                        value
                        for name in _ADDRESS
                        if (value := _line(picture.get(name))) and not value.startswith("data:")
                    ),
                    None,
                ),
                alt=_line(picture.get("alt")),
                caption=_line(_without(legend, credit)) if legend is not None else None,
                credit=_line(credit.text_content()) if credit is not None else None,
            )
        )
    return tuple(found[:_MOST])


def _line(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _of_class(figure: HtmlElement, stems: tuple[str, ...]) -> HtmlElement | None:
    for element in figure.iterdescendants():
        names = (element.get("class") or "") + " " + (element.get("itemprop") or "")
        if element.tag != "img" and names != " " and any(stem in names.lower() for stem in stems):
            return element
    return None


def _without(element: HtmlElement, skip: HtmlElement | None) -> str:
    """The text of an element but for that of one element inside it."""
    parts = [element.text or ""]
    for child in element:
        if child is not skip and isinstance(child.tag, str):
            parts.append(_without(child, skip))
        parts.append(child.tail or "")
    return " ".join(parts)


def _in_teaser(figure: HtmlElement) -> bool:
    return any(parent.tag in {"nav", "aside", "footer", "a"} for parent in figure.iterancestors())
