//! Calls of well-known packages that threads make at once, and whose results do not depend on who makes them.

use std::collections::BTreeSet;

/// The calls, each with its package. A call begins with the module that it needs.
const CALLS: &[(&str, &str)] = &[
    ("attrs", "attrs.make_class('C', ['a', 'b'])(1, 2)"),
    (
        "bcrypt",
        "bcrypt.hashpw(b'secret', b'$2b$04$abcdefghijklmnopqrstuu')",
    ),
    ("brotli", "brotli.decompress(brotli.compress(b'abc' * 500))"),
    ("cffi", "cffi.FFI().cast('int', 3)"),
    (
        "charset-normalizer",
        "charset_normalizer.from_bytes('caf\\u00e9'.encode()).best().encoding",
    ),
    (
        "cryptography",
        "cryptography.hazmat.primitives.constant_time.bytes_eq(b'abc' * 99, b'abc' * 99)",
    ),
    ("frozenlist", "frozenlist.FrozenList(range(50)).index(7)"),
    (
        "jinja2",
        "jinja2.Template('{% for i in range(9) %}{{ i }}{% endfor %}').render()",
    ),
    ("kiwisolver", "kiwisolver.Variable('a').name()"),
    (
        "lxml",
        "lxml.etree.tostring(lxml.etree.fromstring('<a>' + '<b c=\"d\"/>' * 50 + '</a>'))",
    ),
    ("lz4", "lz4.frame.decompress(lz4.frame.compress(b'abc' * 500))"),
    ("markupsafe", "markupsafe.escape('<a href=\"b\">' * 20)"),
    (
        "msgpack",
        "msgpack.unpackb(msgpack.packb({'a': [1, 2.5, None] * 20}))",
    ),
    (
        "multidict",
        "multidict.MultiDict([('a', 1), ('a', 2)]).getall('a')",
    ),
    ("numpy", "numpy.linalg.inv(numpy.eye(20) * 2.0).sum()"),
    ("numpy", "numpy.random.default_rng(1).random(100).sum()"),
    ("orjson", "orjson.loads(orjson.dumps({'a': [1, 2.5, None] * 20}))"),
    (
        "pandas",
        "pandas.DataFrame({'a': [1, 2, 3] * 50, 'b': 1}).groupby('a').sum().to_dict()",
    ),
    (
        "pillow",
        "PIL.Image.new('RGB', (32, 32), (1, 2, 3)).resize((8, 8)).tobytes()",
    ),
    ("polars", "polars.DataFrame({'a': [1, 2, 3] * 50}).sum().rows()"),
    ("pyarrow", "pyarrow.array([1, 2, None] * 50).null_count"),
    (
        "pydantic",
        "pydantic.TypeAdapter(dict[str, list[int]]).validate_json('{\"a\": [1, 2, 3]}')",
    ),
    ("pyyaml", "yaml.safe_load('a: [1, 2.5, null]\\nb: {c: d}')"),
    (
        "rapidfuzz",
        "rapidfuzz.fuzz.ratio('free threading', 'three freading')",
    ),
    ("regex", "regex.sub(r'(a+)b', r'\\1', 'aaab' * 50)"),
    (
        "scikit-learn",
        "sklearn.preprocessing.scale([[0.0, 1.0], [2.0, 5.0]]).tolist()",
    ),
    ("scipy", "scipy.linalg.det(((2.0, 1.0), (1.0, 3.0)))"),
    ("shapely", "shapely.Point(0, 0).buffer(1).area"),
    (
        "simplejson",
        "simplejson.loads(simplejson.dumps([1, 2.5, None] * 20))",
    ),
    (
        "sqlalchemy",
        "sqlalchemy.select(sqlalchemy.column('a')).where(sqlalchemy.column('b') > 1).compile().string",
    ),
    ("ujson", "ujson.loads(ujson.dumps([1, 2.5, None] * 20))"),
    ("wrapt", "wrapt.ObjectProxy(3) + 1"),
    ("yarl", "yarl.URL('https://example.org/a/b?c=d').query_string"),
    (
        "zstandard",
        "zstandard.decompress(zstandard.compress(b'abc' * 500))",
    ),
];

/// The calls of a package, by its normalised name.
pub fn well_known_calls(package: &str) -> impl Iterator<Item = &'static str> {
    let of_package = CALLS.iter().filter(move |(name, _)| *name == package);
    of_package.map(|(_, call)| *call)
}

/// The first name of a call, which is a module: `numpy` in `numpy.dot(a, b)`.
pub(super) fn root(call: &str) -> &str {
    let end = call.find(|character: char| !(character.is_alphanumeric() || character == '_'));
    call.get(..end.unwrap_or(call.len())).unwrap_or_default()
}

/// Statements that import the modules of calls. Which of the names before a call's parenthesis are modules shows only when
/// they are imported.
#[must_use]
pub fn imports(calls: &[String]) -> Vec<String> {
    let dotted = |call: &str| {
        let name = call.split('(').next().unwrap_or_default().trim().to_owned();
        let ends: Vec<usize> = name.match_indices('.').map(|(end, _)| end).collect();
        ends.into_iter()
            .filter_map(|end| Some(name.get(..end)?.to_owned()))
            .collect::<Vec<_>>()
    };
    let modules: BTreeSet<String> = calls.iter().flat_map(|call| dotted(call)).collect();
    let roots: BTreeSet<&str> = calls.iter().map(|call| root(call)).collect();
    let names: Vec<String> = modules.iter().map(|module| format!("'{module}'")).collect();
    let mut statements = vec![format!(
        "import contextlib, importlib\nfor name in ({},):\n    with contextlib.suppress(ImportError):\n        \
         importlib.import_module(name)",
        names.join(", ")
    )];
    statements.extend(roots.into_iter().map(|root| format!("import {root}")));
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_sorted_and_begin_with_a_module() {
        assert!(CALLS.is_sorted());
        for (_, call) in CALLS {
            assert!(!root(call).is_empty(), "{call}");
        }
        assert_eq!(root("numpy.dot(1)"), "numpy");
        assert_eq!(root("(1).real"), "");
        let statements = imports(&["a.b.c(x.y)".to_owned(), "a.d(1)".to_owned()]).join("\n");
        assert!(statements.contains("in ('a', 'a.b',):"), "{statements}");
        assert!(statements.ends_with("\nimport a"), "{statements}");
    }
}
