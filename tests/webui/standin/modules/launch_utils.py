"""What A1111 and Forge start with: extensions read the host's version here."""


def git_tag() -> str:
    return "v1.10.1"
