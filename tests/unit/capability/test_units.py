import pytest

from gateway.capability.file.units import seconds, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("30s", 30), ("5m", 300), ("2h", 7_200), ("1d", 86_400), ("500ms", 0.5), ("1.5s", 1.5)],
        *[("1h30m", 5_400), ("1h 30m", 5_400), (" 5 m ", 300), ("45", 45), ("0", 0), ("0s", 0)],
        *[(30, 30), (1.5, 1.5), (0, 0)],
    ],
)
def test_a_duration_is_read_as_seconds(text: str | float, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "5 minutes", "5x", "-5s", "1e3", "5s5", "m5", "٣s"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration such as 30s, 5m, 1h30m, 500ms"):
        seconds(text)


@pytest.mark.parametrize("value", [-1, -0.1, "367d", 1e300, float("inf"), float("nan"), "9" * 39])
def test_a_duration_out_of_bounds_is_refused(value: str | float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 366 days"):
        seconds(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("40k", 40_000), ("4m", 4_000_000), ("10 MB", 10_000_000), ("1g", 10**9), ("12", 12)],
        *[("1KiB", 1_024), ("2 Mi", 2_097_152), ("1.5k", 1_500), ("7b", 7), (4_096, 4_096)],
    ],
)
def test_a_size_is_read_as_bytes(text: str | int, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "k", "10i", "10iB", "1 megabyte", "-1k", "1e3", "1 k m"])
def test_what_is_no_size_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no size such as 40k, 4m, 10 MB, 1 MiB"):
        size(text)


@pytest.mark.parametrize("value", [0, -5, "0", "2000g", 1 << 50])
def test_a_size_out_of_bounds_is_refused(value: str | int) -> None:
    with pytest.raises(ValueError, match="not between 1 byte and 1 TiB"):
        size(value)


def test_a_long_text_is_refused_without_being_repeated() -> None:
    for reader in (seconds, size):
        with pytest.raises(ValueError, match="is no ") as raised:
            reader("1s" * 10_000)
        assert len(str(raised.value)) < 120
