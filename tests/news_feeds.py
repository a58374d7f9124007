"""The feeds and sitemaps of an invented news site, each in the form of its standard."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from news_articles import VOICES, NewsArticle

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def rss(stories: Sequence[NewsArticle], *, base: str, full_text: bool = False, tracking: str = "") -> str:
    """Write RSS 2.0, with ``content:encoded`` where it carries the whole text.

    Args:
        stories: In the order they stand there; at least one.
        base: Scheme and host of the site.
        full_text: Does it carry the whole text?
        tracking: What is put behind each address, such as ``?utm_source=rss``.
    """
    items = [
        f"<item><title>{escape(story.title)}</title><link>{escape(base + story.path + tracking)}</link>"
        f'<guid isPermaLink="false">{escape(story.guid)}</guid><pubDate>{format_datetime(story.published_at)}</pubDate>'
        + (f"<atom:updated>{story.updated_at.isoformat()}</atom:updated>" if story.updated_at else "")
        + f"<dc:creator>{escape(story.author)}</dc:creator><category>{escape(story.section)}</category>"
        f"<description>{escape(story.lead)}</description>"
        + (f"<content:encoded><![CDATA[{story.html}]]></content:encoded>" if full_text else "")
        + "</item>"
        for story in stories
    ]
    voice, language = VOICES[stories[0].language], stories[0].language
    return (
        f'{XML}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>{escape(voice.site)}</title>'
        f"<link>{base}/</link><description>{escape(voice.section)}</description><language>{language}</language>\n"
        + "\n".join(items)
        + "\n</channel></rss>\n"
    )


def atom(stories: Sequence[NewsArticle], *, base: str) -> str:
    """Write Atom (RFC 4287)."""
    entries = [
        f"<entry><id>{escape(story.guid)}</id><title>{escape(story.title)}</title>"
        f"<link rel={quoteattr('alternate')} href={quoteattr(base + story.path)}/>"
        f"<published>{story.published_at.isoformat()}</published>"
        f"<updated>{(story.updated_at or story.published_at).isoformat()}</updated>"
        f"<author><name>{escape(story.author)}</name></author><category term={quoteattr(story.section)}/>"
        f"<summary>{escape(story.lead)}</summary></entry>"
        for story in stories
    ]
    newest = max(story.updated_at or story.published_at for story in stories)
    return (
        f'{XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{stories[0].language}"><id>{base}/</id>'
        f"<title>{escape(VOICES[stories[0].language].site)}</title><updated>{newest.isoformat()}</updated>\n"
        + "\n".join(entries)
        + "\n</feed>\n"
    )


def rdf(stories: Sequence[NewsArticle], *, base: str) -> str:
    """Write RSS 1.0."""
    voice = VOICES[stories[0].language]
    listed = "".join(f"<rdf:li rdf:resource={quoteattr(base + story.path)}/>" for story in stories)
    items = [
        f"<item rdf:about={quoteattr(base + story.path)}><title>{escape(story.title)}</title>"
        f"<link>{escape(base + story.path)}</link><dc:date>{story.published_at.isoformat()}</dc:date>"
        f"<dc:creator>{escape(story.author)}</dc:creator><description>{escape(story.lead)}</description></item>"
        for story in stories
    ]
    return (
        f'{XML}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="{base}/"><title>{escape(voice.site)}</title>'
        f"<link>{base}/</link><description>{escape(voice.section)}</description>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n" + "\n".join(items) + "\n</rdf:RDF>\n"
    )


def json_feed(stories: Sequence[NewsArticle], *, base: str) -> str:
    """Write JSON Feed 1.1."""
    items = [
        {
            "id": story.guid,
            "url": base + story.path,
            "title": story.title,
            "summary": story.lead,
            "date_published": story.published_at.isoformat(),
            **({"date_modified": story.updated_at.isoformat()} if story.updated_at else {}),
            "authors": [{"name": story.author}],
            "tags": [story.section],
        }
        for story in stories
    ]
    voice = VOICES[stories[0].language]
    said = {"version": "https://jsonfeed.org/version/1.1", "title": voice.site, "home_page_url": f"{base}/"}
    return json.dumps({**said, "language": stories[0].language, "items": items}, ensure_ascii=False, indent=1)


def sitemap(stories: Sequence[NewsArticle], *, base: str) -> str:
    """Write a sitemap (sitemaps.org 0.9) with the day of the last change of each page."""
    urls = [
        f"<url><loc>{escape(base + story.path)}</loc>"
        f"<lastmod>{(story.updated_at or story.published_at).isoformat()}</lastmod></url>"
        for story in stories
    ]
    return f'{XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n' + "\n".join(urls) + "\n</urlset>\n"


def news_sitemap(stories: Sequence[NewsArticle], *, base: str) -> str:
    """Write a sitemap with the news extension (sitemap-news 0.9)."""
    urls = [
        f"<url><loc>{escape(base + story.path)}</loc><news:news><news:publication>"
        f"<news:name>{escape(VOICES[story.language].site)}</news:name><news:language>{story.language}</news:language>"
        f"</news:publication><news:publication_date>{story.published_at.isoformat()}</news:publication_date>"
        f"<news:title>{escape(story.title)}</news:title></news:news></url>"
        for story in stories
    ]
    return (
        f'{XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n' + "\n".join(urls) + "\n</urlset>\n"
    )


def sitemap_index(paths: Sequence[str], *, base: str, changed_at: datetime) -> str:
    """Write a sitemap index that names sitemaps of the site."""
    at = changed_at.astimezone(UTC).isoformat(timespec="seconds")
    maps = [f"<sitemap><loc>{escape(base + path)}</loc><lastmod>{at}</lastmod></sitemap>" for path in paths]
    return (
        f'{XML}<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(maps)
        + "\n</sitemapindex>\n"
    )
