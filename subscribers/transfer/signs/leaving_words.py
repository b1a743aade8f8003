"""The words with which lists say that a person reads, left, bounced or complained."""

from __future__ import annotations

import unicodedata

from subscribers.transfer.presets import RowKind

_READER, _UNCONFIRMED = RowKind.READER, RowKind.UNCONFIRMED
_LEFT, _CLEANED = RowKind.UNSUBSCRIBED, RowKind.CLEANED
_COMPLAINED, _BLOCKED = RowKind.COMPLAINED, RowKind.BLOCKED


def plain(text: str) -> str:
    """Return the text in lower case, without accents and marks, its words apart by one blank."""
    if text.isascii():
        kept = text.lower()
    else:
        folded = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
        kept = "".join(c for c in folded if not unicodedata.combining(c))
        # The sound marks of Japanese are combining characters, too: バ must not become ハ.
        kept = unicodedata.normalize("NFC", kept) if kept.isascii() else _keep_kana(text, kept)
    return " ".join("".join(c if c.isalnum() else " " for c in kept).split())


def _keep_kana(text: str, stripped: str) -> str:
    composed = unicodedata.normalize("NFKC", text).casefold()
    return composed if any("\u3040" <= c <= "\u30ff" for c in composed) else stripped


def _set(words: str) -> frozenset[str]:
    return frozenset(map(plain, words.split("|")))


def _words(kind: RowKind, *lines: str) -> dict[str, RowKind]:
    return {plain(word): kind for line in lines for word in line.split("|")}


