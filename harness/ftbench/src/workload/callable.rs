//! Names of functions that are measured as they are.

use std::fmt;
use std::str::FromStr;

/// `package.module:function`, or `package.module:Class.method`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallableName(String);

/// Why a word is not the name of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallableError {
    /// The module is given as a file.
    #[error("name the module rather than its file: '{module}:{function}'")]
    File {
        /// The module that the file is.
        module: String,
        /// The function, or a placeholder.
        function: String,
    },
    /// It has another form.
    #[error("write 'package.module:function'")]
    Form,
}

impl FromStr for CallableName {
    type Err = CallableError;

    fn from_str(word: &str) -> Result<Self, CallableError> {
        let (module, function) = word.split_once(':').unwrap_or((word, ""));
        if module.contains('/') || module.ends_with(".py") {
            let path = module.trim_start_matches("./").trim_end_matches(".py");
            let function = if is_dotted_name(function) {
                function
            } else {
                "function"
            };
            return Err(CallableError::File {
                module: path.trim_matches('/').replace('/', "."),
                function: function.to_owned(),
            });
        }
        if is_dotted_name(module) && is_dotted_name(function) {
            Ok(Self(word.to_owned()))
        } else {
            Err(CallableError::Form)
        }
    }
}

impl CallableName {
    /// Returns the top-level module or package of the callable, which is found on the module path.
    #[must_use]
    pub fn top_level(&self) -> &str {
        let end = self.0.find(['.', ':']).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }
}

impl fmt::Display for CallableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Whether the text is names joined by dots. Python decides what a name is; this only refuses what cannot be one.
fn is_dotted_name(text: &str) -> bool {
    let is_name = |name: &str| {
        let starts_well = name
            .chars()
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_');
        starts_well && name.chars().all(|char| char.is_alphanumeric() || char == '_')
    };
    text.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn modules_and_functions_are_parsed() {
        for word in ["module:function", "a.b_2:Class.method", "größe:_f"] {
            assert_eq!(word.parse::<CallableName>().unwrap().to_string(), word);
        }
        let top_level = |word: &str| word.parse::<CallableName>().unwrap().top_level().to_owned();
        assert_eq!(
            [top_level("a.b_2:Class.method"), top_level("module:a.b")],
            ["a", "module"]
        );
    }

    #[test]
    fn other_words_are_refused_with_the_form_to_use() {
        for word in [
            "", "module", "module:", ":f", "a:b:c", "a..b:f", "2a:f", "a:f()", "a b:f", "-a:f",
        ] {
            assert_eq!(
                word.parse::<CallableName>().unwrap_err(),
                CallableError::Form,
                "{word}"
            );
        }
        let error = |word: &str| word.parse::<CallableName>().unwrap_err().to_string();
        assert_eq!(
            error("./folder/file.py:main"),
            "name the module rather than its file: 'folder.file:main'"
        );
        assert_eq!(
            error("file.py"),
            "name the module rather than its file: 'file:function'"
        );
    }
}
