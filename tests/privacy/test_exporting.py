"""S17: whoever asks gets all that is kept about them, and nothing of anybody else."""

from __future__ import annotations

import io
import json
import stat
import zipfile

import pytest
from django.core.management import CommandError, call_command

from accounts.actions.audit import Actor, record_change
from accounts.models import AuditEntry, User
from tests.factories.people import make_user
from tests.privacy.bob import live

pytestmark = pytest.mark.django_db


def unpacked(content: bytes) -> dict[str, object]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name: json.loads(text) if name.endswith(".json") else text
        for name, text in texts.items()
    }


def test_s17_one_downloads_all_that_is_kept_about_oneself(client, acme, now):
    bob = live(acme, now=now).user
    client.force_login(bob)
    assert "/me/data.zip" in client.get("/me/").content.decode()
    response = client.get("/me/data.zip")
    assert response.streaming and response["Content-Type"] == "application/zip"
    assert response["Cache-Control"] == "private, no-store"
    files = unpacked(b"".join(response.streaming_content))
    assert files["user.json"][0]["email"] == "bob@acme.example"
    assert [one["status"] for one in files["membership.json"]] == ["removed"]
    assert {one["event_id"] for one in files["usage_event.json"]} == {
        "bob-code",
        "bob-chat",
        "labelled",
    }
    assert "daughter" in files["usage_request.json"][0]["note"]
    assert files["outgoing_mail.json"] and files["invoice_line.json"]
    assert "bob@acme.example" in files["about.txt"]


def test_s17_nobody_else_is_in_it(client, acme, bob, now):
    record_change(
        acme,
        actor=Actor(label="x"),
        action="organization.primary_owner",
        subject="Acme",
        now=now,
        membership=bob,
        from_value="alice@acme.example",
        to_value="bob@acme.example",
    )
    for person in (live(acme, now=now).user, User.objects.get(name="Ada Okafor")):
        client.force_login(person)
        text = str(unpacked(b"".join(client.get("/me/data.zip").streaming_content)))
        names = {"Alice", "alice@", "Ada", "ada@", "Charlie", "charlie@", "Feld"}
        own = {
            word
            for word in names
            if word.lower() in str(person.email) + person.name.lower()
        }
        own |= {"Feld"} if person.name == "Bob Feld" else {"Ada", "ada@"}
        # What a gateway wrote into a label of her own request stays in it.
        assert [word for word in names - own if word in text] == [], person


def test_s17_no_secret_is_in_it(client, acme, now):
    bob = live(acme, now=now).user
    client.force_login(bob)
    text = str(unpacked(b"".join(client.get("/me/data.zip").streaming_content)))
    for secret in (
        bob.password,
        "'secret'",
        "token_digest",
        "content_digest",
        "session_key",
    ):
        assert secret not in text, secret


def test_s17_signed_out_there_is_nothing(client, db):
    assert client.get("/me/data.zip").status_code == 302


def test_s17_a_person_of_nothing_gets_empty_lists(client, db):
    client.force_login(make_user("new@acme.example", "New"))
    files = unpacked(b"".join(client.get("/me/data.zip").streaming_content))
    assert files["usage_event.json"] == []


def test_s17_an_operator_exports_and_the_audit_says_so(client, acme, bob):
    operator = User.objects.create_superuser("op@host.example", name="Op")
    client.force_login(operator)
    page = f"/admin/accounts/user/{bob.user_id}/"
    assert f"{page}export/" in client.get(f"{page}change/").content.decode()
    files = unpacked(b"".join(client.get(f"{page}export/").streaming_content))
    assert files["user.json"][0]["name"] == "Bob Feld"
    entry = AuditEntry.objects.get(action="member.export")
    assert (entry.actor, entry.subject) == (operator, f"#{bob.user_id}")


def test_s17_the_command_writes_a_file_for_its_owner_alone(acme, bob, tmp_path):
    path = tmp_path / "bob.zip"
    call_command(
        "export_person", "bob@acme.example", to=str(path), stdout=io.StringIO()
    )
    assert unpacked(path.read_bytes())["user.json"][0]["name"] == "Bob Feld"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_person", "bob@acme.example", to=str(path))
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("export_person", "nobody@acme.example", to="x")
