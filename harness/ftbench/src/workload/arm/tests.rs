#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::file_tree::write_in;

const PLAIN: &str = "def work(data, units): ...\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, contents: &str) -> &Self {
        write_in(self.0.path(), name, contents);
        self
    }

    fn word(&self, word: &str) -> ArmWord {
        let (name, path) = word.split_once('=').unwrap();
        ArmWord {
            name: name.to_owned(),
            path: self.0.path().join(path),
        }
    }

    fn arms(&self, words: &[&str]) -> Result<Arms, String> {
        let words: Vec<ArmWord> = words.iter().map(|word| self.word(word)).collect();
        let folder = self.0.path().display().to_string();
        Arms::read(&words).map_err(|error| error.to_string().replace(&folder, ""))
    }
}

#[test]
fn words_have_a_name_and_a_path() {
    let word: ArmWord = "v1.2-rc_1=../old/src=2".parse().unwrap();
    assert_eq!(
        (word.name.as_str(), word.path.to_str()),
        ("v1.2-rc_1", Some("../old/src=2"))
    );
    for word in ["", "path", "new="] {
        assert_eq!(word.parse::<ArmWord>(), Err(ArmWordError::Form), "{word}");
    }
    for name in ["", "a b", "-new", ".new", "größer", "a/b", "a@b", &"a".repeat(25)] {
        let word = format!("{name}=path");
        assert_eq!(
            word.parse::<ArmWord>(),
            Err(ArmWordError::Name(name.to_owned())),
            "{word}"
        );
    }
}

proptest! {
    #[test]
    fn parsing_a_word_never_panics_and_keeps_the_path(word in "\\PC{0,30}") {
        if let Ok(read) = word.parse::<ArmWord>() {
            prop_assert_eq!(format!("{}={}", read.name, read.path.display()), word);
        }
    }
}

#[test]
fn path_determines_the_kind_of_an_arm() {
    let folder = Folder::new();
    folder
        .file("a.py", PLAIN)
        .file("b.py", PLAIN)
        .file("project/pyproject.toml", "")
        .file("project/src/package/__init__.py", "")
        .file("flat/pyproject.toml", "")
        .file("flat/package/__init__.py", "1")
        .file("one-1-py3-none-any.whl", "1")
        .file("two-2-py3-none-any.whl", "2");
    let mut files = folder.arms(&["base=a.py", "new=b.py"]).unwrap();
    assert_eq!(files.kind(), Some(ArmKind::File));
    assert_eq!(files.workloads(None).first().unwrap().name, "a");
    let workload = files.workloads(Some("mine")).remove(0);
    assert_eq!(workload.name, "mine");
    let new = files.workload(Some("new"), &workload);
    assert!(new.name == "mine" && new.path.ends_with("b.py"));
    assert_eq!(files.workload(None, &workload), &workload);
    assert_eq!(files.warnings().len(), 1, "they are the same");

    let mut folders = folder.arms(&["base=flat", "new=project"]).unwrap();
    let paths: Vec<String> = folders.facts().into_iter().map(|facts| facts.path).collect();
    assert!(
        paths[0].ends_with("/flat") && paths[1].ends_with("/project/src"),
        "{paths:?}"
    );
    assert!(folders.workloads(None).is_empty() && folders.warnings().is_empty());

    let wheels = folder
        .arms(&["base=one-1-py3-none-any.whl", "new=two-2-py3-none-any.whl"])
        .unwrap();
    assert_eq!(wheels.wheel(Some("new")).unwrap().name(), "two");
    assert_eq!(folders.wheel(Some("new")), None);
    assert_eq!(Arms::read(&[]).unwrap(), Arms::default());
}

#[test]
fn cases_of_a_file_are_measured_arm_by_arm() {
    let cases = "# /// script\n# [tool.ftbench.cases]\n# one = \"\"\n# two = \"\"\n# ///\n";
    let folder = Folder::new();
    folder.file("a.py", cases).file("b.py", cases).file("c.py", PLAIN);
    let mut arms = folder.arms(&["base=a.py", "new=b.py"]).unwrap();
    let names: Vec<String> = arms
        .workloads(Some("m"))
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["m.one", "m.two"]);
    insta::assert_snapshot!(folder.arms(&["base=a.py", "new=c.py"]).unwrap_err(), @"the files of the arms 'base' and 'new' differ in their cases; both are measured as one workload, so make their metadata say the same");
}

#[test]
fn incomparable_arms_are_refused() {
    let folder = Folder::new();
    folder
        .file("a.py", PLAIN)
        .file(
            "io.py",
            "# /// script\n# [tool.ftbench]\n# kind = \"io\"\n# ///\n",
        )
        .file(
            "rust.py",
            "# /// script\n# [tool.ftbench]\n# extension = \"x\"\n# ///\n",
        )
        .file("flat/module.py", "")
        .file("data/notes.txt", "")
        .file("one.tar.gz", "");
    let error = |words: &[&str]| folder.arms(words).unwrap_err();
    insta::assert_snapshot!(error(&["new=a.py"]), @"'new' is the only arm, but an arm is compared with another; give two or more, the one to compare with first (--arm base=PATH --arm new=PATH), or none");
    insta::assert_snapshot!(error(&["a=a.py", "a=a.py"]), @"two arms are called 'a'; give each its own name, because results are identified by it");
    insta::assert_snapshot!(error(&["a=a.py", "b=none"]), @"cannot read the arm 'b' at /none: No such file or directory (os error 2)");
    insta::assert_snapshot!(error(&["a=flat", "b=data"]), @"the arm 'b' at /data has no Python module in it; give the folder that holds the package");
    insta::assert_snapshot!(error(&["a=one.tar.gz", "b=data"]), @"the arm 'a' at /one.tar.gz is not a workload file (.py), folder of modules or wheel (.whl); build a wheel from sources with 'pip wheel' or 'uv build'");
    insta::assert_snapshot!(error(&["a=a.py", "b=flat"]), @"the arm 'a' is a workload file and 'b' is a folder of modules; give the same kind of thing for every arm");
    insta::assert_snapshot!(error(&["a=a.py", "b=io.py"]), @"the files of the arms 'a' and 'b' differ in 'kind'; both are measured as one workload, so make their metadata say the same");
    insta::assert_snapshot!(ArmError::NoWorkload, @"arms that are folders or wheels need a workload that imports them; name one, such as 'ftbench run my_work.py' or 'ftbench run --callable my_package.module:function'");
    insta::assert_snapshot!(ArmError::BesideFiles("fib".to_owned()), @"the arms are workload files, and the only word allowed with them is one name for the workload, such as my_work; leave out 'fib'");
    insta::assert_snapshot!(error(&["a=a.py", "b=rust.py"]), @"the workload file of the arm 'b' has an extension, which is not built for arms; build wheels of both versions and give those");
}
