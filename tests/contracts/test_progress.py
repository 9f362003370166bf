"""What a person sees while something runs: one screen for the bar and for lines, and pipes that get every line."""

import io
import re
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


def test_a_bar_within_a_quiet_one_is_quiet(monkeypatch):
    screen = as_screen(monkeypatch)
    with progress.bar(total=1, unit="photo", quiet=True), progress.bar(total=3, unit="step") as steps:
        steps.advance("5 dB")
    assert screen.getvalue() == ""
    with progress.bar(total=3, unit="step") as steps:
        steps.advance("5 dB")
    assert "1/3" in screen.getvalue()


def as_screen(monkeypatch):
    """Standard error as a terminal; what is written to it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def test_a_printed_path_stands_on_a_line_of_its_own_above_the_bar(monkeypatch):
    screen = as_screen(monkeypatch)
    monkeypatch.setattr(sys, "stdout", Terminal())
    path = "/a/:smile:[bold]/" + 30 * "long" + ".jpg"
    with progress.bar(total=3, unit="photo") as bar:
        bar.advance("a.jpg")
        progress.tell(path)
        progress.say(path)
    assert sys.stdout.getvalue() == ""  # the two terminals are one screen
    assert len(re.findall(rf"(?:\x1b\[2K|\n){re.escape(path)}\n", screen.getvalue())) == 2


def test_a_pipe_gets_the_paths_although_a_bar_is_on_the_screen(monkeypatch):
    screen = as_screen(monkeypatch)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with progress.bar(total=1, unit="photo"):
        progress.tell("a.jpg")
        progress.tell_data({"a": 1})
    assert sys.stdout.getvalue() == 'a.jpg\n{"a": 1}\n'
    assert "a.jpg" not in screen.getvalue()


def test_the_bar_names_what_is_in_work(monkeypatch):
    screen = as_screen(monkeypatch)
    with progress.bar(total=3, unit="photo") as bar:
        bar.begin("first.jpg")
        bar.begin("second.jpg")
        bar.end("first.jpg")
    assert "second.jpg" in screen.getvalue()
    assert "1/3" in screen.getvalue()
    assert "first.jpg" not in screen.getvalue().rpartition("1/3")[2]


def test_a_bar_within_a_bar_is_a_line_of_the_same_screen(monkeypatch):
    screen = as_screen(monkeypatch)
    with progress.bar(total=3, unit="photo"):
        with progress.bar(total=50, unit="step") as inner:
            inner.advance("30.1 dB")
        progress.say("done")
    shown = screen.getvalue()
    assert "0/3" in shown
    assert "done\n" in shown


def test_a_quiet_bar_shows_nothing_even_in_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.bar(total=3, unit="photo", quiet=True) as bar:
        bar.advance("a.jpg")
    assert sys.stderr.getvalue() == ""


def test_a_line_is_printed_as_it_is(capsys):
    progress.say("photo [bold].jpg: 3 notes")
    assert capsys.readouterr() == ("", "photo [bold].jpg: 3 notes\n")
