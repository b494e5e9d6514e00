#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::interpreter::fixtures::Folder;

fn places_in(folder: &Folder) -> SearchPlaces {
    SearchPlaces {
        ftbench: Some(folder.path().join("ftbench")),
        uv: Some(folder.path().join("uv")),
        pyenv_root: Some(folder.path().join("pyenv")),
        conda_list: Some(folder.path().join("conda/environments.txt")),
        conda_environments: vec![folder.path().join("conda/root")],
        conda_environment_folders: vec![folder.path().join("conda/root/envs")],
        path: vec![folder.path().join("pyenv/shims"), folder.path().join("bin")],
    }
}

/// The source of every candidate, and its path inside the folder.
fn listed(folder: &Folder, candidates: &[Candidate]) -> Vec<String> {
    let inside = |path: &Path| path.strip_prefix(folder.path()).unwrap().display().to_string();
    candidates
        .iter()
        .map(|candidate| format!("{} {}", candidate.source, inside(&candidate.path)))
        .collect()
}

#[test]
fn every_place_is_searched_in_order_of_preference() {
    let folder = Folder::new();
    for name in [
        "bin/python3",
        "bin/pypy3.11",
        "conda/listed/bin/python",
        "conda/root/bin/python3.12",
        "conda/root/envs/ft/bin/python3.13t",
        "ftbench/3.13.15/bin/python3.13",
        "ftbench/.unfinished/bin/python3.13",
        "pyenv/shims/python3.11",
        "pyenv/versions/3.12.1/bin/python3.12",
        "uv/cpython-3.14/bin/python3.14",
    ] {
        folder.script(name, "");
    }
    let conda = folder.path().join("conda/listed");
    folder.file(
        "conda/environments.txt",
        &format!("{}\n\n/nowhere\n", conda.display()),
    );
    insta::assert_snapshot!(listed(&folder, &candidates(&places_in(&folder), &[])).join("\n"), @"
    ftbench ftbench/3.13.15/bin/python3.13
    uv uv/cpython-3.14/bin/python3.14
    pyenv pyenv/versions/3.12.1/bin/python3.12
    conda conda/listed/bin/python
    conda conda/root/bin/python3.12
    conda conda/root/envs/ft/bin/python3.13t
    PATH bin/pypy3.11
    PATH bin/python3
    ");
}

#[test]
fn links_to_one_file_are_one_candidate() {
    let folder = Folder::new();
    let real = folder.script("uv/cpython-3.14/bin/python3.14", "");
    folder.link("uv/cpython-3.14/bin/python3", &real);
    folder.link("bin/python", &real);
    folder.link("bin/python3", &folder.path().join("nowhere"));
    assert_eq!(
        listed(&folder, &candidates(&places_in(&folder), &[])),
        ["uv uv/cpython-3.14/bin/python3.14"]
    );
}

#[test]
fn two_names_of_one_file_are_one_candidate_in_one_folder() {
    let folder = Folder::new();
    let short = folder.script("ftbench/3.13.15t/bin/python3.13", "");
    let long = folder.path().join("ftbench/3.13.15t/bin/python3.13t");
    fs::hard_link(&short, &long).unwrap();
    folder.link("ftbench/3.13.15t/bin/python3", &short);
    folder.script("uv/other/bin/keep", "");
    fs::hard_link(&short, folder.path().join("uv/other/bin/python3.13")).unwrap();
    let candidates = candidates(&places_in(&folder), std::slice::from_ref(&short));
    assert_eq!(
        listed(&folder, &candidates),
        [
            "ftbench ftbench/3.13.15t/bin/python3.13t",
            "uv uv/other/bin/python3.13"
        ]
    );
    assert_eq!(candidates.first().unwrap().given_as, [short]);
}

#[test]
fn shims_that_link_to_a_version_manager_are_separate_candidates() {
    let folder = Folder::new();
    let manager = folder.script("manager/manage", "");
    folder.link("bin/python3.12", &manager);
    folder.link("bin/python3.13", &manager);
    assert_eq!(
        listed(&folder, &candidates(&places_in(&folder), &[])),
        ["PATH bin/python3.12", "PATH bin/python3.13"]
    );
}

#[test]
fn explicit_path_of_a_found_interpreter_adds_no_candidate() {
    let folder = Folder::new();
    let real = folder.script("pyenv/versions/3.12.1/bin/python3.12", "");
    let link = folder.link("elsewhere/python", &real);
    let mine = folder.script("mine/python", "");
    let given = [
        link.clone(),
        real.clone(),
        mine.clone(),
        folder.path().join("missing"),
    ];
    let candidates = candidates(&places_in(&folder), &given);
    assert_eq!(
        listed(&folder, &candidates),
        [
            "pyenv pyenv/versions/3.12.1/bin/python3.12",
            "path mine/python",
            "path missing"
        ]
    );
    let given_as: Vec<&[PathBuf]> = candidates
        .iter()
        .map(|candidate| candidate.given_as.as_slice())
        .collect();
    assert_eq!(
        given_as,
        [
            &[link, real][..],
            &[mine][..],
            &[folder.path().join("missing")][..]
        ]
    );
}

#[test]
fn virtual_environment_counts_as_its_base_unless_given_by_path() {
    let folder = Folder::new();
    let base = folder.script("pyenv/versions/3.12.1/bin/python3.12", "");
    let python = folder.link("venv/bin/python", &base);
    folder.file("venv/pyvenv.cfg", "home = somewhere\n");
    let mut places = places_in(&folder);
    places.path = vec![folder.path().join("venv/bin")];
    assert_eq!(candidates(&places, &[]).len(), 1);
    assert_eq!(
        listed(&folder, &candidates(&places, &[python])),
        [
            "pyenv pyenv/versions/3.12.1/bin/python3.12",
            "path venv/bin/python"
        ]
    );
}

#[test]
fn only_names_of_interpreters_are_candidates() {
    for name in [
        "python",
        "python3",
        "python3.13",
        "python3.13t",
        "python3.13td",
        "python3.9d",
        "pypy",
        "pypy3",
        "pypy3.11",
    ] {
        assert!(is_python_name(OsStr::new(name)), "{name}");
    }
    for name in [
        "python2",
        "python2.7",
        "python3-config",
        "python3.13-config",
        "python3.13-gdb.py",
        "python3.",
        "python3.t",
        "pythonw",
        "ipython",
        "python3.6m",
        "pypy2",
        "python3.13dt",
    ] {
        assert!(!is_python_name(OsStr::new(name)), "{name}");
    }
}

#[test]
fn places_follow_the_environment() {
    let folders = UserFolders {
        home: "/home/me".into(),
        cache: "/home/me/.cache".into(),
        data: "/home/me/.local/share".into(),
    };
    let plain = SearchPlaces::new(Some(&folders), |_| None);
    assert_eq!(
        plain.ftbench.unwrap(),
        Path::new("/home/me/.cache/ftbench/python")
    );
    assert_eq!(plain.uv.unwrap(), Path::new("/home/me/.local/share/uv/python"));
    assert_eq!(plain.pyenv_root.unwrap(), Path::new("/home/me/.pyenv"));
    assert_eq!(
        plain.conda_list.unwrap(),
        Path::new("/home/me/.conda/environments.txt")
    );
    assert!(plain.conda_environments.contains(&"/home/me/miniforge3".into()));
    assert!(
        plain
            .conda_environment_folders
            .contains(&"/opt/miniconda3/envs".into())
    );
    assert!(plain.path.is_empty());

    let set = BTreeMap::from([
        ("UV_PYTHON_INSTALL_DIR", "/uv"),
        ("PYENV_ROOT", "/pyenv"),
        ("CONDA_PREFIX", "/conda"),
        ("PATH", "/usr/bin::relative:/bin"),
    ]);
    let places = SearchPlaces::new(None, |name| set.get(name).map(OsString::from));
    assert_eq!(places.ftbench, None);
    assert_eq!(places.uv.unwrap(), Path::new("/uv"));
    assert_eq!(places.pyenv_root.unwrap(), Path::new("/pyenv"));
    assert_eq!(places.conda_environments.first().unwrap(), Path::new("/conda"));
    assert_eq!(places.path, [Path::new("/usr/bin"), Path::new("/bin")]);
}
