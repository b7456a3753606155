//! Bad answers of servers: their kinds are told apart, and no error contains the token.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastest_fixtures::http::{Message, read_request};
use fastest_fixtures::proxy::{Fault, Plan, Proxy};
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_sync::World;
use fastest_sync::internals::{D1, LibsqlPrimary, resolve};
use fastest_sync::remote::address::{Address, D1Address};
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::primary::{Denial, Failure, Primary, PrimaryError, Rows};
use fastest_sync::remote::secret::Secret;
use fastest_sync::remote::statement::Statement;

use super::run;

const TOKEN: &str = "marker-0123456789";

const D1_LOST: &str = "{\"success\":false,\"errors\":[{\"code\":7500,\"message\":\"D1_ERROR: \
                       Network connection lost.\"}],\"messages\":[],\"result\":[]}";

/// A server that answers every request with the same bytes, and then closes the connection.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        // The thread ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &answer, &count);
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &[u8], count: &AtomicUsize) {
    let reading = stream.try_clone().unwrap();
    if let Ok(Some(_)) = read_request(&mut BufReader::new(reading), &mut stream) {
        count.fetch_add(1, Ordering::SeqCst);
        // The client may have closed the connection.
        let _ = stream.write_all(answer);
    }
}

fn d1(base: &str) -> Arc<dyn Primary> {
    d1_at(base, "00000000-0000-4000-8000-000000000000", Some(Secret::new(TOKEN))).unwrap()
}

fn d1_at(
    base: &str,
    database: &str,
    token: Option<Secret>,
) -> Result<Arc<dyn Primary>, PrimaryError> {
    let url = format!("d1://local/{database}?api={base}");
    let Address::D1(address) = Address::parse(&url).unwrap() else { panic!("{url}") };
    Ok(Arc::new(D1::new(address, token, World::system(), Meter::default())?))
}

fn libsql(base: &str) -> Arc<dyn Primary> {
    let token = Some(Secret::new(TOKEN));
    Arc::new(
        LibsqlPrimary::new(base.parse().unwrap(), token, World::system(), Meter::default())
            .unwrap(),
    )
}

type Open = fn(&str) -> Arc<dyn Primary>;

const BOTH: [(&str, Open); 2] = [("D1", d1), ("libSQL", libsql)];

fn kind(error: &PrimaryError) -> String {
    match error {
        PrimaryError::Unreachable { failure, .. } => format!("{failure:?}"),
        PrimaryError::Denied { denial, .. } => format!("{denial:?}"),
        PrimaryError::NoDatabase { .. } => "NoDatabase".to_owned(),
        PrimaryError::Failed { .. } => "Failed".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Sends a read and a write, and checks that the errors do not contain the token.
fn ask(primary: &dyn Primary) -> String {
    let delete = Statement::once("DELETE FROM x WHERE y = ?1");
    let mut kinds = [Statement::reads("SELECT ?1"), delete].map(|statement| {
        let error = run(primary.run(statement, &["a"])).expect_err("the answer is bad");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(TOKEN), "{text}");
            assert!(text.len() < 1_000, "{text}");
        }
        kind(&error)
    });
    kinds.sort();
    assert_eq!(kinds[0], kinds[1]);
    kinds[0].clone()
}

#[test]
fn answers_of_all_sorts() {
    let answer = |status: &str, headers: &[(&str, &str)], body: &str| {
        Message::answer(status, headers, body.as_bytes()).to_bytes()
    };
    let busy = |seconds| {
        format!("{:?}", Failure::Busy { retry_after: Some(Duration::from_secs(seconds)) })
    };
    let half = answer("200 OK", &[], &"x".repeat(1_000));
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"res\r\n".to_vec();
    let cases = [
        ("401 Unauthorized", answer("401 Unauthorized", &[], "{}"), "BadToken"),
        ("403 Forbidden", answer("403 Forbidden", &[], "no"), "Forbidden"),
        ("a login page", answer("403 Forbidden", &[], "<html>"), "Lost"),
        ("404 Not Found", answer("404 Not Found", &[], ""), "NoDatabase"),
        ("a page", answer("500 Oh", &[], "<!DOCTYPE html>"), "Transient"),
        ("a bad gateway", answer("502 Bad Gateway", &[], ""), "Transient"),
        ("garbage", answer("200 OK", &[], "\u{0}garbage"), "Lost"),
        ("an empty object", answer("200 OK", &[], "{}"), "Lost"),
        ("a page in place of JSON", answer("200 OK", &[], "<html>"), "Lost"),
        ("nothing", answer("200 OK", &[], ""), "Lost"),
        ("no content", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), "Lost"),
        ("half a body", half[..half.len() / 2].to_vec(), "Lost"),
        ("half a chunked body", chunked, "Lost"),
        ("a closed connection", Vec::new(), "Lost"),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), "Lost"),
        ("elsewhere", answer("302 Found", &[("location", "http://127.0.0.1:1/")], ""), "Lost"),
    ];
    for (client, open) in BOTH {
        for (what, bytes, expected) in &cases {
            let server = Server::start(bytes.clone());
            let primary = open(&format!("http://{}", server.address));
            assert_eq!(ask(&*primary), *expected, "{client}: {what}");
            assert_eq!(server.requests(), 2, "{client}: {what}");
        }
    }
    for (header, body, expected) in [
        ("7", "", busy(7)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "{}", busy(0)),
        ("99999999", "", busy(86_400)),
    ] {
        let bytes = answer("429 Too Many Requests", &[("retry-after", header)], body);
        let server = Server::start(bytes.clone());
        assert_eq!(ask(&*d1(&format!("http://{}", server.address))), expected);
        // Through this client the header is not seen.
        let server = Server::start(bytes);
        let primary = libsql(&format!("http://{}", server.address));
        assert_eq!(ask(&*primary), "Busy { retry_after: None }");
    }
    let server = Server::start(answer("500 Internal Server Error", &[], D1_LOST));
    assert_eq!(ask(&*d1(&format!("http://{}", server.address))), "Transient");
}

