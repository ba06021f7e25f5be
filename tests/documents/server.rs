//! A server that a document starts, and ends later.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::comparison::is_shown;
use crate::process::{PATIENCE, Running, end_of, send_signal};

pub(super) struct BackgroundServer {
    child: Running,
    /// The lines that it prints, as they come.
    printed: Receiver<String>,
    /// The ports as the text has them, each with the one on which the server listens.
    pub(super) ports: Vec<(String, String)>,
}

impl BackgroundServer {
    /// The command, with a free port in place of each that it names.
    pub(super) fn on_free_ports(command: &str) -> String {
        const HOST: &str = "127.0.0.1:";
        let mut parts = command.split(HOST);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + HOST + "0" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    }

    /// Starts a server beside `others`, and waits until it has printed the lines shown.
    pub(super) fn start(mut command: Command, log: &Path, shown: &[String], others: &[Self]) -> Result<Self, String> {
        let log_file = File::create(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log_file).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, printed) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut server = Self { child: Running(child), printed, ports: Vec::new() };
        for shown in shown {
            let line = server.printed.recv_timeout(PATIENCE).unwrap_or_default();
            let printed = server.in_the_text(&line, shown);
            if !is_shown(&[shown.as_str()], &[printed.as_str()]) {
                let log = fs::read_to_string(log).unwrap();
                return Err(format!("shows\n{shown}\nand prints\n{printed}\n{log}"));
            }
        }
        let is_taken = |port: &str| others.iter().flat_map(|other| &other.ports).any(|(written, _)| written == port);
        match server.ports.iter().find(|(written, _)| is_taken(written)) {
            Some((written, _)) => Err(format!("port {written} is taken by a server that has not been ended")),
            None => Ok(server),
        }
    }

    /// A line that the server printed, with the ports of the text. Lines that are an address tell which these are.
    fn in_the_text(&mut self, printed: &str, shown: &str) -> String {
        let address = |text: &str| {
            let (host, port) = text.split('?').next()?.rsplit_once(':')?;
            (host.contains("://") && port.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| (host.to_owned(), port.to_owned()))
        };
        if let (Some((host, free)), Some((host_shown, written))) = (address(printed), address(shown))
            && host == host_shown
        {
            self.ports.push((written, free));
        }
        let ports = self.ports.iter();
        ports
            .fold(printed.to_owned(), |text, (written, free)| text.replace(&format!(":{free}"), &format!(":{written}")))
    }

    /// Ends the server as Ctrl-C does.
    pub(super) fn end(mut self) -> Result<(), String> {
        send_signal(self.child.0.id(), "INT");
        let status = end_of(&mut self.child.0);
        let rest = self.printed.iter().collect::<Vec<_>>();
        match (status.success(), rest.as_slice()) {
            (true, []) => Ok(()),
            _ => Err(format!("the server ends with {status}, and has also printed\n{}", rest.join("\n"))),
        }
    }
}
