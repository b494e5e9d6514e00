//! Options that name code to measure that is not in a workload file.

use std::str::FromStr;

use clap::Args;

use crate::workload::{CallableName, Requirement};
use ftbench_schema::{CallFacts, CommandFacts, FigureFacts, ServerFacts, suggest};

/// Code that is not in a workload file.
#[derive(Debug, Clone, Default, Args)]
pub struct CodeArgs {
    /// Function to call once per unit: 'package.module:function'
    #[arg(long, value_name = "FUNCTION")]
    pub callable: Vec<CallableName>,
    /// Call to execute once per unit, as in timeit: 'fibo(25)'
    #[arg(long, value_name = "CALL", value_parser = statement)]
    pub call: Vec<String>,
    /// Statements that make the names in calls: 'from fibo import fibo'
    #[arg(long, value_name = "CODE", requires = "call")]
    pub setup: Vec<String>,
    /// Program to run afresh for each sample: '{python} app.py {workers}'
    #[arg(long, value_name = "COMMAND", value_parser = command_line)]
    pub command: Vec<String>,
    /// Output that commands must print
    #[arg(long, value_name = "TEXT", requires = "command")]
    pub expect_output: Option<String>,
    /// Figure that commands print: 'p99_ms=p99: ([0-9.]+) ms'
    #[arg(long, value_name = "NAME=REGEX", requires = "command", value_parser = figure)]
    pub figure: Vec<FigureFacts>,
    /// Server that commands are clients of: '{python} app.py {port}'
    #[arg(long, value_name = "CMD", requires_all = ["command", "ready"], value_parser = command_line)]
    pub with_server: Option<String>,
    /// Address where the server answers: 'http://127.0.0.1:{port}/'
    #[arg(long, value_name = "URL", requires = "with_server", value_parser = address)]
    pub ready: Option<String>,
}

/// Which benchmarks in files for other tools, and how they are called.
#[derive(Debug, Clone, Default, Args)]
pub struct ForeignArgs {
    /// Select benchmarks in files: a regex, or for pytest its -k
    #[arg(short = 'k', long, value_name = "EXPR")]
    pub bench: Option<String>,
    /// Arguments of scripts for pyperf, such as '--size 10'
    #[arg(long, value_name = "ARGS", value_parser = shell_words, allow_hyphen_values = true)]
    pub script_args: Option<ShellWords>,
}

/// Packages that are installed for the workloads.
#[derive(Debug, Clone, Default, Args)]
pub struct PackageArgs {
    /// Package to install for every workload, such as 'numpy>=2'
    #[arg(long, value_name = "REQUIREMENT")]
    pub with: Vec<Requirement>,
    /// Build packages that have no wheel from source
    #[arg(long)]
    pub allow_source_builds: bool,
}

/// Words as a shell splits them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellWords(pub Vec<String>);

fn shell_words(text: &str) -> Result<ShellWords, String> {
    let words = shlex::split(text).ok_or_else(|| "a quotation mark is not closed".to_owned())?;
    Ok(ShellWords(words))
}

impl CodeArgs {
    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first_option().is_none()
    }

    /// Returns the first of these options as it was given.
    #[must_use]
    pub fn first_option(&self) -> Option<String> {
        let callable = self.callable.first().map(|name| format!("--callable {name}"));
        let call = self.call.first().map(|call| format!("--call '{call}'"));
        let command = self.command.first().map(|line| format!("--command '{line}'"));
        callable.or(call).or(command)
    }

    /// Returns the calls, each with all of the setup.
    #[must_use]
    pub fn calls(&self) -> Vec<CallFacts> {
        let with_setup = |call: &String| CallFacts {
            call: call.clone(),
            setup: self.setup.join("\n"),
        };
        self.call.iter().map(with_setup).collect()
    }

    /// Returns the commands, each with the server and all of the figures.
    #[must_use]
    pub fn commands(&self) -> Vec<CommandFacts> {
        let server = self.with_server.as_ref().zip(self.ready.as_ref());
        let server = server.map(|(line, ready)| ServerFacts {
            line: line.clone(),
            ready: ready.clone(),
        });
        let with_options = |line: &String| CommandFacts {
            line: line.clone(),
            expected_output: self.expect_output.clone(),
            figures: self.figure.clone(),
            server: server.clone(),
        };
        self.command.iter().map(with_options).collect()
    }
}

/// `NAME=VALUE`: a variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Variables that ftbench itself sets for its workers.
const OWN_VARIABLES: [&str; 4] = [
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
];

