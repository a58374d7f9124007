"""Invented news articles in six languages, as many as a test asks for, and their pages with what a real site puts around a text.

All of it follows from the language and a number, so that the same article comes out every time and no two are the same. Places,
people and events are invented.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape

#: Sentences in a paragraph, and paragraphs in an article.
SENTENCES, PARAGRAPHS = 2, 6

#: From one article to the one before it.
APART = timedelta(minutes=37)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What articles of one language are put together from."""

    #: Name of the site, and what stands around its articles.
    site: str
    cookies: str
    newsletter: str
    more: str
    by: str
    section: str
    reporters: tuple[str, ...]
    places: tuple[str, ...]
    titles: tuple[str, ...]
    #: Each with {place}, {name} or {number}.
    sentences: tuple[str, ...]


VOICES: Mapping[str, Voice] = {
    "el": Voice(
        site="Τα Νέα του Κόλπου",
        cookies="Χρησιμοποιούμε cookies για να βελτιώσουμε την εμπειρία σας. Αποδοχή όλων",
        newsletter="Εγγραφείτε στο ενημερωτικό μας δελτίο",
        more="Διαβάστε επίσης",
        by="Ρεπορτάζ",
        section="Τοπικά",
        reporters=("Μυρτώ Καλλιγά", "Στέφανος Ρούσσος", "Δανάη Βλάχου", "Πέτρος Αναγνώστου"),
        places=("Πέρα Λιμάνι", "Αμμόχωρα", "Καστρινό", "Νεράντζα", "Πλατανιά", "Ασπρόπετρα", "Μεσοβούνι"),
        titles=(
            "Νέα προβλήτα στο {place} ύστερα από {number} μήνες αναμονής",
            "{place}: το παλιό σχολείο γίνεται βιβλιοθήκη",
            "Ο δήμος {place} επισκευάζει {number} χιλιόμετρα δρόμων",
            "Στο {place} άνοιξε ξανά η λαϊκή αγορά",
        ),
        sentences=(
            "Οι εργασίες στο {place} ξεκίνησαν νωρίς το πρωί της Δευτέρας και θα κρατήσουν περίπου {number} ημέρες.",
            "«Περιμέναμε αυτή τη μέρα πολλά χρόνια», είπε η κάτοικος {name} μπροστά στο παλιό τελωνείο.",
            "Σύμφωνα με τον δήμο, το κόστος φτάνει τις {number} χιλιάδες ευρώ και καλύπτεται από την περιφέρεια.",
            "Οι καταστηματάρχες του {place} ζητούν να μείνει ανοιχτός ο κεντρικός δρόμος τα Σαββατοκύριακα.",
            "Ο μηχανικός {name} εξήγησε ότι οι παλιοί σωλήνες έπρεπε να αλλάξουν πριν από τον χειμώνα.",
            "Στη συνέλευση της Τετάρτης ήρθαν {number} άνθρωποι, οι περισσότεροι από τα γύρω χωριά.",
            "Το δρομολόγιο του λεωφορείου προς το {place} αλλάζει προσωρινά και περνά από την παραλία.",
            "Ο σύλλογος γονέων μάζεψε {number} υπογραφές και τις παρέδωσε στο δημαρχείο.",
            "Η {name}, που διδάσκει μουσική στο {place}, οργανώνει συναυλία για τα παιδιά της γειτονιάς.",
            "Οι ψαράδες λένε ότι η θάλασσα ήταν ήρεμη και ότι τα καΐκια γύρισαν γεμάτα.",
            "Ένα δεύτερο συνεργείο θα φτάσει από το {place} μέσα στην εβδομάδα.",
            "Τα αποτελέσματα θα παρουσιαστούν σε {number} εβδομάδες σε ανοιχτή εκδήλωση.",
        ),
    ),
    "de": Voice(
        site="Auentaler Bote",
        cookies="Wir verwenden Cookies, um unser Angebot zu verbessern. Alle akzeptieren",
        newsletter="Jetzt unseren Newsletter abonnieren",
        more="Lesen Sie auch",
        by="Von",
        section="Region",
        reporters=("Henrike Moosbach", "Jonas Tiefenthal", "Carla Windmann", "Ole Brandseder"),
        places=("Auenthal", "Kirchlinden", "Steinwehr", "Obermoos", "Seehausen-Nord", "Birkenau-Tal", "Fuchswinkel"),
        titles=(
            "{place} bekommt nach {number} Monaten eine neue Brücke",
            "Altes Sägewerk in {place} wird zum Museum",
            "Schwimmbad in {place} öffnet wieder",
            "{number} Bäume für den Marktplatz von {place}",
        ),
        sentences=(
            "In {place} haben am Montag die Arbeiten begonnen, die nach Angaben der Stadt {number} Tage dauern sollen.",
            "„Wir haben lange darauf gewartet“, sagte die Anwohnerin {name} vor dem alten Bahnhof.",
            "Die Kosten liegen bei {number} tausend Euro und werden zur Hälfte vom Land getragen.",
            "Die Händler aus {place} fürchten um ihr Geschäft, wenn die Hauptstraße gesperrt bleibt.",
            "Bauleiter {name} erklärte, die Leitungen hätten den nächsten Winter nicht überstanden.",
            "Zur Versammlung am Mittwoch kamen {number} Bürger, viele von ihnen aus den Nachbarorten.",
            "Der Bus nach {place} fährt vorerst eine andere Strecke und hält am Friedhof.",
            "Der Elternbeirat hat {number} Unterschriften gesammelt und im Rathaus abgegeben.",
            "Die Musiklehrerin {name} plant in {place} ein Konzert für die Kinder des Viertels.",
            "Am Nachmittag zog ein Gewitter über das Tal, Schäden wurden zunächst nicht gemeldet.",
            "Eine zweite Kolonne soll noch in dieser Woche aus {place} anrücken.",
            "Die Ergebnisse werden in {number} Wochen öffentlich vorgestellt.",
        ),
    ),
    "uk": Voice(
        site="Вісник Надозер'я",
        cookies="Ми використовуємо файли cookie, щоб сайт працював краще. Прийняти все",
        newsletter="Підпишіться на нашу розсилку",
        more="Читайте також",
        by="Автор",
        section="Громада",
        reporters=("Оксана Верещак", "Тарас Лугівський", "Ганна Миронич", "Богдан Сокирко"),
        places=("Надозер'я", "Калинівці", "Верболози", "Заставки", "Липове Поле", "Старий Млин", "Журавлине"),
        titles=(
            "У селищі {place} після {number} місяців ремонту відкрили міст",
            "{place}: стару пошту перетворять на бібліотеку",
            "Громада {place} посадила {number} дерев",
            "На ринок у {place} повернулися торговці",
        ),
        sentences=(
            "Роботи в селищі {place} розпочалися в понеділок зранку й триватимуть близько {number} днів.",
            "«Ми чекали цього дня багато років», — сказала мешканка {name} біля старої пошти.",
            "За словами міської ради, на ремонт витратять {number} тисяч гривень з обласного бюджету.",
            "Підприємці з селища {place} просять не перекривати головну вулицю у вихідні дні.",
            "Інженер {name} пояснив, що старі труби треба було замінити ще до зими.",
            "На збори в середу прийшли {number} людей, більшість із сусідніх сіл.",
            "Автобус до селища {place} тимчасово їздить іншим маршрутом і зупиняється біля школи.",
            "Батьківський комітет зібрав {number} підписів і передав їх до ратуші.",
            "Учителька музики {name} готує в селищі {place} концерт для дітей.",
            "Увечері над долиною пройшла злива, але про пошкодження не повідомляли.",
            "Друга бригада приїде із селища {place} ще цього тижня.",
            "Результати обіцяють показати за {number} тижнів на відкритій зустрічі.",
        ),
    ),
    "en": Voice(
        site="The Saltmarsh Observer",
        cookies="We use cookies to improve your experience. Accept all",
        newsletter="Sign up to our newsletter",
        more="Read more",
        by="By",
        section="Local",
        reporters=("Ivy Marchbank", "Tobias Quill", "Nerys Halloran", "Duncan Wetherfold"),
        places=("Saltmarsh", "Little Harrow", "Kestrel Bay", "Dunmoor", "Pennywick", "Ashcombe Cross", "Tarn End"),
        titles=(
            "{place} gets its ferry back after {number} months",
            "Old mill in {place} to become a library",
            "Volunteers in {place} plant {number} trees",
            "Market returns to {place} for the first time since the flood",
        ),
        sentences=(
            "Work began in {place} early on Monday and is expected to take about {number} days, the council said.",
            "“We have waited years for this,” said {name}, who lives across from the old customs house.",
            "The bill comes to {number} thousand pounds, half of which the county has agreed to pay.",
            "Shopkeepers in {place} want the high street kept open at weekends.",
            "{name}, the engineer in charge, said the old pipes would not have lasted another winter.",
            "Some {number} people came to the meeting on Wednesday, most of them from nearby villages.",
            "The bus to {place} will take the coast road until the work is done.",
            "Parents collected {number} signatures and handed them in at the town hall.",
            "{name}, who teaches music in {place}, is planning a concert for children.",
            "Fishermen said the sea had been calm and the boats came home full.",
            "A second crew is due to arrive from {place} later this week.",
            "The findings will be presented at an open meeting in {number} weeks.",
        ),
    ),
    "ar": Voice(
        site="صحيفة الواحة",
        cookies="نستخدم ملفات تعريف الارتباط لتحسين تجربتك. قبول الكل",
        newsletter="اشترك في نشرتنا الإخبارية",
        more="اقرأ أيضا",
        by="بقلم",
        section="محليات",
        reporters=("سلمى الدرويش", "كريم النجار", "هدى العطار", "يوسف الحداد"),
        places=("وادي النسيم", "عين الزهور", "تل الريحان", "رأس النخيل", "بئر السرو", "قرية الينابيع", "حي المنارة"),
        titles=(
            "افتتاح جسر جديد في {place} بعد {number} شهرا من العمل",
            "المدرسة القديمة في {place} تتحول إلى مكتبة عامة",
            "متطوعون يزرعون {number} شجرة في {place}",
            "السوق الشعبي يعود إلى {place}",
        ),
        sentences=(
            "بدأت الأعمال في {place} صباح يوم الاثنين ومن المتوقع أن تستمر نحو {number} يوما.",
            "وقالت {name} وهي من سكان الحي: «انتظرنا هذا اليوم سنوات طويلة».",
            "وبحسب البلدية تبلغ التكلفة {number} ألف دينار تدفع المحافظة نصفها.",
            "ويطالب أصحاب المتاجر في {place} بإبقاء الشارع الرئيسي مفتوحا في عطلة نهاية الأسبوع.",
            "وأوضح المهندس {name} أن الأنابيب القديمة لم تكن لتصمد حتى نهاية الشتاء.",
            "وحضر اجتماع الأربعاء {number} شخصا جاء معظمهم من القرى المجاورة.",
            "وتسلك الحافلة المتجهة إلى {place} طريق الساحل حتى انتهاء الأعمال.",
            "وجمع أولياء الأمور {number} توقيعا وسلموها إلى مبنى البلدية.",
            "وتستعد {name} معلمة الموسيقى في {place} لتنظيم حفل للأطفال.",
            "وقال الصيادون إن البحر كان هادئا وإن القوارب عادت محملة بالأسماك.",
            "ومن المنتظر أن يصل فريق ثان من {place} خلال هذا الأسبوع.",
            "وستعرض النتائج بعد {number} أسابيع في لقاء مفتوح للجمهور.",
        ),
    ),
    "zh": Voice(
        site="青溪日报",
        cookies="我们使用 Cookie 来改善您的浏览体验。全部接受",
        newsletter="订阅我们的新闻简报",
        more="相关阅读",
        by="记者",
        section="本地",
        reporters=("林若溪", "周明远", "许文澜", "陈嘉木"),
        places=("青溪镇", "柳岸村", "石桥乡", "望湖里", "松林坪", "白鹭洲", "云口镇"),
        titles=(
            "历时{number}个月,{place}新桥正式通车",
            "{place}老粮仓将改建为图书馆",
            "{place}居民共同种下{number}棵树",
            "{place}集市时隔多年重新开张",
        ),
        sentences=(
            "{place}的施工于周一清晨开始,预计需要大约{number}天才能完成。",
            "住在老码头对面的{name}说:“我们等这一天已经等了很多年。”",
            "据镇政府介绍,工程费用约为{number}万元,其中一半由县里承担。",
            "{place}的商户希望周末期间主街能够保持通行。",
            "负责施工的工程师{name}表示,旧管道很难再撑过一个冬天。",
            "周三的居民会议共有{number}人参加,其中多数来自附近的村庄。",
            "开往{place}的公交车将临时改道,沿河边行驶,直到施工结束。",
            "家长们收集了{number}个签名,并把它们交到了镇政府。",
            "在{place}教音乐的{name}正在为孩子们筹备一场音乐会。",
            "渔民们说当天风平浪静,渔船都满载而归。",
            "第二支施工队将于本周内从{place}赶来。",
            "调查结果将在{number}周后的公开会议上公布。",
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsArticle:
    """One article as its site knows it."""

    #: Where it stands at its site, such as ``/local/2026-01-08/story-3.html``.
    path: str
    language: str
    title: str
    author: str
    section: str
    paragraphs: tuple[str, ...]
    #: Aware, UTC, whole seconds.
    published_at: datetime
    #: None for one that was never changed.
    updated_at: datetime | None = None
    #: Elements to stand in the head of its page, as markup.
    head: str = ""

    @property
    def guid(self) -> str:
        """What feeds call it, whatever its address."""
        return f"story:{self.path}"

    @property
    def lead(self) -> str:
        """What feeds say of it."""
        return self.paragraphs[0]

    @property
    def html(self) -> str:
        """The text alone, as a full-text feed carries it."""
        return "".join(f"<p>{escape(text)}</p>" for text in self.paragraphs)


def article(language: str, number: int, *, latest: datetime) -> NewsArticle:
    """Write the article of that number; 0 came out at ``latest``, each other one ``APART`` before the last."""
    voice = VOICES[language]
    at = (latest - number * APART).astimezone(UTC).replace(microsecond=0)
    words = {
        "place": voice.places[number % len(voice.places)],
        "name": voice.reporters[number // len(voice.places) % len(voice.reporters)],
        "number": 3 + number,
    }
    # Steps that have no factor in common with the number of sentences come by each of them once.
    step = (5, 7, 1, 11)[number // len(voice.sentences) % 4]
    chosen = [
        voice.sentences[(place * step + number) % len(voice.sentences)].format_map(words)
        for place in range(SENTENCES * PARAGRAPHS)
    ]
    space = "" if language == "zh" else " "
    return NewsArticle(
        path=f"/local/{at:%Y-%m-%d}/story-{number}.html",
        language=language,
        title=voice.titles[number % len(voice.titles)].format_map(words),
        author=voice.reporters[number % len(voice.reporters)],
        section=voice.section,
        paragraphs=tuple(space.join(chosen[start : start + SENTENCES]) for start in range(0, len(chosen), SENTENCES)),
        published_at=at,
    )


def articles(language: str, count: int, *, latest: datetime) -> tuple[NewsArticle, ...]:
    """Write so many articles, the newest first."""
    return tuple(article(language, number, latest=latest) for number in range(count))


def revised(old: NewsArticle, *, at: datetime, text: str) -> NewsArticle:
    """Give an article as it is after one more paragraph was added."""
    return replace(old, paragraphs=(*old.paragraphs, text), updated_at=at.astimezone(UTC).replace(microsecond=0))


def page(story: NewsArticle, *, base: str, others: Iterator[NewsArticle] | tuple[NewsArticle, ...] = ()) -> str:
    """Write the page of an article.

    Args:
        story: The article.
        base: Scheme and host of its site, such as ``http://127.0.0.2:8000``.
        others: What it links to at its foot.
    """
    voice = VOICES[story.language]
    said = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "datePublished": story.published_at.isoformat(),
        "dateModified": (story.updated_at or story.published_at).isoformat(),
        "author": [{"@type": "Person", "name": story.author}],
        "publisher": {"@type": "Organization", "name": voice.site},
    }
    direction = ' dir="rtl"' if story.language == "ar" else ""
    links = "".join(f'<li><a href="{escape(one.path)}">{escape(one.title)}</a></li>' for one in others)
    text = "\n".join(f"<p>{escape(one)}</p>" for one in story.paragraphs)
    return f"""<!DOCTYPE html>
<html lang="{story.language}"{direction}>
<head>
<meta charset="utf-8">
<title>{escape(story.title)} | {escape(voice.site)}</title>
<link rel="canonical" href="{base}{story.path}">
<meta property="og:type" content="article">
<meta property="og:title" content="{escape(story.title)}">
<meta property="og:site_name" content="{escape(voice.site)}">
<meta property="article:published_time" content="{story.published_at.isoformat()}">
<script type="application/ld+json">{json.dumps(said, ensure_ascii=False)}</script>
{story.head}</head>
<body>
<div class="cookie-banner" role="dialog"><p>{escape(voice.cookies)}</p></div>
<header><a class="logo" href="/">{escape(voice.site)}</a>
<nav><ul><li><a href="/latest">{escape(voice.section)}</a></li><li><a href="/about">{escape(voice.site)}</a></li></ul></nav></header>
<main><article>
<h1>{escape(story.title)}</h1>
<p class="byline">{escape(voice.by)} <a rel="author" href="/about">{escape(story.author)}</a>
<time datetime="{story.published_at.isoformat()}">{story.published_at:%d.%m.%Y %H:%M}</time></p>
{text}
</article>
<aside class="related"><h2>{escape(voice.more)}</h2><ul>{links}</ul></aside>
<section class="newsletter"><p>{escape(voice.newsletter)}</p></section></main>
<footer><p>© {story.published_at.year} {escape(voice.site)}</p></footer>
</body>
</html>
"""
