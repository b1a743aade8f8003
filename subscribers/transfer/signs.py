"""Say which columns of a list tell that a person left, and what their values mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from subscribers.transfer import leaving_words
from subscribers.transfer.dates import is_date, is_empty
from subscribers.transfer.leaving_words import plain
from subscribers.transfer.presets import RowKind

# If several columns speak of one person, the worst counts.
_SEVERITY = {
    RowKind.READER: 0, RowKind.UNCONFIRMED: 1, RowKind.UNSUBSCRIBED: 2, RowKind.CLEANED: 3,
    RowKind.BLOCKED: 4, RowKind.COMPLAINED: 5,
}  # fmt: skip
# A cell that is longer, or has more words, is a text and no status.
_LONGEST_WORD, _MOST_WORDS = 40, 4
# The values of a column whose meaning is remembered while a list is read.
_REMEMBERED = 2000
# The answer for every other value of a column.
ANY_VALUE = "*"


class Role(StrEnum):
    """What a column's name says of its values."""

    LEFT = "left"  # yes, a time or a status: the person left
    REASON = "reason"  # whatever it is: the person left
    SUBSCRIBED = "subscribed"  # no: the person left
    CONFIRMED = "confirmed"  # no: the person never confirmed
    RECEIVES = "receives"  # none: the person left
    AGREES = "agrees"  # no: perhaps the person left, which is asked
    ENDED = "ended"  # anything but no: perhaps the person left, which is asked
    STATUS = "status"
    STATE_OF = "state_of"  # a status of perhaps something else: what may mean that is asked
    TAGS = "tags"  # several words, one of which may say that the person left
    TEXT = "text"  # free text, which says nothing for certain
    OTHER = "other"  # the values alone can say it
    ELSEWHERE = "elsewhere"  # about something else than mail, whatever its values are


def _parts(*lines: str) -> tuple[str, ...]:
    return tuple(plain(word) for line in lines for word in line.split("|"))


def _stems(*lines: str) -> tuple[str, ...]:
    return tuple(part.replace(" ", "") for part in _parts(*lines))


