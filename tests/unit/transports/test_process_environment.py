from gateway.transports.process_environment import for_child

OURS = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "LC_ALL": "C",
    "TMPDIR": "/tmp",  # noqa: S108  a value
    "GITHUB_TOKEN": "secret",
    "PYTHONPATH": "/ours",
    "BASH_FUNC_x": "() { evil; }",
    "TERM": "() { evil; }",
}


def test_a_child_sees_what_any_program_needs_and_no_key_of_ours():
    assert for_child(OURS, ()) == {
        name: OURS[name] for name in ("PATH", "HOME", "LC_ALL", "TMPDIR")
    }


def test_what_the_operator_sets_wins():
    seen = for_child(OURS, (("PATH", "/opt/bin"), ("GITHUB_TOKEN", "theirs")))
    assert (seen["PATH"], seen["GITHUB_TOKEN"], seen["HOME"]) == ("/opt/bin", "theirs", "/home/me")


def test_a_proxy_is_handed_on_unless_it_holds_a_password():
    environ = {
        "HTTPS_PROXY": "http://proxy:3128",
        "http_proxy": "http://user:secret@proxy:3128",
        "no_proxy": "localhost",
    }
    assert for_child(environ, ()) == {
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "localhost",
    }
