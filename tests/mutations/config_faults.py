"""Faults of configuration, credentials and what they show."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_KUBECONFIG = ("rest/kubeconfig/test_kubeconfig.py", "rest/kubeconfig/test_kubeconfig_fuzz.py")
_RENEWAL = ("rest/kubeconfig/test_renewal.py",)
_AGAIN = ("rest/kubeconfig/test_reading_again.py",)
_ELECTION = ("leaderelection/test_elector.py", "leaderelection/test_odd_leases.py")
_SECRET = ("test_secret.py",)

CONFIG_FAULTS = [
    *faults_in(
        "named_files.py",
        ("test_named_files.py",),
        ("a pipe is a file", "(kind == stat.S_IFIFO and may_be_pipe)", "kind == stat.S_IFIFO"),
        ("a pipe without a writer is an empty file", "    if is_pipe:\n", "    if not is_pipe:\n"),
        (
            "a device may be replaced",
            "    if not stat.S_ISREG(status.st_mode):\n",
            "    if stat.S_ISDIR(status.st_mode):\n",
        ),
    ),
    *faults_in(
        "rest/answers.py",
        ("rest/test_answers.py", "rest/test_client.py"),
        ("a failure with a 200 is a success", 'status.get("status") != "Failure"', "True"),
        ("what is no text is quoted", 'type_ and not type_.startswith("text/")', "not type_"),
    ),
    *faults_in(
        "rest/kubeconfig/fields.py",
        _KUBECONFIG,
        (
            "a text counts as true or false",
            "typed = codecs.convert(document, Document, strict=True)",
            "typed = codecs.convert(document, Document, strict=False)",
        ),
        ("any document is a kubeconfig", 'typed.kind not in {"", "Config"}', 'typed.kind == ""'),
    ),
    *faults_in(
        "rest/kubeconfig/documents.py",
        _KUBECONFIG,
        (
            "null is a value",
            "for key, value in {**merged, **own}.items() if value is not None",
            "for key, value in {**merged, **own}.items()",
        ),
        ("aliases may multiply without end", "if size > _MAX_VALUES:", "if size < 0:"),
        ("half a surrogate pair is a text", "    text.encode()  #", "    text.strip()  #"),
        ("a number that is too large ends the program", "    if math.isfinite(value):", "    if True:"),
    ),
    *faults_in(
        "rest/kubeconfig/static.py",
        _KUBECONFIG,
        (
            "a CA does not contradict verifying nothing",
            "if entry.insecure_skip_tls_verify and is_https and (ca_file or ca_data):",
            "if False:",
        ),
        ("data may be what is no base64", "validate=True", "validate=False"),
    ),
    *faults_in(
        "rest/kubeconfig/merging.py",
        _KUBECONFIG,
        ("the last file counts", "known.setdefault(name, Found(entry, place))", "known[name] = Found(entry, place)"),
    ),
    *faults_in(
        "rest/kubeconfig/issued/renewal.py",
        _RENEWAL,
        (
            "everybody renews",
            "is_ours = renewal is None and self._clock.now() >= self._failures.until",
            "is_ours = True",
        ),
        ("there is no pause after a failure", "self._clock.now() >= self._failures.until", "True"),
        ("a credential ends early", "        if left > 0:\n", "        if left > EARLY_SECONDS:\n"),
        (
            "what ends at once is renewed for every request",
            "held.issued.expires is None or fresh > 0",
            "held.issued.expires is None",
        ),
        (
            "a renewal goes on though nobody waits for it",
            "if renewal.is_overdue and not renewal.waiting:",
            "if False:",
        ),
        (
            "whoever leaves breaks off the renewal of others",
            "if renewal.is_overdue and not renewal.waiting:",
            "if renewal.is_overdue:",
        ),
        ("others wait early", "if renewal is not None and is_ours:", "if renewal is not None:"),
    ),
    *faults_in(
        "rest/kubeconfig/login.py",
        _AGAIN,
        ("the file is never read again", "            if stamps == self._stamps:\n", "            if True:\n"),
        ("credentials go to a server they are not for", "if _bound_to(chosen) != _bound_to(self.chosen):", "if False:"),
        ("an unchanged file is read again", "            if stamps == self._stamps:\n", "            if False:\n"),
    ),
    *faults_in(
        "leaderelection/elector.py",
        _ELECTION,
        ("a slow server costs the pause as well", "began_at + self._uniform", "now + self._uniform"),
        (
            "a lease that another has had is taken back",
            'if self.leading.is_set() and self.holder not in {"", self.identity}:',
            "if False:",
        ),
    ),
    *faults_in(
        "leaderelection/failures.py",
        _ELECTION,
        ("what lasts is said once", "now - said_at >= AGAIN_SECONDS", "False"),
        ("each failure is said aloud", "log = logger.warning if is_due else logger.debug", "log = logger.warning"),
        ("no right is no reason to be unready", "if not failing.is_refused and seconds", "if seconds"),
        (
            "what has gone away is still wrong",
            "        self._failing = None\n        self._said_at",
            "        self._said_at",
        ),
    ),
    *faults_in(
        "leaderelection/record.py",
        _ELECTION,
        ("a number may be larger than a Lease can hold", "min(max(value or 0, 0), MAX_INT32)", "max(value or 0, 0)"),
        ("a number may be negative", "min(max(value or 0, 0), MAX_INT32)", "min(value or 0, MAX_INT32)"),
    ),
    *faults_in(
        "secret.py",
        _SECRET,
        (
            "the beginning of a secret is none",
            "        return Secret(super().__getitem__(key))",
            "        return super().__getitem__(key)",
        ),
        ("an error keeps its cause", "error.__cause__ = error.__context__ = None", "pass"),
        ("an error keeps the arguments", "        del args, kwargs\n", ""),
        ("an error keeps its frames", "return error.with_traceback(None)", "return error"),
    ),
]