# Found anywhere in a name that is written without blanks: unsubscribed_at, HasOptedOutOfEmail.
_LEFT_STEMS = {
    RowKind.COMPLAINED: _stems("complain|spamreport|markedasspam|beschwerde|plainte|苦情|شكوى"),
    RowKind.CLEANED: _stems(
        "bounce|undeliver|cleantime|cleandate|cleancampaign|unzustellbar|rebond|rebot|"
        "quarantin|不達|バウンス|配信エラー|invalidemail"
    ),
    RowKind.BLOCKED: _stems(
        "blacklist|blocklist|suppress|sperrliste|listenoire|listanegra|ブラックリスト|"
        "القائمة السوداء"
    ),
    RowKind.UNSUBSCRIBED: _stems(
        "unsub|optout|optedout|optingout|donotemail|donotmail|donotcontact|dontemail|nomail|"
        "emaildisabled|deactivated|abgemeldet|abmelde|abmeldung|abbestell|ausgetragen|"
        "desabonn|désinscri|desuscri|dessuscri|desinscri|baja de|fecha baja|descadastr|"
        "data de cancelamento|fecha de cancelacion|cancelamento|إلغاء الاشتراك|ملغى|ملغي|"
        "kündig|austritt|widerruf|widerspr|resili|cancelacion|الإلغاء|停止|退会|解除|配信停止|購読停止|解約|受信拒否|配信不要|nonsubscribed|notsubscribed|keinemail"
    ),
}
# People also cancel, suspend and complain about what is no mail.
_UNSURE_STEMS = _stems(
    "complain|beschwerde|plainte|苦情|شكوى|quarantin|suppress|deactivated|kündig|austritt|widerruf|"
    "widerspr|resili|cancelacion|cancelamento|الإلغاء|ملغى|ملغي|停止|退会|解除|解約|"
    "baja de|fecha baja|data de cancelamento|fecha de cancelacion"
)
_SURE_STEMS = tuple(
    stem for stems in _LEFT_STEMS.values() for stem in stems if stem not in _UNSURE_STEMS
)
# Whole words of a name.
_LEFT_WORDS = {
    **dict.fromkeys(_parts("cleaned|invalid"), RowKind.CLEANED),
    **dict.fromkeys(_parts("spam"), RowKind.COMPLAINED),
    **dict.fromkeys(_parts("blocked|banned|gesperrt|bloque|bloqueado|محظور"), RowKind.BLOCKED),
    **dict.fromkeys(
        _parts(
            "left|baja|removed|deleted|stop|stopped|cancelled|canceled|cancellation|cancel|"
            "cancelado|cancelada|inactive|disabled|deactivation|quit|gekündigt|gelöscht|inaktiv|"
            "inactif|inactivo|inativo|supprimé|eliminado|excluído|removido|churned|dnc|"
            "withdrawn|revoked|無効|削除"
        ),
        RowKind.UNSUBSCRIBED,
    ),
}
_STATUS_WORDS = frozenset(_parts(
    "status|statut|estatus|situacao|situation|zustand|الحالة|حالة|ステータス|状態|状況|購読状況|"
    "配信状況|会員状態|abostatus|mailstatus|listenstatus"
))  # fmt: skip
# A column named so may be a status, or a part of a country.
_STATE_WORDS = frozenset(_parts("state|estado|etat"))
_CONFIRMED_WORDS = frozenset(_parts(
    "confirmed|verified|double|doi|bestätigt|confirmé|confirmado|مؤكد|確認済み|確認|isconfirmed|"
    "doubleoptin"
))  # fmt: skip
_SUBSCRIBED_STEMS = _stems(
    "subscribed|optin|optedin|abonniert|angemeldet|abonné|inscrit|suscrito|inscrito|مشترك|"
    "購読|isactive|canreceive|mailallowed|emailconsent|marketingconsent"
)
_SUBSCRIBED_WORDS = frozenset(_parts(
    "active|enabled|aktiv|actif|activo|ativo|نشط|有効|consent|einwilligung|permission|subscriber|"
    "delivery|zustellung|subscription|abo|abonnement|suscripcion|assinatura|الاشتراك"
))  # fmt: skip
# A member of a newsroom pays, and may read after that.
_MEMBER_WORDS = frozenset(_parts("membership|mitgliedschaft|adhesion|membresia"))
_RECEIVES_WORDS = frozenset(_parts(
    "receives|receive|receiving|erhält|bekommt|reçoit|recibe|recebe|受信|wants|gets|frequency|"
    "häufigkeit|fréquence|frecuencia|frequencia|newsletter|newsletters|mailing|mailings|"
    "boletin|boletim|infolettre|النشرة|نشرة|يستلم"
))  # fmt: skip
# A name with one of these may ask whether a person wants mail, or say that something ended; it may
# also be about something else, so the operator is asked.
_AGREES_WORDS = frozenset(_parts(
    "accept|accepts|accepted|agree|agrees|agreed|allow|allows|allowed|contactable|keep|stay|gdpr|"
    "dsgvo|rgpd|lgpd|consents|ok|wish|wishes|want|erlaubt|erlaubnis|gewünscht|erwünscht|"
    "einverstanden|einverständnis|zustimmung|mailempfang|empfang|souhaite|accepte|accord|autorise|"
    "quiere|desea|acepta|autoriza|deseja|aceita|quer|aceite|يرغب|موافق|موافقة|valid|deliverable"
))  # fmt: skip
_AGREES_STEMS = _stems("可否|希望|承諾|同意")
_ENDED_STEMS = _stems(
    "donotsend|dontsend|exclud|churn|paus|refus|sperr|desabo|verzogen|verstorben|cancelou"
)
# What makes a word such as active or enabled one about mail.
_MAIL_WORDS = frozenset(_parts(
    "email|emails|mail|mails|e|newsletter|newsletters|marketing|list|correo|correos|courriel|"
    "courriels|boletin|boletim|mailing|mailings|is|subscriber|reader|member"
))  # fmt: skip
# With these beside it, a word such as cancelled is still about mail. With any other, such as
# invoices, orders or plan, it is about something else, or perhaps is: that is asked.
_BESIDE = _MAIL_WORDS | _STATUS_WORDS | _STATE_WORDS | frozenset(_parts(
    "at|on|by|from|in|of|to|all|any|date|time|datetime|timestamp|when|since|utc|gmt|day|reason|"
    "has|have|had|been|was|were|did|who|the|our|this|my|your|via|or|and|yes|no|true|flag|flagged|"
    "user|users|contact|contacts|person|people|readers|subscribers|recipient|members|profile|"
    "address|addresses|lists|opt|opted|out|not|non|do|un|global|globally|manual|manually|"
    "automatically|hard|permanent|permanently|report|reports|reported|marked|as|type|source|ip|id|"
    "method|campaign|title|text|comment|other|description",
    "am|um|datum|zeit|ist|wurde|war|grund|vom|von|liste|kontakt|leser|abonnent|adresse",
    "le|la|du|de|des|d|l|a|est|date|heure|motif|raison|abonné|lettre",
    "el|los|en|del|fecha|hora|motivo|razón|lista|contacto|dirección|por|fue|suscriptor",
    "o|os|do|da|em|data|foi|contato|endereço|assinante",
    "日|日時|日付|理由|تاريخ|سبب|البريد|النشرة",
))  # fmt: skip
_BESIDE_READING = (
    _BESIDE | _CONFIRMED_WORDS | _SUBSCRIBED_WORDS | _RECEIVES_WORDS | frozenset(_parts(
        "subscriptions|subscribe|daily|weekly|digest|optin|confirm|confirmation|can|want|doi|"
        "update|updates|edition|editions|nl|inscription|inscripción|inscrição|anmeldung|empfang"
    ))
)  # fmt: skip
# Japanese writes no blanks.
_RECEIVES_STEMS = _stems("メルマガ|ニュースレター|配信|受信")
_READING_STEMS = (*_SUBSCRIBED_STEMS, *_RECEIVES_STEMS)
# What a name speaks of besides mail is asked about instead of acted on.
_ASKED_INSTEAD = {
    Role.SUBSCRIBED: Role.AGREES, Role.RECEIVES: Role.AGREES, Role.CONFIRMED: Role.AGREES,
    Role.STATUS: Role.STATE_OF,
}  # fmt: skip
_TAG_WORDS = frozenset(_parts(
    "tags|tag|labels|label|groups|group|segments|segment|lists|list|gruppe|gruppen|liste|listen|"
    "groupes|grupos|etiquetas|listas|タグ|グループ|リスト|العلامات|schlagworte"
))  # fmt: skip
_TEXT_WORDS = frozenset(_parts(
    "note|notes|comment|comments|remark|remarks|memo|bemerkung|bemerkungen|notiz|notizen|"
    "kommentar|anmerkung|commentaire|commentaires|remarque|remarques|notas|nota|comentario|"
    "comentarios|observacoes|observaciones|obs|ملاحظات|ملاحظة|備考|メモ|コメント|description|bio|"
    "message|feedback"
))  # fmt: skip
# A name with one of these is about another way to reach a person, or about a count or a link.
_ELSEWHERE = frozenset(_parts(
    "sms|phone|mobile|push|whatsapp|postal|call|calls|fax|telefon|soft|count|number|anzahl|rate|"
    "nombre|total|bounces|bouncecount|score|open|opens|opened|clicks|clicked",
    # MailingCountry NO is Norway.
    "street|city|town|zip|postcode|county|province|country|strasse|stadt|plz|land|rue|ville|pays|"
    "calle|ciudad|pais|rua|cidade",
))  # fmt: skip
# Statuses of sales and of people, not of mail.
_OTHER_STATUSES = frozenset(_parts(
    "lead|order|payment|marital|civil|family|employment|deal|ticket|billing|shipping|invoice|job|"
    "bestellung|zahlung|familie|pago|pedido|paiement|commande|pagamento"
))  # fmt: skip
_TECHNICAL = frozenset(_parts("url|link|token|key|hash|uuid|code|lien|enlace|redirect"))
_BELONGING = frozenset(_parts(
    "reason|campaign|comment|comments|feedback|message|method|source|by|ip|id|title|grund|motif|"
    "motivo|raison|razón|理由|سبب|why|other|text|description|page|details|detail|note|notes"
))  # fmt: skip
# A name with one of these says when, whence or how somebody subscribed, and not whether.
_CIRCUMSTANCES = frozenset(_parts(
    "at|date|time|on|ip|source|via|from|since|page|form|type|plan|tier|country|url|link|datum|am|"
    "le|fecha|data|em|تاريخ|日|日時|changed|updated|name|id|method|region|timestamp|by|ago|code|"
    "reason|end|start|expires|expiry|renewal|price|amount|level|zeit|heure|hora|ort"
))  # fmt: skip


