//! A minute of everything at once. `benches/soak.py` tells what it does, and runs for longer by hand.

use std::process::Stdio;

use crate::foreign;

#[test]
fn a_busy_minute_leaves_nothing_behind() {
    let test = "a_busy_minute_leaves_nothing_behind";
    if !foreign::is_here(test, "python3", "python3") {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/soak.py");
    let binary = env!("CARGO_BIN_EXE_skillscope");
    let mut python = foreign::command("python3");
    python.args([script, "--binary", binary, "--seconds", "60"]).stdin(Stdio::null());
    let output = python.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
}
