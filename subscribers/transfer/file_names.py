"""Say what the name of a list says of its people."""

from __future__ import annotations

from subscribers.transfer.signs.leaving_words import plain

# Services write a file for each kind of person, with the same columns: a word of its name is then
# all that says who they are, as in Mailchimp's nonsubscribed_members_export_….csv and SendGrid's
# suppression_group_unsubscribes.csv.
_FILE_WORDS = (
    "unsub", "nonsub", "cleaned", "bounce", "optout", "optedout", "suppress", "blacklist",
    "blocklist", "complain", "abgemeldet", "abmeld", "desabonn", "desinscri", "bajas", "descadastr",
    "退会", "解除",
)  # fmt: skip
_WHOLE_FILE_WORDS = frozenset((
    "blocks", "blocked", "invalid", "invalids", "spam", "deleted", "inactive", "gesperrt",
    "geloscht", "baja", "inactifs", "inactivos", "inativos",
))  # fmt: skip
_UNCONFIRMED_STEMS = (
    "unconfirm", "nonconfirm", "notconfirm", "unverified", "unactivated", "awaitingconfirm",
    "unbestatigt", "nichtbestatigt", "enattente", "sinconfirmar", "noconfirmad", "naoconfirm",
    "未確認", "仮登録",
)  # fmt: skip
_PENDING = frozenset(("pending", "ausstehend", "pendiente", "pendientes", "pendente", "pendentes"))


def is_called_for_leaving(file_name: str) -> bool:
    """Return whether the rows are people who left, bounced or complained, by the file's name."""
    words = plain(file_name).split()
    return "".join(words).startswith(_FILE_WORDS) or any(map(_begins_with_file_word, words))


def _begins_with_file_word(word: str) -> bool:
    return word.startswith(_FILE_WORDS) or word in _WHOLE_FILE_WORDS


def is_called_for_unconfirmed(file_name: str) -> bool:
    """Return whether the rows are people who never confirmed, by the file's name."""
    words = plain(file_name).split()
    squeezed = "".join(words)
    return any(stem in squeezed for stem in _UNCONFIRMED_STEMS) or not _PENDING.isdisjoint(words)
