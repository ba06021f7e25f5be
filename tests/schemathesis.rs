//! Schemathesis reads the OpenAPI document of a server, and holds every answer against it.

use std::fs;

use tempfile::TempDir;

use crate::binary::{Server, stderr};
use crate::foreign;
use crate::python::Python;
use crate::sample;
use crate::tokens::Owner;

/// What no schema can tell.
const HOOKS: &str = include_str!("python/schemathesis_hooks.py");

#[test]
fn every_answer_is_as_the_document_says() {
    let Some(python) = Python::with_libraries("every_answer_is_as_the_document_says") else { return };
    let (owner, folder) = (Owner::new(), TempDir::new().unwrap());
    sample::import_into(owner.folder());
    let token = owner.add("operator", "*", "report,ingest,sql,admin");
    let server = Server::over(owner.folder(), &["--now", "2018-01-18T08:51:55.679Z"]);
    fs::write(folder.path().join("hooks.py"), HOOKS).unwrap();
    let mut command = foreign::command(python.program().with_file_name("st"));
    command.current_dir(folder.path()).env("SCHEMATHESIS_HOOKS", "hooks");
    command.args([
        "run",
        &format!("{}/openapi.json", server.url),
        "--header",
        &format!("Authorization: Bearer {token}"),
    ]);
    // As many examples as take half a minute; more have been tried by hand.
    command.args(["--checks", "all", "--continue-on-failure", "--max-examples", "20", "--seed", "1", "--no-color"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
}