@dataclass(frozen=True)
class ColumnRole:
    """What a column is by its name.

    - `kind`: who a person is of whom the column says that they left.
    - `is_certain`: the name leaves no doubt, so that a value which is not understood is asked
      about. Otherwise it is only if the column's other values are understood.
    """

    role: Role
    kind: RowKind = RowKind.UNSUBSCRIBED
    is_certain: bool = True


def role_of(name: str) -> ColumnRole:
    """Return what the name of a column says of its values."""
    words = plain(_apart(name)).split()
    squeezed = "".join(words)
    known = set(words)
    if len(squeezed) > 100 or known & _ELSEWHERE:
        return ColumnRole(Role.ELSEWHERE)
    if any(stem in squeezed for stem in _ENDED_STEMS) and not known & _TECHNICAL:
        return ColumnRole(Role.ENDED)
    if kind := _left_kind(squeezed, words):
        if known & _TECHNICAL:
            return ColumnRole(Role.OTHER)
        if not _is_about_leaving(squeezed, words):
            return ColumnRole(Role.ENDED, kind)
        if known & _BELONGING and squeezed != "byuser":
            return ColumnRole(Role.REASON, kind)
        return ColumnRole(Role.LEFT, kind)
    role = _other_role(squeezed, known)
    if role in _ASKED_INSTEAD and not _is_about_reading(words):
        role = _ASKED_INSTEAD[role]
        return ColumnRole(role, is_certain=role is not Role.STATE_OF)
    is_certain = role is not Role.SUBSCRIBED or any(stem in squeezed for stem in _SUBSCRIBED_STEMS)
    return ColumnRole(role, is_certain=is_certain)


