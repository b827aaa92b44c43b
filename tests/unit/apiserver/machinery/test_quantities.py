import pytest

from btcctl.apiserver.machinery.quantities import canonical_quantity, rounded_to_milli


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1", "1"),
        (1, "1"),
        ("1000m", "1"),
        (0.5, "500m"),
        ("1.5", "1500m"),
        ("64Mi", "64Mi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Ki", "102400m"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("12E2", "1200"),
        ("-1500m", "-1500m"),
        ("+5", "5"),
        ("0Gi", "0"),
        ("0.0000000001", "1n"),
        (" 2 ", "2"),
    ],
)
def test_an_amount_has_one_form(written, kept):
    assert canonical_quantity(written) == kept


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1.2.3", True, ["1"]])
def test_what_is_no_amount_is_said_in_a_servers_words(text):
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        canonical_quantity(text)


def test_an_unknown_suffix_is_told_apart():
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        canonical_quantity("1Kii")


def test_lists_of_resources_keep_nothing_below_a_thousandth():
    assert [rounded_to_milli(each) for each in ("1500u", "1m", "2Gi")] == ["2m", "1m", "2Gi"]


@pytest.mark.parametrize("text", ["1e1000", "9" * 400, "-1e999"])
def test_a_whole_amount_of_any_size_is_kept_as_it_is(text):
    assert rounded_to_milli(text) == text


def test_what_is_below_a_thousandth_of_a_large_amount_is_rounded_up():
    assert rounded_to_milli("9" * 200 + ".0001") == "9" * 200 + "001m"
