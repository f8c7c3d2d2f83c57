"""What `python -m bot check` finds in the settings: every problem has an id, and no secret is ever printed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot import check
from bot.settings import SECRETS, Settings
from db import migrate
from scoring.catalogue import RULES, load

CANARY = "c4naryS3cretC4naryS3cretC4naryS3cretC4nary"  # 42 characters: wrong for a token and for a key
TOKEN = "12345678:" + "A" * 35
KEY = "k" * 43


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing of ours is set but a database that is in order."""
    for name in list(os.environ):
        if name.startswith("HONGXIN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HONGXIN_DATABASE_URL", f"sqlite:///{tmp_path / 'city.db'}")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A migrated database for `database` to copy."""
    made = tmp_path_factory.mktemp("migrated") / "city.db"
    migrate.upgrade(f"sqlite:///{made}")
    return made


@pytest.fixture
def database(migrated, tmp_path):
    """The path of a migrated database of one's own."""
    return Path(shutil.copy(migrated, tmp_path / "city.db"))


@pytest.fixture
def found(monkeypatch):
    """`found(PORT="8080")`: the ids of the problems with these variables set."""

    def look(**variables: str) -> list[str]:
        return [problem.id for problem in told(monkeypatch, **variables)]

    return look


def told(monkeypatch, **variables: str) -> list[check.Problem]:
    for name, value in variables.items():
        monkeypatch.setenv(f"HONGXIN_{name}", value)
    settings, problems = check.read_settings()
    return check.problems(settings) if settings else problems


WECHAT = {"WECHAT_APP_ID": "wx1", "WECHAT_APP_SECRET": "s", "WECHAT_TOKEN": "t", "WECHAT_AES_KEY": KEY}
WEBHOOK = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_MODE": "webhook", "PUBLIC_URL": "https://chat.example.org"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"PORT": "eighty"}, ["E001"]),
        ({"TIMEZONE": "Mars/Base"}, ["E001"]),
        ({"TIMEZONE": "../etc/passwd"}, ["E001"]),
        ({"TIMEZONE": "Asia"}, ["E001"]),
        ({"TELEGRAM_MODE": "pigeon"}, ["E001"]),
        ({"TELEGRAM_API_URL": "https://api.example.org/bot"}, ["E001"]),
        ({"WECHAT_API_URL": "api.example.org"}, ["E001"]),
        ({"DEMO": "perhaps", "WEB_CHAT": "perhaps"}, ["E001", "E001"]),
        ({"TELEGRAM_TOKEN_FILE": "missing"}, ["E002"]),
        ({"TELEGRAM_TOKEN_FILE": "."}, ["E002"]),
        ({"DATABASE_URL": "mysql://localhost/x"}, ["E010"]),
        ({"DATABASE_URL": "not an address"}, ["E010"]),
        ({"DATABASE_URL": "postgresql://user@host:port/x"}, ["E010"]),
        ({"DATABASE_URL": "sqlite://"}, ["E011"]),
        ({"DATABASE_URL": "sqlite:///:memory:"}, ["E011"]),
        ({"DATABASE_URL": "sqlite:///var/other.db"}, ["W012"]),
        ({"DATABASE_URL": "sqlite:///city.db/inside.db"}, ["E016"]),
        ({"DATABASE_URL": "sqlite:///."}, ["E014"]),
        ({"DATABASE_URL": "postgresql://hongxin@127.0.0.1:1/x"}, ["E015"]),
        ({"TELEGRAM_TOKEN": TOKEN}, []),
        ({"TELEGRAM_TOKEN": "1234:short"}, ["E030"]),
        ({**WEBHOOK, "TELEGRAM_SECRET": "abc_DEF-123"}, []),
        (WEBHOOK, ["E031"]),
        ({**WEBHOOK, "TELEGRAM_SECRET": "white space"}, ["E031"]),
        ({**WEBHOOK, "TELEGRAM_SECRET": "s" * 257}, ["E031"]),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_MODE": "webhook", "TELEGRAM_SECRET": "s"}, ["E032"]),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_FULL_NAMES": "true"}, ["W033"]),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": "http://api.example.org"}, ["W034"]),
        ({"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": "http://127.0.0.1:9"}, []),
        (WECHAT, []),
        ({"WECHAT_APP_ID": "wx1"}, ["E040", "E040", "E040"]),
        ({"WECHAT_TOKEN": "t"}, ["E040", "E040", "E040"]),
        ({**WECHAT, "WECHAT_AES_KEY": KEY[1:]}, ["E041"]),
        ({**WECHAT, "WECHAT_PREVIOUS_AES_KEY": KEY + "k"}, ["E041"]),
        ({**WECHAT, "WECHAT_API_URL": "http://api.example.org"}, ["W044"]),
        ({**WECHAT, "WECHAT_CARDS": "no/such.toml"}, ["E045"]),
        ({"DEMO": "true", "HOST": "0.0.0.0"}, ["W050", "W051"]),
        ({"DEMO": "true"}, []),
        ({"HOST": "0.0.0.0"}, ["W051"]),
        ({"HOST": "0.0.0.0", "PUBLIC_URL": "https://chat.example.org"}, []),
        ({"WEB_CHAT": "false"}, ["E052"]),
        ({"PUBLIC_URL": "chat.example.org"}, ["E053"]),
        ({"COOKIE_SECRET": "short"}, ["W054"]),
        ({"COOKIE_SECRET": "long enough to be one"}, []),
        ({"TRUSTED_PROXIES": "127.0.0.1,10.0.0.2"}, []),
        ({"TRUSTED_PROXIES": "*"}, ["W055"]),
        ({"PORT": "0"}, ["E060"]),
        ({"PORT": "65535"}, []),
        ({"PORT": "65536"}, ["E060"]),
        ({"WRITERS": "0"}, ["E061"]),
        ({"LOG_LEVEL": "loud"}, ["E062"]),
        ({"ROLE": "worker"}, ["E065"]),
        ({"ROLE": "web"}, ["E065", "W066"]),
        ({"LOG_LEVEL": "DEBUG"}, ["W063"]),
        ({"FAILPOINT": "send.after_intent:3"}, ["W064"]),
    ],
    ids=str,
)
def test_every_odd_setting_is_told_by_its_id(database, found, variables, expected, monkeypatch):
    # That the schema of this database is ours takes half a second to find, and other tests find it.
    monkeypatch.setattr(migrate, "differences", lambda _connection: [])
    assert found(**variables) == expected


