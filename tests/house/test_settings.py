"""Settings: a bad value ends the start with one sentence; README, .env.example and the
code list the same ones.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
STRONG = "k3yFq8Zs7vWn2Rm9TbXc4Lp6HdJg1QaUe5Yi0OoSfVtNwBzMxCrPlKjh"
READS = {
    "DEBUG": lambda env: env.flag("DEBUG", default=False),
    "INVITATION_DAYS": lambda env: env.count("INVITATION_DAYS", default=7, least=1),
    "FALLBACK_INPUT_USD_PER_MTOK": lambda env: env.usd(
        "FALLBACK_INPUT_USD_PER_MTOK", default="5"
    ),
    "LOG_LEVEL": lambda env: env.choice(
        "LOG_LEVEL", default="INFO", options=("DEBUG", "INFO")
    ),
    "SITE_URL": lambda env: env.site_url("SITE_URL", default="http://127.0.0.1:8000"),
    "DATABASE_URL": lambda env: env.database("DATABASE_URL", default="sqlite:///db"),
    "REDIS_URL": lambda env: env.redis("REDIS_URL"),
    "EMAIL_URL": lambda env: env.email("EMAIL_URL", default="consolemail://"),
    "SECRET_KEY": lambda env: env.secret("SECRET_KEY", needed=True),
}
BAD = [
    ("DEBUG", "maybe"),
    ("INVITATION_DAYS", "0"),
    ("INVITATION_DAYS", "7.5"),
    ("INVITATION_DAYS", "9" * 5000),
    ("FALLBACK_INPUT_USD_PER_MTOK", "abc"),
    ("FALLBACK_INPUT_USD_PER_MTOK", "NaN"),
    ("FALLBACK_INPUT_USD_PER_MTOK", "-1"),
    ("FALLBACK_INPUT_USD_PER_MTOK", "1e30"),
    ("LOG_LEVEL", "LOUD"),
    ("SITE_URL", "foo"),
    ("SITE_URL", "http://[x"),
    ("SITE_URL", "https://a.example/path"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "mysql://u:hunter2@h/d"),
    ("DATABASE_URL", "postgres://u:hunter2@h:port/d"),
    ("DATABASE_URL", "postgres://u:hunter2@h"),
    ("REDIS_URL", "http://h"),
    ("EMAIL_URL", "smtp"),
    ("EMAIL_URL", "carrier-pigeon://x"),
    ("EMAIL_URL", "smtp+tls://u:hunter2@h:port"),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "a" * 60),
    ("SECRET_KEY", "django-insecure-" + STRONG),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_ends_the_start_with_one_sentence_that_names_it(
    monkeypatch, name, value
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        READS[name](Environment())
    sentence = str(stopped.value.code)
    assert sentence.startswith(f"{name} ") and "\n" not in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "True"),
        ("INVITATION_DAYS", "30"),
        ("FALLBACK_INPUT_USD_PER_MTOK", "7.5"),
        ("LOG_LEVEL", "debug"),
        ("SITE_URL", "https://usage.example:8443/"),
        ("DATABASE_URL", "postgres://u:p@h:5432/d"),
        ("REDIS_URL", ""),
        ("REDIS_URL", "rediss://h:6379/1"),
        ("EMAIL_URL", "smtp+tls://u:p@h:587"),
        ("SECRET_KEY", STRONG),
    ],
)
def test_a_good_value_is_read(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    READS[name](Environment())


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own, with these settings and no others."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG")
        if name in os.environ
    }
    settings = {
        "DEBUG": "false",
        "SECRET_KEY": STRONG,
        "DATABASE_URL": "sqlite:///:memory:",
        **environment,
    }
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_start_without_a_secret_exits_1_with_the_sentence_alone():
    done = manage("check", SECRET_KEY="")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr.startswith("SECRET_KEY is not set. ")
        and done.stderr.count("\n") == 1
    )


def test_check_deploy_is_clean_as_the_demo_runs(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "WARNING", VAR_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


PRODUCTION = {
    "SITE_URL": "https://usage.example",
    "ALLOWED_HOSTS": "usage.example",
    "REDIS_URL": "redis://redis:6379/0",
    "DATABASE_URL": "postgres://u:p@h:5432/d",
    "EMAIL_URL": "smtp+tls://u:p@h:587",
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "SELLER_NAME": "Usage Inc.",
}


def test_check_deploy_is_clean_in_production():
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_check_deploy_warns_of_invoices_without_a_seller():
    done = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        **PRODUCTION | {"SELLER_NAME": ""},
    )
    assert done.returncode == 1 and re.findall(r"config\.W\d+", done.stderr) == [
        "config.W006"
    ]


def test_check_deploy_names_what_would_not_serve_people():
    done = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        **{
            **PRODUCTION,
            "ALLOWED_HOSTS": "other.example",
            "REDIS_URL": "",
            "EMAIL_URL": "consolemail://",
        },
    )
    assert done.returncode == 1
    assert sorted(set(re.findall(r"config\.W\d+", done.stderr))) == [
        "config.W001",
        "config.W002",
        "config.W003",
    ]


@pytest.mark.parametrize(
    ("missing", "warning"),
    [
        ({"STRIPE_SECRET_KEY": ""}, "config.W004"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "config.W005"),
    ],
)
def test_check_deploy_names_payments_that_are_only_pretended_or_never_told(
    missing, warning
):
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION | missing
    )
    assert done.returncode == 1 and re.findall(r"config\.W\d+", done.stderr) == [
        warning
    ]


def settings_of_code() -> dict[str, str | None]:
    """Every name that settings.py reads, with its default where that is a plain value."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "config/settings.py").read_text())):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).startswith("env.")
            and node.args
        ):
            default = next(
                (word.value for word in node.keywords if word.arg == "default"),
                ast.Constant(""),
            )
            found[ast.literal_eval(node.args[0])] = _plain(default)
    return found


def _plain(default: ast.expr) -> str | None:
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def settings_of_example() -> dict[str, str]:
    """Names and values of .env.example; a commented name has no fixed default."""
    lines = re.findall(
        r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M
    )
    return {
        name: "" if value.lstrip().startswith("(default") else value
        for name, value in lines
    }


def settings_of_readme() -> dict[str, str]:
    """Names and defaults of the README's table."""
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (.*?) ?\| ", (ROOT / "README.md").read_text(), re.M
    )
    return {name: default.strip("` ") for name, default in rows}


def test_readme_and_env_example_list_every_setting_with_its_default():
    code = settings_of_code()
    assert len(code) > 15
    assert settings_of_readme() == settings_of_example()
    assert {
        name: default or "" for name, default in code.items()
    } == settings_of_example()
