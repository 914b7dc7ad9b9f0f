//! Where the services are: beside the tests, in the folder of the same profile.

use std::path::PathBuf;

/// The program of a service.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a test is a file");
    // A test lies in <profile>/deps, a program such as bench in <profile> itself.
    let places = here.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| {
        panic!(
            "the program {name} is not built beside {}: scripts/test builds it first (cargo build -p ingress -p dispatcher -p tests --bins)",
            here.display()
        )
    })
}
