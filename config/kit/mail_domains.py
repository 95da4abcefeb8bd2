"""Mail domains: their one spelling, and those where anybody can have an address. Pure."""

from __future__ import annotations

import re

import idna

# Where an address says nothing about who somebody works for.
_PUBLIC = """
    gmail.com googlemail.com outlook.com outlook.jp outlook.de outlook.fr
    hotmail.com hotmail.co.jp hotmail.co.uk hotmail.fr hotmail.de live.com
    live.jp live.co.uk msn.com yahoo.com yahoo.co.jp yahoo.co.uk yahoo.co.in
    yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.com.br ymail.com rocketmail.com
    myyahoo.com icloud.com me.com mac.com aol.com proton.me protonmail.com
    protonmail.ch pm.me tutanota.com tuta.io tuta.com hey.com fastmail.com
    fastmail.fm hushmail.com mailfence.com posteo.de mailbox.org disroot.org
    gmx.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de mail.com
    email.com zoho.com zohomail.com yandex.com yandex.ru ya.ru mail.ru inbox.ru
    list.ru bk.ru rambler.ru qq.com foxmail.com 163.com 126.com yeah.net
    sina.com sina.cn sohu.com aliyun.com naver.com daum.net hanmail.net
    kakao.com nate.com docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp
    i.softbank.jp ymobile.ne.jp nifty.com biglobe.ne.jp so-net.ne.jp ocn.ne.jp
    plala.or.jp rediffmail.com libero.it virgilio.it tiscali.it orange.fr
    wanadoo.fr free.fr sfr.fr laposte.net uol.com.br bol.com.br terra.com.br
    telenet.be comcast.net verizon.net att.net sbcglobal.net bellsouth.net
    cox.net charter.net btinternet.com virginmedia.com sky.com ntlworld.com
    shaw.ca rogers.com bigpond.com optusnet.com.au seznam.cz wp.pl o2.pl onet.pl
    interia.pl mailinator.com yopmail.com guerrillamail.com 10minutemail.com
    temp-mail.org duck.com
"""
PUBLIC = frozenset(_PUBLIC.split())
_DOMAIN = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
)


def canonical_domain(text: str) -> str | None:
    """A mail domain as the wire has it, in lower case; None for what is none."""
    name = text.strip().lower().removeprefix("@").rstrip(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    return name if _DOMAIN.fullmatch(name) else None


def is_public(domain: str) -> bool:
    """Whether anybody can have an address there."""
    return domain in PUBLIC
