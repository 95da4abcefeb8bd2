"""People, their memberships and invitations.

A membership is never deleted: reports keep who used what.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization, Tier
from config.kit.addresses import AddressField, canonical_address, is_erased
from config.kit.append_only import Keep
from config.kit.one_line import validate_name

# Who reports usage may go on naming people by addresses they had (E6a).
FORMER_ADDRESS = Keep(
    "former_address",
    "UPDATE OF email",
    "accounts_formeraddress",
    copies=(("user_id", "OLD.id"), ("email", "OLD.email")),
    until="until_at",
    when="OLD.email <> NEW.email",
)


# The one row of people that is no person: whose the organizations' unattributed lines
# are. No address, so that no mail goes there, nobody signs in and nobody can have it.
NOBODYS_ADDRESS = "unattributed"
NOBODYS_NAME = "Unattributed"


class Role(models.TextChoices):
    MEMBER = "member", _("Member")
    ADMIN = "admin", _("Admin")
    OWNER = "owner", _("Owner")
    PRIMARY_OWNER = "primary_owner", _("Primary Owner")

    @property
    def rank(self) -> int:
        """Its place in member < admin < owner < primary_owner (D3)."""
        return list(Role).index(self)


ASSIGNED_ROLES = [Role.MEMBER, Role.ADMIN, Role.OWNER]


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        """A new person; e-mail addresses are kept in one spelling."""
        user = self.model(email=canonical_address(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **extra: Any
    ) -> User:
        """A new operator of the whole installation."""
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, **extra
        )

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=canonical_address(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address."""

    email = AddressField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, validators=[validate_name])
    language = models.CharField(
        _("language"),
        max_length=5,
        default="en",
        choices=[("en", "English"), ("ja", "日本語")],
    )
    is_staff = models.BooleanField(_("operator"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()
    # The organization that a new person is about to join, until they belong to it.
    joins: Organization | None = None

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    guards = (FORMER_ADDRESS,)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [
            ("erase_user", "Can erase a person"),
            ("export_user", "Can export what is kept of a person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="user_email_is_lower_case",
            ),
        ]
        indexes = [
            # Few are: the member table counts without joining everybody.
            models.Index(
                fields=["id"],
                condition=models.Q(is_active=False),
                name="people_switched_off",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What sessions are bound to: a new address ends them, like a new password
        (S4), whatever changes it.
        """
        salt = "accounts.models.people.User.session"
        bound = f"{self.password}|{self.email}"
        return salted_hmac(salt, bound, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> MembershipQuerySet:
        """Those who have not been removed."""
        return self.filter(status=Membership.Status.ACTIVE)

    def enabled(self) -> MembershipQuerySet:
        """Active ones whose account no operator has switched off: who can act."""
        return self.active().filter(user__is_active=True)

    def on_seat(self, tier: str) -> MembershipQuerySet:
        """Active memberships that occupy a seat of `tier`."""
        return self.active().filter(seat_tier=tier)

    def owners(self) -> MembershipQuerySet:
        """Owners who can act, the primary owner among them."""
        return self.enabled().filter(base_role=Role.OWNER)

    def owners_to_mail(self) -> MembershipQuerySet:
        """Owners who can act, with their users."""
        return self.owners().select_related("user")


class PeopleManager(models.Manager.from_queryset(MembershipQuerySet)):  # type: ignore[misc]
    """Memberships of people: never the line of those whom nobody knows (X2)."""

    def get_queryset(self) -> MembershipQuerySet:
        """All but the organizations' unattributed lines."""
        rows: MembershipQuerySet = super().get_queryset()
        return rows.exclude(status=Membership.Status.NOBODY)


class Membership(models.Model):
    """A person in an organization, with role and seat.

    `base_role` never says primary owner: that is `organization.primary_owner`, who
    always has base role owner.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        REMOVED = "removed", _("Removed")
        # No person: the organization's line for usage of somebody unknown, so that
        # events, counters and bills need no second kind of owner (X2).
        NOBODY = "nobody", _("Unattributed")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    base_role = models.CharField(
        _("role"),
        max_length=10,
        choices=[(role.value, role.label) for role in ASSIGNED_ROLES],
        default=Role.MEMBER,
    )
    seat_tier = models.CharField(
        _("seat"), max_length=10, choices=Tier, null=True, blank=True
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.ACTIVE
    )
    # What held before, oldest first: ["2026-12-01T09:00:00+00:00", "standard", true] was
    # an active member's standard seat until then. Usage that is reported late is charged
    # to the member as they were (E5); the recorder reads both columns with the row.
    past_seats = models.JSONField(_("past seats"), default=list, editable=False)
    seat_changed_at = models.DateTimeField(
        _("seat changed"), null=True, blank=True, editable=False
    )
    joined_at = models.DateTimeField(_("joined"))
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    # Whoever lists, counts or finds people meets people alone; the unattributed line is
    # reached by the rows that refer to it, or through `with_nobody`.
    objects = PeopleManager()
    with_nobody = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="one_membership_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    base_role__in=[role.value for role in ASSIGNED_ROLES]
                ),
                name="membership_role_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(seat_tier__isnull=True)
                | models.Q(seat_tier__in=Tier.values),
                name="membership_seat_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status="active", removed_at__isnull=True)
                | models.Q(
                    status="removed", removed_at__isnull=False, seat_tier__isnull=True
                )
                | models.Q(
                    status="nobody",
                    removed_at__isnull=True,
                    seat_tier__isnull=True,
                    base_role=Role.MEMBER,
                ),
                name="removed_membership_has_time_and_no_seat",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "status", "seat_tier"], name="membership_seats"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_active(self) -> bool:
        """Whether the person still belongs to the organization."""
        return self.status == self.Status.ACTIVE

    @property
    def is_nobody(self) -> bool:
        """Whether it is the line for usage of somebody unknown."""
        return self.status == self.Status.NOBODY

    @property
    def is_enabled(self) -> bool:
        """Whether they belong to it and their account is not switched off; needs `user`
        loaded.
        """
        return self.is_active and self.user.is_active

    @property
    def is_erased(self) -> bool:
        """Whether a pseudonym stands for the person; needs `user` loaded."""
        return is_erased(self.user.email)

    @property
    def role(self) -> Role:
        """The role as people know it; needs `organization` loaded."""
        return (
            Role.PRIMARY_OWNER
            if self.organization.primary_owner_id == self.user_id
            else Role(self.base_role)
        )

    def is_at_least(self, role: Role) -> bool:
        """Whether the role reaches `role` (D3)."""
        return self.role.rank >= role.rank


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self, *, now: dt.datetime) -> InvitationQuerySet:
        """Those that can still be accepted at `now`."""
        return self.filter(
            accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
        )


class Invitation(models.Model):
    """A link that lets one address join. Only the token's hash is kept."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    email = AddressField(_("e-mail address"))
    base_role = models.CharField(
        _("role"),
        max_length=10,
        choices=[(role.value, role.label) for role in ASSIGNED_ROLES],
        default=Role.MEMBER,
    )
    seat_tier = models.CharField(
        _("seat"), max_length=10, choices=Tier, null=True, blank=True
    )
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("sent"))
    # When the mail server took the link; empty while it has not.
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"))
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_open_invitation_per_address",
            ),
        ]

    def __str__(self) -> str:
        return self.email
