"""Take days, months and numbers out of a headline, so that a column's headlines become one.

The names of days and months are those of the Unicode CLDR, in thirty languages.
"""
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_DAY_NAMES = (
    "csütörtök cuma cumartesi czwartek dienstag dijous dilluns dimanche dimarts dimecres "
    "dinsdag dissabte diumenge divendres domenica domingo donderdag donnerstag duminică "
    "fredag freitag fri friday giovedì hétfő jeudi joi jueves jumat kamis kedd "
    "keskiviikko keskiviikkona lauantai lauantaina lundi lunedì lunes luni lördag lørdag "
    "maanantai maanantaina maandag mandag mardi martedì martes marți mercoledì mercredi "
    "miercuri minggu mittwoch miércoles mon monday montag måndag nedelja nedeľa nedjelja "
    "neděle niedziela onsdag pazar pazartesi perjantai perjantaina perşembe petak petek "
    "piatok piątek pondelok pondělí ponedeljek ponedjeljak poniedziałek pátek péntek "
    "quarta quinta rabu sabato sabtu salı samedi samstag sat saturday segunda selasa "
    "senin sexta sobota sonntag sreda srijeda streda středa subota sun sunday sunnuntai "
    "szerda szombat sábado sâmbătă söndag søndag terça thu thur thurs thursday tiistai "
    "tiistaina tirsdag tisdag torek torsdag torstai torstaina tue tues tuesday utorak "
    "utorok vasárnap vendredi venerdì viernes vineri vrijdag wed wednesday woensdag "
    "wtorek zaterdag zondag çarşamba úterý četrtek četvrtak čtvrtek środa štvrtok δευτέρα "
    "κυριακή πέμπτη παρασκευή σάββατο τετάρτη τρίτη воскресенье вторник вівторок неделя "
    "неділя пʼятниця петък понеделник понедельник понеділок пятница середа среда сряда "
    "суббота субота събота четвер четверг четвъртък الأحد الأربعاء الاثنين الثلاثاء "
    "الجمعة الخميس السبت جمعه دوشنبه سهشنبه شنبه پنجشنبه چهارشنبه یکشنبه "
)
_MONTH_NAMES = (
    "abril agost agosto agustus août apr april aprile aprilie apríl apríla aralık aug "
    "august augusta augusti augustus augusztus avgust avril ağustos březen března czerwca "
    "czerwiec dec december decembra decembrie desember desembre dezember dezembro "
    "dicembre diciembre duben dubna décembre ekim elokuu elokuuta enero eylül feb "
    "febbraio febrer febrero februar februari februarie february február februára "
    "fevereiro février gener gennaio giugno grudnia grudzień haziran heinäkuu heinäkuuta "
    "helmikuu helmikuuta huhtikuu huhtikuuta ianuarie iulie iunie jan janeiro januar "
    "januari january január januára janvier joulukuu joulukuuta juillet juin jul julho "
    "juli julij julio juliol july jun june junho juni junij junio juny jänner júl júla "
    "július jún júna június kasım kesäkuu kesäkuuta kolovoz kolovoza květen května "
    "kwiecień kwietnia leden ledna lipanj lipca lipiec lipnja listopad listopada "
    "listopadu lokakuu lokakuuta luglio lutego luty maaliskuu maaliskuuta maart maggio "
    "mai maig maio maj maja marca march marec maret marraskuu marraskuuta mars mart "
    "martie marts marzec marzo març março may mayo mayıs mei máj mája május március märz "
    "nisan noiembrie nov november novembra novembre novembro noviembre ocak oct october "
    "octobre octombrie octubre oktober október októbra ottobre outubro ožujak ožujka "
    "październik października prosinac prosinca prosince prosinec rujan rujna sep sept "
    "september septembra septembre septembrie septiembre setembre setembro settembre "
    "sierpień sierpnia siječanj siječnja srpanj srpen srpna srpnja studeni studenoga "
    "styczeń stycznia svibanj svibnja syyskuu syyskuuta szeptember tammikuu tammikuuta "
    "temmuz toukokuu toukokuuta travanj travnja veljača veljače wrzesień września září "
    "április únor února červen července červenec června říjen října şubat απρίλιοσ "
    "απριλίου αυγούστου αύγουστοσ δεκέμβριοσ δεκεμβρίου ιανουάριοσ ιανουαρίου ιουλίου "
    "ιουνίου ιούλιοσ ιούνιοσ μάιοσ μάρτιοσ μαΐου μαρτίου νοέμβριοσ νοεμβρίου οκτωβρίου "
    "οκτώβριοσ σεπτέμβριοσ σεπτεμβρίου φεβρουάριοσ φεβρουαρίου август августа апрель "
    "апреля април березень березня вересень вересня грудень грудня декабрь декабря "
    "декември жовтень жовтня июль июля июнь июня квітень квітня липень липня листопад "
    "листопада лютий лютого май март марта мая ноември ноябрь ноября октомври октябрь "
    "октября сентябрь сентября септември серпень серпня січень січня травень травня "
    "февраль февраля февруари червень червня юли юни январь января януари אוגוסט אוקטובר "
    "אפריל דצמבר יולי יוני ינואר מאי מרץ נובמבר ספטמבר פברואר آوریل أبريل أغسطس أكتوبر "
    "اوت اکتبر دسامبر ديسمبر سبتمبر سپتامبر فبراير فوریه فوریهٔ مارس مايو مه مهٔ نوامبر "
    "نوفمبر يناير يوليو يونيو ژانویه ژانویهٔ ژوئن ژوئیه ژوئیهٔ "
)

_DAYS, _MONTHS = frozenset(_DAY_NAMES.split()), frozenset(_MONTH_NAMES.split())
# Chinese, Japanese and Korean write a day without a blank after it.
_TOKEN = re.compile(
    r"(?P<number>\d++)(?:st|nd|rd|th)?+|(?P<day>[月火水木金土日]曜日?|(?:星期|周|週)[一二三四五六日天]"
    r"|[월화수목금토일]요일|(?<=\()[月火水木金土日](?=\)))|(?P<word>[^\W\d_]++)"
)
_LOOKED_AT = 300
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Dateless:
    """A headline without what changes from day to day, and what that was.

    `text` has `#` for each number, `@` for each day and month. `words` is how many others it has.
    """

    text: str
    numbers: tuple[int, ...]
    dates: tuple[str, ...]
    words: int


# A standing item's headline comes several times, and a story's own is asked for after all others.
@lru_cache(maxsize=2000)
def dateless(title: str) -> Dateless:
    """Return the headline without numbers, days and months, in small letters."""
    numbers: list[int] = []
    dates: list[str] = []
    pieces: list[str] = []
    words = 0
    folded = unicodedata.normalize("NFKC", title[:_LOOKED_AT]).casefold()
    for found in _TOKEN.finditer(folded.replace("\u200c", "")):
        token = found[0]
        if number := found["number"]:
            # No number of an edition or a date has more digits.
            numbers.append(int(number[:9]))
            pieces.append("#")
        elif found["day"] or token in _DAYS or token in _MONTHS:
            dates.append(token)
            pieces.append("@")
        else:
            # Without blanks, two signs are about a word.
            signs = len(_UNSPACED.findall(token))
            words += signs // 2 if signs else len(token) > 1
            pieces.append(token)
    return Dateless(" ".join(pieces), tuple(numbers), tuple(dates), words)
