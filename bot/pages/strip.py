"""The demo strip: who am I now? It is no part of the product, and says so."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import quote

from bot.channels.web.people import Sample
from bot.pages.elements import box, text
from notices.wording import Wording


def strip(samples: Sequence[Sample], now: str, address: str, say: Wording) -> None:
    """A fold with a link per sample person, and one that makes a new stranger.

    now: what the page was asked for. Every link is a page of its own, so two tabs can be two people.
    """
    here = next((sample for sample in samples if address == f"member:{sample.member_id}"), None)
    with box("details", "hx-demo", aria_label=say("web.demo_now")):
        with box("summary"):
            text("span", say("web.demo_now"), "hx-demo-now")
            text("strong", _named(here, say) if here else _other(now, address, say))
            text("span", say("web.demo_change"), "hx-demo-change")
        text("p", say("web.demo_note"), "hx-demo-note")
        with box("nav", "hx-people", aria_label=say("web.demo_note")):
            for sample in samples:
                _person(f"/?as={quote(sample.role)}", _named(sample, say), chosen=sample is here)
            if here is None:
                _person(f"/?as={quote(now)}", _other(now, address, say), chosen=True)
            _person(f"/?as=guest-{secrets.token_hex(3)}", say("web.new_stranger"), chosen=False)


def _named(sample: Sample, say: Wording) -> str:
    name = f"web.role_{sample.role}"
    return f"{say(name) if say.has(name) else sample.role} {sample.name}"


def _other(now: str, address: str, say: Wording) -> str:
    return f"{say('web.role_guest' if address.startswith('guest:') else 'web.role_member')} {now}"


def _person(href: str, words: str, *, chosen: bool) -> None:
    if chosen:
        text("a", f"✓ {words}", "hx-who hx-chosen", href=href, aria_current="page")
    else:
        text("a", words, "hx-who", href=href)
