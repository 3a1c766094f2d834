"""Words in a model's name that control the imitation server.

A name is split at ``-``, ``/``, ``:`` and ``@``; every part that is one of the words below changes the
behaviour, the rest is only a name. ``fox-delay500-status503`` waits half a second and answers 503.

=============  ==========================================================================================
statusNNN      always answer NNN with the provider's own error body
failNNNxK      the first K calls of this name answer NNN, later ones succeed
retryafterS    the error carries ``Retry-After: S``
ctx            the provider's own error for a prompt that is too long
blind          the provider's own error for a picture that the model does not take
delayMS        wait before the first byte (headers included)
gapMS          wait between chunks
chunksN        cut the answer into N pieces; past the length of the text its words are repeated
oneshot        all frames of a stream in one write
splitN         write a stream N bytes at a time, so that frames and characters are torn
crlf           line ends are CRLF; ``comments`` adds keep-alive comments; ``nodone`` leaves out ``[DONE]``
hang           a first piece of text, then silence (not streaming: silence); ``silent``: no headers either
cut            a first piece of text, then the connection is torn (not streaming: half a body)
garbage        a 200 that is no JSON and no event
badsse         a broken event in the middle of a stream
streamerror    an error event in the middle of a stream that began with 200
nostream       a stream is asked for and plain JSON comes
empty          an answer without text
refusal        the model says no in words; ``filtered``: the provider's filter says no
tool           the model calls the first tool it was offered; ``tools``: twice
think          reasoning in its own field; ``thinktag``: as ``<think>`` in the text
forever        reasoning that never stops; ``babble``: text that never stops
hugeMB         an answer of MB megabytes
json           a JSON object as answer
length         finish reason: the length limit
nousage        no token counts
echo           answer with the last user text; ``echoreq``: with the request's JSON
redirect       307 to the same path of another origin (another port)
=============  ==========================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

_SPLIT = re.compile(r"[-/:@]")
_NUMBERED = re.compile(r"(status|delay|gap|chunks|split|huge|retryafter)(\d+(?:\.\d+)?)")
_FAIL = re.compile(r"fail(\d{3})x(\d+)")


@dataclass
class Behaviour:
    status: int = 0
    fail_status: int = 0
    fail_times: int = 0
    retryafter: float | None = None
    delay: float = 0.0
    gap: float = 0.0
    chunks: int = 0
    split: int = 0
    huge: int = 0
    ctx: bool = False
    blind: bool = False
    oneshot: bool = False
    crlf: bool = False
    comments: bool = False
    nodone: bool = False
    hang: bool = False
    silent: bool = False
    cut: bool = False
    garbage: bool = False
    badsse: bool = False
    streamerror: bool = False
    nostream: bool = False
    empty: bool = False
    refusal: bool = False
    filtered: bool = False
    tool: bool = False
    tools: bool = False
    think: bool = False
    thinktag: bool = False
    forever: bool = False
    babble: bool = False
    json: bool = False
    length: bool = False
    nousage: bool = False
    echo: bool = False
    echoreq: bool = False
    redirect: bool = False


_FLAGS = {field.name for field in fields(Behaviour) if field.type == "bool"}


def behaviour_of(model: str) -> Behaviour:
    """Parse the name of a model into the behaviour that it asks for."""
    wanted = Behaviour()
    for word in _SPLIT.split(model):
        if word in _FLAGS:
            setattr(wanted, word, True)
        elif match := _NUMBERED.fullmatch(word):
            name, number = match[1], float(match[2])
            if name in ("delay", "gap"):
                setattr(wanted, name, number / 1000)
            elif name == "retryafter":
                wanted.retryafter = number
            else:
                setattr(wanted, name, int(number))
        elif match := _FAIL.fullmatch(word):
            wanted.fail_status, wanted.fail_times = int(match[1]), int(match[2])
    return wanted
