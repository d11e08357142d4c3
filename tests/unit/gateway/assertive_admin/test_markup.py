from hypothesis import given
from hypothesis import strategies as st
from support.page_reading import read
from understudy_gateway.dialects.assertive_admin.markup import Markup, code, el, join, json_block, path_of, shortened


def test_text_is_escaped_and_markup_is_not() -> None:
    assert el("p", "<b>", el("b", "&")) == "<p>&lt;b&gt;<b>&amp;</b></p>"


def test_quotes_stay_readable_between_tags_and_are_escaped_in_attributes() -> None:
    assert el("p", '"', title='"') == '<p title="&quot;">"</p>'


def test_attributes_are_spelled_as_in_html() -> None:
    assert el("label", for_="a", data_x_y=0, hidden=True, title=None, open=False) == (
        '<label for="a" data-x-y="0" hidden></label>'
    )


def test_an_element_without_content_has_no_end() -> None:
    assert el("input", type="text") == '<input type="text">'


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    assert (
        el("p", "\ud800", title="\udfff").encode()
        == '<p title="\N{REPLACEMENT CHARACTER}">\N{REPLACEMENT CHARACTER}</p>'.encode()
    )


def test_a_path_encodes_each_segment_whole() -> None:
    assert path_of("stubs", "a/b?c#d<") == "/__admin__/stubs/a%2Fb%3Fc%23d%3C"


def test_what_is_too_long_ends_with_an_ellipsis() -> None:
    assert (shortened("abc", 3), shortened("abcd", 3)) == ("abc", "abc\N{HORIZONTAL ELLIPSIS}")


def test_json_is_indented_and_its_letters_are_kept() -> None:
    assert '{\n  "base_ms": "\N{LATIN SMALL LETTER E WITH ACUTE}&lt;"\n}' in json_block(
        {"base_ms": "\N{LATIN SMALL LETTER E WITH ACUTE}<"}
    )


# Carriage returns and zero bytes are read as something else by every reader of HTML; the rest comes back as it was.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))


@given(_TEXTS, _TEXTS)
def test_whatever_the_text_it_comes_back_as_text(content: str, attribute: str) -> None:
    page = read(join((el("p", content, title=attribute), code(content))))
    assert [each.tag for each in page.elements] == ["p", "code"]
    assert page.elements[0].attributes == {"title": attribute}
    assert [each.text for each in page.elements] == [content, content]


def test_joining_keeps_what_is_markup() -> None:
    assert join((Markup("<br>"), "<br>")) == "<br>&lt;br&gt;"
