import io
import sys

from limpid import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_is_silent_where_standard_error_is_no_terminal(capsys):
    with progress.bar(total=3, unit="photo") as bar:
        bar.advance("a.jpg")
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_count_and_name_in_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress.bar(total=3, unit="photo") as bar:
        bar.advance("a[b].jpg")
        bar.advance("b.jpg")
    shown = sys.stderr.getvalue()
    assert "2/3" in shown
    assert "b.jpg" in shown


def test_a_quiet_bar_shows_nothing_even_in_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.bar(total=3, unit="photo", quiet=True) as bar:
        bar.advance("a.jpg")
    assert sys.stderr.getvalue() == ""


def test_a_line_is_printed_as_it_is(capsys):
    progress.say("photo [bold].jpg: 3 notes")
    assert capsys.readouterr() == ("", "photo [bold].jpg: 3 notes\n")
