"""The examples of a receiver, each a process beside the three services: an application, and a shell script."""

import ast
import asyncio
import html
import importlib
import io
import json
import os
import re
import subprocess
import sys
import time
import tokenize
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
from fastapi import Request

from examples.demo import EXAMPLE_SETTINGS, PERSON, STUDY_RECORD
from examples.jobbspranget.page import Answer, page
from examples.services import Services
from schemas.types import CREDENTIAL_TYPES
from tests.applying import EXAMPLE, WAIT_SECONDS, Visitor, running_application
from verifier.client import CertificateKind, Need, Source, VerifierResult
from verifier.webhooks import new_secret

pytestmark = pytest.mark.processes

DATA = Path(__file__).parents[1] / "examples" / "data"
# Of Elin, who applies, and of Per, whose row names an unemployment fund.
CANARIES = ("19980423", "980423-2388", "1998-04-23", "Hantverkarnas", "Sjöberg")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services, and Elin with what an internship needs."""
    directory = tmp_path_factory.mktemp("jobbspranget")
    passphrase = directory / "passphrase"
    passphrase.write_text("a passphrase for the example\n")
    settings = {
        **EXAMPLE_SETTINGS,
        "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml"),
        "WALLET_PASSPHRASE_FILE": str(passphrase),
    }
    with Services(directory, settings=settings) as started:
        for name in ("issuer", "wallet"):
            started.start(name, 0)
        started.start("verifier", 0, VERIFIER_WALLET_URL=started.urls["wallet"])
        root = started.command("issuer", "keys", "list")[0]["root_file"]
        named = [part for one in CREDENTIAL_TYPES.values() for part in ("--type", one.vct)]
        for service in ("wallet", "verifier"):
            started.command(
                service, "trust", "add", "--anchor", root, "--role", "issuer", "--name", "Arbetsförmedlingen",
                "--identifier", started.urls["issuer"], *named,
            )  # fmt: skip
        employer = started.command("verifier", "keys", "list")[0]["root_file"]
        started.command("wallet", "trust", "add", "--anchor", employer, "--role", "verifier")
        for kind, file in (
            ("registration-certificate", DATA / "job-seekers.csv"),
            ("target-group-certificate", DATA / "target-group.csv"),
            ("course-results", STUDY_RECORD),
        ):
            offered = started.command("issuer", "offer", "--type", kind, "--from", str(file))
            started.command("wallet", "receive", offered[0]["offer"], "--person", PERSON)
        yield started


def test_the_application_is_thirty_lines() -> None:
    """What a receiver has to write itself: every line of its formatted source on which anything of a statement stands,
    decorators and signatures included; imports, docstrings, comments and blank lines are not counted."""
    source = (EXAMPLE / "application.py").read_text("utf-8")
    left_out = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    no_code = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    written = {
        number
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in no_code
        for number in range(token.start[0], token.end[0] + 1)
    }

    assert len(written - left_out) <= 30


def test_the_application_tells_what_is_needed_and_is_told_the_answer(services: Services) -> None:
    """A person applies, shares, and reads the answer, which came by a webhook; nothing else about them came."""
    with running_application(services) as (url, log):
        applicant = Visitor()
        shown, link, mine = _applied(applicant, url)
        needs = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown.partition("<ol")[2].partition("</ol>")[0]))
        assert needs.count("Hämtas hos Arbetsförmedlingen") == 4
        record = needs.partition("Mikromeritintyg eller studieresultat Ett av dem räcker.")[2]
        assert "Mikromeritintyg. Hämtas hos" in record
        assert "Studieresultat. Hämtas hos" in record
        assert needs.count("Ett av dem räcker.") == 1
        assert f'href="{services.urls["issuer"]}"' in shown
        assert link.startswith(f"{services.urls['wallet']}/present?")
        named = services.urls["verifier"].removeprefix("http://")
        assert f"Plånboken frågar om du började hos {named}." in shown, (
            "the name that stands on the wallet's first page"
        )
        english = applicant.opens(url, language="en-GB, sv;q=0.5")[1]
        assert "Short course certificate or course results" in english
        assert '<html lang="en">' in english
        assert '<html lang="sv">' in applicant.opens(f"{url}/?lang=sv", language="en")[1]
        assert "väntar" in applicant.opens(mine)[1]

        shared = services.command("wallet", "present", link, "--approve", "--person", PERSON)
        assert shared["outcome"] == "delivered", shared
        assert shared["redirect_uri"].startswith(f"{mine}?lang=sv&response_code=")
        status, answer = applicant.opens(shared["redirect_uri"])

        assert status == 200
        assert re.search(r">Behörig den .+, enligt Arbetsförmedlingen\.<", answer), answer
        assert 'id="take-back"' in answer, "what was shared is kept, and can be taken back"
        assert applicant.opens(mine) == applicant.opens(shared["redirect_uri"]) == (200, answer), "also looked at again"
        _wait_until_told(log)
        assert applicant.opens(mine) == (200, answer), "the webhook says the same"
        seen = log.read_text() + services.log_of("verifier").read_text() + shown + answer
        assert not [canary for canary in CANARIES if canary in seen]
    rests = b"".join(file.read_bytes() for file in (services.data / "verifier").rglob("*") if file.is_file())
    assert not [canary for canary in CANARIES if canary.encode() in rests]


def test_a_link_that_is_passed_on_leads_to_no_answer_on_the_senders_page(services: Services) -> None:
    """Somebody applies in order to read what somebody else is told: the answer of the one who was talked into the link
    stays unread, in that one's browser as well, which did not begin it."""
    with running_application(services) as (url, log):
        sender, victim = Visitor(), Visitor()
        _, link, mine = _applied(sender, url)
        _applied(victim, url)  # Having an application of one's own makes no difference.
        shared = services.command("wallet", "present", link, "--approve", "--person", PERSON)
        assert shared["outcome"] == "delivered", shared

        assert victim.opens(shared["redirect_uri"])[0] == 403
        assert victim.opens(mine)[0] == 403
        status, page = sender.opens(f"{mine}?response_code=guessed")
        assert (status, "Vi kunde inte läsa ditt svar" in page) == (400, True)
        _wait_until_told(log)
        status, page = sender.opens(mine)

        assert (status, "väntar" in page, "Behörig" in page) == (200, True, False), "told that something came, not what"


