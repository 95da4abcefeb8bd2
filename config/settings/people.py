"""People: accounts, passwords, signing in; and mail to them."""

from __future__ import annotations

from config.settings.start import LOOPBACK, TESTING, env

# -- People ------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "config.demo.public.RefusesTheDemosPassword",
    "accounts.backends.AddressBackend",
]
# Lets the demo be made, and its known password sign in, where others reach us.
PUBLIC_DEMO = env.flag("PUBLIC_DEMO", default=False)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": (
            "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
        )
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "accounts.passwords.OwnWordsValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "config.demo.public.NotTheDemosPassword"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "accounts.sign_in_forms.ResetPasswordForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = (  # an address is proven by the invitation mail, the only way in
    "none"
)
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {  # of passwords: in `accounts.adapter`, of codes: here
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/h/key",
}
PASSWORD_RESET_TIMEOUT = 86_400  # seconds a mailed link lets choose a password
MFA_ADAPTER = "accounts.second_factor.MfaAdapter"
# What two-factor secrets are sealed with; without it, a key derived from SECRET_KEY.
MFA_ENCRYPTION_KEY = (
    env.secret("MFA_ENCRYPTION_KEY", needed=True)
    if env.text("MFA_ENCRYPTION_KEY")
    else ""
)
MFA_ENCRYPTION_KEY_FALLBACKS = env.old_secrets("MFA_ENCRYPTION_KEY_FALLBACKS")
REQUIRE_OPERATOR_2FA = env.flag("REQUIRE_OPERATOR_2FA", default=not LOOPBACK)
# Everybody signs in again after so many days; owners, admins and operators also when
# they did nothing for so many hours.
SESSION_DAYS = env.count("SESSION_DAYS", default=14, least=1, most=400)
SESSION_IDLE_HOURS = env.count("SESSION_IDLE_HOURS", default=12, least=1, most=9_600)
SESSION_COOKIE_AGE = SESSION_DAYS * 86_400
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Extra usage"
INVITATION_DAYS = env.count("INVITATION_DAYS", default=7, least=1, most=365)
INVITATIONS_AN_HOUR = env.count(
    "INVITATIONS_AN_HOUR", default=20, least=1, most=100_000
)
SECURITY_EVENT_DAYS = env.count(
    "SECURITY_EVENT_DAYS", default=400, least=1, most=36_500
)

# -- Privacy -----------------------------------------------------------------------------

# How long what is kept, in days; 0 keeps for ever (docs/privacy.md).
RETAIN_LABELS_DAYS = env.days("RETAIN_LABELS_DAYS", default=0)
RETAIN_AUDIT_DAYS = env.days("RETAIN_AUDIT_DAYS", default=0)
RETAIN_MAILS_DAYS = env.days("RETAIN_MAILS_DAYS", default=400)
RETAIN_INVITATIONS_DAYS = env.days("RETAIN_INVITATIONS_DAYS", default=400)
RETAIN_SESSIONS_DAYS = env.days("RETAIN_SESSIONS_DAYS", default=1, least=1)
RETAIN_ERASED_ADDRESSES_DAYS = env.days(
    "RETAIN_ERASED_ADDRESSES_DAYS", default=90, least=1
)

# -- Mail --------------------------------------------------------------------------------

vars().update(env.email("EMAIL_URL", default="consolemail://"))
if TESTING:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = env.sender(
    "DEFAULT_FROM_EMAIL", default="Extra usage <usage@localhost>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 20
