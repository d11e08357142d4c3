"""What a line of curl's says of a request: the same as curl itself sends, where there is a curl to ask."""

import asyncio
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recording_upstream import recording_upstream
from understudy_server.cli.curl_line import Sent, read_curl
from understudy_server.cli.curl_options import BadCurl, Option, options_of

URL = "http://shop.test/api/pay"


def read(*words: str, **files: bytes) -> Sent:
    def read_file(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[name]

    return read_curl(words, read_file)


def refused(*words: str) -> BadCurl:
    with pytest.raises(BadCurl) as caught:
        read(*words)
    return caught.value


def test_a_url_alone_is_a_get() -> None:
    assert read("https://shop.test:8443/api/pay?a=1#top") == Sent(
        "GET",
        "shop.test:8443",
        "/api/pay?a=1",
        [("Host", "shop.test:8443"), ("User-Agent", "curl"), ("Accept", "*/*")],
        b"",
    )


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ((), "GET"),
        (("-d", ""), "POST"),
        (("--json", "{}"), "POST"),
        (("-d", "a=1", "-G"), "GET"),
        (("-I",), "HEAD"),
        (("-X", "PUT", "-d", "x"), "PUT"),
        (("-XDELETE",), "DELETE"),
        (("--request", "PATCH"), "PATCH"),
        (("-X", "PUT", "-X", "QUERY"), "QUERY"),
    ],
)
def test_the_method_follows_from_what_is_sent(words: tuple[str, ...], method: str) -> None:
    assert read(URL, *words).method == method


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("-d", "a=1", "-d", "b=2"), b"a=1&b=2"),
        (("-d", "@f"), b"one two"),
        (("--data-ascii", "@f"), b"one two"),
        (("--data-binary", "@f"), b"one\r\n two\n"),
        (("--data-raw", "@f"), b"@f"),
        (("--data-urlencode", "a b&c"), b"a+b%26c"),
        (("--data-urlencode", "=a=b"), b"a%3Db"),
        (("--data-urlencode", "n=\u00e9 "), b"n=%C3%A9+"),
        (("--data-urlencode", "n@f"), b"n=one%0D%0A+two%0A"),
        (("--data-urlencode", "@f"), b"one%0D%0A+two%0A"),
        (("--json", '{"a":', "--json", "1}"), b'{"a":1}'),
        (("-d", "@f", "--data-raw", "@"), b"one two&@"),
    ],
)
def test_the_body_is_what_was_given(words: tuple[str, ...], body: bytes) -> None:
    sent = read(URL, *words, f=b"one\r\n two\n")
    assert (sent.body, sent.header("content-length")) == (body, str(len(body)))


def test_data_may_stand_in_the_query() -> None:
    sent = read("-G", "-d", "a=1", "--data-urlencode", "b=x y", "http://shop.test/api?z=0")
    assert (sent.target, sent.body, sent.header("content-type")) == ("/api?z=0&a=1&b=x+y", b"", "")


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("-d", "x"), "content-type", "application/x-www-form-urlencoded"),
        (("--json", "x"), "content-type", "application/json"),
        (("--json", "x"), "accept", "application/json"),
        (("-H", "Content-Type: text/csv", "-d", "x"), "content-type", "text/csv"),
        (("-H", "x-team:payments"), "x-team", "payments"),
        (("-H", "X-Empty;"), "x-empty", ""),
        (("-H", "@h"), "x-b", "2"),
        (("-H", "Host: other.test"), "host", "other.test"),
        (("-H", "Accept:"), "accept", ""),
        (("-u", "ann:secret"), "authorization", "Basic YW5uOnNlY3JldA=="),
        (("--oauth2-bearer", "t"), "authorization", "Bearer t"),
        (("-b", "sid=a", "-b", "theme=dark"), "cookie", "sid=a;theme=dark"),
        (("-A", "me"), "user-agent", "me"),
        (("-e", "http://a.test;auto"), "referer", "http://a.test"),
        (("-r", "0-9"), "range", "bytes=0-9"),
        (("--compressed",), "accept-encoding", "deflate, gzip"),
    ],
)
def test_headers_are_those_that_curl_sends(words: tuple[str, ...], name: str, value: str) -> None:
    assert read(URL, *words, h=b"x-a: 1\n\nx-b: 2\n").header(name) == value


def test_a_header_that_is_taken_away_is_not_sent() -> None:
    assert [name for name, _ in read(URL, "-H", "Accept:", "-H", "User-Agent:").headers] == ["Host"]


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("shop.test", "shop.test", "/"),
        ("http://ann:secret@shop.test", "shop.test", "/"),
        ("http://shop.test/a/./b/../c/..", "shop.test", "/a/"),
        ("http://shop.test/../../a", "shop.test", "/a"),
        ("http://shop.test?a=1", "shop.test", "/?a=1"),
        ("http://[::1]:8080/a", "[::1]:8080", "/a"),
    ],
)
def test_a_url_is_read_as_curl_reads_it(url: str, authority: str, target: str) -> None:
    sent = read(url)
    assert (sent.authority, sent.target) == (authority, target)


