"""The launcher's module of A1111 and Forge: extensions read the host's version here."""


def git_tag() -> str:
    return "v1.10.1"
