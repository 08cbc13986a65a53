"""The downloader against a loopback server that fails in every way we know of."""

import gzip
import pickle
import socket
import ssl
import sys
import time
from urllib.error import URLError

import pytest

from tinytorch.datasets.download import ATTEMPTS, fetch
from tinytorch.datasets.errors import CorruptFile, DownloadFailed
from tinytorch.datasets.idx import read_idx


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "file.gz"


@pytest.fixture
def part(target):
    return target.with_name("file.gz.part")


@pytest.fixture
def get(target, check):
    """Fetch the file from some URLs, with a short timeout."""

    def run(*urls, check=check, limit=1_000_000):
        fetch(target, urls, check, limit, timeout=0.3)
        return target.read_bytes()

    return run


def files(target):
    """What is in the cache, apart from the lock."""
    return {path.name for path in target.parent.iterdir()} - {".lock"}


def test_a_good_file_arrives_whole_and_alone(mirror, get, body, target):
    assert get(mirror.serve("/a", mirror.whole(body))) == body
    assert files(target) == {"file.gz"} and mirror.ranges == [None]


def test_a_file_that_is_there_is_not_asked_for(mirror, get, body, target):
    target.parent.mkdir()
    target.write_bytes(body)
    assert get(mirror.serve("/a", mirror.whole(body))) == body
    assert mirror.ranges == []


def test_a_server_that_states_no_length_will_do(mirror, get, body):
    assert get(mirror.serve("/a", mirror.without_length(body))) == body


def test_a_dropped_connection_is_resumed_at_the_same_mirror(mirror, get, body):
    url = mirror.serve("/a", mirror.dropping(body, 100_000), mirror.whole(body))
    assert get(url) == body
    assert mirror.ranges == [None, "bytes=100000-"]


def test_a_drop_is_resumed_at_the_next_mirror(mirror, get, body):
    first = mirror.serve("/a", mirror.dropping(body, 100_000), mirror.status(503))
    assert get(first, mirror.serve("/b", mirror.whole(body))) == body
    assert mirror.ranges == [None, "bytes=100000-", "bytes=100000-"]


def test_a_drop_is_resumed_by_the_next_run(mirror, get, body, part):
    with pytest.raises(DownloadFailed, match="HTTP 503"):
        get(mirror.serve("/a", mirror.dropping(body, 100_000), mirror.status(503)))
    assert part.read_bytes() == body[:100_000]
    assert get(mirror.serve("/b", mirror.whole(body))) == body
    assert mirror.ranges[-1] == "bytes=100000-"


def test_a_server_that_always_drops_is_given_up(mirror, get, body, target):
    with pytest.raises(DownloadFailed, match="stopped after 1000 of 300000 bytes"):
        get(mirror.serve("/a", mirror.dropping(body, 1000)))
    assert files(target) == {"file.gz.part"}


def test_a_server_that_drops_a_little_later_each_time_is_given_up(mirror, get, body):
    url = mirror.serve("/a", *(mirror.dropping(body, 1000 * i) for i in range(1, 20)))
    with pytest.raises(DownloadFailed, match=f"broke off {ATTEMPTS} times"):
        get(url)
    assert len(mirror.ranges) == ATTEMPTS


def test_a_server_that_ignores_range_sends_it_all_again(mirror, get, body):
    url = mirror.serve("/a", mirror.dropping(body, 100_000), mirror.ignoring_range(body))
    assert get(url) == body
    assert mirror.ranges == [None, "bytes=100000-"]


def test_a_server_that_answers_another_range_is_asked_for_all(mirror, get, body, part, capsys):
    part.parent.mkdir()
    part.write_bytes(body[:5000])
    assert get(mirror.serve("/a", mirror.mistaken_range(body, 4000))) == body
    assert mirror.ranges == ["bytes=5000-", None]
    assert capsys.readouterr().err.count("from 127.0.0.1") == 1  # the other range was not taken


@pytest.mark.parametrize("stale", [b"x" * 5000, b"x" * 300_000, b"x" * 400_000], ids=["short", "equal", "long"])
def test_a_stale_part_of_other_content_is_replaced(mirror, get, body, part, stale):
    part.parent.mkdir()
    part.write_bytes(stale)
    assert get(mirror.serve("/a", mirror.whole(body))) == body
    assert mirror.ranges == [f"bytes={len(stale)}-", None]


def test_a_part_of_another_mirror_s_compression_is_replaced(mirror, get):
    contents = bytes([0, 0, 8, 1, 0, 0, 0, 200]) + bytes(range(100)) * 2
    loose, tight = gzip.compress(contents, 0), gzip.compress(contents, 9)
    first = mirror.serve("/a", mirror.dropping(loose, 50), mirror.status(503))
    assert get(first, mirror.serve("/b", mirror.whole(tight)), check=read_idx) == tight


def test_a_part_that_is_complete_needs_no_server(get, body, target, part):
    part.parent.mkdir()
    part.write_bytes(body)
    assert get() == body
    assert files(target) == {"file.gz"}


