"""Settings: a bad value ends the start with one sentence; README, .env.example and the
code list the same ones.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from redis.connection import parse_url

from config import addresses
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
    "SECRET_KEY_FALLBACKS": lambda env: env.old_secrets("SECRET_KEY_FALLBACKS"),
    "RATE_LIMIT_CALLS": lambda env: env.rate("RATE_LIMIT_CALLS", default="9/second"),
    "DOOR_MEMBER_HEADER": lambda env: env.header("DOOR_MEMBER_HEADER", default="x-a"),
    "RETAIN_MAILS_DAYS": lambda env: env.days("RETAIN_MAILS_DAYS", default=400),
    "ALLOWED_HOSTS": lambda env: env.hosts("ALLOWED_HOSTS", default=["localhost"]),
    "CSRF_TRUSTED_ORIGINS": lambda env: env.origins("CSRF_TRUSTED_ORIGINS", default=[]),
    "DEFAULT_FROM_EMAIL": lambda env: env.sender("DEFAULT_FROM_EMAIL", default="a@b"),
    "STRIPE_API_BASE": lambda env: env.service_url(
        "STRIPE_API_BASE", example="https://api.stripe.com"
    ),
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
    ("FALLBACK_INPUT_USD_PER_MTOK", "0.0000001"),
    ("RETAIN_MAILS_DAYS", "29"),
    ("RETAIN_MAILS_DAYS", "36501"),
    ("INVITATION_DAYS", "999999999"),
    ("LOG_LEVEL", "LOUD"),
    ("ALLOWED_HOSTS", "https://usage.example"),
    ("ALLOWED_HOSTS", "usage.example:8000"),
    ("ALLOWED_HOSTS", "usage.example, a b"),
    ("CSRF_TRUSTED_ORIGINS", "usage.example"),
    ("CSRF_TRUSTED_ORIGINS", "https://usage.example/path"),
    ("DEFAULT_FROM_EMAIL", "usage"),
    ("DEFAULT_FROM_EMAIL", "Usage, Inc. <usage@usage.example>"),
    ("DEFAULT_FROM_EMAIL", "usage@usage.example\nBcc: x@y.example"),
    ("STRIPE_API_BASE", "garbage"),
    ("SITE_URL", "https://a.example:port"),
    ("SITE_URL", "https://a.example:70000"),
    ("SITE_URL", "https://u:hunter2@a.example"),
    ("SITE_URL", "https://a b.example"),
    ("SITE_URL", "https://a.example/#x"),
    ("SITE_URL", "foo"),
    ("SITE_URL", "http://[x"),
    ("SITE_URL", "https://a.example/path"),
    ("DATABASE_URL", ""),
    ("DATABASE_URL", "mysql://u:hunter2@h/d"),
    ("DATABASE_URL", "postgres://u:hunter2@h:port/d"),
    ("DATABASE_URL", "postgres://u:hunter2@h"),
    ("DATABASE_URL", "postgres://u:hunter2/x@h:5432/d"),
    ("DATABASE_URL", "postgres://u:1/hunter2@h:5432/d"),
    ("DATABASE_URL", "postgres://u:hunter2#x@h:5432/d"),
    ("DATABASE_URL", "postgres://u:hunter2?x@h:5432/d"),
    ("DATABASE_URL", "postgres://u:hunter2@h:70000/d"),
    ("REDIS_URL", "http://h"),
    ("REDIS_URL", "redis://h:notaport"),
    ("REDIS_URL", "redis://h:70000/0"),
    ("REDIS_URL", "redis://h:/0"),
    ("REDIS_URL", "redis://"),
    ("REDIS_URL", "redis://a b/0"),
    ("REDIS_URL", "redis://h/first"),
    ("REDIS_URL", "redis://:hunter2/x@h:6379/0"),
    ("REDIS_URL", "unix:///run/redis.sock"),
    ("EMAIL_URL", "smtp"),
    ("EMAIL_URL", "carrier-pigeon://x"),
    ("EMAIL_URL", "smtp+tls://u:hunter2@h:port"),
    ("EMAIL_URL", "smtp+tls://u:hunter2#x@h:587"),
    ("EMAIL_URL", "smtp+tls://"),
    ("EMAIL_URL", "filemail://"),
    ("DOOR_MEMBER_HEADER", "x_extra_usage_member"),
    ("DOOR_MEMBER_HEADER", "x-extra-usage-member:"),
    ("RATE_LIMIT_CALLS", "many"),
    ("RATE_LIMIT_CALLS", "1000001/second"),
    ("RATE_LIMIT_CALLS", "0/second"),
    ("RATE_LIMIT_CALLS", "10"),
    ("RATE_LIMIT_CALLS", "10/week"),
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "a" * 60),
    ("SECRET_KEY", "django-insecure-" + STRONG),
    ("SECRET_KEY_FALLBACKS", f"{STRONG},short"),
    ("SECRET_KEY_FALLBACKS", "hunter2" * 2),
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
        ("SITE_URL", "http://[::1]:8000"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", ".usage.example,10.0.0.7,[::1],a_b"),
        ("CSRF_TRUSTED_ORIGINS", "https://*.usage.example,http://a.example:81"),
        ("DEFAULT_FROM_EMAIL", "usage@localhost"),
        ("DEFAULT_FROM_EMAIL", '"Usage, Inc." <usage@usage.example>'),
        ("DEFAULT_FROM_EMAIL", "利用 <usage@usage.example>"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8420"),
        ("STRIPE_API_BASE", ""),
        ("RETAIN_MAILS_DAYS", "0"),
        ("DATABASE_URL", "postgres:///d"),
        ("DATABASE_URL", "postgres://u:p@a,b:5432/d?sslmode=require"),
        ("DATABASE_URL", "postgres://u:p@h:5432/d"),
        ("REDIS_URL", ""),
        ("REDIS_URL", "rediss://h:6379/1"),
        ("REDIS_URL", "redis://[::1]:6379"),
        ("EMAIL_URL", "smtp+tls://u:p@h:587"),
        ("SECRET_KEY", STRONG),
        ("SECRET_KEY_FALLBACKS", ""),
        ("SECRET_KEY_FALLBACKS", f"{STRONG}, {STRONG[::-1]}"),
        ("RATE_LIMIT_CALLS", "600/Hour"),
        ("RATE_LIMIT_CALLS", "off"),
    ],
)
def test_a_good_value_is_read(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    READS[name](Environment())


# Whatever a password may hold, and how it stands in an address.
PASSWORD, ENCODED = "p@s/w#o?r:d%+ '\"$x", "p%40s%2Fw%23o%3Fr%3Ad%25%2B%20%27%22%24x"


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("postgres://u@h:5432/d", PASSWORD),
        (f"postgres://u:{ENCODED}@h:5432/d", ""),
        (f"postgres://u:{ENCODED}@h:5432/d", "of something else"),
    ],
)
def test_f21_a_password_of_any_characters_reaches_postgresql(address, password):
    read = addresses.database(address, password=password)
    assert (read["USER"], read["PASSWORD"], read["HOST"]) == ("u", PASSWORD, "h")


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("redis://h:6379/1", PASSWORD),
        (f"redis://:{ENCODED}@h:6379/1", ""),
        (f"redis://:{ENCODED}@h:6379/1", "of something else"),
    ],
)
def test_f21_a_password_of_any_characters_reaches_redis(address, password):
    read = addresses.redis(address, password=password)
    assert parse_url(read)["password"] == PASSWORD
    assert (parse_url(read)["host"], parse_url(read)["db"]) == ("h", 1)
    broker = Connection(read)
    assert (broker.hostname, broker.password) == ("h", PASSWORD)


def manage(
    *words: str, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
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
    settings = {name: settings[name] for name in settings if name not in without}
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
    "SECRET_KEY_FALLBACKS": STRONG[::-1],
    "BEHIND_PROXY": "true",
    "METRICS_TOKEN": STRONG[:40],
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


@pytest.mark.parametrize(("token", "code"), [("", 1), ("a-long-random-token", 0)])
def test_s29_check_deploy_asks_for_a_token_of_metrics_behind_a_proxy(token, code):
    proxy = {"BEHIND_PROXY": "true", "METRICS_TOKEN": token}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION | proxy)
    assert done.returncode == code
    assert re.findall(r"config\.W\d+", done.stderr) == ["config.W007"] * code


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
        ({"STRIPE_SECRET_KEY": "", "SANDBOX_PAYMENTS": "true"}, "config.W004"),
        ({"PUBLIC_DEMO": "true"}, "config.W008"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "config.W005"),
        ({"ALLOWED_HOSTS": "*"}, "config.W020"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "config.W021"),
    ],
)
def test_check_deploy_names_what_gives_money_away_is_open_or_lost_easily(
    missing, warning
):
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION | missing
    )
    assert done.returncode == 1 and re.findall(r"config\.W\d+", done.stderr) == [
        warning
    ]


def test_s28_check_deploy_says_that_nothing_can_be_bought_and_finds_no_fault():
    without = {**PRODUCTION, "STRIPE_SECRET_KEY": ""}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **without)
    assert done.returncode == 0 and "config.I001" in done.stderr


def test_the_operators_guide_explains_every_check():
    ids = set(
        re.findall(r'"(config\.[WI]\d+)"', (ROOT / "config/checks.py").read_text())
    )
    text = (ROOT / "docs/security.md").read_text()
    assert len(ids) > 7
    assert ids == set(re.findall(r"^\| `(config\.[WI]\d+)` \|", text, re.M))


def settings_of_code() -> dict[str, str | None]:
    """Every name that the settings read, with its default where that is a plain value."""
    found = {}
    for node in _nodes_of_settings():
        if (
            isinstance(node, ast.Call)
            and re.match(r"env\.(?!read_file|is_set)", ast.unparse(node.func))
            and node.args
        ):
            default = next(
                (word.value for word in node.keywords if word.arg == "default"),
                ast.Constant(""),
            )
            found[ast.literal_eval(node.args[0])] = _plain(default)
    return found


def _nodes_of_settings() -> Iterator[ast.AST]:
    for part in sorted((ROOT / "config/settings").glob("*.py")):
        yield from ast.walk(ast.parse(part.read_text()))


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
        r"^(?:# )?([A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M
    )
    return {
        name: "" if value.lstrip().startswith("(default") else value
        for name, value in lines
    }


def settings_of_readme() -> dict[str, str]:
    """Names and defaults of the README's table."""
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| (.*?) ?\| ", (ROOT / "README.md").read_text(), re.M
    )
    return {name: default.strip("` ") for name, default in rows}


def test_readme_and_env_example_list_every_setting_with_its_default():
    code = settings_of_code()
    assert len(code) > 15
    assert settings_of_readme() == settings_of_example()
    assert {
        name: default or "" for name, default in code.items()
    } == settings_of_example()