def test_every_id_in_the_source_is_tested_here():
    source, tested = (Path(file).read_text(encoding="utf-8") for file in (check.__file__, __file__))
    known = {part[:4] for part in source.split('Problem("')[1:]}
    assert len(known) > 20
    assert known == {one for one in known if f'"{one}"' in tested}


def test_defaults_have_only_the_database_to_make(monkeypatch):
    monkeypatch.delenv("HONGXIN_DATABASE_URL")
    problems = told(monkeypatch)
    assert [(problem.id, problem.message) for problem in problems] == [("W012", "the database does not exist yet")]
    assert not problems[0].stops


def test_an_old_schema_is_a_warning_and_a_newer_one_an_error_with_its_sentence(monkeypatch, database):
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    newer = told(monkeypatch)
    assert [problem.id for problem in newer] == ["E014"]
    assert newer[0].message.startswith("the database has schema 9999, this program knows up to ")
    database.unlink()
    database.touch()
    assert [problem.id for problem in told(monkeypatch)] == ["W013"]


def test_a_damaged_file_is_an_error_and_stays_as_it_is(monkeypatch, database):
    with database.open("r+b") as file:
        file.truncate(10_000)
    before = database.read_bytes()
    problems = told(monkeypatch)
    assert [(problem.id, problem.message) for problem in problems] == [
        ("E014", "city.db is damaged: its end is missing; restore a backup. Nothing was changed")
    ]
    assert database.read_bytes() == before


