"""Tell from an image's URL and names that it is no picture that a mail can show."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qsl, unquote, urlsplit

# Formats that no widely used mail client shows, and what is no image.
_UNSHOWN = (
    r"svgz?|avifs?|hei[cf]s?|jxl|jp2|jpx|tiff?|bmp|ico|cur|psd|eps|pdf|mp[34]|m4[av]|webm|mov|ogg|avi"
    r"|m3u8|html?|js|css"
)
_UNSHOWN_NAME = re.compile(rf"[.@](?:{_UNSHOWN})(?:$|[!@:;,])", re.IGNORECASE)
# An image server may take the size after the name: `/a.avif/resize:800`.
_UNSHOWN_FOLDER = re.compile(r"\.(?:svgz?|avifs?|hei[cf]s?|jxl|jp[2x]|tiff?|psd)$", re.IGNORECASE)
_UNSHOWN_FORMAT = re.compile(rf"(?:{_UNSHOWN})", re.IGNORECASE)
_SHOWN_FORMAT = re.compile(r"(?:p?jpe?g|png|gif|webp|auto)", re.IGNORECASE)
# How image servers are asked for a format: `?fm=avif`, `/f_avif,w_600/`, `/format=avif,width=600/`.
_FORMAT_PARAMETERS = frozenset(
    {"format", "fm", "f", "ext", "output", "output-format", "fmt", "type"}
)
_FORMAT_IN_PATH = re.compile(
    r"(?:^|[/,:])(?:f_|format[=:_/(])"
    r"(?:(avif|heic|heif|svg|jxl|tiff?)|p?jpe?g|png|gif|webp|auto)(?=$|[/,:)])",
    re.IGNORECASE,
)
_SOURCE_PARAMETERS = (
    "url", "src", "image", "img", "file", "path", "u", "f", "filename", "image_url", "img_url",
    "photo", "pic",
)  # fmt: skip
_UNSHOWN_KIND = re.compile(
    r"video/|audio/|text/|application/(?:pdf|x-shockwave)|image/(?:svg|avif|hei[cf]|jxl|jp2|tiff"
    r"|x-icon|bmp|vnd)"
)
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp)$", re.IGNORECASE)

_COUNTERS = (
    r"pixels?|px|stats?|counter|count|track|tracking|tracker|beacon|analytics|metrics|hits?|piwik"
    r"|matomo|telemetry|ping|collect|impressions?|log"
)
# Hosts that serve emoji, avatars, counters and advertisements, and no news picture: by a word
# before the domain, and by the domain.
_HOST_WORD = re.compile(
    r"(?:pixels?|px|stats?|counter|count|track|tracking|tracker|beacon|analytics|metrics|piwik|matomo"
    r"|telemetry|ads?|adserver|adservice|emoji|twemoji)\d{0,3}"
)
_HOST_ENDINGS = (
    ".s.w.org", ".gravatar.com", ".vgwort.de", ".doubleclick.net", ".googlesyndication.com",
    ".google-analytics.com", ".scorecardresearch.com", ".quantserve.com", ".imrworldwide.com",
    ".2mdn.net", ".feedsportal.com", ".feedblitz.com", ".buysellads.com", ".buysellads.net",
    ".amazon-adsystem.com", ".adnxs.com", ".taboola.com", ".outbrain.com", ".addtoany.com",
    ".sharethis.com", ".addthis.com", ".shields.io", ".twemoji.maxcdn.com", ".mc.yandex.ru",
    ".yadro.ru", ".top-fwz1.mail.ru",
)  # fmt: skip
_FOLDERS = frozenset({
    "emoji", "emojis", "twemoji", "notoemoji", "smilies", "smileys", "emoticons", "avatar",
    "avatars", "gravatar", "profile_images", "userpics", "userpic", "pixel", "pixels", "beacon",
    "tracking", "tracker", "ads", "adverts", "share-icons", "social-icons", "badges", "sprites",
    "spacers", "favicons", "icons", "share-buttons", "~ff", "~r", "~4",
})  # fmt: skip
# The name of a file without its ending. A chart may be `stats.png`, and a photograph `grey.jpg`, so
# most names count for some formats alone.
_COUNTER_NAMES = re.compile(rf"(?:{_COUNTERS}|[bpt]|mf|rc|na|tr|dot)", re.IGNORECASE)
_COUNTER_FORMATS = frozenset({"gif", "php", "aspx", "ashx", "img", ""})
_SPACER_NAMES = re.compile(
    r"(?:spacers?|blank|transparent|trans|clear(?:dot|pixel|gif)?|empty|pixel-?\d{0,3}|one-?pixel"
    r"|lazy(?:load)?|loading|spinner|grey|gray|white|emoji|avatar"
    r"|(?:spacer|blank|transparent)[-_]?\d{1,4}(?:x\d{1,4})?|[\w.-]{1,40}[-_](?:pixel|spacer|blank|emoji))",
    re.IGNORECASE,
)
_SPACER_FORMATS = _COUNTER_FORMATS | {"png", "webp"}
_STAND_IN_NAMES = re.compile(
    r"(?:1(?:x|px|_|-)1(?:px)?|placeholder|default-?avatar|mystery-?man|favicon[\w-]*"
    r"|apple-touch-icon[\w-]*|[\w.-]{1,40}[-_]placeholder"
    r"|no[-_ ]?(?:image|photo|picture|pic|thumb(?:nail)?|preview)(?:[-_ ]?(?:available|found|yet))?"
    r"|default[-_](?:og|open-?graph|social|share|image|img|thumb(?:nail)?|photo|featured)(?:[-_]image)?"
    r"|(?:og|open-?graph|social|share|image|thumb(?:nail)?|featured)(?:[-_]image)?[-_]default)",
    re.IGNORECASE,
)
# Of these words alone, and of the site's own name, are the names of logos and buttons made. A story
# about a logo says in the file's name whose it is or what became of it.
_LOGO_WORDS = frozenset({
    "logo", "logos", "logotype", "favicon", "icon", "icons", "placeholder", "fallback",
})  # fmt: skip
# Photographs may have these names, but hardly as PNG or GIF.
_BUTTON_WORDS = frozenset({
    "share", "sharing", "facebook", "fb", "twitter", "tweet", "whatsapp", "telegram", "pinterest",
    "linkedin", "reddit", "instagram", "youtube", "tumblr", "mastodon", "bluesky", "threads",
    "xing", "email", "mail", "print", "printer", "rss", "comment", "comments", "follow", "like",
})  # fmt: skip
_BESIDE_WORDS = frozenset({
    "site", "website", "web", "page", "header", "footer", "default", "og", "open", "graph",
    "opengraph", "main", "brand", "white", "black", "grey", "gray", "dark", "light", "blue",
    "color", "colour", "small", "large", "big", "retina", "image", "img", "social", "media", "btn",
    "button", "sq", "square", "circle", "round", "flat", "thumb", "thumbnail", "share", "new", "x",
    "px", "on", "this", "us", "and", "the", "rgb", "v",
})  # fmt: skip
# Of these words and a figure from 0 to 5 are the names of ratings made.
_RATING_WORDS = frozenset({
    "rating", "ratings", "rated", "star", "stars", "half", "full", "empty", "out", "of", "review",
    "reviews", "small", "large", "x",
})  # fmt: skip
_RATING = re.compile(r"(?<!\d)[0-5](?!\d)")
_SIZE = re.compile(r"(?<!\d)(\d{2,4})x(\d{2,4})(?!\d)")
_WORD = re.compile(r"[^\W\d_]++")
_SHARE_LINK = re.compile(
    r"^mailto:|[/.](?:facebook\.com/(?:sharer|share|dialog)"
    r"|(?:twitter|x)\.com/(?:intent|share|home\?status)|api\.whatsapp\.com/|wa\.me/|t\.me/share"
    r"|telegram\.me/share|pinterest\.\w++/pin/create|linkedin\.com/(?:share|cws)|reddit\.com/submit"
    r"|xing\.com/(?:spi|social)|tumblr\.com/(?:share|widgets)|bsky\.app/intent|getpocket\.com/"
    r"|addtoany\.com/|flipboard\.com/bookmarklet|news\.ycombinator\.com/submit)",
    re.IGNORECASE,
)
_COUNTING_PARAMETERS = re.compile(
    r"(?:^|&)(?:ak_action=|event=post\.|republication-pixel|idsite=|utmac=|tid=UA-)", re.IGNORECASE
)

# Class names and ids by which a template says what it shows.
_CALLED = re.compile(
    r"(?:^|[\s_-])(?:avatars?|gravatar|emojis?|emoticon|smil(?:ey|ies|e)|icons?|logos?|badges?|sprite"
    r"|author|byline|headshot|spacers?|pixel|tracking|tracker|spinner|sharing|share-(?:icon|button)"
    r"|social-(?:icons?|links?)|ads?|advert|advertisement|sponsor|button)(?:$|[\s_-])",
    re.IGNORECASE,
)
# The names of what holds an image count only where they can name nothing but such images.
_AROUND = re.compile(
    r"(?:^|[\s_-])(?:avatars?|author-(?:box|bio|info|photo)|about-author|post-author|sharedaddy|sharing"
    r"|share-(?:icons?|buttons?)|social-(?:icons?|links?)|feedflare|addtoany|jp-relatedposts|related"
    r"|relatedposts|advertisement|adsense|newsletter)(?:$|[\s_-])",
    re.IGNORECASE,
)
_EMOJI_NAME = re.compile(r":[\w+-]{1,40}:")
# A file's name says less: stories are written about logos, too.
_UNLIKELY = re.compile(
    r"(?:^|[\W_])(?:logos?|icons?|sprite|badge|button|default|placeholder|avatar|headshot|byline"
    r"|share|advert|qr-?code)(?:$|[\W_])",
    re.IGNORECASE,
)


def can_be_shown(url: str, *, kind: str = "") -> bool:
    """Tell whether mail clients show the format, by the URL and the media type that is stated."""
    if kind and _UNSHOWN_KIND.match(kind.strip().lower()):
        return False
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query[:1000]))
    asked = next(
        (
            query[name]
            for name in query
            # A parameter `f` may name a file instead, whose ending counts further down.
            if name.lower() in _FORMAT_PARAMETERS and "." not in query[name]
        ),
        "",
    )
    in_path = _FORMAT_IN_PATH.search(parts.path)
    if _UNSHOWN_FORMAT.fullmatch(asked) or (in_path and in_path[1]):
        return False
    if in_path or (asked.lower() != "auto" and _SHOWN_FORMAT.fullmatch(asked)):
        return True
    # An image server may name its source in a parameter: `/_next/image?url=%2Flogo.svg`.
    names = [parts.path, *(query.get(name, "") for name in _SOURCE_PARAMETERS)]
    if any(_UNSHOWN_NAME.search(_file_name(name)) for name in names):
        return False
    # Wikimedia draws `/A.svg/800px-A.svg.png`.
    folders = unquote(parts.path[:1000]).split("/")[:-1]
    return is_named_image(url) or not any(map(_UNSHOWN_FOLDER.search, folders))


def is_named_image(url: str) -> bool:
    """Tell whether the file's name ends like that of an image that mail clients show."""
    return bool(_IMAGE_NAME.search(url.partition("?")[0][-10:]))


