from btcctl.apiserver.requests.context import warning_header, within_limits


def test_each_text_comes_once_and_quoted():
    assert warning_header(['say "hi"', "a", "a"]) == '299 - "say \\"hi\\"", 299 - "a"'


def test_what_fits_is_left_alone():
    texts = ["x" * 1000, "y" * 1000]
    assert within_limits(texts) == texts


def test_too_much_is_cut_to_the_beginnings_of_each():
    kept = within_limits([letter * 1000 for letter in "abcdefghijklmnopqrstuvwxyz"])
    assert [each[0] for each in kept] == list("abcdefghijklmnop")
    assert {len(each) for each in kept} == {256}
