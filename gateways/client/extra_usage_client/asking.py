"""One ask: by the server, or by what is remembered while it does not answer (X6)."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from dataclasses import replace

from extra_usage_client.answers import Answer, read_answer
from extra_usage_client.memory import Breaker, Remembered
from extra_usage_client.metrics import Metrics
from extra_usage_client.options import Options
from extra_usage_client.transport import NoAnswer, Reply, Transport

log = logging.getLogger("extra_usage_client")
SAY_AGAIN = 60.0  # seconds between two log lines about the same trouble
# The server is there and says what is wrong with the question.
NOT_UNDERSTOOD = (400, 404, 422)
AWAY = (
    "Extra usage can't be asked at the moment, so this request was not sent."
    " Try again in a minute."
)


class Asker:
    """Asks the server, and knows what holds while it is away."""

    def __init__(
        self, options: Options, transport: Transport, metrics: Metrics
    ) -> None:
        self._options, self._transport, self._metrics = options, transport, metrics
        self._remembered, self._breaker = Remembered(), Breaker()
        self._said_at = -SAY_AGAIN

    async def ask(self, member: str, *, surface: str, model: str | None) -> Answer:
        """The answer that holds for one call of the member."""
        answer = None
        if self._breaker.lets_ask(time.monotonic()):
            answer = await self._asked(member, surface=surface, model=model)
        self._metrics.breaker_open = int(self._breaker.is_open)
        if answer is None:
            return self._while_away(member)
        self._remembered.note(member, answer)
        return answer

    async def _asked(
        self, member: str, *, surface: str, model: str | None
    ) -> Answer | None:
        """The server's answer; None where there is none."""
        question: dict[str, object] = {"member": member, "surface": surface}
        if model:
            question["model"] = model
        if self._options.leases:
            question["lease"] = True
        self._metrics.asks += 1
        body = json.dumps(question).encode()
        try:
            reply = await self._transport.post(
                "authorize", body, timeout=self._options.timeout
            )
        except NoAnswer as error:
            self._failed(str(error))
            return None
        except BaseException:  # the caller left; whoever comes next tries
            self._breaker.failed(time.monotonic())
            raise
        return self._read(reply)

    def _read(self, reply: Reply) -> Answer | None:
        answer = read_answer(reply.body) if reply.status == 200 else None
        if answer is not None or reply.status in NOT_UNDERSTOOD:
            self._breaker.answered()
            return answer or _not_understood(reply)
        self._failed(reply.detail, wait=reply.retry_after)
        return None

    def _failed(self, why: str, *, wait: float | None = None) -> None:
        self._metrics.ask_failures += 1
        now = time.monotonic()
        self._breaker.failed(now, wait=wait)
        if now >= self._said_at + SAY_AGAIN:
            self._said_at = now
            policy = self._options.on_outage
            log.warning("No answer to an ask (%s). Until one: %s", why, policy)

    def _while_away(self, member: str) -> Answer:
        """What was last said holds on; whoever was not refused, by the policy."""
        refusal = self._remembered.refusal(member, now=dt.datetime.now(dt.UTC))
        if refusal is not None:
            self._metrics.outage_refused += 1
            return replace(refusal, said="outage")
        policy = self._options.on_outage
        has_included = self._remembered.has_included(member)
        if policy == "allow" or (policy == "allow_included" and has_included):
            self._metrics.outage_allowed += 1
            return Answer(allowed=True, said="outage")
        self._metrics.outage_refused += 1
        return Answer(
            allowed=False,
            said="outage",
            reason="extra_usage_away",
            message=AWAY,
            short_message="Extra usage is away. Try again in a minute",
        )


def _not_understood(reply: Reply) -> Answer:
    """A member or a surface that the server does not know is refused with its words."""
    code = reply.body.get("code") if isinstance(reply.body, dict) else None
    return Answer(
        allowed=False,
        reason=code if isinstance(code, str) else "not_understood",
        message=reply.detail,
    )