@pytest.mark.parametrize(
    "fault, reason",
    [
        (lambda m, body: m.whole(body[:-1]), "sent a wrong file: not the file that was wanted"),
        (lambda m, body: m.whole(body[:99] + b"?" + body[100:]), "sent a wrong file"),
        (lambda m, body: m.without_length(body[:1000]), "sent a wrong file"),
        (lambda m, body: m.without_length(b""), "sent a wrong file"),
        (lambda m, body: m.page(), "sent a wrong file"),
        (lambda m, body: m.status(404), "HTTP 404 Not Found"),
        (lambda m, body: m.status(403), "HTTP 403 Forbidden"),
        (lambda m, body: m.status(204), "HTTP 204 No Content"),
        (lambda m, body: m.stalling(body, 0), "no bytes within 0.3 s"),
    ],
    ids=["truncated", "wrong byte", "cut without length", "empty", "web page", "404", "403", "204", "stalled"],
)
def test_a_faulty_mirror_leaves_nothing_and_the_next_one_is_tried(mirror, get, body, target, capsys, fault, reason):
    faulty = mirror.serve("/a", fault(mirror, body))
    with pytest.raises(DownloadFailed, match=f"{faulty}: {reason}"):
        get(faulty)
    assert not target.exists()
    assert get(faulty, mirror.serve("/b", mirror.whole(body))) == body
    assert files(target) == {"file.gz"}
    assert f"{faulty}: {reason}" in capsys.readouterr().err


def test_a_server_that_stalls_in_the_middle_is_left_and_its_bytes_are_kept(mirror, get, body):
    first = mirror.serve("/a", mirror.stalling(body, 100_000), mirror.status(503))
    started = time.monotonic()
    assert get(first, mirror.serve("/b", mirror.whole(body))) == body
    assert time.monotonic() - started < 3
    assert mirror.ranges[-1] == "bytes=100000-"


def test_a_server_that_is_not_there_is_a_reason_too(get, mirror):
    mirror.close()
    with pytest.raises(DownloadFailed, match="(?i)refused|no bytes"):
        get(f"{mirror.url}/a")


def test_a_server_that_sends_without_end_is_stopped(mirror, get, body, target):
    with pytest.raises(DownloadFailed, match="more than the 200000 bytes"):
        get(mirror.serve("/a", mirror.whole(body)), limit=200_000)
    assert files(target) == set()


def test_without_locks_a_failure_leaves_no_part_behind(mirror, get, body, target, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with pytest.raises(DownloadFailed):
        get(mirror.serve("/a", mirror.dropping(body, 1000)))
    assert files(target) == set()


@pytest.mark.parametrize(
    "cause, words",
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (
            ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"),
            "run its Install Certificates.command",
        ),
        ("no host given", "no host given"),
    ],
    ids=["name", "certificate", "text"],
)
def test_what_urllib_wraps_is_told(get, monkeypatch, cause, words):
    def fail(*arguments, **options):
        raise URLError(cause)

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(DownloadFailed, match=words):
        get("https://example.org/a")


def test_every_failure_is_listed(mirror, get, body):
    urls = mirror.serve("/a", mirror.status(404)), mirror.serve("/b", mirror.whole(b"wrong"))
    with pytest.raises(DownloadFailed) as caught:
        get(*urls)
    assert str(caught.value).splitlines() == [
        "Tried to download file.gz from",
        f"  {urls[0]}: HTTP 404 Not Found",
        f"  {urls[1]}: sent a wrong file: not the file that was wanted",
    ]


def test_a_wrong_file_in_the_file_s_place_is_replaced(mirror, get, body, target):
    target.parent.mkdir()
    target.write_bytes(body[:1000])
    assert get(mirror.serve("/a", mirror.whole(body))) == body


def test_a_wrong_file_is_never_published(mirror, get, body, target, monkeypatch):
    published = []
    monkeypatch.setattr("tinytorch.datasets.download.publish", lambda part, target: published.append(part.read_bytes()))
    with pytest.raises(DownloadFailed):
        get(mirror.serve("/a", mirror.whole(body[1:])))
    assert published == []


def test_a_cache_that_cannot_be_written_is_named(mirror, body, check, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    with pytest.raises(DownloadFailed, match="Cannot write to .*cache"):
        fetch(tmp_path / "cache" / "file", [mirror.serve("/a", mirror.whole(body))], check, 1_000_000)
    assert mirror.ranges == []


def test_a_full_disk_is_not_blamed_on_the_mirror(mirror, get, body, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DownloadFailed, match="Cannot write to .*No space left"):
        get(mirror.serve("/a", mirror.whole(body)))


def test_an_interrupt_keeps_what_came(mirror, get, body, part):
    def interrupt(path):
        if path.exists():
            raise KeyboardInterrupt
        raise FileNotFoundError

    with pytest.raises(KeyboardInterrupt):
        get(mirror.serve("/a", mirror.whole(body)), check=interrupt)
    assert part.read_bytes() == body
    assert get() == body  # and the lock is free


def test_the_error_survives_pickling(tmp_path):
    error = pickle.loads(pickle.dumps(CorruptFile(tmp_path / "a", "truncated")))
    assert str(error) == f"{tmp_path / 'a'}: truncated"
