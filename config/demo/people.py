"""Who works at the demo's organizations."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

ACME_PEOPLE = """
Priya Raghunathan; Tomás Echeverría; 山本 愛子; Daniel Okafor; Mei-Ling Zhou; Jonas Lindqvist;
    Fatima El-Sayed;
Grace Holloway; Ravi Menon; Camille Dubois; Lukas Brandt; Hannah Sørensen; Chidi Nwosu;
    Sofia Marino; 佐藤 健;
Oliver Bennett; Zanele Dlamini; Pedro Almeida; Ingrid Haugen; Wei Chen; Amara Diallo; Noah
    Fischer; Leila Haddad;
Mateusz Kowalski; Ana Petrović; Samuel Adeyemi; Yuki Tanaka; Elena Popescu; Arjun Nair;
    Freya Larsen; Omar Farouk;
Isabel Cruz; Viktor Novák; Ruth Abrams; Kwame Mensah; Nora Byrne; Emil Janssen
"""
BOLT_PEOPLE = (
    "Ben Ortiz; Lucía Vega; Tariq Aziz; Maya Cohen; Finn Murphy; Aoife Kelly; Jin Park;"
    " Rosa Lima; Ivo Horvat; Dana Weiss"
)
CIRRUS_PEOPLE = (
    "Helen Park; Marco Rossi; Sana Malik; Theo Laurent; Kim Nguyen; Alice Braun"
)
LATIN = {"山本 愛子": "aiko.yamamoto", "佐藤 健": "ken.sato"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address at the organization."""

    name: str
    local_part: str


def people(names: str) -> list[Person]:
    """The people of a semicolon-separated list, with addresses made from their names."""
    return [
        Person(name, _local_part(name))
        for name in (" ".join(one.split()) for one in names.split(";"))
        if name
    ]


def _local_part(name: str) -> str:
    plain = (
        unicodedata.normalize("NFKD", name.replace("ø", "o"))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return LATIN.get(name) or plain.replace("-", "").replace(" ", ".")
