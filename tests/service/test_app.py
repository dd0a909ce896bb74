"""What every answer of a service has, whatever the service."""

import gc
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.doorway import Doorway
from tests.service.conftest import Sample, make_sample
from tests.world import World

PROGRAM = {"Accept": "application/json"}


def test_an_error_is_the_standards_json_for_a_program(sample: Sample) -> None:
    answer = sample.client(**PROGRAM).get("/api/fault")

    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": "The form is not right."}
    assert answer.headers["cache-control"] == "no-store"


def test_an_error_is_a_page_with_sentences_first_and_the_code_as_text_for_a_person(sample: Sample) -> None:
    answer = sample.client().get("/api/fault")

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "This could not be done as it was asked" in answer.text
    assert "Nothing was changed and nothing was sent." in answer.text
    assert re.search(r'<code id="error-code">invalid_request</code>', answer.text)
    assert answer.text.index("<h1") < answer.text.index("invalid_request")


def test_an_error_page_speaks_the_readers_language(sample: Sample) -> None:
    answer = sample.client(**{"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.5"}).get("/nowhere")

    assert answer.status_code == 404
    assert "Det finns inget på den här adressen" in answer.text
    assert '<html lang="sv">' in answer.text


def test_an_unexpected_error_shows_an_id_and_no_value(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    page = sample.client().get("/api/broken")
    data = sample.client(**PROGRAM).get("/api/broken")

    assert page.status_code == data.status_code == 500
    assert data.json()["error"] == "server_error"
    assert len(data.json()["error_id"]) == 16
    said = page.text + data.text + "".join(capsys.readouterr())
    assert "secret-value-in-message" not in said
    assert "LookupError" not in page.text + data.text


def test_a_missing_field_is_named_and_no_value_is_repeated(sample: Sample) -> None:
    answer = sample.client(**PROGRAM).post("/api/named", data={"name": "Alva", "count": "not-a-number-4711"})

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert "count" in answer.json()["error_description"]
    assert "4711" not in answer.text
    assert "Alva" not in answer.text


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nowhere", 404, "not_found"),
    ("POST", "/health", 405, "method_not_allowed"),
])  # fmt: skip
def test_what_is_not_there_is_told_in_json(sample: Sample, method: str, path: str, status: int, code: str) -> None:
    answer = sample.client(**PROGRAM).request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"] == code


def test_pages_carry_the_security_headers(sample: Sample) -> None:
    headers = sample.client().get("/form").headers

    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_json_answers_may_not_run_anything(sample: Sample) -> None:
    headers = sample.client(**PROGRAM).get("/health").headers

    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_pages_have_no_inline_script_or_style(sample: Sample) -> None:
    page = sample.client().get("/form").text

    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\s(style|on\w+)=", page)


@pytest.fixture
def https_sample(tmp_path: Path) -> Iterator[Sample]:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase of some length")
    made = make_sample(tmp_path, public_url="https://sample.example/prefix/", key_passphrase_file=passphrase)
    yield made
    made.database.close()


def test_https_is_made_to_stay(https_sample: Sample) -> None:
    assert https_sample.client().get("/prefix/form").headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/prefix/form", "/form"])
def test_a_service_under_a_path_prefix_answers_whether_or_not_the_proxy_takes_it_away(
    https_sample: Sample, path: str
) -> None:
    page = https_sample.client().get(path)

    assert page.status_code == 200
    assert 'href="/prefix/help"' in page.text
    stylesheet = re.search(r'href="(/prefix/static/[^"]+intyga\.css)"', page.text)
    assert stylesheet
    assert https_sample.client().get(stylesheet[1]).status_code == 200


def test_a_path_that_only_starts_like_the_prefix_is_another_path(https_sample: Sample) -> None:
    assert https_sample.client(**PROGRAM).get("/prefixed/form").status_code == 404


def test_static_files_may_be_kept_for_a_year(sample: Sample) -> None:
    answer = sample.client().get(sample.pages.static_files.path("intyga.css"))

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert sample.client(**PROGRAM).get("/static/0123/intyga.css").status_code == 404
    assert sample.client(**PROGRAM).get("/static/../settings.py").status_code == 404


@pytest.mark.parametrize(("path", "limit"), [("/upload", 5_000), ("/api/upload", 2_000_000)])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_body_may_be_as_large_as_the_limit_and_no_larger(
    sample: Sample, path: str, limit: int, streamed: bool
) -> None:
    client = sample.client(**PROGRAM)

    for size, status in ((limit - 1, 200), (limit, 200), (limit + 1, 413)):
        body = b"x" * size
        answer = client.post(path, content=iter([body[:1000], body[1000:]]) if streamed else body)
        assert answer.status_code == status, size
        if status == 413:
            assert answer.json()["error"] == "too_large"


def test_a_form_that_is_too_large_is_told_so_and_not_called_malformed(sample: Sample) -> None:
    parts = iter([b"name=", b"x" * 2_000_001])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = sample.client(**PROGRAM).post("/api/named", content=parts, headers=headers)

    assert answer.status_code == 413
    assert answer.json()["error"] == "too_large"


def test_health_needs_nothing_and_ready_needs_the_database(sample: Sample) -> None:
    client = sample.client(**PROGRAM)
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}

    with sample.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE intyga_schema RENAME TO gone")

    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code in (500, 503)


def test_the_api_description_is_off_unless_asked_for(sample: Sample) -> None:
    client = sample.client(**PROGRAM)

    assert client.get("/openapi.json").status_code == 404
    assert client.get("/docs").status_code == 404


def test_there_is_one_wrapper_around_every_request(sample: Sample) -> None:
    """Each further one would cost time on every request."""
    wrappers: list[object] = [middleware.cls for middleware in sample.app.user_middleware]

    assert wrappers == [Doorway]


def test_a_service_that_nobody_uses_any_more_is_not_kept(tmp_path: Path) -> None:
    """Neither its pages nor its database stay in what the web framework remembers of its handlers."""

    def used(world: World) -> list["weakref.ref[object]"]:
        apps = (world.university.app, world.wallet.app)
        databases = (world.university.context.store.database, world.wallet.deployment.database)
        assert world.wallet.browser().get("/help").status_code == 200
        world.close()
        return [weakref.ref(one) for one in (*databases, *(app.state.pages for app in apps))]

    kept = used(World(tmp_path))
    gc.collect()

    assert [one() for one in kept] == [None] * 4
