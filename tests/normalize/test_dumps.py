"""Text dumps on the road: a clean article loses nothing, a copied page gives its story, in any language."""

import pytest
from hostile import STORY, TITLE
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import article, raw

from normalize.dump.judge import is_clean
from normalize.dump.lines import read_lines
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Rejected

#: Invented articles: a headline, then paragraphs; the third of each is a sub-heading.
CLEAN: dict[str, tuple[str, ...]] = {
    "en": (TITLE, STORY[0], "Higher ground", STORY[1], STORY[2]),
    "de": (
        "Nachtfähre fährt nach elf Monaten wieder",
        "Die Nachtfähre zur Insel hat am Montag zum ersten Mal seit dem Sturm wieder abgelegt. Mehr als zweihundert Menschen standen am Kai und sangen, als die Leinen gelöst wurden.",
        "Höher gelegt",
        "Die Ingenieure ersetzten vierzig Meter Holz und verlegten das Kartenhaus auf höheren Grund. Die Arbeiten kosteten weniger als geplant, weil das Dorf seine Boote lieh.",
        "Bis Mai gibt es zwei Fahrten in der Woche, im Sommer eine am Tag. Die Überfahrt dauert drei Stunden.",
    ),
    "el": (
        "Το νυχτερινό πλοίο ταξιδεύει ξανά ύστερα από έντεκα μήνες",
        "Το νυχτερινό πλοίο για το νησί ξεκίνησε πάλι τη Δευτέρα, έντεκα μήνες μετά την καταιγίδα που γκρέμισε τον βόρειο μόλο. Πάνω από διακόσιοι άνθρωποι τραγουδούσαν στην προκυμαία.",
        "Σε ψηλότερο έδαφος",
        "Οι μηχανικοί αντικατέστησαν σαράντα μέτρα ξύλου και μετέφεραν το εκδοτήριο πιο ψηλά. Το έργο κόστισε λιγότερο, επειδή το χωριό δάνεισε τις βάρκες του.",
        "Ως τον Μάιο θα γίνονται δύο δρομολόγια την εβδομάδα και το καλοκαίρι ένα την ημέρα. Το ταξίδι διαρκεί τρεις ώρες.",
    ),
    "ru": (
        "Ночной паром снова ходит через одиннадцать месяцев",
        "Ночной паром на остров снова вышел в понедельник, через одиннадцать месяцев после шторма, разрушившего северный причал. Больше двухсот человек пели на набережной.",
        "Повыше от воды",
        "Инженеры заменили сорок метров брёвен и перенесли кассу на более высокое место. Работы обошлись дешевле, чем думали, потому что деревня одолжила свои лодки и краны.",
        "До мая будет два рейса в неделю, летом по одному в день. Дорога занимает три часа, билеты продают на причале.",
    ),
    "es": (
        "El transbordador nocturno vuelve a navegar tras once meses",
        "El transbordador nocturno a la isla volvió a zarpar el lunes, once meses después de la tormenta que rompió el muelle norte. Más de doscientas personas cantaban en el muelle.",
        "Un terreno más alto",
        "Los ingenieros cambiaron cuarenta metros de madera y trasladaron la taquilla a un terreno más alto. La obra costó menos de lo previsto porque el pueblo prestó sus barcas.",
        "Habrá dos viajes por semana hasta mayo y uno al día en verano. La travesía dura tres horas y se paga a bordo.",
    ),
    "tr": (
        "Gece feribotu on bir ay sonra yeniden seferde",
        "Adaya giden gece feribotu, kuzey iskelesini yıkan fırtınadan on bir ay sonra pazartesi günü yeniden yola çıktı. İki yüzden fazla kişi rıhtımda şarkı söyledi.",
        "Daha yüksek zemin",
        "Mühendisler kırk metrelik ahşabı değiştirdi ve bilet gişesini daha yüksek bir yere taşıdı. İş, köy teknelerini ödünç verdiği için planlanandan ucuza geldi.",
        "Mayısa kadar haftada iki, yazın ise her gün bir sefer yapılacak. Yolculuk üç saat sürüyor, biletler iskelede satılıyor.",
    ),
    "ar": (
        "عبارة الليل تبحر من جديد بعد أحد عشر شهرا",
        "أبحرت عبارة الليل إلى الجزيرة من جديد يوم الاثنين، بعد أحد عشر شهرا من العاصفة التي حطمت الرصيف الشمالي. وقف أكثر من مئتي شخص على الرصيف يغنون وهم يودعونها.",
        "أرض أعلى",
        "استبدل المهندسون أربعين مترا من الخشب ونقلوا مكتب التذاكر إلى أرض أعلى. وكلف العمل أقل مما كان مقدرا لأن القرية أعارت قواربها ورافعاتها طوال الشتاء.",
        "ستكون هناك رحلتان في الأسبوع حتى أيار ورحلة كل يوم في الصيف. وتستغرق الرحلة ثلاث ساعات، وتباع التذاكر على الرصيف.",
    ),
    "hi": (
        "ग्यारह महीने बाद रात की नौका फिर चली",
        "द्वीप को जाने वाली रात की नौका सोमवार को फिर चली, उस तूफ़ान के ग्यारह महीने बाद जिसने उत्तरी घाट तोड़ दिया था। दो सौ से अधिक लोग घाट पर खड़े होकर गाते रहे।",
        "ऊँची ज़मीन पर",
        "इंजीनियरों ने चालीस मीटर लकड़ी बदली और टिकट घर को ऊँची ज़मीन पर ले गए। काम सोचे हुए ख़र्च से कम में हुआ, क्योंकि गाँव ने अपनी नावें उधार दीं।",
        "मई तक हफ़्ते में दो फेरे होंगे और गर्मियों में रोज़ एक। यात्रा में तीन घंटे लगते हैं और टिकट घाट पर मिलते हैं।",
    ),
    "zh": (
        "夜航渡轮时隔十一个月重新启航",
        "前往海岛的夜航渡轮星期一重新启航，距离摧毁北码头的那场风暴已经过去十一个月。港口工作人员说，解缆的时候有两百多人站在码头上唱歌，许多人带着孩子一起来。",
        "搬到高处",
        "工程师更换了四十米木料，把售票处搬到了地势更高的地方。村里在冬天借出了自己的船只和吊车，因此工程花费比原先计划的要少，议会对此表示感谢。",
        "五月之前每星期有两班船，夏天每天一班。整个航程需要三个小时，船票在码头出售，儿童半价，自行车可以免费带上船。",
    ),
    "ja": (
        "夜の渡し船、十一か月ぶりに再開",
        "島へ渡る夜の船が月曜日、北の桟橋を壊した嵐から十一か月ぶりに出航した。港の職員によると、綱が解かれるときには二百人を超える人が岸壁に立って歌っていたという。",
        "高い場所へ",
        "技師たちは四十メートル分の木材を取り替え、切符売り場を高い場所へ移した。村が冬のあいだ船とクレーンを貸したため、工事費は予定より少なく済んだと議会は説明する。",
        "五月までは週に二便、夏は一日一便が出る。渡りには三時間かかり、切符は桟橋で買える。自転車は無料で載せられる。",
    ),
}