@pytest.mark.parametrize(
    ("state", "verdict", "kept"),
    [
        ("answered", "accepted", "Behörig den 20 november 2026, enligt Arbetsförmedlingen."),
        ("answered", "rejected", "Inte behörig."),
        ("answered", "undetermined", "Vi kunde inte avgöra det ännu."),
        ("declined", "", ""),
        ("not_returned", "rejected", ""),
        ("awaiting_return", "accepted", None),
    ],
)
def test_a_no_is_told_when_it_came_back_and_looks_like_no_answer_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str, verdict: str, kept: str | None
) -> None:
    """The verifier tells of no answer whose browser did not come back: it may be somebody else's, who was given the
    link (tests/attacks/test_verifier_fixation.py)."""
    application = _application(monkeypatch, tmp_path)
    staff = {"sentence_sv": "För personal.", "sentence": "For staff."}
    told = {"for_person_sv": kept or "", "for_person": "In English."}
    word = {"accepted": "eligible", "rejected": "not_eligible"}.get(verdict, "undecided")
    found: dict[str, str] | None = {"answer": word, **staff, **told}
    if state in ("declined", "not_returned"):
        found = None
    _learns(monkeypatch, application, state, verdict, found)

    answer = application.answers.get("number")
    if kept is None:
        assert answer is None
    else:
        assert answer.texts == ({"sv": kept, "en": "In English."} if kept else {}), "and nothing of what staff read"