def _apart(name: str) -> str:
    """Put a blank before each capital that begins a word: unsubscribedAt, IsActive."""
    if name.isupper() or name.islower():
        return name
    before = f" {name}"
    return "".join(
        f" {c}" if c.isupper() and before[n].islower() else c for n, c in enumerate(name)
    )


def _left_kind(squeezed: str, words: list[str]) -> RowKind | None:
    for kind, stems in _LEFT_STEMS.items():
        if any(stem in squeezed for stem in stems):
            return kind
    return next((_LEFT_WORDS[word] for word in words if word in _LEFT_WORDS), None)


def _is_about_leaving(squeezed: str, words: list[str]) -> bool:
    """Return whether a name that speaks of leaving speaks of nothing else, such as invoices."""
    if any(stem in squeezed for stem in _SURE_STEMS):
        return True
    found = [stem for stem in _UNSURE_STEMS if stem in squeezed]
    return all(
        word in _BESIDE or word in _LEFT_WORDS or any(s in word or word in s for s in found)
        for word in words
    )


def _is_about_reading(words: list[str]) -> bool:
    """Return whether a name that speaks of reading or of a status speaks of nothing else."""
    return all(
        word in _BESIDE_READING or any(stem in word for stem in _READING_STEMS) for word in words
    )


def _other_role(squeezed: str, words: set[str]) -> Role:
    if words & _TEXT_WORDS:
        return Role.TEXT
    if words & _CIRCUMSTANCES or words & _TECHNICAL:
        return Role.OTHER
    if words & _STATUS_WORDS or squeezed in _STATUS_WORDS:
        return Role.ELSEWHERE if words & _OTHER_STATUSES else Role.STATUS
    if words & _STATE_WORDS and words & _SUBSCRIBED_WORDS:
        return Role.STATUS
    if words & _CONFIRMED_WORDS:
        return Role.CONFIRMED
    if any(stem in squeezed for stem in _SUBSCRIBED_STEMS):
        return Role.SUBSCRIBED
    if words & _RECEIVES_WORDS or any(stem in squeezed for stem in _RECEIVES_STEMS):
        return Role.RECEIVES
    if words & _SUBSCRIBED_WORDS:
        is_about_mail = len(words) == 1 or words & _MAIL_WORDS
        return Role.SUBSCRIBED if is_about_mail else Role.AGREES
    if words & _MEMBER_WORDS:
        return Role.STATUS  # of something else than mail, for _is_about_reading
    if words & _AGREES_WORDS or any(stem in squeezed for stem in _AGREES_STEMS):
        return Role.AGREES
    if words & _STATE_WORDS and len(words) > 1:
        return Role.STATUS
    return Role.TAGS if words & _TAG_WORDS else Role.OTHER


