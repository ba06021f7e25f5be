//! Clients that other people wrote for this family of APIs, which move here by changing a host and their keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, skillscope, skipped, stderr, succeed};
use crate::foreign;
use crate::node::Node;
use crate::process::Running;
use crate::python::Python;
use crate::sample;
use crate::tokens::Owner;

const REPORT: &str = "/operations/api/account/account-1/msgskillsegments";

const QUEUE_HEALTH: &str = "/operations/api/account/account-1/msgqueuehealth/current/";

/// Writes a certificate for a name, and gives the options of a server that shows it.
fn certificate(folder: &Path, host: &str) -> Vec<String> {
    let out = folder.to_str().unwrap();
    succeed(["tls", "self-signed", "--host", host, "--out", out]);
    ["--tls-cert".to_owned(), format!("{out}/cert.pem"), "--tls-key".to_owned(), format!("{out}/key.pem")].into()
}

/// A directory with the sample, a certificate for `localhost`, and tokens for its account: one of OAuth 1.0, and one
/// that opens by itself.
struct House {
    owner: Owner,
    keys: Value,
    token: String,
    tls: Vec<String>,
    folder: TempDir,
}

impl House {
    fn of(host: &str) -> Self {
        let (owner, folder) = (Owner::new(), TempDir::new().unwrap());
        sample::import_into(owner.folder());
        let keys = owner.add_oauth1("signer", "account-1", "report,ingest");
        let token = owner.add("wallboard", "account-1", "report");
        let tls = certificate(folder.path(), host);
        Self { owner, keys, token, tls, folder }
    }

    fn command(&self, listen: &str) -> Command {
        let options = ["serve", "--log", "warn", "--listen", listen, "--data-dir", self.owner.directory()];
        skillscope(options.into_iter().chain(["--now", "2018-01-18T08:51:55.679Z"]))
    }

    fn serve(&self, arguments: &[&str]) -> Server {
        Server::spawn(self.command("127.0.0.1:0").args(arguments))
    }

    fn serve_tls(&self) -> Server {
        Server::spawn(self.command("127.0.0.1:0").args(&self.tls))
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }
}

/// The URL of a server by the name that its certificate is for.
fn by_name(server: &Server) -> String {
    format!("https://localhost:{}", server.address().rsplit(':').next().unwrap())
}

/// Signs with requests-oauthlib, and tells the status of each request by its name.
const SIGN: &str = r#"
import json, os, sys, time
import requests
from requests_oauthlib import OAuth1
url, keys = sys.argv[1], json.loads(sys.argv[2])
seen = json.loads(sys.argv[3]) if len(sys.argv) > 3 else None

def signer(**options):
    named = {**keys, **options}
    return OAuth1(named.pop("consumer_key"), named.pop("consumer_secret"), named.pop("token"), named.pop("token_secret"), **named)

session = requests.Session()
session.verify = os.environ["REQUESTS_CA_BUNDLE"]
PARAMETERS = {"timeframe": "60", "v": "1", "skillIds": "1,2", "note": "ü + & = %25 ~"}

def prepared(**options):
    return session.prepare_request(requests.Request("GET", url, params=PARAMETERS, auth=signer(**options)))

def status(request):
    answer = session.send(request)
    if answer.status_code != 200:
        assert answer.json()["status"] == answer.status_code, answer.text
    return answer.status_code

def changed(request, old, new):
    assert old in request.url
    request.url = request.url.replace(old, new)
    return request

once = prepared()
first = status(once)
answers = {
    "HMAC-SHA1": first,
    "again": status(once),
    "HMAC-SHA256": status(prepared(signature_method="HMAC-SHA256")),
    "in the query": status(prepared(signature_type="QUERY")),
    "PLAINTEXT": status(prepared(signature_method="PLAINTEXT")),
    "another parameter": status(changed(prepared(), "timeframe=60", "timeframe=61")),
    "one parameter more": status(changed(prepared(), "v=1", "v=1&interval=15")),
    "another account": status(changed(prepared(), "account-1", "account-2")),
    "a slash at the end": requests.get(url + "/", params=PARAMETERS, auth=signer()).status_code,
    "an old timestamp": status(prepared(timestamp=str(int(time.time()) - 1000))),
    "a wrong secret": status(prepared(consumer_secret="wrong")),
    "a wrong token secret": status(prepared(token_secret="wrong")),
    "a wrong token": status(prepared(token="wrong")),
    "a wrong key": status(prepared(consumer_key="wrong")),
    "of another account": requests.get(url.replace("account-1", "other"), params=PARAMETERS, auth=signer()).status_code,
    "ingestion": requests.post(url.split("/operations")[0] + "/v1/accounts/account-1/events", data=b"", headers={"Content-Type": "application/x-ndjson"}, auth=signer()).status_code,
}
late = requests.get(url, params=PARAMETERS, auth=signer(timestamp=str(int(time.time()) - 1000)))
answers["told of its clock"] = "behind this server's clock" in late.json()["detail"]
kept = prepared(timestamp=str(int(time.time()) + 100), nonce="kept")
answers["ahead"] = status(kept)
print(json.dumps(answers))
print(json.dumps({"url": kept.url, "headers": {name: value if isinstance(value, str) else value.decode() for name, value in kept.headers.items()}}))
"#;

