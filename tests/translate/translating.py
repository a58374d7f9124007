"""What the tests of translation share: the demo's real models, articles to translate, and an engine on top."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from normalize.options import TranslateOptions
from normalize.translate.engine import Check, Engine, _check
from normalize.translate.memory import TranslationMemory
from normalize.translate.models import Models
from schemas.document import Article, Image, Language, Paragraph, RawDocument, Translation

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ROOT / "seeds" / "models"
#: The demo's Greek model with a sentence splitter of its own, in MiniSBD's form.
SPLITTER = ROOT / "tests" / "models" / "translate-el_en-0_2-sbd.argosmodel"
DAY = date(2026, 1, 8)

GERMAN = (
    "Seit 1974 sitzt er in der Mühlgasse 8 hinter derselben Werkbank. Gelernt hat er bei seinem Onkel.",
    "Der Scheitel der Sturmflut wurde um 14.20 Uhr mit 2,65 Metern über dem mittleren Hochwasser gemessen.",
)
GREEK = ("Χτύπησε ξανά το κουδούνι στο σχολείο της Πέρα Μυλόπετρας",)


def article(language: str, *paragraphs: str, title: str | None = None, caption: str | None = None) -> Article:
    return Article(
        raw=RawDocument(source_kind="text", source_uri="page", content=b""),
        raw_sha256="0" * 64,
        record_id="record",
        story_id="story",
        title=title,
        paragraphs=tuple(Paragraph(role="paragraph", text=text) for text in paragraphs),
        removed=(),
        images=(Image(url=None), Image(url=None, caption=caption)) if caption else (),
        language=Language(tag=language),
        page_type="article",
        charset="utf-8",
        charset_source="source",
    )


def with_languages(item: Article, *languages: str | None) -> Article:
    """Say of each paragraph which language it is in."""
    paragraphs = zip(item.paragraphs, languages, strict=True)
    return replace(item, paragraphs=tuple(replace(paragraph, lang=lang) for paragraph, lang in paragraphs))


@contextmanager
def engine(
    models: Models,
    memory: Path,
    *,
    run_id: str = "night",
    options: TranslateOptions | None = None,
    check: Check = _check,
) -> Iterator[Engine]:
    with TranslationMemory.open(memory, DAY) as opened:
        made = Engine(options or TranslateOptions(), models, opened, run_id=run_id, threads=2, check=check)
        try:
            yield made
        finally:
            made.close()


def translations(models: Models, memory: Path, articles: Sequence[Article], **more: object) -> list[Translation]:
    with engine(models, memory, **more) as made:  # type: ignore[arg-type]  # the options of `engine`
        return [item.translation for item in made.translate(articles, 0)]
