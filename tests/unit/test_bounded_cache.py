"""The cache of values of different sizes."""

from __future__ import annotations

from clipmill_api.bounded_cache import BoundedCache


def test_the_least_recently_used_is_dropped() -> None:
    """As soon as all sizes together exceed the limit."""
    cache: BoundedCache[str, str] = BoundedCache(5, len)
    assert cache.put("a", "xx") == "xx"
    cache.put("b", "xx")
    assert cache.get("a") == "xx"
    cache.put("c", "xxx")
    assert [cache.get(key) for key in "abc"] == ["xx", None, "xxx"]


def test_a_value_above_the_limit_is_not_kept() -> None:
    """Its caller gets it, and the others make room for it."""
    cache: BoundedCache[str, str] = BoundedCache(5, len)
    cache.put("a", "x")
    assert cache.put("b", "xxxxxx") == "xxxxxx"
    assert [cache.get(key) for key in "ab"] == [None, None]


def test_a_key_has_one_value() -> None:
    """A value that is put again replaces the earlier one, also in the sum of the sizes."""
    cache: BoundedCache[str, str] = BoundedCache(5, len)
    for value in ("xxx", "yyy"):
        cache.put("a", value)
    cache.put("b", "xx")
    assert (cache.get("a"), cache.get("b")) == ("yyy", "xx")