#[test]
fn answers_without_end() {
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 99000000\r\n\r\n".to_vec();
    bytes.resize(bytes.len() + 99_000_000, b' ');
    for (client, open) in BOTH {
        let server = Server::start(bytes.clone());
        let primary = open(&format!("http://{}", server.address));
        let error = run(primary.run(Statement::reads("SELECT 1"), &[])).unwrap_err();
        assert_eq!(kind(&error), "Lost", "{client}");
        assert!(error.to_string().contains("large"), "{client}: {error}");
    }
}

#[test]
fn answers_that_the_client_of_libsql_cannot_bear() {
    let bad = Message::answer("500 Oh", &[], b"\x1f\x8b\xff\xfe").to_bytes();
    let server = Server::start(bad);
    assert_eq!(ask(&*libsql(&format!("http://{}", server.address))), "Lost");
    let result = |cols: &str, rows: &str| {
        format!(
            "{{\"cols\":{cols},\"rows\":{rows},\"affected_row_count\":0,\"last_insert_rowid\":null}}"
        )
    };
    let answer = |first: &str, second: &str| {
        let body = format!(
            "{{\"baton\":null,\"base_url\":null,\"results\":[{{\"type\":\"ok\",\"response\":{{\
             \"type\":\"batch\",\"result\":{{\"step_results\":[{first},{second}],\
             \"step_errors\":[null,null]}}}}}},{{\"type\":\"ok\",\"response\":{{\
             \"type\":\"get_autocommit\",\"is_autocommit\":true}}}},{{\"type\":\"ok\",\
             \"response\":{{\"type\":\"close\"}}}}]}}"
        );
        Message::answer("200 OK", &[], body.as_bytes()).to_bytes()
    };
    let read = |bytes| {
        let server = Server::start(bytes);
        run(libsql(&format!("http://{}", server.address)).run(Statement::reads("SELECT 1"), &[]))
    };
    let cols = "[{\"name\":\"a\"},{\"name\":\"b\"}]";
    let one = result("[{\"name\":\"1\"}]", "[[{\"type\":\"integer\",\"value\":\"1\"}]]");
    let whole = result(cols, "[[{\"type\":\"null\"},{\"type\":\"text\",\"value\":\"x\"}]]");
    let rows: Rows = vec![vec![None, Some("x".to_owned())]];
    assert_eq!(read(answer(&whole, &one)).unwrap(), rows);
    // A row without a value, a statement without a result, a server that keeps the rows.
    let short = result(cols, "[[{\"type\":\"null\"}]]");
    let none = result("[{\"name\":\"1\"}]", "[]");
    for bytes in [answer(&short, &one), answer("null", &one), answer(&none, &none)] {
        assert_eq!(kind(&read(bytes).unwrap_err()), "Lost");
    }
}

#[test]
fn nobody_there() {
    for base in ["http://127.0.0.1:1".to_owned(), "http://no-such-host.invalid".to_owned()] {
        for (client, open) in BOTH {
            let begun = Instant::now();
            assert_eq!(ask(&*open(&base)), "NoConnection", "{client}: {base}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{client}: {base}");
        }
    }
}

#[test]
fn servers_without_tls_are_no_servers_with() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    for (client, open) in BOTH {
        assert_eq!(ask(&*open(&format!("https://{address}"))), "NoConnection", "{client}");
    }
}