@pytest.mark.parametrize("language", CLEAN)
@pytest.mark.parametrize("between", ["\n\n", "\n", "\r\n\r\n"])
def test_a_clean_article_loses_nothing(language: str, between: str) -> None:
    title, *body = CLEAN[language]
    found = article(between.join((title, *body)), media="text")
    assert (found.title, [paragraph.text for paragraph in found.paragraphs]) == (title, body)


@pytest.mark.parametrize("language", CLEAN)
def test_a_clean_text_without_a_headline_loses_nothing_either(language: str) -> None:
    body = [text for number, text in enumerate(CLEAN[language]) if number in {1, 3, 4}]
    assert article("\n\n".join(body), media="text").text == "\n\n".join(body)


def test_a_long_report_of_many_sections_is_clean() -> None:
    sections = [text for number in range(20) for text in (f"Part {number} of the inquiry", STORY[1], STORY[0])]
    body = [f"{text} Day {number}." if len(text) > 40 else text for number, text in enumerate(sections)]
    found = article("\n\n".join((TITLE, *body)), media="text")
    assert [paragraph.text for paragraph in found.paragraphs] == body


# ---- copied pages --------------------------------------------------------------------------------

MENU = "Home News Politics Business Sport Culture Weather Opinion Jobs Cars Podcasts Video Newsletters Shop Subscribe Login".split()
MORE = [
    "Most read", "Lifeboat crew holds open day in March", "Council votes on harbour lights", "Five walks for a wet Sunday",
    "School choir wins again", "Bridge closed until Friday", "About us", "Contact", "Privacy policy", "Terms of use",
]  # fmt: skip


def copied(language: str) -> str:
    title, *body = CLEAN[language]
    return "\n".join(MENU) + f"\n\n{title}\n\n" + "\n\n".join(body * 2) + "\n\n" + "\n".join(MORE * 2)


@pytest.mark.parametrize("language", CLEAN)
def test_of_a_copied_page_the_story_is_kept_and_the_menus_are_not(language: str) -> None:
    title, *body = CLEAN[language]
    found = article(copied(language), media="text")
    assert found.title == title
    text = found.text
    assert [part for part in (body[0], body[2], body[3]) if part not in text] == []
    assert [label for label in (*MENU, *MORE) if f"\n{label}\n" in f"\n{text}\n"] == []
    assert {"Politics", "Bridge closed until Friday"} <= {block.text for block in found.removed}


def test_every_line_of_a_copied_page_is_in_the_text_or_among_the_removed() -> None:
    found = article(copied("en"), media="text")
    out = {paragraph.text for paragraph in found.paragraphs} | {block.text for block in found.removed}
    assert {line.text for line in read_lines(copied("en"))} <= out


def test_a_copied_page_is_not_clean_and_an_article_is() -> None:
    assert not is_clean(read_lines(copied("en")))
    assert is_clean(read_lines("\n\n".join(CLEAN["en"])))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["Home", "x", "1", "—", "•", "#tag", STORY[0], "港口", "Photo: Ann Lee", "7 January 2026", "\u200b", "|||", "a\tb"]), max_size=80))  # fmt: skip
def test_whatever_lines_there_are_the_dump_becomes_a_record_or_is_refused(lines: list[str]) -> None:
    outcome = run_document(raw("\n".join(lines), media="text"), DocumentOptions())
    assert isinstance(outcome, Article | Rejected)
