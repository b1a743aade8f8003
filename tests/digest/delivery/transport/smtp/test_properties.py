"""Each message has one true outcome, whatever a server answers and wherever it closes."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from digest.delivery.transport.smtp import Mode, SmtpConnection, modes, timeouts
from tests.digest.delivery.transport.smtp.messages import MESSAGE, OFFERS, address_of, put, verdicts
from tests.servers.smtp import CUT, ScriptedServer, running

MESSAGES = 12
VERBS = ["MAIL", "RCPT", "DATA", "BDAT", "CONTENT", "RSET"]
REPLIES = [
    "250 2.0.0 OK",
    "354 go on",
    "421 4.3.2 closing",
    "450 4.2.1 later",
    "452-4.3.1 two\r\n452 4.3.1 lines",
    "500 5.5.2 what",
    "501 5.1.3 address",
    "502 not here",
    "503 5.5.1 not now",
    "550 5.1.1 gone",
    "554 5.7.1 spam",
    "552 5.2.2 full",
    CUT,
]
# For example, the seventh CONTENT gets one of these replies.
faulty_replies = st.dictionaries(
    st.tuples(st.sampled_from(VERBS), st.integers(0, MESSAGES - 1)),
    st.sampled_from(REPLIES),
    max_size=4,
)
garbage = st.sampled_from(["", "2", "250", "25O OK", "\0", "-", "250-no end"])


@dataclass
class FaultyScript:
    """Answer the n-th command of a kind with a faulty reply."""

    faults: dict[tuple[str, int], str]
    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, verb, line, server):
        reply = self.faults.get((verb, self.seen[verb]))
        self.seen[verb] += 1
        # A positive reply from here would claim a message that the server did not accept.
        if reply and (verb, reply[:1]) in {("BDAT", "2"), ("BDAT", "3"), ("DATA", "2")}:
            return None
        return reply


@st.composite
def servers(draw):
    faults = draw(faulty_replies)
    if draw(st.booleans()):
        faults[draw(st.sampled_from(VERBS)), draw(st.integers(0, MESSAGES))] = draw(garbage)
    mode = draw(st.sampled_from(Mode))
    server = ScriptedServer(
        FaultyScript(faults),
        OFFERS[mode],
        closes_after=draw(st.none() | st.integers(100, 3000)),
        reads_refused_bdat=draw(st.booleans()),
        batches_replies=draw(st.booleans()),
        replies_byte_by_byte=draw(st.booleans()),
        accepts_data_without_recipient=draw(st.booleans()),
    )
    return mode, server


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(servers(), st.lists(st.integers(0, 20), min_size=MESSAGES, max_size=MESSAGES))
def test_every_message_has_exactly_one_true_outcome(monkeypatch, chosen, takes):
    for name in ("REPLY_TIMEOUT", "CONTENT_TIMEOUT", "CLOSING_TIMEOUT"):
        monkeypatch.setattr(timeouts, name, 0.25)
    monkeypatch.setattr(modes, "fastest_working", lambda relay: Mode.BDAT)
    monkeypatch.setattr(modes, "downgrade", lambda relay, mode, reason, *, is_certain: None)
    mode, server = chosen
    with running(server):
        outcomes = []
        with SmtpConnection(server.relay) as connection:
            assert connection.mode is mode
            for key, unanswered in enumerate(takes):
                put(connection, key, MESSAGE + b"%d\r\n" % key)
                outcomes += connection.take(unanswered=unanswered)
            outcomes += connection.take()
            assert connection.take() == []
            accepted = connection.accepted

    note(f"{server.script.faults} {outcomes}")
    found = verdicts(outcomes)
    assert sorted(found) == list(range(MESSAGES))
    assert accepted == list(found.values()).count("ACCEPTED")
    taken = {to: sender for sender, to in server.taken}
    assert len(taken) == len(server.taken)
    for key, verdict in found.items():
        if verdict == "ACCEPTED":
            assert address_of(key) in taken
        elif verdict != "UNKNOWN":
            assert address_of(key) not in taken
    # No message has the sender or the content of another one.
    for to, sender in taken.items():
        assert (
            sender.removeprefix("bounce+").split("@")[0] == to.removeprefix("reader").split("@")[0]
        )
    for to, content in server.arrived:
        key = to.removeprefix("reader").split("@")[0]
        assert not to or content == MESSAGE + key.encode() + b"\r\n"
