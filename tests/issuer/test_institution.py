"""Who the institution is: said in settings or a profile, and the same for the service and every command beside it."""

import json
from pathlib import Path

import pytest

from issuer.app import announcements
from issuer.context import profile_of
from issuer.institution import record_institution
from issuer.results import Limits, Results, read_results
from issuer.settings import IssuerSettings
from schemas.learning.achievement import Source
from schemas.learning.completeness import completeness
from tests.issuer.desk import running_desk
from tests.issuer.pages.registrar import Registrar
from tests.issuer.terminal import Run
from tests.schemas.learning.samples import TODAY, course, report, sample
from tests.world import PROFILE

UNNAMED = sample("dk-tomcat-unsigned.xml")
TABLE = b"family_name,title_sv,date,hp\nNyman,Kurs,2026-06-15,7.5\n"


def read(data: bytes, **settings: object) -> Results:
    chosen = IssuerSettings.model_validate({"data": Path("x"), "port": 8151} | settings)
    return read_results(data, None, profile=profile_of(chosen), limits=Limits(), today=TODAY)


def sources(results: Results) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    states = {s.element.code: s.sources for s in completeness(results.achievements[0], demanded=()).states}
    return states["M3"], states["M4"]


def codes(results: Results) -> set[str]:
    return {noted.code for noted in results.warnings}


def test_the_address_of_the_service_stands_in_for_a_name_and_says_so() -> None:
    """Without a name the service can be tried at once, and nobody is told that a profile said it."""
    results = read(TABLE)
    (result,) = results.achievements
    assert result.awarding_body is not None
    assert set(result.awarding_body.names.values()) == {"localhost:8151"}
    assert sources(results) == ((Source.SETTINGS,), (Source.ADDRESS,))
    assert "address_as_name" in codes(results)


def test_a_name_from_the_settings_says_so() -> None:
    """The source is the settings, not a profile that nobody wrote."""
    results = read(TABLE, name="Nordanviks universitet")
    assert sources(results) == ((Source.SETTINGS,), (Source.SETTINGS,))
    assert "address_as_name" not in codes(results)


def test_a_record_that_names_its_body_needs_no_name_from_us() -> None:
    """The note is about certificates that would name the address."""
    results = read(report(course()))
    assert sources(results) == ((Source.ELMO,), (Source.ELMO,))
    assert "address_as_name" not in codes(results)


def test_a_lost_profile_keeps_nobody_from_revoking(run: Run, data: Path, tmp_path: Path) -> None:
    """Only what signs in the institution's name needs to know it; a damaged record is named as such."""
    (data / "institution.json").write_text('{"profile_file": "/not/there.toml"}')
    assert run("revoke", "unknown", "--data", data, "--json").fault["error"] == "not_found"
    assert run("account", "remove", "nobody", "--data", data, "--json").fault["error"] == "not_found"
    table = tmp_path / "results.csv"
    table.write_text("family_name,title\nÅs,Algebra\n", encoding="utf-8")
    assert "is not there" in run("import", table, "--data", data, "--json").fault["error_description"]
    (data / "institution.json").write_text('{"profile_file": 5}')
    assert "is damaged" in run("import", table, "--data", data, "--json").fault["error_description"]


def test_where_nobody_said_a_country_that_of_the_record_holds() -> None:
    """The default is no statement; as soon as name or country are said, another country is another body."""
    results = read(UNNAMED)
    result = results.achievements[0]
    assert result.awarding_body is not None
    assert (result.awarding_body.country, result.swedish_credits) == ("DK", None)
    assert sources(results) == ((Source.ELMO,), (Source.ADDRESS,))
    assert "other_country" not in codes(results)
    for said in ({"name": "Nordanviks universitet"}, {"country": "SE"}):
        assert read(UNNAMED, **said).achievements[0].awarding_body is None


def test_who_reads_a_file_on_the_pages_is_told_of_the_missing_name(tmp_path: Path) -> None:
    """Before anything is kept, with the setting that mends it, in both languages."""
    with running_desk(tmp_path, name="", name_en="") as desk:
        registrar = Registrar(desk).sign_in().upload(TABLE)
        assert "ISSUER_NAME" in registrar.words()
        assert "the address of the service" in registrar.words()
        registrar.language = "sv"
        assert "tjänstens adress" in registrar.visit(registrar.at).words()


def test_an_operator_is_told_at_start_that_the_name_is_missing(tmp_path: Path) -> None:
    """And not when there is one."""
    bare = IssuerSettings(data=tmp_path)
    assert any("ISSUER_NAME" in line for line in announcements(bare))
    for settings in (bare.model_copy(update={"name": "X"}), bare.model_copy(update={"profile_file": PROFILE})):
        assert not any("ISSUER_NAME" in line for line in announcements(settings))


# --- the commands in another shell -----------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """One result."""
    path = tmp_path / "one.csv"
    path.write_bytes(TABLE)
    return path


def named_by(run: Run, data: Path, file: Path, **environment: str) -> tuple[list[str], list[str]]:
    """What an import says of the sources of M3 and M4 and of the name: run with this environment."""
    report = json.loads(run("import", file, "--data", data, "--dry-run", "--json", **environment).stdout)
    (result,) = report["results"]
    return result["elements"]["M3"], result["elements"]["M4"]


def test_commands_take_the_institution_that_the_service_has(
    run: Run, data: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, country and profile, also from another directory and another shell; an environment of one's own counts."""
    (tmp_path / "profile.toml").write_bytes(PROFILE.read_bytes())
    assert named_by(run, data, table) == (["settings"], ["address"])
    record_institution(IssuerSettings(data=data, profile_file=Path("profile.toml")))
    monkeypatch.chdir("/")
    assert named_by(run, data, table) == (["profile"], ["profile"])
    assert named_by(run, data, table, ISSUER_NAME="X") == (["settings"], ["settings"])
    monkeypatch.delenv("ISSUER_NAME")
    record_institution(IssuerSettings(data=data, name="Norra", country="NO"))
    assert named_by(run, data, table) == (["settings"], ["settings"])
    said = run("import", tmp_path / "one.csv", "--data", data, "--json")
    assert json.loads(said.stdout)["import"]
    record_institution(IssuerSettings(data=data))  # a later start without a name
    assert named_by(run, data, table) == (["settings"], ["address"])


def test_a_profile_that_has_gone_is_named(run: Run, data: Path, table: Path, tmp_path: Path) -> None:
    """Rather than signing under another name."""
    there = tmp_path / "profile.toml"
    there.write_bytes(PROFILE.read_bytes())
    record_institution(IssuerSettings(data=data, profile_file=there))
    there.unlink()
    said = run("offer", "--from", table, "--data", data, "--json")
    assert (said.status, said.fault["error"]) == (2, "unsafe_settings")
    assert str(there) in said.fault["error_description"]
    assert run("offer", "--from", table, "--data", data, ISSUER_NAME="X").status == 0


def test_whoever_offers_at_the_terminal_is_told_of_the_missing_name(run: Run, data: Path, table: Path) -> None:
    """From a file and from an earlier import; the offers are made all the same."""
    made = json.loads(run("import", table, "--data", data, "--json").stdout)
    for source in (["--from", table], ["--import", made["import"]]):
        said = run("offer", *source, "--data", data, "--json")
        assert (said.status, len(json.loads(said.stdout))) == (0, 1)
        assert "ISSUER_NAME" in said.stderr