def test_a_schema_that_somebody_altered_and_a_lost_trigger_are_told(monkeypatch, database):
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TRIGGER entry_no_delete")
        connection.execute("DROP INDEX ix_entry_cause")
    connection.close()
    problems = told(monkeypatch)
    assert [problem.id for problem in problems] == ["W013", "W017"]
    assert problems[0].message == "entry has lost the trigger that keeps it append-only"


def test_a_rule_file_with_mistakes_stops_the_start(monkeypatch, database, tmp_path):
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    (folder / "negative_list.csv").unlink()
    monkeypatch.setattr(check, "load", lambda: load(folder))
    problems = told(monkeypatch)
    assert [(problem.id, problem.message) for problem in problems] == [("E020", "negative_list.csv: is missing")]


def test_every_secret_is_known_to_be_one():
    """A new secret must be added to SECRETS, or it could not come from a file."""
    secret = {name for name, field in Settings.model_fields.items() if SecretStr in _types(field.annotation)}
    assert secret == set(SECRETS)


def _types(annotation):
    return getattr(annotation, "__args__", (annotation,))


@pytest.mark.parametrize("by_file", [False, True])
def test_no_problem_ever_shows_a_secret(monkeypatch, database, tmp_path, by_file):
    """A canary that is wrong in every secret field, and in everything that stands beside one."""
    for name in SECRETS:
        variable = f"HONGXIN_{name.upper()}"
        if by_file:
            (tmp_path / name).write_text(f"{CANARY}\n", encoding="utf-8")
            monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / name))
        else:
            monkeypatch.setenv(variable, CANARY)
    broken = {"PORT": "0", "LOG_LEVEL": "loud", "TELEGRAM_MODE": "webhook", "WECHAT_APP_ID": "wx1"}
    for url in (
        "",
        f"mysql://hongxin:{CANARY}@host/x",
        f"postgresql://hongxin:{CANARY}@host:port/x",
        f"postgresql://hongxin:{CANARY}@127.0.0.1:1/x",
    ):
        more = {"DATABASE_URL": url} if url else {}
        problems = told(monkeypatch, **broken, **more)
        assert {"E030", "E041", "E060"} <= {problem.id for problem in problems}
        assert CANARY not in repr(problems)
        settings, _ = check.read_settings()
        assert settings is not None
        assert settings.telegram_token is not None
        assert settings.telegram_token.get_secret_value() == CANARY
        if not url:
            assert CANARY not in repr(settings)
    assert CANARY not in repr(told(monkeypatch, PORT="eighty"))


def test_a_secret_from_a_file_is_used_and_the_variable_itself_goes_first(monkeypatch, database, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    assert told(monkeypatch, TELEGRAM_TOKEN_FILE="token") == []
    assert [problem.id for problem in told(monkeypatch, TELEGRAM_TOKEN="odd")] == ["E030", "W003"]


def test_a_file_that_is_no_text_is_named_and_not_shown(monkeypatch, tmp_path):
    (tmp_path / "token").write_bytes(b"\xff\xfe" + CANARY.encode("utf-16-le"))
    problems = told(monkeypatch, TELEGRAM_TOKEN_FILE="token")
    assert [problem.message for problem in problems] == ["HONGXIN_TELEGRAM_TOKEN_FILE: the file is not UTF-8 text"]


def test_an_empty_variable_is_as_good_as_none(monkeypatch, database):
    """A line `HONGXIN_PORT=` in an environment file means: the default."""
    empty = {name.upper(): "" for name in Settings.model_fields if name != "database_url"}
    assert told(monkeypatch, **empty) == []
    settings, _ = check.read_settings()
    assert settings is not None
    for name, field in Settings.model_fields.items():
        if name != "database_url" and field.default is not PydanticUndefined:
            assert getattr(settings, name) == field.default


def test_every_message_and_hint_is_one_line(monkeypatch):
    problems = told(
        monkeypatch, **{**WEBHOOK, "PORT": "0", "HOST": "0.0.0.0", "WECHAT_APP_ID": "w", "WRITERS": "0"}
    )
    assert len(problems) > 5
    assert all("\n" not in problem.message + problem.hint and problem.hint for problem in problems)