def meaning(value: str, column: ColumnRole) -> RowKind | None:
    """Return what a cell says of its person in such a column; None if it is not understood."""
    if column.role is Role.LEFT and value[:4].isdecimal() and is_date(value):
        return column.kind  # most times that somebody left are written so
    word = plain(value)
    if word in leaving_words.BLANKS:
        flag = leaving_words.MARKS.get(value.strip())
        return RowKind.READER if flag is None else _flag(column, is_yes=flag)
    known = leaving_words.WORDS.get(word)
    match column.role:
        case Role.TAGS:
            return _worst_tag(value)
        case Role.STATE_OF | Role.AGREES | Role.ENDED if known and has_left(known):
            return known if is_leaving_word(value) else None
        case Role.REASON:
            if word in leaving_words.NOTHING or is_empty(value):
                return RowKind.READER
            return known if is_leaving_word(value) else column.kind
        case Role.RECEIVES:
            return RowKind.UNSUBSCRIBED if _says_no(word) else known or RowKind.READER
        case Role.AGREES:
            return (None if _says_no(word) else RowKind.READER) if known is None else known
        case Role.ENDED:
            return RowKind.READER if _says_no(word) or is_empty(value) else known
    if column.role is Role.SUBSCRIBED and _says_no(word):
        return RowKind.UNSUBSCRIBED
    if word in leaving_words.YES or word in leaving_words.NO:
        return _flag(column, is_yes=word in leaving_words.YES)
    if column.role in (Role.LEFT, Role.SUBSCRIBED, Role.CONFIRMED) and known is None:
        return _date_or_nothing(value, word, column)
    return known


def _says_no(word: str) -> bool:
    """Return whether a cell says no, in whatever words: “No, thanks”, 希望しない."""
    if word in leaving_words.NO or word in leaving_words.NOTHING:
        return True
    return word.partition(" ")[0] in leaving_words.NO_FIRST or word.endswith(leaving_words.NO_LAST)