def is_decoration(url: str, *, page_url: str = "") -> bool:
    """Tell whether the URL is that of an emoji, an avatar, a spacer, a counter, an advert, a button
    or the site's logo.
    """
    parts = urlsplit(url)
    path = unquote(parts.path[:1000]).lower()
    *folders, file = path.split("/")
    stem, _, extension = file.rpartition(".") if "." in file else (file, "", "")
    if _is_decoration_host(parts.hostname or "") or _COUNTING_PARAMETERS.search(parts.query):
        return True
    # Folders have versions and, on Facebook, endings: `twemoji@14`, `emoji.php`.
    if any(re.split("[@.]", folder)[0] in _FOLDERS for folder in folders):
        return True
    return bool(
        _STAND_IN_NAMES.fullmatch(stem[:100])
        or (extension in _SPACER_FORMATS and _SPACER_NAMES.fullmatch(stem[:100]))
        or (extension in _COUNTER_FORMATS and _COUNTER_NAMES.fullmatch(stem))
        or _is_strip(stem[-100:])
        or (extension in _SPACER_FORMATS and _is_rating(stem[:100]))
        or _is_sign(stem[:100], extension, f"{parts.hostname} {urlsplit(page_url).hostname}")
    )


def _is_strip(stem: str) -> bool:
    """Tell whether the name has the size of a banner, such as 728x90."""
    size = _SIZE.search(stem)
    return size is not None and int(size[1]) > 4 * int(size[2])