def test_after_taking_back_the_page_says_so_and_the_earlier_answer_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody who shared and took it back reads that they had shared nothing, nor the answer from before."""
    application = _application(monkeypatch, tmp_path)
    application.answers["number"] = Answer("eligible", {"sv": "Behörig.", "en": "Eligible."})
    _learns(monkeypatch, application, "withdrawn", "accepted", None)

    for lang, said in (("sv", "Du har tagit tillbaka det du delade."), ("en", "You have taken back what you shared.")):
        request = Request({"type": "http", "headers": [], "query_string": f"lang={lang}".encode()})
        shown = bytes(page(request, "answer", answer=application.answers["number"]).body).decode()
        assert said in shown
        assert not re.search("Behörig|Eligible|Inget svar|No answer|fick inget|Nothing came", shown)
        assert 'id="next"' not in shown


@pytest.mark.parametrize(
    ("lang", "received", "then", "kept", "gone", "where"),
    [
        ("sv", "Vi har tagit emot ditt svar", "En människa hos oss", "18 februari 2027", "inte kvar", "Ta tillbaka"),
        ("en", "We have received your answer", "A person here", "18 February 2027", "hold nothing", "Take back"),
    ],
)
def test_after_sharing_the_page_says_what_comes_next(
    lang: str, received: str, then: str, kept: str, gone: str, where: str
) -> None:
    """That the answer came, what happens with it, until when it is kept, and how it is taken back. Where
    nothing is kept, that is said, and no way of taking back."""

    def shown(kind: str, *, until: date | None) -> str:
        request = Request({"type": "http", "headers": [], "query_string": f"lang={lang}".encode()})
        answer = Answer(kind, {"sv": "Svaret.", "en": "The answer."}, until)
        return bytes(page(request, "answer", answer=answer).body).decode()

    eligible = shown("eligible", until=date(2027, 2, 18))
    assert [word for word in (received, then, kept, where) if word not in eligible] == []
    for kind in ("not_eligible", "undecided"):
        other = shown(kind, until=None)
        assert [word for word in (received, gone) if word not in other] == []
        assert then not in other
        assert where not in other


@pytest.mark.parametrize(
    ("kind", "told", "said"),
    [
        ("answer", {"answer": None}, {"sv": "Vi väntar på ditt svar.", "en": "We are waiting for your answer."}),
        ("answer", {"answer": Answer("", {})}, {"sv": "Inget svar som räcker.", "en": "No answer that is enough."}),
        ("answer", {"answer": Answer("eligible", {"sv": "Ja <b>", "en": "Yes"})}, {"sv": "Ja &lt;b&gt;", "en": "Yes"}),
        ("answer", {"answer": Answer("declined", {})}, {"sv": "Du delade inget.", "en": "You shared nothing."}),
        (
            "answer",
            {"answer": None, "came_back": True},
            {"sv": "Titta igen om en stund.", "en": "Look again in a while."},
        ),
        ("elsewhere", {}, {"sv": "började inte i den här", "en": "did not begin in this browser"}),
    ],
)
def test_every_page_is_there_in_both_languages(kind: str, told: dict[str, Any], said: dict[str, str]) -> None:
    """As the browser prefers, or as the link of the page says; what neither says is Swedish."""
    for headers, query, expected in (
        ([(b"accept-language", b"de, en-US;q=0.8, sv;q=0.5")], b"", "en"),
        ([(b"accept-language", b"en")], b"lang=sv", "sv"),
        ([(b"accept-language", b"fr")], b"lang=<b>", "sv"),
        ([], b"", "sv"),
    ):
        request = Request({"type": "http", "headers": headers, "query_string": query})
        shown = bytes(page(request, kind, **told).body).decode()
        assert said[expected] in shown
        assert f'<html lang="{expected}">' in shown
        assert "<b>" not in shown


def test_what_is_needed_is_a_link_where_nothing_came() -> None:
    """After a no of one's own nothing is said to be lacking; both lead back to what is needed."""
    request = Request({"type": "http", "headers": [], "query_string": b"lang=en"})
    for kind, lacks in (("declined", False), ("", True)):
        shown = bytes(page(request, "answer", answer=Answer(kind, {})).body).decode()
        assert '<a id="needed" href="/?lang=en">See what is needed' in shown
        assert ("No answer that is enough" in shown) == lacks


@pytest.mark.parametrize("state", ["answered", "deleted"])
def test_when_the_answer_was_deleted_nobody_reads_that_nothing_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str
) -> None:
    """On the retention date, or when the person erased what it rests on: the verifier tells no answer any more."""
    application = _application(monkeypatch, tmp_path)
    application.answers["number"] = Answer("eligible", {"sv": "Behörig.", "en": "Eligible."})
    _learns(monkeypatch, application, state, "", None)

    request = Request({"type": "http", "headers": [], "query_string": b"lang=en"})
    shown = bytes(page(request, "answer", answer=application.answers["number"]).body).decode()
    assert "What you shared has been deleted." in shown
    assert not re.search("Eligible|No answer|Nothing came", shown)


def test_sources_are_told_as_what_they_are() -> None:
    """Who issues it, who may, one of whom only the name is known, and that nobody is known."""
    kinds = [
        CertificateKind({"sv": "Ett", "en": "One"}, 0, (Source("AF", "https://af.example", False),)),
        CertificateKind({"sv": "Två", "en": "Two"}, None, (Source("Uni", "", True),)),
        CertificateKind({"sv": "Tre", "en": "Three"}, None, ()),
    ]
    need = Need({"sv": "Något", "en": "Any"}, True, tuple((kind,) for kind in kinds))
    request = Request({"type": "http", "headers": [], "query_string": b"lang=en"})

    shown = bytes(page(request, "needs", needs=[need], link="https://wallet.example").body).decode()

    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown.partition("<ol")[2]))
    for words in (
        "Any One of them is enough.",
        "One. It has to be true today. Fetch it from AF .",
        "Two. It may be at Uni.",
        "Three. We do not know where it is fetched.",
    ):
        assert words in told