impl FromStr for Variable {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (name, value) = word
            .split_once('=')
            .filter(|(name, _)| !name.is_empty() && !name.contains('\0'))
            .ok_or("write NAME=VALUE, such as OMP_NUM_THREADS=1")?;
        if OWN_VARIABLES.contains(&name) {
            return Err(format!("ftbench sets {name} itself"));
        }
        if name == "PYTHON_GIL" {
            return Err("name the interpreter with a switch instead: '3.14t+gil'".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// What a command's line may have in braces.
const PLACEHOLDERS: [&str; 4] = ["python", "workers", "units", "port"];

fn statement(word: &str) -> Result<String, String> {
    if word.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(word.to_owned())
}

/// A command line whose placeholders have no likely typing error. Other words in braces are the program's own.
fn command_line(line: &str) -> Result<String, String> {
    for (name, _) in line.split('{').skip(1).filter_map(|rest| rest.split_once('}')) {
        let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_word && !PLACEHOLDERS.contains(&name) && suggest::is_likely_typo(name, PLACEHOLDERS) {
            return Err(format!(
                "'{{{name}}}' is not a placeholder{}; they are {{python}}, {{workers}}, {{units}} and {{port}}",
                suggest::did_you_mean(&suggest::nearest(name, PLACEHOLDERS))
            ));
        }
    }
    statement(line)
}

fn figure(word: &str) -> Result<FigureFacts, String> {
    let (name, pattern) = word
        .split_once('=')
        .filter(|(name, pattern)| !name.trim().is_empty() && !pattern.is_empty())
        .ok_or("write NAME=REGEX, such as 'p99_ms=p99: ([0-9.]+) ms'")?;
    Ok(FigureFacts {
        name: name.trim().to_owned(),
        pattern: pattern.to_owned(),
    })
}

/// Checks the form of an address. Its parts may hold placeholders, so the worker checks the rest.
fn address(word: &str) -> Result<String, String> {
    let place = |scheme: &str| {
        word.strip_prefix(scheme)
            .filter(|rest| !rest.starts_with(['/', ':']))
    };
    let is_http = place("http://").is_some_and(|rest| !rest.is_empty());
    let has_port = |rest: &str| {
        rest.rsplit_once(':')
            .is_some_and(|(_, port)| port == "{port}" || port.parse::<u16>().is_ok())
    };
    if is_http || place("tcp://").is_some_and(has_port) {
        Ok(word.to_owned())
    } else {
        Err("write http://HOST:PORT/PATH or tcp://HOST:PORT; {port} is a free port".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn figures_have_a_name_and_a_pattern() {
        let read = figure("p99_ms= p=([0-9]+)").unwrap();
        assert_eq!(
            (read.name.as_str(), read.pattern.as_str()),
            ("p99_ms", " p=([0-9]+)")
        );
        for word in ["", "a", "=b", " =b", "a="] {
            assert!(figure(word).is_err(), "{word}");
        }
    }

    #[test]
    fn addresses_are_of_http_or_tcp() {
        for word in [
            "http://127.0.0.1:{port}/",
            "http://localhost",
            "tcp://[::1]:{port}",
            "tcp://localhost:80",
        ] {
            assert_eq!(address(word).unwrap(), word);
        }
        for word in [
            "",
            "127.0.0.1:80",
            "https://a/",
            "http://",
            "http:///a",
            "http://:80",
            "tcp://a",
            "tcp://a:b",
            "tcp://:80",
        ] {
            assert!(address(word).is_err(), "{word}");
        }
    }

    #[test]
    fn every_command_has_the_server_and_all_figures() {
        let arguments = CodeArgs {
            command: vec!["a".to_owned(), "b".to_owned()],
            figure: vec![figure("x=1").unwrap(), figure("y=2").unwrap()],
            with_server: Some("serve".to_owned()),
            ready: Some("tcp://localhost:1".to_owned()),
            ..CodeArgs::default()
        };
        let commands = arguments.commands();
        assert_eq!(commands.len(), 2);
        for command in commands {
            assert_eq!(command.figures.len(), 2);
            assert_eq!(command.server.unwrap().ready, "tcp://localhost:1");
        }
    }

    #[test]
    fn variables_have_a_name_and_any_value() {
        let variable: Variable = "A=b=c d".parse().unwrap();
        assert_eq!((variable.name.as_str(), variable.value.as_str()), ("A", "b=c d"));
        assert!("EMPTY=".parse::<Variable>().is_ok());
        for word in ["", "A", "=b", "PYTHONPATH=/x", "PYTHON_GIL=0"] {
            assert!(word.parse::<Variable>().is_err(), "{word}");
        }
    }

    #[test]
    fn misspelt_placeholders_are_refused_and_other_braces_are_not() {
        for line in ["{python} app.py {worker}", "app {unit}", "{pyhton} -c ''"] {
            assert!(command_line(line).unwrap_err().contains("did you mean"), "{line}");
        }
        for line in [
            "{python} app.py {workers} {units}",
            "awk '{print $1}'",
            "awk {print}",
            "sh -c 'f() { work; }; f'",
            "echo {a,b} {} {",
        ] {
            assert_eq!(command_line(line).as_deref(), Ok(line));
        }
    }

    #[test]
    fn every_call_has_all_of_the_setup() {
        let arguments = CodeArgs {
            call: vec!["f()".to_owned(), "g()".to_owned()],
            setup: vec!["import m".to_owned(), "from m import f, g".to_owned()],
            ..CodeArgs::default()
        };
        let setups: Vec<String> = arguments.calls().into_iter().map(|call| call.setup).collect();
        assert_eq!(setups, ["import m\nfrom m import f, g"; 2]);
        assert_eq!(arguments.first_option().unwrap(), "--call 'f()'");
    }
}
