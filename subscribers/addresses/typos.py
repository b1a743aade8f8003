"""Find the large mail provider that a domain with a typo (`gmial.com`) was meant to be."""

from __future__ import annotations

from collections import defaultdict

from rapidfuzz.distance import OSA

# The providers at which most readers have their mailbox, by country. Real domains that are close to
# one of them are listed too (email.com, ymail.com): otherwise their readers would always be asked.
_COMMON = """
gmail.com googlemail.com yahoo.com ymail.com rocketmail.com myyahoo.com hotmail.com outlook.com
live.com msn.com passport.com icloud.com me.com mac.com aol.com aim.com proton.me protonmail.com
pm.me fastmail.com fastmail.fm hey.com zoho.com tutanota.com tuta.io mail.com email.com usa.com
gmx.com yandex.com hushmail.com mailbox.org posteo.net duck.com comcast.net verizon.net att.net
sbcglobal.net bellsouth.net cox.net charter.net earthlink.net optonline.net frontier.com
centurylink.net juno.com windstream.net shaw.ca rogers.com sympatico.ca videotron.ca telus.net
yahoo.co.uk hotmail.co.uk live.co.uk outlook.co.uk btinternet.com sky.com talktalk.net
virginmedia.com ntlworld.com blueyonder.co.uk tiscali.co.uk eircom.net gmx.de gmx.net gmx.at
gmx.ch web.de t-online.de freenet.de arcor.de posteo.de yahoo.de hotmail.de outlook.de live.de
online.de vodafone.de 1und1.de ewetel.net bluewin.ch hispeed.ch sunrise.ch aon.at chello.at a1.net
kabsi.at orange.fr wanadoo.fr laposte.net free.fr sfr.fr neuf.fr yahoo.fr hotmail.fr outlook.fr
live.fr bbox.fr numericable.fr aliceadsl.fr skynet.be telenet.be proximus.be hotmail.be yahoo.es
hotmail.es outlook.es telefonica.net terra.es movistar.es ono.com yahoo.it hotmail.it outlook.it
live.it libero.it virgilio.it tiscali.it alice.it tin.it fastwebnet.it uol.com.br bol.com.br
terra.com.br globo.com ig.com.br yahoo.com.br hotmail.com.br outlook.com.br sapo.pt hotmail.pt
outlook.pt iol.pt netcabo.pt yahoo.com.mx hotmail.com.mx prodigy.net.mx yahoo.com.ar
hotmail.com.ar fibertel.com.ar yahoo.co.jp docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp
nifty.com biglobe.ne.jp ocn.ne.jp so-net.ne.jp au.com outlook.jp hotmail.co.jp yahoo.co.in
rediffmail.com yahoo.com.au bigpond.com optusnet.com.au outlook.sa yahoo.com.sg qq.com 163.com
126.com sina.com foxmail.com naver.com hanmail.net daum.net mail.ru bk.ru list.ru inbox.ru
yandex.ru rambler.ru ukr.net seznam.cz wp.pl onet.pl interia.pl o2.pl ziggo.nl kpnmail.nl
hetnet.nl planet.nl home.nl xs4all.nl hotmail.nl outlook.nl live.nl hotmail.se outlook.dk
hotmail.dk hotmail.no online.no
"""
COMMON_DOMAINS = frozenset(_COMMON.split())
# Endings that no domain has.
_MISSPELT_ENDINGS = {
    "con": "com", "cmo": "com", "ocm": "com", "comm": "com", "coom": "com", "cim": "com",
    "vom": "com", "xom": "com", "cpm": "com", "c0m": "com", "clm": "com", "comn": "com",
    "ner": "net", "nte": "net", "met": "net", "nett": "net", "ogr": "org", "orgg": "org",
}  # fmt: skip
# Endings of countries. The common providers have no domain with them.
_COUNTRY_ENDINGS = {"co": "com", "cm": "com", "om": "com", "ne": "net"}
# Too many real domains are one typo away from a shorter name: mall.com, lime.com.
_SHORTEST = 5


def suggest(host: str) -> str:
    """Return the domain that was probably meant, or "" if there seems to be no typo."""
    if host in COMMON_DOMAINS:
        return ""
    name, _, ending = host.rpartition(".")
    if not name:
        return ""
    if ending in _MISSPELT_ENDINGS:
        host = f"{name}.{_MISSPELT_ENDINGS[ending]}"
        return host if host in COMMON_DOMAINS else _one_typo_away(host) or host
    other = f"{name}.{_COUNTRY_ENDINGS.get(ending, ending)}"
    return other if other in COMMON_DOMAINS else _one_typo_away(host)


def _one_typo_away(host: str) -> str:
    """Return the common domain with the same ending that is one typo away from this one, or "".

    A typo is one letter too many, one too few, a wrong one, or two that are swapped.
    """
    name, _, ending = host.partition(".")
    for known in _NAMES.get(ending, ()):
        if OSA.distance(name, known, score_cutoff=1) == 1:
            return f"{known}.{ending}"
    return ""


def _names() -> dict[str, list[str]]:
    """Return the common names by their ending; those that come first win."""
    found = defaultdict(list)
    for host in _COMMON.split():
        name, _, ending = host.partition(".")
        if len(name) >= _SHORTEST:
            found[ending].append(name)
    return found


_NAMES = _names()