def test_the_same_from_a_shell_script(services: Services, tmp_path: Path) -> None:
    """Plain HTTP: what is needed, the link, and the answer as a sentence and as an exit status."""
    key = tmp_path / "key"
    key.write_text(services.command("verifier", "api-key", "create", "script")["key"])
    environment = {**os.environ, "VERIFIER_URL": services.urls["verifier"], "VERIFIER_KEY_FILE": str(key)}
    script = subprocess.Popen(
        ["sh", str(EXAMPLE / "apply.sh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert script.stdout is not None
    assert script.stderr is not None
    told: list[str] = []
    for line in script.stdout:
        told.append(line.strip())
        if line.startswith("Wallet: "):
            break
    assert told[-1].startswith("Wallet: "), script.stderr.read()
    link = told[-1].removeprefix("Wallet: ")
    services.command("wallet", "present", link, "--approve", "--person", PERSON)
    rest, said = script.communicate(timeout=WAIT_SECONDS)

    assert script.returncode == 0, said
    assert re.fullmatch(r"Eligible as of .+, says Arbetsförmedlingen\.", rest.strip()), rest
    assert f"Job seeker registration from {services.urls['issuer']}" in told
    choice = told.index("Short course certificate or course results, one is enough:")
    assert [one.partition(" from ")[0] for one in told[choice + 1 : choice + 3]] == [
        "Short course certificate",
        "Course results",
    ]
    assert not [canary for canary in CANARIES if canary in rest + said + "".join(told)]


NEEDS = json.dumps(
    {
        "needs": [
            {
                "text": {"en": "One"},
                "options": [
                    [
                        {
                            "title": {"en": "Course record"},
                            "sources": [{"name": "Uni", "url": "https://uni.example", "every_kind": True}],
                        }
                    ]
                ],
            }
        ]
    }
).encode()
PROBLEM = b'{"type": "about:blank", "title": "Unauthorized", "detail": "the key is not known"}'


@pytest.mark.parametrize(
    ("status", "body", "unset", "said"),
    [
        (401, PROBLEM, "", "Unauthorized: the key is not known"),
        (502, b"<h1>Bad gateway</h1>", "", "502"),
        (200, b"<h1>Welcome</h1>", "", "no answer of a verifier"),
        (200, b'{"id": "1"}', "", "no answer of a verifier"),
        (200, b'{"needs": []}', "", "no answer of a verifier"),  # No request is made by that.
        (200, NEEDS, "", "no answer of a verifier"),
        (None, b"", "", "curl"),
        (401, PROBLEM, "VERIFIER_URL", "VERIFIER_URL is not set"),
        (401, PROBLEM, "VERIFIER_KEY_FILE", "VERIFIER_KEY_FILE is not set"),
        (401, PROBLEM, "key", "No such file"),
    ],
)
def test_what_fails_in_the_shell_script_is_no_refusal(
    tmp_path: Path, status: int | None, body: bytes, unset: str, said: str
) -> None:
    """Whoever reads the exit status never takes a failure for "not eligible"; what failed is said in words."""
    key = tmp_path / "key"
    if unset != "key":
        key.write_text("secret-of-the-key")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status or 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is written where the test's own output goes."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            port = server.server_port if status is not None else 1
            environment = {**os.environ, "VERIFIER_URL": f"http://127.0.0.1:{port}", "VERIFIER_KEY_FILE": str(key)}
            environment.pop(unset, None)
            run = subprocess.run(
                ["sh", str(EXAMPLE / "apply.sh")], capture_output=True, text=True, env=environment, timeout=WAIT_SECONDS
            )
        finally:
            server.shutdown()

    assert run.returncode == 2, run
    assert said in run.stderr
    assert ("Course record, perhaps from https://uni.example" in run.stdout) == (body == NEEDS)
    assert "Traceback" not in run.stderr
    assert "secret-of-the-key" not in run.stdout + run.stderr


def _application(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The application in this process, freshly imported."""
    for name, value in {
        "APPLICATION_URL": "http://localhost:1",
        "VERIFIER_URL": "http://localhost:2",
        "VERIFIER_KEY": "key",
        "WEBHOOK_SECRET": new_secret(),
        "SEEN_FILE": str(tmp_path / "seen"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "examples.jobbspranget.application", raising=False)
    return importlib.import_module("examples.jobbspranget.application")


def _learns(
    monkeypatch: pytest.MonkeyPatch, application: ModuleType, state: str, verdict: str, found: dict[str, str] | None
) -> None:
    """The application is told of a request which the verifier describes like this."""
    accepted = verdict == "accepted" and state == "answered"
    result = VerifierResult("1", "number", state, accepted, verdict, (), None, "2027-01-01", {"eligibility": found})

    class Told:
        async def get_result(self, _: str) -> VerifierResult:
            return result

    monkeypatch.setattr(application, "verifier", Told())
    asyncio.run(application.learn("1"))


def _applied(visitor: Visitor, url: str) -> tuple[str, str, str]:
    """The first page, the link to the wallet, and the address of the application that this browser now has."""
    status, page = visitor.opens(url)
    assert status == 200, page
    match = re.search(r'id="wallet" class="button" href="([^"]+)"', page)
    assert match is not None, page
    return page, html.unescape(match[1]), url + list(visitor.cookies)[-1]


def _wait_until_told(log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while '"POST /told HTTP/1.1" 200' not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
