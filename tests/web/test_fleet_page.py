"""The page of a fleet: what is first, what is found, and that nobody's text does harm."""

from __future__ import annotations

import re

import pytest

from kaspad_taskd.web.fleet import FleetPage
from tests.web.fleets import fleet, row, snapshot

PAGE = FleetPage()


def order(text: str) -> list[str]:
    """Verdicts from top to bottom."""
    return re.findall(r'data-verdict="([^"]*)"', text)


def test_trouble_is_first_silence_second_and_what_is_well_last() -> None:
    found = order(PAGE.index(snapshot(50), {}))
    assert found[:6] == ["trouble"] * 3 + ["silent", "daemon-away", "unknown"]
    assert set(found[6:]) == {"ok"}


def test_each_verdict_has_its_count_and_is_a_link_to_those() -> None:
    """The numbers are of all hosts, whatever is searched for."""
    text = PAGE.index(snapshot(300), {"q": "wien", "by": "site"})
    chips = dict(re.findall(r'<a href="([^"]*)" data-tone="\w+"[^>]*>[^<]* <b>([\d,]+)</b>', text))
    assert chips["?q=wien&amp;by=site"] == "300"
    assert chips["?q=wien&amp;by=site&amp;state=trouble"] == "3"
    assert chips["?q=wien&amp;by=site&amp;state=ok"] == "294"


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "1e9", "٣"])
def test_a_page_that_there_is_not_is_the_nearest(page: str) -> None:
    assert order(PAGE.index(snapshot(300), {"page": page}))


def test_a_thousand_hosts_are_ten_pages() -> None:
    seen = [
        name
        for page in range(1, 11)
        for name in re.findall(
            'data-host="([^"]*)"', PAGE.index(snapshot(1000), {"page": str(page), "by": "site"})
        )
    ]
    assert len(seen) == len(set(seen)) == 1000


def test_who_is_not_labelled_is_a_group_of_its_own() -> None:
    hosts = [*fleet(9), row(9, labels={})]
    text = PAGE.index(snapshot(0, hosts=hosts), {"by": "site"})
    assert list(re.findall("<h2>(.*?) <span>", text)) == [
        "Graz", "Linz", "Wien", "without site",
    ]  # fmt: skip


def test_the_wall_counts_who_is_well_where_they_are_many() -> None:
    """Twelve are all there; of a thousand those that need somebody."""
    assert len(order(PAGE.index(snapshot(12), {"wall": ""}))) == 12
    text = PAGE.index(snapshot(1000), {"wall": ""})
    assert len(order(text)) == 6
    assert "994 more hosts are well" in text


def test_nobodys_text_is_more_than_text() -> None:
    """Labels, tasks, faults: other hosts' rows are as without it."""
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    bad = row(1, labels={"site": evil, evil: evil}, said=evil, fault=evil, address=evil)
    for query in ({}, {"by": "site"}, {"by": evil}, {"q": evil}, {"wall": ""}, {"state": evil}):
        text = PAGE.index(snapshot(0, hosts=[bad, *fleet(9)[2:]]), query)
        assert "<img" not in text
        assert text.count("<script") == 3
        assert query.get("q") or len(order(text)) == 8


def test_what_is_well_and_nobody_is_said_in_words() -> None:
    assert "All 9 hosts are well" in PAGE.index(snapshot(0, hosts=[row(i) for i in range(9)]), {})
    assert "There is no host in this fleet yet." in PAGE.index(snapshot(0), {})
    text = PAGE.index(snapshot(12, problem="unix:/s: see that it runs"), {})
    assert "Redis cannot be read: unix:/s: see that it runs. What was heard last is shown." in text
    ill = [row(at, verdict="trouble" if at else "ok") for at in range(1200)]
    assert "1,199 of 1,200 hosts need somebody" in PAGE.index(snapshot(0, hosts=ill), {})


def test_of_hosts_that_nobody_knows_none_is_in_need() -> None:
    """It is Redis, or there was no time yet; of one that is known it is said again."""
    hosts = [row(at, verdict="unknown", gone="engine") for at in range(9)]
    text = PAGE.index(snapshot(0, hosts=hosts, problem="a: see that it runs"), {})
    assert "<h1>How the hosts are is not known now</h1>" in text
    assert "need somebody" not in text
    assert 'class="attention"' not in text
    text = PAGE.index(snapshot(0, problem="it was not read yet"), {})
    assert "<h1>How the hosts are is not known now</h1>" in text
    text = PAGE.index(snapshot(0, hosts=[*hosts, row(9)]), {})
    assert "<h1>9 of 10 hosts need somebody</h1>" in text