# A whole cell. Services' own words: Mailchimp's and Campaign Monitor's cleaned, deleted, bounced;
# Kit's cancelled and complained; Klaviyo's never_subscribed, user_suppressed and hard_bounce
# (developers.klaviyo.com, EmailMarketingSuppression); Constant Contact's “no permissions set” and
# “awaiting confirmation” (its community, Email Status in exported contacts); beehiiv calls people
# who unsubscribed inactive (support article 12428610562327); MailPoet, Sendy, AWeber and
# ActiveCampaign have unconfirmed and bounced; Mailman 3 has by_user, by_bounces and by_moderator.
WORDS = {
    **_words(
        _READER,
        "active|subscribed|subscriber|confirmed|enabled|enable|verified|opted in|opt in|optin|"
        "single opt in|double opt in|confirmed opt in|resubscribed|regular|subscribe|live|"
        "given|granted|accepted|agreed|approved|can receive|marketing contact|express|implied|"
        "explicit|engaged|reader|receiving|allowed",
        # What services that verify addresses say: the address exists, which is no subscription.
        # ZeroBounce, NeverBounce and Kickbox also have words for addresses that do not.
        "valid|deliverable|catch all|catchall|accept all|accept all unverifiable|risky",
        "aktiv|angemeldet|abonniert|abonnent|abonnentin|eingetragen|bestatigt|bestätigt|"
        "zugestimmt|eingewilligt|erteilt|laufend|läuft",
        "actif|active|abonné|abonnée|inscrit|inscrite|confirmé|confirmée|activé|activée|accordé",
        "activo|activa|suscrito|suscrita|alta|dado de alta|dada de alta|confirmado|confirmada|"
        "suscriptor|habilitado",
        "ativo|ativa|inscrito|inscrita|assinante|cadastrado|cadastrada|habilitada",
        "نشط|نشطة|مشترك|مشتركة|مؤكد|مفعل",
        "有効|購読中|購読|登録済み|登録済|登録中|登録|確認済み|確認済|会員|配信中|配信|アクティブ|"
        "受信中|受信する|受け取る",
    ),
    **_words(
        _UNCONFIRMED,
        "pending|unconfirmed|not confirmed|awaiting confirmation|waiting|waiting for confirmation|"
        "awaiting|unactivated|not verified|unverified|invited|pending confirmation|validating|"
        "not optin|optin not confirmed|to confirm",
        "unbestätigt|nicht bestätigt|ausstehend|wartet auf bestätigung|offen",
        "non confirmé|non confirmée|en attente|à confirmer",
        "pendiente|sin confirmar|no confirmado|no confirmada|por confirmar",
        "pendente|não confirmado|não confirmada|aguardando confirmação|a confirmar",
        "قيد الانتظار|غير مؤكد|في انتظار التأكيد|بانتظار التأكيد",
        "未確認|確認待ち|仮登録|保留|未承認",
    ),
    **_words(
        _LEFT,
        "unsubscribed|unsubscribe|unsub|unsubbed|unsubscriber|not subscribed|non subscribed|"
        "nonsubscribed|never subscribed|opted out|opt out|optout|optedout|confirmed opt out|left|"
        "removed|deleted|cancelled|canceled|inactive|disabled|deactivated|no mail|nomail|"
        "do not email|do not mail|do not contact|dont email|don t email|dnc|stopped|quit|"
        "withdrawn|consent withdrawn|revoked|no consent|no permission|no permissions set|"
        "no permission set|not opted in|signed off|signed out|archived|"
        "resigned|expired consent|by user|byuser|by moderator|by admin|byadmin|self removed|"
        "list unsubscribe|unsubscribed by user|unsubscribed by admin|unsubscribed manually|"
        "manually unsubscribed|globally unsubscribed|global unsubscribe|former|former subscriber|"
        "former reader|ex subscriber|off|gone|erased|anonymized|anonymised|forgotten|declined|"
        "refused|cannot receive|can not receive|not receiving|receives none|receives nothing|"
        "unsubscribed from all|user unsubscribed",
        "abgemeldet|ausgetragen|abbestellt|gekündigt|inaktiv|deaktiviert|gelöscht|"
        "nicht abonniert|nicht angemeldet|widerrufen|widersprochen|abgelehnt|ausgeschieden|"
        "entfernt|storniert|abbesteller|keine mails|keine e mails|ehemalig|verstorben|deceased",
        "désabonné|désabonnée|desabonne e|désabonnés|désinscrit|désinscrite|désinscrits|"
        "desinscrit e|désinscription|désabonnement|inactif|inactive|résilié|résiliée|supprimé|"
        "supprimée|non abonné|non abonnée|non inscrit|annulé|annulée|désactivé|désactivée|"
        "refusé|retiré|retirée|parti|partie",
        "baja|de baja|dado de baja|dada de baja|dados de baja|cancelado|cancelada|desuscrito|"
        "desuscrita|no suscrito|no suscrita|anulado|anulada|inactivo|inactiva|eliminado|"
        "eliminada|borrado|borrada|desactivado|desactivada|dessuscrito|desinscrito|baja voluntaria|"
        "retirado|retirada|rechazado",
        "descadastrado|descadastrada|inativo|inativa|não inscrito|não inscrita|removido|removida|"
        "excluído|excluída|desinscrita|saiu|desativado|desativada|desistente|cancelou|"
        "assinatura cancelada|inscrição cancelada|recusado|optou por sair|descadastro",
        "ملغى الاشتراك|ملغي الاشتراك|ملغى|ملغي|ألغى الاشتراك|تم إلغاء الاشتراك|إلغاء الاشتراك|"
        "الغاء الاشتراك|غير مشترك|غير مشتركة|غير نشط|محذوف|منسحب|معطل|متوقف|ألغيت|ملغاة",
        "退会|退会済み|退会済|解除|解除済み|解除済|購読解除|購読解除済み|購読停止|配信停止|配信停止中|"
        "配信解除|停止|停止中|登録解除|登録解除済み|解約|解約済み|無効|非アクティブ|削除|削除済み|"
        "オプトアウト|受信拒否|配信不要|不要|受け取らない|受信しない|未購読|非購読|非会員|キャンセル|"
        "キャンセル済み",
    ),
    **_words(
        _CLEANED,
        "bounced|bounce|hard bounce|hard bounced|hardbounce|hardbounced|soft bounce|soft bounced|"
        "softbounced|cleaned|clean|undeliverable|undelivered|invalid|invalid email|"
        "invalid address|malformed|dead|by bounces|bybounce|by bounce|non existent|nonexistent|"
        "does not exist|unknown user|user unknown|mailbox not found|bad|failed|quarantined|"
        "hard|soft|permanent|transient|temporary|delivery failed|rejected|mailbox full|"
        "invalid recipient|held",
        "unzustellbar|nicht zustellbar|ungültig|gebounct|gebounced|fehlerhaft|zurückgewiesen",
        "rebond|non distribuable|invalide|adresse invalide|rejeté|rejetée|erreur|npai",
        "rebotado|rebotada|rebote|rebote duro|inválido|inválida|no válido|no entregable|devuelto|"
        "no existe|rebotó",
        "retornado|retornada|devolvido|devolvida|inválido|inválida|não entregue|não existe|"
        "erro de entrega|rejeitado",
        "مرتد|مرتدة|غير صالح|غير صالحة|فشل التسليم|غير موجود",
        "エラー|配信エラー|不達|バウンス|無効なアドレス|送信エラー|未達|宛先不明",
    ),
    **_words(
        _COMPLAINED,
        "complained|complaint|spam|spam complaint|spam complaints|abuse|abuse complaint|"
        "marked as spam|reported spam|reported as spam|spam report|complainer|junk|feedback loop",
        "beschwerde|spambeschwerde|spam beschwerde|als spam gemeldet|als spam markiert",
        "plainte|plainte spam|plainte pour spam|signalé comme spam|marqué comme spam",
        "queja|queja de spam|marcado como spam|denuncia|denunciado|denunciado como spam",
        "reclamação|reclamação de spam|marcado como spam|denúncia|denúncia de spam",
        "شكوى|مزعج|بلاغ|تم الإبلاغ كبريد مزعج",
        "迷惑メール|迷惑メール報告|苦情|スパム|スパム報告",
    ),
    **_words(
        _BLOCKED,
        "blocked|blacklisted|blacklist|blocklisted|blocklist|block|suppressed|suppression|banned|"
        "spammy|user suppressed|denied|denylisted|globally suppressed|suspended|ineligible|"
        "spamtrap|spam trap",
        "gesperrt|blockiert|auf der sperrliste|sperrliste|schwarze liste|unterdrückt|gebannt",
        "bloqué|bloquée|liste noire|sur liste noire|banni|bannie|suspendu",
        "bloqueado|bloqueada|lista negra|en lista negra|suprimido|suprimida|suspendido",
        "bloqueado|bloqueada|lista negra|na lista negra|suprimido|suspenso|banido",
        "محظور|محظورة|القائمة السوداء|في القائمة السوداء|موقوف",
        "ブロック|ブロック済み|ブラックリスト|配信禁止|禁止|拒否",
    ),
}
# These mean something else so often that they count only in a column that is named for it, or in
# one that has nothing but such words: a gallery's left and right, a city's Baja, a paid plan's end.
AMBIGUOUS = _set(
    "left|removed|deleted|cancelled|canceled|inactive|disabled|off|gone|former|"
    "archived|bad|invalid|failed|dead|clean|block|denied|junk|spam|refused|rejected|"
    "declined|baja|parti|hard|soft|permanent|transient|temporary|given|granted|"
    "partie|cancelado|cancelada|eliminado|eliminada|removido|retirado|retirada|"
    "inactivo|inactiva|inativo|inativa|inaktiv|inactif|erreur|suspended|quit|stopped|"
    "entfernt|gelöscht|supprimé|annulé|annulée|anulado|anulada|storniert|停止|削除|無効|解除|"
    "不要|禁止|拒否|エラー|キャンセル|ملغى|ملغي|محذوف|متوقف|معطل|erased|forgotten|withdrawn|"
    "revoked|resigned|abuse|queja|expired consent|by user|by admin|by moderator|"
    "self removed|deceased|verstorben|ungültig|invalide|fehlerhaft|offen|saiu|alta|"
    "express|regular|held"
)
YES = _set(
    "yes|y|true|t|1|x|on|ja|j|wahr|oui|o|vrai|si|sí|s|sim|verdadero|verdadeiro|نعم|"
    "صحيح|はい|有|有り|あり|ok|checked"
)
NO = _set(
    "no|n|false|f|0|off|nein|falsch|non|faux|falso|não|nao|لا|خطأ|いいえ|無|無し|なし|unchecked"
)
# What may be said of people who open nothing, too.
INACTIVE = _set("inactive|inaktiv|inactif|inactivo|inactiva|inativo|inativa|غير نشط|非アクティブ")
# What says how or when somebody left, and not what they left.
CIRCUMSTANCES = _set(
    "via|by|on|at|per|through|since|in|durch|am|seit|über|par|le|depuis|por|el|desde|em|vía"
)
# The first word of a longer refusal, and the end of one in Japanese.
NO_FIRST = _set("no|non|nein|nao|not|never|kein|keine|لا")
NO_LAST = ("しない", "ません", "不可", "不要", "拒否", "なし")
MARKS = {
    **dict.fromkeys("✓✔☑✅○◯◎\u3007", True), **dict.fromkeys("✗✘☐❌✖☓\xd7", False)
}  # fmt: skip
# What stands in a cell that says which mails a person gets, if they get none.
NOTHING = _set(
    "none|nothing|never|no|0|off|false|no emails|no email|no mail|nomail|keine|"
    "keiner|nichts|nie|niemals|aucun|aucune|rien|jamais|ninguno|ninguna|ningun|nada|"
    "nunca|nenhum|nenhuma|لا شيء|لا|أبدا|なし|無し|受信しない|受け取らない|配信停止|いいえ|"
    "non|nein|não"
)
# What programs write for an empty cell.
BLANKS = _set("|null|nil|na|n a|nan|undefined|unset|not set")
# Parts of a value that look like leaving although the value is none of the words above.
STEMS = tuple(
    word.replace(" ", "")
    for word in _set(
        "unsub|optout|optedout|abgemeldet|abbestell|abmeld|desabonn|désinscri|"
        "desuscri|dado de baja|dada de baja|descadastr|إلغاء الاشتراك|ملغى الاشتراك|"
        "ألغى الاشتراك|退会|購読解除|配信停止|bounced|hardbounce|blacklist|blocklist|complain|"
        "donotemail|donotmail|suppressed|spamcomplaint"
    )
)