def _date_or_nothing(value: str, word: str, column: ColumnRole) -> RowKind | None:
    if word in leaving_words.NOTHING:
        return _flag(column, is_yes=False)
    if is_empty(value):
        return RowKind.READER
    return _flag(column, is_yes=True) if is_date(value) else None


def _flag(column: ColumnRole, *, is_yes: bool) -> RowKind | None:
    match column.role:
        case Role.LEFT | Role.REASON:
            return column.kind if is_yes else RowKind.READER
        case Role.SUBSCRIBED | Role.RECEIVES:
            return RowKind.READER if is_yes else RowKind.UNSUBSCRIBED
        case Role.CONFIRMED:
            return RowKind.READER if is_yes else RowKind.UNCONFIRMED
        case Role.AGREES:
            return RowKind.READER if is_yes else None
        case Role.ENDED:
            return None if is_yes else RowKind.READER
    return None


def _worst_tag(value: str) -> RowKind | None:
    """Return what the tags of a cell say; None if one only looks as if its person had left."""
    tags = value.replace(";", ",").replace("|", ",").split(",")
    found = worst(leaving_words.WORDS[plain(tag)] for tag in tags if is_leaving_word(tag))
    if found is RowKind.READER and any(map(looks_like_leaving, tags)):
        return None
    return found


def answer_key(value: str) -> str:
    """Return the value as an answer names it: its case and its accents do not matter."""
    return plain(value) or value.strip()


def worst(kinds: Iterable[RowKind]) -> RowKind:
    """Return what counts if several columns speak of one person; a reader if none does."""
    return max(kinds, key=_SEVERITY.__getitem__, default=RowKind.READER)


def has_left(kind: RowKind) -> bool:
    return _SEVERITY[kind] >= _SEVERITY[RowKind.UNSUBSCRIBED]


def is_leaving_word(value: str) -> bool:
    """Return whether the cell is a word that hardly means anything but leaving."""
    word = plain(value)
    kind = leaving_words.WORDS.get(word)
    return kind is not None and has_left(kind) and word not in leaving_words.AMBIGUOUS


def looks_like_leaving(value: str) -> bool:
    """Return whether a short cell has a part that is usual for leaving, such as “unsub 2020”."""
    if not is_short(value):
        return False
    squeezed = plain(value).replace(" ", "")
    return any(stem in squeezed for stem in leaving_words.STEMS)


def may_mean_leaving(value: str) -> bool:
    """Return whether the cell could mean leaving, if it is about mail at all."""
    kind = leaving_words.WORDS.get(plain(value))
    return (kind is not None and has_left(kind)) or looks_like_leaving(value)


def is_short(value: str) -> bool:
    return len(value) <= _LONGEST_WORD and len(value.split()) <= _MOST_WORDS


@dataclass(frozen=True)
class SignColumn:
    """A column in which a list says who left.

    - `statuses`: what its service means by a value, in lower case.
    - `answers`: what the operator said that a value means; ANY_VALUE stands for the others.
    """

    name: str
    index: int
    role: ColumnRole
    statuses: Mapping[str, RowKind] = field(default_factory=dict)
    answers: Mapping[str, RowKind] = field(default_factory=dict)
    _known: dict[str, RowKind | None] = field(default_factory=dict, compare=False, repr=False)

    def kind(self, value: str) -> RowKind | None:
        """Return what the cell says of its person; None if neither it nor an answer says it."""
        try:
            return self._known[value]
        except KeyError:
            pass
        found = (
            self.answers.get(answer_key(value))
            or self.understood(value)
            or self.answers.get(ANY_VALUE)
        )
        if len(self._known) < _REMEMBERED and len(value) <= _LONGEST_WORD:
            self._known[value] = found
        return found

    def understood(self, value: str) -> RowKind | None:
        """Return what the cell means without the operator's answers."""
        return self.statuses.get(value.lower()) or meaning(value, self.role)