#[test]
fn requests_oauthlib_signs_and_each_request_counts_once() {
    let Some(python) = Python::with_libraries("requests_oauthlib_signs_and_each_request_counts_once") else { return };
    let house = House::of("localhost");
    let server = house.serve_tls();
    let url = by_name(&server) + REPORT;
    let output = python
        .command(SIGN)
        .args([&url, &house.keys.to_string()])
        .env("REQUESTS_CA_BUNDLE", house.ca())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    let (answers, kept) = printed.trim().split_once('\n').unwrap();
    let expected = json!({
        "HMAC-SHA1": 200, "HMAC-SHA256": 200, "in the query": 200, "a slash at the end": 200, "ingestion": 200, "ahead": 200,
        "again": 401, "PLAINTEXT": 401, "another parameter": 401, "one parameter more": 401, "another account": 401,
        "an old timestamp": 401, "a wrong secret": 401, "a wrong token secret": 401, "a wrong token": 401, "a wrong key": 401,
        "of another account": 403, "told of its clock": true,
    });
    assert_eq!(serde_json::from_str::<Value>(answers).unwrap(), expected);

    // What was signed for a time after the restart is not taken again after it. The port is another one then, and so the
    // client names the old one in its header, as it signed it.
    drop(server);
    let again = r#"
import json, sys, requests
from urllib.parse import urlsplit
kept, port = json.loads(sys.argv[1]), sys.argv[2]
parts = urlsplit(kept["url"])
url = f"https://localhost:{port}{parts.path}?{parts.query}"
print(requests.get(url, headers={**kept["headers"], "Host": parts.netloc}).json()["status"])
"#;
    let server = house.serve_tls();
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let output = python.command(again).args([kept, &port]).env("REQUESTS_CA_BUNDLE", house.ca()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "401", "{}", stderr(&output));
}

#[test]
fn a_signature_is_for_the_url_that_the_client_saw_before_a_proxy() {
    let test = "a_signature_is_for_the_url_that_the_client_saw_before_a_proxy";
    let Some(python) = Python::with_libraries(test) else { return };
    let house = House::of("localhost");
    let script = r#"
import json, sys, requests
from requests_oauthlib import OAuth1
url, path, keys = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
def status(told):
    signed = requests.Request("GET", f"https://wall.example{path}?timeframe=60&v=1", auth=OAuth1(*keys.values())).prepare()
    authorization = signed.headers["Authorization"]
    authorization = authorization if isinstance(authorization, str) else authorization.decode()
    headers = {"Authorization": authorization, **told}
    return requests.get(f"{url}{path}?timeframe=60&v=1", headers=headers).status_code
told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "wall.example"}
print(json.dumps([status(told), status({**told, "X-Forwarded-Proto": "http"}), status({**told, "X-Forwarded-Host": "other.example"}), status({})]))
"#;
    let ask = |server: &Server| {
        let keys = house.keys.to_string();
        serde_json::from_str::<Value>(&python.run(script, &[&server.url, REPORT, &keys])).unwrap()
    };
    let trusting = house.serve(&["--trusted-proxy", "127.0.0.1"]);
    assert_eq!(ask(&trusting), json!([200, 401, 401, 401]));
    drop(trusting);
    assert_eq!(ask(&house.serve(&[])), json!([401, 401, 401, 401]));
}

#[test]
fn node_agent_sdk_looks_the_host_up_and_logs_in() {
    let Some(node) = Node::with_libraries("node_agent_sdk_looks_the_host_up_and_logs_in") else { return };
    let house = House::of("localhost");
    let server = house.serve_tls();
    let host = by_name(&server).strip_prefix("https://").unwrap().to_owned();
    // There is no messaging here, so that the client's next step is refused once it has its bearer.
    let script = r#"
const [host, credentials] = process.argv.slice(-2);
const agent = new (require("node-agent-sdk").Agent)({ accountId: "account-1", csdsDomain: host, domains: { asyncMessagingEnt: host }, ...JSON.parse(credentials) });
agent.on("error", (error) => {
    const token = agent.transport && agent.transport.configuration.token;
    console.log(JSON.stringify({ error: String(error), userId: agent.userId, token, refreshes: agent.csrf !== undefined }));
    process.exit();
});
"#;
    let log_in = |credentials: Value| {
        let mut command = node.command(script);
        let output =
            command.args([&host, &credentials.to_string()]).env("NODE_EXTRA_CA_CERTS", house.ca()).output().unwrap();
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        serde_json::from_str::<Value>(printed.lines().last().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {printed}{}", stderr(&output)))
    };
    let curl = |bearer: &str| {
        let mut command = foreign::command("curl");
        let url = format!("https://{host}{REPORT}?timeframe=60&v=1");
        command.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]).arg(house.ca());
        let output = command.arg("-H").arg(format!("Authorization: Bearer {bearer}")).arg(url).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let has_curl = foreign::is_here("the bearer of node-agent-sdk at the report", "curl", "curl");
    let keys = json!({
        "username": "signer", "appKey": house.keys["consumer_key"], "secret": house.keys["consumer_secret"],
        "accessToken": house.keys["token"], "accessTokenSecret": house.keys["token_secret"],
    });
    for credentials in [json!({ "username": "wallboard", "password": house.token }), keys] {
        let let_in = log_in(credentials);
        assert!(let_in["userId"].as_str().is_some_and(|id| !id.is_empty()), "{let_in}");
        assert_eq!(let_in["refreshes"], false, "there is no session to refresh: {let_in}");
        let bearer = let_in["token"].as_str().unwrap_or_else(|| panic!("{let_in}"));
        assert!(!has_curl || curl(bearer) == "200", "{let_in}");
    }
    let refused = log_in(json!({ "username": "wallboard", "password": "wrong" }));
    assert!(refused["token"].is_null() && refused["error"].as_str().unwrap().contains("invalid login"), "{refused}");
}

