"""Keep how a file is written, its line ends and byte order mark, when its text is replaced. Pure."""

_MARK = "\ufeff"


def plain(text: str) -> str:
    """Return a text without its byte order mark, and with Unix' line ends if all of its own are Windows'."""
    text = text.removeprefix(_MARK)
    return text.replace("\r\n", "\n") if _is_windows(text) else text


def restyle(text: str, like: str) -> str:
    """Give a new text the line ends and the byte order mark of the one that it replaces."""
    if _is_windows(like):
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    if like.startswith(_MARK) and not text.startswith(_MARK):
        return _MARK + text
    return text


def restyle_whole(text: str, like: str) -> str:
    """Also give it the end of the other text: a fence adds a last line end that the file may not have had."""
    if like and not like.endswith("\n"):
        text = text.removesuffix("\n")
    return restyle(text, like)


def _is_windows(text: str) -> bool:
    return "\r\n" in text and text.count("\r\n") == text.count("\n")