def _is_rating(stem: str) -> bool:
    """Tell whether the name is that of some stars, such as `rating-5-stars` and `4_5_stars`."""
    words = set(_WORD.findall(stem))
    is_of_stars = not words.isdisjoint({"star", "stars"}) and _RATING.search(stem)
    return words <= _RATING_WORDS and bool(
        is_of_stars or not words.isdisjoint({"rating", "ratings"})
    )


def _is_sign(stem: str, extension: str, hosts: str) -> bool:
    """Tell whether the name says nothing but that it is a logo or a button, and of which site."""
    words = set(_WORD.findall(stem))
    signs = words & _LOGO_WORDS
    if extension not in ("jpg", "jpeg") or signs or {"share", "button"} & words:
        signs |= words & _BUTTON_WORDS
    sites = hosts.split(".")[:-1]
    others = words - signs - _BESIDE_WORDS
    return bool(signs) and all(
        len(word) > 2 and any(word in site for site in sites) for word in others
    )


def _is_decoration_host(host: str) -> bool:
    words = host.split(".")[:-2]
    return f".{host}".endswith(_HOST_ENDINGS) or any(map(_HOST_WORD.fullmatch, words))


def is_called_decoration(
    names: str, *, around: str = "", alt: str = "", leads_to: str = ""
) -> bool:
    """Tell whether class names, ids, the alternative text or its link say that it is no picture."""
    # An emoji has itself as its text, or a name such as `:ship:`.
    is_emoji = len(alt) <= 8 and any(unicodedata.category(c) == "So" for c in alt)
    return bool(
        _CALLED.search(names)
        or _AROUND.search(around)
        or is_emoji
        or _EMOJI_NAME.fullmatch(alt)
        or _SHARE_LINK.search(leads_to)
    )


def is_unlikely(url: str) -> bool:
    """Tell whether the file's name sounds like a logo, an icon or a banner."""
    return bool(_UNLIKELY.search(_file_name(urlsplit(url).path)[:200]))


def _file_name(path: str) -> str:
    return unquote(path.split("?")[0].rpartition("/")[2])