#[test]
fn tokens_that_are_none() {
    let cloudflare = D1Address { account: "a".into(), database: "b".into(), api: None };
    let new = |token| {
        D1::new(cloudflare.clone(), token, World::system(), Meter::default()).err().unwrap()
    };
    let denied = |error: &PrimaryError| match error {
        PrimaryError::Denied { denial, .. } => *denial,
        other => panic!("{other:?}"),
    };
    assert_eq!(denied(&new(None)), Denial::NoToken);
    let torn = || Some(Secret::new("marker\n0123456789"));
    assert_eq!(denied(&new(torn())), Denial::BadToken);
    assert!(!format!("{:?}", new(torn())).contains("marker"));
    assert_eq!(
        denied(&run(resolve(cloudflare.clone(), None, World::system())).unwrap_err()),
        Denial::NoToken
    );

    let refusing = Server::start(Message::answer("401 Unauthorized", &[], b"{}").to_bytes());
    let url: url::Url = format!("http://{}", refusing.address).parse().unwrap();
    let ask = |token| {
        let primary =
            LibsqlPrimary::new(url.clone(), token, World::system(), Meter::default()).unwrap();
        let primary = primary.with_token_error(Some("the keyring is locked".to_owned()));
        run(primary.run(Statement::reads("SELECT 1"), &[])).unwrap_err()
    };
    assert_eq!(denied(&ask(None)), Denial::NoToken);
    assert!(ask(None).to_string().contains("the keyring is locked"));
    assert_eq!(denied(&ask(torn())), Denial::BadToken);
    assert!(!format!("{:?}", ask(torn())).contains("marker"));
}

#[test]
fn a_statement_is_one_request_and_a_failure_harms_only_itself() {
    let (d1_server, sqld) = (D1Server::shared(), SqldServer::start());
    let of_d1 = Proxy::start(d1_server.address(), Plan::calm());
    let of_sqld = Proxy::start(sqld.address(), Plan::calm());
    let api =
        d1_server.api().replace(&d1_server.address().to_string(), &of_d1.address().to_string());
    for (client, proxy, primary) in [
        ("D1", &of_d1, d1_at(&api, d1_server.fresh(), None).unwrap()),
        ("libSQL", &of_sqld, libsql(&of_sqld.url())),
    ] {
        run(async {
            let mut expected = 0;
            for statement in [
                Statement::once("CREATE TABLE t(x TEXT)"),
                Statement::once("INSERT INTO t VALUES ('1')"),
                Statement::reads("SELECT x FROM t"),
            ] {
                primary.run(statement, &[]).await.unwrap();
                expected += 1;
                assert_eq!(proxy.requests(), expected, "{client}: {statement:?}");
            }
            proxy.script([Fault::LoseAnswer]);
            let insert = Statement::once("INSERT INTO t VALUES (?1)");
            let lost = primary.run(insert, &["2"]).await.unwrap_err();
            assert_eq!(kind(&lost), "Lost", "{client}");
            let failed = primary
                .run(Statement::reads("SELECT * FROM nothing_there"), &[])
                .await
                .unwrap_err();
            assert_eq!(kind(&failed), "Failed", "{client}");
            let count = Statement::reads("SELECT count(*) FROM t WHERE x > ?1");
            let rows = primary.run(count, &[""]).await.unwrap();
            assert_eq!(rows, [[Some("2".to_owned())]], "{client}");
            assert_eq!(proxy.requests(), expected + 3, "{client}");
            // One request finds out whether it is applied, and the rest apply it.
            let create = Statement::once("CREATE TABLE d1_migrations(name TEXT UNIQUE)");
            primary.run(create, &[]).await.unwrap();
            primary.migrate("1.sql", &["CREATE TABLE u(x TEXT)", "SELECT 1"]).await.unwrap();
            assert_eq!(proxy.requests(), expected + 7, "{client}");
            // The answer is lost, but the migration is applied.
            proxy.script([Fault::Pass, Fault::LoseAnswer]);
            primary.migrate("2.sql", &["CREATE TABLE v(x TEXT);\n"]).await.unwrap();
            assert_eq!(proxy.requests(), expected + 10, "{client}");
        });
    }
}

#[test]
fn databases_are_found_by_name() {
    let server = D1Server::shared();
    let address = |database: &str| {
        let url = format!("d1://local/{database}?api={}", server.api());
        let Address::D1(address) = Address::parse(&url).unwrap() else { panic!("{url}") };
        address
    };
    let id = "00000000-0000-4000-8000-000000000007";
    assert_eq!(run(resolve(address(id), None, World::system())).unwrap().database, id);
    // The local server knows databases by the names of their bindings.
    assert_eq!(run(resolve(address("D7"), None, World::system())).unwrap().database, id);
    let by_name = d1_at(&server.api(), "D7", None).unwrap();
    assert_eq!(
        run(by_name.run(Statement::reads("SELECT 1"), &[])).unwrap(),
        [[Some("1".to_owned())]]
    );
    let missing = run(resolve(address("D"), None, World::system())).unwrap_err();
    assert_eq!(kind(&missing), "NoDatabase");
}
