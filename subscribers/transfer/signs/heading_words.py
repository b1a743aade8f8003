"""The words of columns' names that tell what a column says of a person."""

from __future__ import annotations

from subscribers.transfer.presets import RowKind
from subscribers.transfer.signs.leaving_words import plain


def _parts(*lines: str) -> tuple[str, ...]:
    return tuple(plain(word) for line in lines for word in line.split("|"))


def _stems(*lines: str) -> tuple[str, ...]:
    return tuple(part.replace(" ", "") for part in _parts(*lines))


# Found anywhere in a name that is written without blanks: unsubscribed_at, HasOptedOutOfEmail.
LEFT_STEMS = {
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
UNSURE_STEMS = _stems(
    "complain|beschwerde|plainte|苦情|شكوى|quarantin|suppress|deactivated|kündig|austritt|widerruf|"
    "widerspr|resili|cancelacion|cancelamento|الإلغاء|ملغى|ملغي|停止|退会|解除|解約|"
    "baja de|fecha baja|data de cancelamento|fecha de cancelacion"
)
SURE_STEMS = tuple(
    stem for stems in LEFT_STEMS.values() for stem in stems if stem not in UNSURE_STEMS
)
# Whole words of a name.
LEFT_WORDS = {
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
STATUS_WORDS = frozenset(_parts(
    "status|statut|estatus|situacao|situation|zustand|الحالة|حالة|ステータス|状態|状況|購読状況|"
    "配信状況|会員状態|abostatus|mailstatus|listenstatus"
))  # fmt: skip
# A column named so may be a status, or a part of a country.
STATE_WORDS = frozenset(_parts("state|estado|etat"))
CONFIRMED_WORDS = frozenset(_parts(
    "confirmed|verified|double|doi|bestätigt|confirmé|confirmado|مؤكد|確認済み|確認|isconfirmed|"
    "doubleoptin"
))  # fmt: skip
SUBSCRIBED_STEMS = _stems(
    "subscribed|optin|optedin|abonniert|angemeldet|abonné|inscrit|suscrito|inscrito|مشترك|"
    "購読|isactive|canreceive|mailallowed|emailconsent|marketingconsent"
)
SUBSCRIBED_WORDS = frozenset(_parts(
    "active|enabled|aktiv|actif|activo|ativo|نشط|有効|consent|einwilligung|permission|subscriber|"
    "delivery|zustellung|subscription|abo|abonnement|suscripcion|assinatura|الاشتراك"
))  # fmt: skip
# A member of a newsroom pays, and may read after that.
MEMBER_WORDS = frozenset(_parts("membership|mitgliedschaft|adhesion|membresia"))
RECEIVES_WORDS = frozenset(_parts(
    "receives|receive|receiving|erhält|bekommt|reçoit|recibe|recebe|受信|wants|gets|frequency|"
    "häufigkeit|fréquence|frecuencia|frequencia|newsletter|newsletters|mailing|mailings|"
    "boletin|boletim|infolettre|النشرة|نشرة|يستلم"
))  # fmt: skip
# A name with one of these may ask whether a person wants mail, or say that something ended; it may
# also be about something else, so the operator is asked.
AGREES_WORDS = frozenset(_parts(
    "accept|accepts|accepted|agree|agrees|agreed|allow|allows|allowed|contactable|keep|stay|gdpr|"
    "dsgvo|rgpd|lgpd|consents|ok|wish|wishes|want|erlaubt|erlaubnis|gewünscht|erwünscht|"
    "einverstanden|einverständnis|zustimmung|mailempfang|empfang|souhaite|accepte|accord|autorise|"
    "quiere|desea|acepta|autoriza|deseja|aceita|quer|aceite|يرغب|موافق|موافقة|valid|deliverable"
))  # fmt: skip
AGREES_STEMS = _stems("可否|希望|承諾|同意")
ENDED_STEMS = _stems(
    "donotsend|dontsend|exclud|churn|paus|refus|sperr|desabo|verzogen|verstorben|cancelou"
)
# What makes a word such as active or enabled one about mail.
MAIL_WORDS = frozenset(_parts(
    "email|emails|mail|mails|e|newsletter|newsletters|marketing|list|correo|correos|courriel|"
    "courriels|boletin|boletim|mailing|mailings|is|subscriber|reader|member"
))  # fmt: skip
# With these beside it, a word such as cancelled is still about mail. With any other, such as
# invoices, orders or plan, it is about something else, or perhaps is: that is asked.
BESIDE = MAIL_WORDS | STATUS_WORDS | STATE_WORDS | frozenset(_parts(
    "at|on|by|from|for|in|of|to|all|any|date|time|datetime|timestamp|when|since|utc|gmt|day|reason|"
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
BESIDE_READING = (
    BESIDE | CONFIRMED_WORDS | SUBSCRIBED_WORDS | RECEIVES_WORDS | frozenset(_parts(
        "subscriptions|subscribe|daily|weekly|digest|optin|confirm|confirmation|can|want|doi|"
        "update|updates|edition|editions|nl|inscription|inscripción|inscrição|anmeldung|empfang"
    ))
)  # fmt: skip
# Japanese writes no blanks.
RECEIVES_STEMS = _stems("メルマガ|ニュースレター|配信|受信")
READING_STEMS = (*SUBSCRIBED_STEMS, *RECEIVES_STEMS)
TAG_WORDS = frozenset(_parts(
    "tags|tag|labels|label|groups|group|segments|segment|lists|list|gruppe|gruppen|liste|listen|"
    "groupes|grupos|etiquetas|listas|タグ|グループ|リスト|العلامات|schlagworte"
))  # fmt: skip
TEXT_WORDS = frozenset(_parts(
    "note|notes|comment|comments|remark|remarks|memo|bemerkung|bemerkungen|notiz|notizen|"
    "kommentar|anmerkung|commentaire|commentaires|remarque|remarques|notas|nota|comentario|"
    "comentarios|observacoes|observaciones|obs|ملاحظات|ملاحظة|備考|メモ|コメント|description|bio|"
    "message|feedback",
    # What holds unless a person has chosen: SES's TopicDefaultPreferences.
    "default|defaults"
))  # fmt: skip
# A name with one of these is about another way to reach a person, or about a count or a link.
ELSEWHERE = frozenset(_parts(
    "sms|phone|mobile|push|whatsapp|postal|call|calls|fax|telefon|soft|count|number|anzahl|rate|"
    "nombre|total|bounces|bouncecount|score|open|opens|opened|clicks|clicked",
    "track|tracking|cookies|profiling",
    # MailingCountry NO is Norway.
    "street|city|town|zip|postcode|county|province|country|strasse|stadt|plz|land|rue|ville|pays|"
    "calle|ciudad|pais|rua|cidade",
))  # fmt: skip
PLURALS = frozenset(_parts("emails|mails|messages|campaigns|newsletters"))
# Statuses of sales and of people, not of mail.
OTHER_STATUSES = frozenset(_parts(
    "lead|order|payment|marital|civil|family|employment|deal|ticket|billing|shipping|invoice|job|"
    "bestellung|zahlung|familie|pago|pedido|paiement|commande|pagamento"
))  # fmt: skip
TECHNICAL = frozenset(_parts("url|link|token|key|hash|uuid|code|lien|enlace|redirect"))
BELONGING = frozenset(_parts(
    "reason|campaign|comment|comments|feedback|message|method|source|by|ip|id|title|grund|motif|"
    "motivo|raison|razón|理由|سبب|why|other|text|description|page|details|detail|note|notes"
))  # fmt: skip
# A name with one of these says when, whence or how somebody subscribed, and not whether.
CIRCUMSTANCES = frozenset(_parts(
    "at|date|time|on|ip|source|via|from|since|page|form|type|plan|tier|country|url|link|datum|am|"
    "le|fecha|data|em|تاريخ|日|日時|changed|updated|name|id|method|region|timestamp|by|ago|code|"
    "reason|end|start|expires|expiry|renewal|price|amount|level|zeit|heure|hora|ort"
))  # fmt: skip
