import pytest

from gateway.protocol import eras


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_initialize_echoes_a_legacy_version_it_knows(version: str) -> None:
    assert eras.negotiate(version).version == version


@pytest.mark.parametrize("version", ["2026-07-28", "1900-01-01", "", None, 7, ["2025-06-18"]])
def test_initialize_answers_the_newest_legacy_version_to_any_other(version: object) -> None:
    assert eras.negotiate(version) is eras.LATEST_LEGACY


def test_a_version_is_of_one_era() -> None:
    for version in eras.SUPPORTED:
        assert (eras.modern(version) is None) != (eras.legacy(version) is None)


def test_only_one_revision_has_batches() -> None:
    assert [r.version for r in eras.REVISIONS.values() if r.batches] == ["2025-03-26"]


def test_supported_versions_are_told_newest_first() -> None:
    assert list(eras.SUPPORTED) == sorted(eras.SUPPORTED, reverse=True)