/// A network and a list of hosts of its own, for as long as the value lives.
struct Namespace(Running);

impl Namespace {
    /// In it, `host` is this machine.
    fn with(host: &str, folder: &Path) -> Option<Self> {
        let hosts = folder.join("hosts");
        fs::write(&hosts, format!("127.0.0.1 localhost {host}\n")).unwrap();
        let script = r#"ip link set lo up && mount --bind "$0" /etc/hosts && echo ready && exec sleep 600"#;
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "sh", "-c", script]).arg(&hosts);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut ready = String::new();
        let stdout = process.stdout.take()?;
        let namespace = Self(Running(process));
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut ready).ok()?;
        (ready == "ready\n").then_some(namespace)
    }

    /// The same command, in the namespace.
    fn within(&self, command: &Command) -> Command {
        let mut entering = Command::new("nsenter");
        entering.args(["--target", &self.0.0.id().to_string(), "--net", "--mount"]);
        entering.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => entering.env(name, value),
                None => entering.env_remove(name),
            };
        }
        entering.stdin(Stdio::null());
        entering
    }
}

#[test]
fn a_tap_of_singer_moves_by_its_host_alone() {
    let test = "a_tap_of_singer_moves_by_its_host_alone";
    let Some(python) = Python::with_tap(test) else { return };
    // Where the tap looks hosts up is written into it.
    let vendor = "api.liveperson.net";
    let house = House::of(vendor);
    let Some(namespace) = Namespace::with(vendor, house.folder.path()) else {
        return skipped(test, "a network namespace of its own is not allowed");
    };
    let mut command = house.command("127.0.0.1:443");
    command.args(&house.tls);
    let _server = Server::spawn(&mut namespace.within(&command));
    // It looks up without encryption: a forwarder takes that to the server.
    let script = r#"
import json, socket, ssl, sys, threading
ca, path, queue_path, keys = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
listener = socket.create_server(("127.0.0.1", 80))

def pump(source, sink):
    while piece := source.recv(65536):
        sink.sendall(piece)
    sink.shutdown(socket.SHUT_WR)

def forward():
    while True:
        client, _ = listener.accept()
        server = ssl.create_default_context(cafile=ca).wrap_socket(socket.create_connection(("127.0.0.1", 443)), server_hostname="api.liveperson.net")
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        threading.Thread(target=pump, args=(server, client), daemon=True).start()

threading.Thread(target=forward, daemon=True).start()
from tap_liveperson.client import LivepersonClient
config = {"account_id": "account-1", "app_key": keys["consumer_key"], "app_secret": keys["consumer_secret"], "access_token": keys["token"], "access_token_secret": keys["token_secret"]}
client = LivepersonClient(config)
domain = client.get_service_domain("leDataReporting")
report = client.make_request(f"https://{domain}{path}", "GET", params={"timeframe": 60, "v": 1, "skillIds": "all"})
queue = client.make_request(f"https://{domain}{queue_path}", "GET", params={"v": 1, "skillIds": "all"})
try:
    LivepersonClient({**config, "app_secret": "wrong"}).make_request(f"https://{domain}{path}", "GET", params={"timeframe": 60, "v": 1})
    refused = None
except RuntimeError as error:
    refused = json.loads(str(error))["status"]
print(json.dumps({"domain": domain, "report": report, "queue": queue, "refused": refused}))
"#;
    let mut command = python.command(script);
    command.arg(house.ca()).args([REPORT, QUEUE_HEALTH, &house.keys.to_string()]).env("REQUESTS_CA_BUNDLE", house.ca());
    let output = namespace.within(&command).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers["domain"], vendor);
    assert!(answers["report"]["metricsTotals"].is_object() || answers["report"].is_object(), "{answers}");
    assert_eq!(answers["queue"]["metricsTotal"]["unassignedConversations"], 0, "{answers}");
    assert_eq!(answers["refused"], 401);
}