def test_a_user_in_the_url_is_one_that_is_sent() -> None:
    assert read("http://ann:secret@shop.test").header("authorization") == "Basic YW5uOnNlY3JldA=="


def test_a_path_is_left_as_it_is_where_that_is_asked_for() -> None:
    assert read("--path-as-is", "http://shop.test/a/../b").target == "/a/../b"


def test_what_says_only_how_curl_works_means_nothing() -> None:
    harmless = ["-ksSvLi", "--http1.1", "-o", "f", "--max-time", "5", "-m5", "-w%{http_code}", "--retry", "3", "-N"]
    assert read(*harmless, URL) == read(URL)


def test_letters_stand_together_and_the_last_takes_what_follows() -> None:
    assert list(options_of(["-sXPOST", "-Gdx", "-kd", "y"])) == [
        Option("request", "POST"), Option("get"), Option("data", "x"), Option("data", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-F", "a=b", URL), "curl's -F is not known here"),
        (("--form", "a=b", URL), "curl's --form is not known here"),
        (("-sF", "a=b", URL), "curl's -F is not known here"),
        (("-T", "f", URL), "curl's -T is not known here"),
        (("--next", URL), "curl's --next is not known here"),
        (("--request=POST", URL), "curl's --request=POST is not known here"),
        ((URL, "-X"), "curl's -X has no value"),
        ((URL, "--data"), "curl's --data has no value"),
        ((), "the line of curl's has no URL"),
        ((URL, "--url", URL), "the line of curl's has 2 URLs"),
        (("ftp://shop.test/",), "ftp://shop.test/ is not a URL of HTTP"),
        (("http://shop.test:x/",), "http://shop.test:x/ is not a URL"),
        (("http://shop.test/a b",), "the URL has white space in it"),
        ((URL, "-d", "@none"), "none cannot be read: No such file or directory"),
        ((URL, "-b", "jar.txt"), "curl's -b names a file of cookies, jar.txt"),
        ((URL, "-H", "nothing"), "curl's -H 'nothing' is not a header"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_to_write(words: tuple[str, ...], message: str) -> None:
    bad = refused(*words)
    assert bad.message.startswith(message)
    assert bad.advice


def test_who_writes_an_unknown_option_hears_what_is_known() -> None:
    assert "-X -H -d" in refused("--nothing").advice
    assert "--json" in refused("--nothing").advice


@given(st.lists(st.text() | st.sampled_from(["-d", "-H", "-X", "--json", "-b", "-G", "-", "--", "-u", "-e", URL])))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        sent = read(*words)
    except BadCurl:
        return
    assert sent.target.startswith("/")


_LINES = [
    ("/",),
    ("/a/../b/./c/..?q=1",),
    ("/", "-d", "a=1", "-d", "@f", "--data-urlencode", "n= \u00e9&"),
    ("/", "--data-binary", "@f", "-H", "Content-Type: text/csv", "-XPUT"),
    ("/", "--json", '{"a":1}', "-H", "x-team: payments"),
    ("/?z=0", "-Gd", "a=1", "--data-urlencode", "n=x y"),
    ("/", "-I", "-u", "ann:s\u00e9cret", "-A", "me", "-e", "http://a.test;auto", "-b", "a=1", "-b", "b=2"),
    ("/", "-H", "Accept:", "-H", "X-Empty;", "-H", "@h", "-H", "Host: other.test", "-r", "0-9"),
    ("/", "--data-urlencode", "=a=b@c~._-", "--data-urlencode", "a@f", "--oauth2-bearer", "t"),
    ("/", "-d", ""),
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
@pytest.mark.parametrize("words", _LINES, ids=range(len(_LINES)))
async def test_it_is_what_curl_sends(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "f").write_bytes(b"one\r\n two\n")
    (tmp_path / "h").write_bytes(b"x-a: 1\nx-b: 2\n")
    async with recording_upstream() as service:
        line = [service.url + words[0], *words[1:]]
        process = await asyncio.create_subprocess_exec(
            "curl", "-q", "-s", "--noproxy", "*", "--max-time", "20", *line,
            cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0
        (arrived,) = service.requests()
    sent = read_curl(line, lambda name: (tmp_path / name).read_bytes())
    assert (sent.method, sent.target, sent.body) == (arrived.method, arrived.target, arrived.body)
    assert sorted(_comparable(sent.headers)) == sorted(
        _comparable((name.decode("latin-1"), value.decode("latin-1")) for name, value in arrived.headers)
    )


def _comparable(headers: object) -> list[tuple[str, str]]:
    """Headers without the version of curl."""
    pairs: list[tuple[str, str]] = list(headers)  # type: ignore[call-overload]
    return [(name.lower(), "curl" if value.startswith("curl/") else value) for name, value in pairs]
