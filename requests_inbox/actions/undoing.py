"""The way back of a decision: the request waits again, and its answer is never mailed.

What an approval changed, a cap or a seat, is a change of its own and taken back beside it.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.actions.mails import take_back_mail
from accounts.actions.undoing import Undoing, after_undo, undoes
from accounts.models import AuditEntry, Role
from config.kit.errors import BusinessError
from requests_inbox.actions.deciding import ANSWER, Decided
from requests_inbox.actions.publishing import publish_created
from requests_inbox.models import UsageRequest
from requests_inbox.queries import PEOPLE

ENDED = (UsageRequest.Status.RESOLVED, UsageRequest.Status.WITHDRAWN)
DECISIONS = ("request.approve", "request.dismiss")
UNDECIDED = {
    "status": UsageRequest.Status.PENDING,
    "ended_at": None,
    "decided_by": None,
    "decided_by_label": "",
    "answer_note": "",
    "granted_nanos": None,
    "granted_month_only": False,
    "granted_tier": "",
    "cap_before_nanos": None,
    "change": None,
}


def decision_changes(decided: Decided) -> list[int]:
    """The audit entries (ids) of a decision and of what it changed; none where it also
    selected the member, which stays.
    """
    request = decided.request
    assert request.ended_at is not None  # it is decided
    made = AuditEntry.objects.filter(
        organization=request.organization_id, actor=request.decided_by
    )
    changed_selection = made.filter(action="extra_usage.switch", at=request.ended_at)
    if changed_selection.exists():
        return []
    entry = made.filter(
        action__in=DECISIONS, membership=request.membership_id, at=request.ended_at
    ).last()
    changes = [request.change_id, entry.pk if entry else None]
    return [pk for pk in changes if pk is not None]


@undoes(
    *DECISIONS,
    role=Role.ADMIN,
    spoilers=DECISIONS,
    covers=("cap.member", "member.seat"),
)
def reopen(undoing: Undoing) -> list[str]:
    """Let the request wait again.

    Raises BusinessError `answer_sent` where its member was told, `asked_again` where they
    asked anew.
    """
    before = undoing.before
    request = UsageRequest.objects.select_related(*PEOPLE).get(
        organization=undoing.organization, pk=before["request"]
    )
    name = {"name": request.membership.user}
    pending = UsageRequest.objects.pending().filter(membership=request.membership_id)
    if pending.exists():
        raise BusinessError(
            _("%(name)s has asked again since; decide about that.") % name,
            code="asked_again",
        )
    if request.ended_at != undoing.entry.at:
        raise BusinessError(
            _("%(name)s’s request was decided anew since.") % name, code="changed_since"
        )
    if not take_back_mail(f"{ANSWER}:{request.pk}"):
        raise BusinessError(
            _("%(name)s has already been told by e-mail, so it can't be undone.")
            % name,
            code="answer_sent",
        )
    for column, value in {
        **UNDECIDED,
        "spent_nanos": before["spent_nanos"],
        "cap_nanos": before["cap_nanos"],
    }.items():
        setattr(request, column, value)
    request.save(update_fields=[*UNDECIDED, "spent_nanos", "cap_nanos"])
    publish_created(request, now=undoing.now, again=True)
    return []


@after_undo
def ended_meanwhile(undoing: Undoing) -> list[str]:
    """Requests that a change let end by themselves stay ended (R5): people can ask anew."""
    entry = undoing.entry
    requests = UsageRequest.objects.filter(
        organization=undoing.organization, status__in=ENDED, ended_at__gte=entry.at
    )
    if entry.membership is not None:
        requests = requests.filter(membership=entry.membership)
    count = requests.count()
    if not count:
        return []
    sentence = ngettext(
        "%(count)d request that ended meanwhile stays ended; it can be asked anew.",
        "%(count)d requests that ended meanwhile stay ended; they can be asked anew.",
        count,
    )
    return [sentence % {"count": count}]
