//! Answers of a libSQL server, from the connection to the rows. The crate `libsql` decodes them, and
//! panics on some: that must become an error.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, Once};
use std::thread;

use fastest_fixtures::http::{Message, read_request};
use fastest_sync::World;
use fastest_sync::internals::LibsqlPrimary;
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::primary::{Primary, PrimaryError, Rows};
use fastest_sync::remote::statement::Statement;
use tokio::runtime::Runtime;

use crate::targets::d1_answer;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"\"baton\":null",
    b"\"base_url\":null",
    b"\"results\":[",
    b"{\"type\":\"ok\",",
    b"\"response\":{\"type\":\"batch\",",
    b"\"type\":\"execute\"",
    b"\"type\":\"close\"",
    b"\"type\":\"error\"",
    b"\"step_results\":[",
    b"\"step_errors\":[",
    b"\"cols\":[",
    b"\"rows\":[",
    b"{\"type\":\"text\",\"value\":\"x\"}",
    b"{\"type\":\"integer\",\"value\":\"1\"}",
    b"{\"type\":\"float\",\"value\":1.5}",
    b"{\"type\":\"blob\",\"base64\":\"AA\"}",
    b"{\"type\":\"null\"}",
    b"\"affected_row_count\":0",
    b"\"last_insert_rowid\":null",
    b"\"message\":\"",
    b"\"code\":\"",
    b"null",
    b"[]",
    b"{}",
];

/// The name of the threads on which `libsql` may panic.
const THREAD: &str = "libsql";

/// Statuses: the first byte of an input chooses one.
const STATUSES: [&str; 8] = [
    "200 OK",
    "400 Bad Request",
    "401 Unauthorized",
    "404 Not Found",
    "500 Internal Server Error",
    "503 Service Unavailable",
    "204 No Content",
    "302 Found",
];

/// Returns an answer with rows, an error of SQL, and bodies of errors.
pub fn seeds() -> Vec<Vec<u8>> {
    let batch = |results: &str, errors: &str| {
        format!(
            r#"{{"baton":null,"base_url":null,"results":[{{"type":"ok","response":{{"type":"batch","result":{{"step_results":[{results}],"step_errors":[{errors}]}}}}}},{{"type":"ok","response":{{"type":"close"}}}}]}}"#
        )
    };
    let result = |cols: &str, rows: &str| {
        format!(
            r#"{{"cols":[{cols}],"rows":[{rows}],"affected_row_count":0,"last_insert_rowid":null,"replication_index":null,"rows_read":1,"rows_written":0,"query_duration_ms":0.1}}"#
        )
    };
    let col = r#"{"name":"a","decltype":null}"#;
    let rows = result(
        col,
        r#"[{"type":"text","value":"x"}],[{"type":"integer","value":"1"}],[{"type":"null"}]"#,
    );
    let one = result(col, r#"[{"type":"integer","value":"1"}]"#);
    let sql_error =
        r#"null,{"message":"SQLite error: fastest:version_conflict","code":"SQLITE_CONSTRAINT"}"#;
    let stream_error = r#"{"baton":null,"base_url":null,"results":[{"type":"error","error":{"message":"busy","code":"SQLITE_BUSY"}},{"type":"ok","response":{"type":"close"}}]}"#;
    [
        (0, batch(&format!("{rows},{one}"), "null,null")),
        (0, batch(&format!("{one},null"), sql_error)),
        (0, stream_error.to_owned()),
        (1, r#"{"error":"Namespace `x` doesn't exist"}"#.to_owned()),
        (3, "<!doctype html>".to_owned()),
        (4, "invalid utf-8 sequence".to_owned()),
    ]
    .map(|(status, body)| [&[status], body.as_bytes()].concat())
    .to_vec()
}

/// A server, and what asks it.
struct Scene {
    answer: Arc<Mutex<Vec<u8>>>,
    primary: LibsqlPrimary,
    runtime: Runtime,
}

thread_local! {
    static SCENE: Scene = Scene::start();
}

/// Asks a server that answers with the input. The answer becomes rows or an error.
pub fn run(input: &[u8]) {
    let [status, body @ ..] = input else { return };
    let status = STATUSES[usize::from(status % 8)];
    SCENE.with(|scene| {
        let answer = Message::answer(status, &[("content-type", "application/json")], body);
        *scene.answer.lock().expect("no holder panics") = answer.to_bytes();
        for statement in [Statement::reads("SELECT 1"), Statement::repeatable("DELETE FROM t")] {
            match scene.ask(statement) {
                Ok(rows) => {
                    assert!(status.starts_with("200") && (rows.is_empty() || body.len() > 9))
                }
                Err(error) => d1_answer::check(&error),
            }
        }
    });
}

impl Scene {
    fn start() -> Self {
        silence();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("a port");
        let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
        let told = Arc::clone(&answer);
        // These threads end with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                thread::spawn(move || serve(stream, &told));
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let url = format!("http://{address}").parse().expect("an address");
        let primary = LibsqlPrimary::new(url, None, World::system(), Meter::default());
        Self { answer, primary: primary.expect("no TLS is asked for"), runtime }
    }

    /// Asks on a thread of its own, by whose name a panic of `libsql` is recognised.
    fn ask(&self, statement: Statement<'static>) -> Result<Rows, PrimaryError> {
        thread::scope(|scope| {
            let ask = || self.runtime.block_on(self.primary.run(statement, &[]));
            let asking = thread::Builder::new().name(THREAD.to_owned()).spawn_scoped(scope, ask);
            let asked = asking.expect("a thread can be started").join();
            asked.expect("a panic of `libsql` becomes an error")
        })
    }
}

fn serve(mut stream: TcpStream, answer: &Mutex<Vec<u8>>) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reading = BufReader::new(reading);
    let _ = stream.set_nodelay(true);
    while let Ok(Some(_)) = read_request(&mut reading, &mut stream) {
        let answer = answer.lock().expect("no holder panics").clone();
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Leaves out the message, and under libFuzzer the end of the process, for panics of `libsql`.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(THREAD) {
                before(panic);
            }
        }));
    });
}
