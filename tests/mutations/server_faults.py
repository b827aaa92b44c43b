"""Faults of the embedded API server, room by room."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_SELECTORS = ("apiserver/requests/test_field_selectors.py",)
_LABELS = ("apiserver/machinery/test_labels.py",)
_LIMITS = ("apiserver/test_limits.py",)
_ENFORCED = ("apiserver/access/test_enforced.py", "apiserver/access/test_rules.py", "apiserver/kinds/test_rbac.py")
_WRITER = ("apiserver/objects/test_writer.py",)
_MANAGED = ("apiserver/managedfields",)
_CEL = ("apiserver/schemas",)
_STRATEGIC = ("apiserver/patching/test_strategic.py",)
_POLICIES = ("apiserver/admission",)

SERVER_FAULTS = [
    *faults_in(
        "apiserver/machinery/labels.py",
        _LABELS,
        (
            "a label that is not there is in no set of values",
            "return value not in self.values",
            "return value in self.values",
        ),
        (
            "what has the label counts as what has not",
            "            return value is None\n        return",
            "            return True\n        return",
        ),
        (
            "greater and less are one",
            'if self.operator == "gt" else number < bound',
            'if self.operator == "gt" else number > bound',
        ),
        ("an empty selector in an object selects nothing", "    if selector is None:\n", "    if not selector:\n"),
        (
            "of two labels that must match one is enough",
            "    if any(labels.get(key) != value",
            "    if all(labels.get(key) != value",
        ),
        (
            "a requirement without its operator is taken",
            "        if operator not in _OPERATORS:\n",
            "        if False:\n",
        ),
    ),
    *faults_in(
        "apiserver/machinery/quantities.py",
        ("apiserver/machinery/test_quantities.py", *_LIMITS),
        ("a quantity of any exponent is computed", "    if abs(exponent) > _MAX_EXPONENT:\n", "    if False:\n"),
        ("binary quantities lose what is left over", "    while number % 1024 == 0:\n", "    while number >= 1024:\n"),
        (
            "exponents are no multiples of three",
            ' + "0" * (exponent % 3)',
            "",
        ),
        (
            "nanos are cut off",
            "amount.quantize(_NANO, rounding=ROUND_UP) if",
            "amount.quantize(_MILLI, rounding=ROUND_UP) if",
        ),
        (
            "minus is nothing",
            'return Quantity(amount.copy_negate() if sign == "-" else amount, form)',
            "return Quantity(amount, form)",
        ),
    ),
    *faults_in(
        "apiserver/machinery/integers.py",
        _LIMITS,
        ("an integer has as many bits as it needs", "    if not least <= number <= most:\n", "    if False:\n"),
        ("an unsigned integer may be signed", '    if text[:1] in {"+", "-"}:\n', "    if False:\n"),
        ("digits beyond the range are cut off, whatever comes before", '.lstrip("0")\n', "\n"),
    ),
    *faults_in(
        "apiserver/patching/strategic.py",
        _STRATEGIC,
        (
            "$patch: replace merges",
            '    if directive == "replace":\n        return {',
            '    if directive == "replaced":\n        return {',
        ),
        (
            "$patch: delete keeps all",
            '    if directive == "delete":\n        return {}\n',
            '    if directive == "delete":\n        return dict(target)\n',
        ),
        ("an unknown directive is passed over", "    if directive is not _MISSING:\n", "    if False:\n"),
        (
            "$retainKeys retains all",
            "for key, value in target.items() if key in kept}",
            "for key, value in target.items()}",
        ),
        (
            "null leaves a field as it is",
            "    if value is None:\n        merged.pop(name, None)\n",
            "    if value is None:\n        pass\n",
        ),
        (
            "lists with a merge key are replaced",
            'is_merged = _strategy(rule) == "merge" or is_deletion',
            "is_merged = is_deletion",
        ),
        (
            "an item without its key is merged with the first",
            "    if not key:\n        raise",
            "    if False:\n        raise",
        ),
        (
            "items that a directive deletes stay",
            " if identity.key not in each or lookup(each[identity.key]) not in gone]",
            "]",
        ),
        (
            "values of primitive lists are never deleted",
            "            return [each for each in current if lookup(each) not in gone]\n",
            "            return current\n",
        ),
        (
            "the order that a patch asks for need not be its own",
            "    if wanted and order and not all(",
            "    if False and not all(",
        ),
    ),
    *faults_in(
        "apiserver/patching/json_patch.py",
        ("apiserver/patching/test_json_patch.py", *_LIMITS, "apiserver/admission/policies/test_mutating.py"),
        ("copies are free", "            if bytes_left < 0:\n", "            if False:\n"),
        ("a test that fails passes", "    if not deep_equal(copied(found), wanted):\n", "    if False:\n"),
        ("an index may be anywhere", "        if -size <= index < size\n", "        if True\n"),
        ("~1 is no slash", '"/" if found[0] == "~1" else "~"', '"~"'),
        (
            "what is not there is removed",
            "    elif key in container:\n        del container[key]\n    else:\n",
            "    elif key in container:\n        del container[key]\n    elif False:\n",
        ),
        ("- is no end of a list", '    elif key == "-":\n', '    elif key == "+":\n'),
    ),
    *faults_in(
        "apiserver/patching/merge_patch.py",
        ("apiserver/patching/test_merge_patch.py", "apiserver/requests/test_patches.py"),
        ("null sets null", "            merged.pop(key, None)\n", "            merged[key] = None\n"),
        ("objects are replaced", "merge(current, value) if isinstance(value, Mapping) else value", "value"),
        (
            "nulls in what is new are kept",
            "            merged[key] = _without_nulls(value)\n",
            "            merged[key] = value\n",
        ),
    ),
    *faults_in(
        "apiserver/schemas/prune_and_default.py",
        ("apiserver/schemas/test_prune_and_default.py",),
        (
            "unknown fields are kept",
            "            del value[key]\n            removed.append(",
            "            removed.append(",
        ),
        ("what is to be preserved is pruned", "additional or schema.get(PRESERVE)", "additional"),
        (
            "items are not pruned",
            "if isinstance(value, list) and items is not None:",
            "if False:",
        ),
        ("null keeps a default away", '(value[key] is None and not field.get("nullable"))', "False"),
        ("a nullable field takes a default for null", 'and not field.get("nullable"))', ")"),
        (
            "null that may not be stays",
            "            del value[key]\n        else:\n            _drop_nulls(",
            "            pass\n        else:\n            _drop_nulls(",
        ),
        (
            "defaults are shared",
            '            value[key] = defaults.copy(field["default"])\n',
            '            value[key] = field["default"]\n',
        ),
        (
            "rules of items are not seen",
            'schema.get("items"), schema.get("additionalProperties")]',
            'schema.get("additionalProperties")]',
        ),
    ),
    *faults_in(
        "apiserver/schemas/correlation.py",
        ("apiserver/schemas", "apiserver/apiextensions"),
        ("a field that is gone is no change", "return len(new) == len(old) and all(", "return all("),
        (
            "items are found by one key of two",
            "[item.get(key) for key in self._keys]",
            "[item.get(key) for key in self._keys[:1]]",
        ),
    ),
    *faults_in(
        "apiserver/schemas/cel/overloads.py",
        _CEL,
        (
            "numbers and texts compare",
            "    return one.kind == other.kind and all(fits(*each)",
            "    return all(fits(*each)",
        ),
        ("anything is true", "    if not isinstance(value, bool):\n", "    if False:\n"),
        ("the overload is that of the first values ever", "        if key not in known:\n", "        if not known:\n"),
    ),
    *faults_in(
        "apiserver/schemas/cel/parts/macros.py",
        (*_CEL, *_LIMITS),
        ("loops cost nothing", "                spend(cost)\n", "                pass\n"),
        (
            "an error hides what decides",
            "        for each in (left, right):\n            try:\n                if",
            "        for each in (left,):\n            try:\n                if",
        ),
        ("all is exists", 'decisive=name == "exists")', 'decisive=name == "all")'),
        ("exists_one takes more", "for each in scopes(scope)]) == 1", "for each in scopes(scope)]) >= 1"),
        ("null is there", "return owner.get(name) is not None", "return name in owner"),
    ),
    *faults_in(
        "apiserver/schemas/cel/compiler.py",
        ("apiserver/schemas",),
        (
            "a variable outlives its loop",
            "        self.variables, self.estimator.locals = hidden, locals_\n",
            "        self.estimator.locals = locals_\n",
        ),
    ),
    *faults_in(
        "apiserver/schemas/cel/costs.py",
        ("apiserver/schemas/test_costs.py",),
        (
            "the dearer side of a choice is not counted",
            "condition.cost + max(then.cost, other.cost)",
            "condition.cost + min(then.cost, other.cost)",
        ),
        ("a loop costs one step", "_bounded(items.extent.most * step)", "step"),
        (
            "a pattern costs nothing",
            "    return _bounded(text * _scaled(sizes[1].most, _PATTERN)), None\n",
            "    return text, None\n",
        ),
        (
            "lists cost nothing to make",
            "LIST_COST, MAP_COST, _STRUCT = 10, 30, 40",
            "LIST_COST, MAP_COST, _STRUCT = 0, 30, 40",
        ),
        ("maps cost nothing to make", "_bounded(MAP_COST + sum(", "_bounded(sum("),
        (
            "comparing costs the longer side",
            "_scaled(min(left.extent.most, right.extent.most), _TRAVERSAL)",
            "_scaled(max(left.extent.most, right.extent.most), _TRAVERSAL)",
        ),
        (
            "replacing does not make longer",
            "    return ceil(float(length) / float(old)), 0\n",
            "    return 0, length\n",
        ),
        (
            "joining does not count what is between",
            "            size = size.plus(sizes[1].times(between))\n",
            "            pass\n",
        ),
    ),
    *faults_in(
        "apiserver/schemas/sizes.py",
        ("apiserver/schemas/test_costs.py",),
        ("limits of lists are not seen", 'most = schema.get("maxItems")', "most = None"),
        ("limits of maps are not seen", 'most = schema.get("maxProperties")', "most = None"),
        ("characters are bytes", "_CHARACTER_BYTES = 4", "_CHARACTER_BYTES = 1"),
        (
            "required fields take no room",
            "            least += len(name.encode()) + found.least_bytes + 4\n",
            "            pass\n",
        ),
        ("an enum is of any length", "    if enum and schema", "    if False and schema"),
    ),
    *faults_in(
        "apiserver/apiextensions/crd_rules.py",
        ("apiserver/schemas/test_costs.py", "apiserver/apiextensions/test_crds.py"),
        (
            "a rule may cost anything",
            "        if cost > _MOST_RULE_COST and not self._is_known:\n",
            "        if False:\n",
        ),
        ("all rules together may cost anything", "        if total <= _MOST_TOTAL_COST:\n", "        if True:\n"),
        ("what is below a list is there once", '        most = schema.get("maxItems")\n', "        most = 1\n"),
    ),
    *faults_in(
        "apiserver/schemas/formats.py",
        ("apiserver/schemas/test_formats.py",),
        ("a day has 25 hours", 'found[1] <= "23"', 'found[1] <= "24"'),
        ("any checksum of an ISBN will do", "enumerate(digits)) % 11 == 0", "enumerate(digits)) % 1 == 0"),
        ("a network has as many bits as it likes", "int(bits) <= most", "int(bits) <= 999"),
    ),
    *faults_in(
        "apiserver/managedfields/tracking.py",
        (*_MANAGED, *_WRITER),
        ("names are owned", '        "name",\n', ""),
        (
            "who is overwritten still owns it",
            "            fields = difference(fields, intersection(fields, made.changed))\n",
            "",
        ),
        ("what is removed is still owned", "            fields = difference(fields, made.removed)\n", ""),
        (
            "an update forgets what its manager had",
            "changed if previous is None else union(previous.fields, changed)",
            "changed",
        ),
        (
            "there are any number of updaters",
            "    if len(updaters) <= MAX_UPDATE_MANAGERS:\n        return managed\n",
            "    return managed\n",
        ),
        (
            "a write that changes nothing is a change of times",
            "return same if timed == before and is_same_json(same, old) else new",
            "return new",
        ),
    ),
    *faults_in(
        "apiserver/managedfields/applying.py",
        (*_MANAGED, *_WRITER),
        ("nobody minds", "    if conflicts:\n        raise Conflicting(conflicts)\n", ""),
        ("what is no longer applied stays", "    new = _pruned(target, new, managed, last)\n", ""),
        ("force does not force", "    if not force:\n", "    if True:\n"),
        ("managedFields may be applied", 'sent.get("managedFields") is not None:', "False:"),
    ),
    *faults_in(
        "apiserver/managedfields/typed.py",
        (*_MANAGED, *_POLICIES),
        (
            "items of the old list get lost",
            "            if element not in wanted:\n                yield before[left]\n",
            "            if element not in wanted:\n",
        ),
        ("an item may come twice", "            if unique and element in seen:\n", "            if False:\n"),
        ("atomic lists may be applied in part", "        if type_.list.keys is None:\n            yield path\n", ""),
        ("atomic maps may be applied in part", "        if type_.map.atomic:\n            yield path\n", ""),
    ),
    *faults_in(
        "apiserver/access/rules.py",
        _ENFORCED,
        ("a verb allows all verbs", '    if not _has(rule.get("verbs"), attributes.verb):\n', "    if False:\n"),
        ("names are not looked at", "and (not names or attributes.name in names)", "and True"),
        (
            "a resource allows its subresources",
            'return named in {"*", whole} or',
            'return named in {"*", whole, resource} or',
        ),
        (
            "a path allows those below",
            "return url == path or (url.endswith",
            "return path.startswith(url) or (url.endswith",
        ),
        ("one name covers another", "set(names) <= set(own_names)", "bool(own_names)"),
    ),
    *faults_in(
        "apiserver/access/rbac.py",
        _ENFORCED,
        (
            "a role of one namespace holds in all",
            'self._bodies("rolebindings", namespace) if namespace else ()',
            'self._bodies("rolebindings", "")',
        ),
        (
            "masters are nobody",
            "        if MASTERS in attributes.groups:\n            return Decision(True",
            "        if False:\n            return Decision(True",
        ),
        (
            "roles can be given that one has not",
            "        if missing:\n            who =",
            "        if False:\n            who =",
        ),
        (
            "bindings can be made to any role",
            "        check(attributes, new, old)\n",
            '        if "bindings" not in attributes.resource:\n            check(attributes, new, old)\n',
        ),
        ("a group is a user", "        return name in groups\n", "        return bool(name == user)\n"),
        (
            "aggregated roles have their own rules",
            "        if aggregation is None:\n            return",
            "        if True:\n            return",
        ),
        (
            "a role that aggregates itself is gathered for ever",
            "            if name in seen or not any(",
            "            if not any(",
        ),
    ),
    *faults_in(
        "apiserver/objects/deletion.py",
        (
            "apiserver/objects/test_deletion.py",
            "apiserver/objects/test_garbage.py",
            *_WRITER,
            "apiserver/test_kinds.py",
        ),
        (
            "finalizers hold nothing back",
            "        if finalizers:\n            return self._update",
            "        if False:\n            return self._update",
        ),
        ("a pod that runs goes at once", '    if not spec.get("nodeName") or phase in', "    if True or phase in"),
        ("default can be deleted", "key.name in IMMORTAL_NAMESPACES:", "not key.name:"),
        (
            "another object of the same name is deleted",
            'if options.uid is not None and options.uid != metadata["uid"]:',
            "if False:",
        ),
        (
            "another state is deleted",
            "if options.version is not None and options.version != str(record.revision):",
            "if False:",
        ),
        (
            "a dry run marks",
            "        if not options.dry_run and marked != record.body:\n",
            "        if marked != record.body:\n",
        ),
        (
            "less grace than none is none",
            "    return 1 if seconds < 0 else int(seconds)\n",
            "    return max(0, int(seconds))\n",
        ),
        (
            "a pod of many graces is deleted again and again",
            "            if wanted is None or wanted >= left:\n",
            "            if wanted is None:\n",
        ),
    ),
    *faults_in(
        "apiserver/objects/ownership.py",
        ("apiserver/objects/test_garbage.py",),
        ("a dependent need not block", 'and each.get("blockOwnerDeletion") for each', "for each"),
        ("who has another owner goes with the one that waits", " if owner and not _waits(owner)]", " if all(owners)]"),
        ("who owns each other waits for ever", "and any(map(_waits, below)):", "and False:"),
        (
            "one owner that is gone takes its dependents with it",
            "    if staying and len(staying) <",
            "    if False and len(staying) <",
        ),
    ),
    *faults_in(
        "apiserver/objects/garbage.py",
        ("apiserver/objects/test_garbage.py",),
        ("an owner made anew is the same", 'and record.body["metadata"]["uid"] == reference["uid"] else', "else"),
        (
            "an owner in no namespace is gone",
            "if served is None or (served.type.namespaced and not namespace):",
            "if served is None:",
        ),
    ),
    *faults_in(
        "apiserver/storage/collection.py",
        ("apiserver/storage/test_store.py", "apiserver/storage/test_watches.py", *_LIMITS),
        (
            "the past is never forgotten",
            "        while len(self._past) > self._limit or (",
            "        while False and (",
        ),
        (
            "large objects are remembered as long as small ones",
            "(self._past_bytes > MAX_HISTORY_BYTES and len(self._past) > 1)",
            "False",
        ),
        (
            "old changes are remembered",
            "        while self._past and self._past[0].at < at:\n",
            "        while False:\n",
        ),
        (
            "a snapshot of old has what came later",
            "            if change.previous is None:\n                del records[path]\n",
            "            if change.previous is None:\n                pass\n",
        ),
        ("what is forgotten is said to be nothing", "        if revision < self.compacted:\n", "        if False:\n"),
        ("a namespace shows those that begin like it", 'bisect.bisect_left(order, f"{namespace}0")', "len(order)"),
        (
            "what leaves a selection is only changed",
            "    return DELETED if before else None\n",
            '    return "MODIFIED" if before else None\n',
        ),
    ),
    *faults_in(
        "apiserver/storage/watches.py",
        ("apiserver/storage/test_watches.py",),
        (
            "a watch gets what it has seen already",
            "        if self.ended or change.revision <= self._floor:\n",
            "        if self.ended:\n",
        ),
        ("the initial state has no end", "            if self._options.initial_end:\n", "            if False:\n"),
        (
            "nobody who has not asked is spared bookmarks",
            "if self._options.bookmarks and not self.ended and",
            "if not self.ended and",
        ),
        (
            "what cannot be shown leaves a watch open",
            "            self.deliver_last(event_line(ERROR, codecs.encode(error.body)))\n",
            "            pass\n",
        ),
        (
            "who leaves a selection sees the state that left",
            "            record = Record(with_version(change.previous.body, change.revision), change.revision)\n",
            "            pass\n",
        ),
    ),
    *faults_in(
        "apiserver/requests/list_options.py",
        ("apiserver/requests/test_list_options.py", "apiserver/endpoints/test_reads.py"),
        (
            "a token may come with a version",
            '    if not watch and token and version not in {"", "0"}:\n',
            "    if False:\n",
        ),
        ("a limit may be negative", "        max(0, limit),\n", "        limit,\n"),
        ("a token may be of another server", 'if decoded.get("v") != _TOKEN_VERSION:', "if False:"),
        ("a path in a token may leave its place", "    if posixpath.normpath(path) != path:\n", "    if False:\n"),
    ),
    *faults_in(
        "apiserver/requests/field_selectors.py",
        _SELECTORS,
        (
            "another namespace is shown",
            '        if namespace and metadata.get("namespace") != namespace:\n',
            "        if False:\n",
        ),
        ("unequal is equal", 'found["operator"] != "!="', "True"),
        ("commas cannot be escaped", 're.split(r"(?<!\\\\),", text)', 'text.split(",")'),
        ("any field selects", "    if known is not None and path in known:\n", "    if known is not None:\n"),
    ),
    *faults_in(
        "apiserver/requests/timeouts.py",
        ("apiserver/requests/test_timeouts.py",),
        ("nobody can answer in no time", "    if 0 < seconds < _QUICKEST_SECONDS:\n", "    if False:\n"),
        ("a number is a duration", '        if not term["unit"]:\n', "        if False:\n"),
    ),
    *faults_in(
        "apiserver/admission/mutating.py",
        ("apiserver/admission/test_mutating.py",),
        (
            "everybody is asked twice",
            "            if is_second and mutator.uid not in self.again:\n",
            "            if False:\n",
        ),
        ("nobody is asked twice", "    for each in turns if has_changed else ():\n", "    for each in ():\n"),
        (
            "what a later plugin changes is not seen",
            "        if is_second and not is_same_json(self.last, attributes.obj):\n",
            "        if False:\n",
        ),
        ("a turn never ends", "        self.plugin.end()\n", ""),
        (
            "only changes count where all does",
            "        if self.plugin.counts_all and was_asked:\n",
            "        if False:\n",
        ),
    ),
    *faults_in(
        "apiserver/admission/hooks/webhooks.py",
        ("apiserver/admission/hooks/test_webhooks.py",),
        (
            "one webhook waits for another",
            "            each.start()\n",
            "            each.start(), each.stop(_MOST_SECONDS)\n",
        ),
        ("a refusal is not heard", "        if refusals:\n            raise refusals[0]\n", ""),
        ("warnings are lost", "            attributes.warn(text)\n", "            pass\n"),
    ),
    *faults_in(
        "apiserver/admission/policies/mutating.py",
        ("apiserver/admission/policies/test_mutating.py",),
        ("failures that are to be ignored refuse", "        if policy.is_fatal:\n", "        if True:\n"),
        (
            "mutations do not see each other",
            '            scope = {**scope, "object": self.versions.shown(obj, current.type, type_)}\n',
            "",
        ),
        (
            "names of types are not looked at",
            '    if misnamed:\n        raise _Unpatchable(f"type mismatch: {misnamed}")\n    data =',
            "    data =",
        ),
        ("a test that fails refuses", "    except TestFailed:\n        return dict(obj)\n", ""),
        ("unknown fields are dropped without a word", "is_strict=mutation.is_strict", "is_strict=False"),
        (
            "what is deleted is changed",
            "asked = [] if attributes.operation == DELETE else policies",
            "asked = policies",
        ),
    ),
    *faults_in(
        "apiserver/admission/policies/validating.py",
        ("apiserver/admission/policies/test_validating.py",),
        ("what is not true is allowed", "if validation.expression.value(scope, budget) is not True:", "if False:"),
        ("a binding that warns refuses", 'if "Deny" in actions or is_annotation:', "if True:"),
    ),
    *faults_in(
        "apiserver/admission/matching.py",
        _POLICIES,
        ("any operation is meant", '        and _has(rule.get("operations"), attributes.operation)\n', ""),
        ("any group is meant", '        and _has(rule.get("apiGroups"), resource.group)\n', ""),
    ),
    *faults_in(
        "apiserver/kinds/pods/debugging.py",
        ("apiserver/endpoints/test_subresources.py",),
        ("a debugger may be taken away", "        if name not in now:\n", "        if False:\n"),
        ("a debugger comes with a new pod", 'if body["spec"].get(FIELD) else []', "if False else []"),
        (
            "with a debugger comes anything else",
            'for name, each in old["spec"].items() if name != FIELD}',
            'for name, each in sent["spec"].items() if name != FIELD}',
        ),
    ),
    *faults_in(
        "apiserver/kinds/pods/resizing.py",
        ("apiserver/endpoints/test_subresources.py",),
        ("a pod that is resized has another quality", '    if quality_of(new["spec"]) != quality:', "    if False:"),
        ("amounts are taken away", "if set(before.get(what) or ()) - set(now.get(what) or ())", "if False"),
        ("any amounts are changed", "            if _settled(container, had) == had:", "            if True:"),
        (
            "with amounts comes anything else",
            "with_fields(old, {name: container.get(name) for name in _OWN})",
            "with_fields(old, container)",
        ),
    ),
    *faults_in(
        "apiserver/gotypes/internal.py",
        ("apiserver/gotypes/test_internal.py",),
        ("what is on the host is nowhere", '    if name == "PodSpec":', "    if False:"),
        ("texts of any length are compared", "    if max(len(before), len(after)) > _MOST_LINES:", "    if False:"),
        (
            "a selector is in the order of its sender",
            "return {key: _sorted(value[key]) for key in sorted(value)}",
            "return dict(value)",
        ),
    ),
    *faults_in(
        "apiserver/requests/messages.py",
        ("apiserver/requests/test_indentation.py",),
        ("texts are taken for JSON", '.partition(";")[0] != JSON:', '.partition(";")[0] == "":'),
        ("nobody can turn indentation off", "return asked in _TRUE if asked else", "return"),
    ),
]
