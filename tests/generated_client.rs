//! A client that a generator makes from the OpenAPI document, without a word of ours.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, stderr};
use crate::python::Python;
use crate::sample;
use crate::tokens::Owner;

#[test]
fn a_client_in_python_reports_stores_asks_and_looks_after_the_server() {
    let test = "a_client_in_python_reports_stores_asks_and_looks_after_the_server";
    let Some(python) = Python::with_openapi(test) else { return };
    let (owner, folder) = (Owner::new(), TempDir::new().unwrap());
    sample::import_into(owner.folder());
    let token = owner.add("operator", "*", "report,ingest,sql,admin");
    let server = Server::over(owner.folder(), &["--now", "2018-01-18T08:51:55.679Z"]);
    let (status, document) = server.get("/openapi.json");
    assert_eq!(status, 200);
    let file = |name: &str| folder.path().join(name);
    fs::write(file("openapi.json"), document).unwrap();
    // Without the programs that would make the files prettier.
    fs::write(file("config.yml"), "post_hooks: []\n").unwrap();
    let mut generator = python.command("from openapi_python_client.cli import app; app()");
    generator.current_dir(folder.path()).args(["generate", "--path", "openapi.json", "--config", "config.yml"]);
    generator.args(["--meta", "none", "--output-path", "made"]);
    let made = generator.output().unwrap();
    assert!(made.status.success(), "{}{}", String::from_utf8_lossy(&made.stdout), stderr(&made));
    let printed = python.run(
        r#"
import json, sys
folder, url, token = sys.argv[1:]
sys.path.insert(0, folder)
from made import AuthenticatedClient
from made.api.ingestion import store_segments
from made.api.operation import health, me, ready
from made.api.report import names, now, queue_health, report
from made.api.sql import sql, sql_by_url
from made.models import SegmentBody, SqlBody, SqlByUrlFormat
client = AuthenticatedClient(base_url=url, token=token)
answers = {"health": health.sync(client=client).status, "ready": ready.sync(client=client).status}
whole = report.sync("account-1", client=client, timeframe=1440, v=1)
answers["total"] = whole.to_dict()["metricsTotal"]["totalSkillConversationSegments"]
answers["me"] = me.sync(client=client).to_dict()
answers["names"] = names.sync("account-1", client=client).to_dict()
answers["open"] = now.sync("account-1", client=client).to_dict()["metricsTotal"]["openConversations"]
health_of_queue = queue_health.sync("account-1", client=client, v=1).to_dict()["metricsTotal"]
answers["queue"] = [health_of_queue["unassignedConversations"], health_of_queue["maxWaitTimeForAgentAssignment"]]
segment = SegmentBody.from_dict({
    "conversation_id": "made", "segment_index": 0, "skill_id": 99, "start_time": 1516265000000, "end_time": 1516265001000,
    "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned",
    "abandoned_in_queue": True, "agent_messages": 0, "consumer_messages": 1,
})
answers["stored"] = store_segments.sync("account-1", client=client, body=[segment]).to_dict()
rows = sql.sync(client=client, body=SqlBody(query="select skill_id from segments where conversation_id = $1", parameters=["made"]))
answers["rows"] = [row.to_dict() for row in rows]
rows = sql_by_url.sync(client=client, query="select count(*) as n from segments where skill_id = $1", parameters="[99]", account="account-1")
answers["by url"] = [row.to_dict() for row in rows]
# What is no JSON, the generated code hands on as bytes where it is asked for by itself.
def content(format):
    asked = sql_by_url._get_kwargs(query="select 1 as n", format_=SqlByUrlFormat(format))
    return client.get_httpx_client().request(**asked).content
answers["csv"], answers["parquet"] = content("csv").decode(), content("parquet")[:4].decode()
answers["problem"] = sql.sync(client=client, body=SqlBody(query="selec")).to_dict()["title"]
print(json.dumps(answers))
"#,
        &[folder.path().to_str().unwrap(), &server.url, &token],
    );
    let answers: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&answers["health"], &answers["ready"]), (&json!("ok"), &json!("ready")));
    assert_eq!(answers["total"], ended_in_the_last_day(), "{answers}");
    let scopes = ["report", "ingest", "sql", "admin"];
    assert_eq!(answers["me"], json!({ "tokens": true, "name": "operator", "account": "*", "scopes": scopes }));
    assert_eq!(answers["names"], json!({ "skills": {}, "agents": {} }));
    assert_eq!((&answers["open"], &answers["queue"]), (&json!(0), &json!([0, -1])));
    let stored = json!({ "accepted": 1, "duplicates": 0, "rejected_count": 0, "rejected": [] });
    assert_eq!(answers["stored"], stored);
    assert_eq!(answers["rows"], json!([{ "skill_id": 99 }]));
    assert_eq!(answers["by url"], json!([{ "n": 1 }]));
    assert_eq!((&answers["csv"], &answers["parquet"]), (&json!("n\n1\n"), &json!("PAR1")));
    assert_eq!(answers["problem"], "Invalid SQL statement");
}

/// How many segments of the sample ended in the last day, from the file.
fn ended_in_the_last_day() -> Value {
    let text = fs::read_to_string(sample::path()).unwrap();
    let ends = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["end_time"].as_i64().unwrap());
    let now = 1_516_265_515_679;
    json!(ends.filter(|end| (now - 86_400_000..now).contains(end)).count())
}
