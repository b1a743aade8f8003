"""The names of months and days in the languages of the lists that people bring."""

from __future__ import annotations

# Full and short names, as Django's catalogues have them, and the months of the Levant.
_MONTHS = {
    1: "ene enero jan janeiro januar january janv janvier jän jänner يناير",
    2: "feb febrero februar february fev fevereiro fév févr février شباط فبراير",
    3: "mar march mars marzo março mrz mär märz آذار مارس",
    4: "abr abril apr april avr avril أبريل إبريل نيسان",
    5: "mai maio may mayo أيار مايو",
    6: "juin jun june junho juni junio حزيران يونيو",
    7: "juil juillet jul julho juli julio july تموز يوليو",
    8: "ago agosto aoû août aug august آب أغسطس",
    9: "sep sept september septembre septiembre set setembro setiembre أيلول سبتمبر",
    10: "oct october octobre octubre okt oktober out outubro أكتوبر",
    11: "nov november novembre novembro noviembre نوفمبر",
    12: "dec december dez dezember dezembro dic diciembre déc décembre ديسمبر",
}
_WEEKDAYS = (
    "di dienstag dim dimanche do dom domingo donnerstag feira fr freitag fri friday "
    "jeu jeudi jue jueves lun lundi lunes mardi martes mer mercredi mi mittwoch mié "
    "miércoles mo mon monday montag qua quarta qui quinta sa sam samedi samstag sat "
    "saturday seg segunda sex sexta so sonntag sun sunday sáb sábado ter terça thu "
    "thurs thursday tue tues tuesday ven vendredi vie viernes wed wednesday أحد "
    "أربعاء إثنين الأحد الأربعاء الاثنين الثلاثاء الجمعة الخميس السبت ثلاثاء جمعة "
    "خميس سبت 土 土曜日 日 日曜日 月 月曜日 木 木曜日 水 水曜日 火 火曜日 金 金曜日"
)
MONTHS = {name: number for number, names in _MONTHS.items() for name in names.split()}
WEEKDAYS = frozenset(_WEEKDAYS.split())
