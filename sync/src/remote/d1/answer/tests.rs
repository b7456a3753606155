use super::*;

/// Returns what an answer means, in a word or two.
fn meaning(is_cloudflare: bool, status: u16, body: &str) -> String {
    let place = Place { url: "u".into(), is_cloudflare };
    let answer = Answer { status, body: body.into(), ..Answer::default() };
    match rows(&place, &answer) {
        Ok(rows) => format!("{rows:?}"),
        Err(PrimaryError::Unreachable { failure: Failure::Busy { .. }, .. }) => "Busy".into(),
        Err(PrimaryError::Unreachable { failure, .. }) => format!("{failure:?}"),
        Err(PrimaryError::Denied { denial, .. }) => format!("{denial:?}"),
        Err(PrimaryError::Refused { refusal, .. }) => refusal.name().to_owned(),
        Err(PrimaryError::NoDatabase { .. }) => "NoDatabase".into(),
        Err(PrimaryError::NotMigrated { .. }) => "NotMigrated".into(),
        Err(PrimaryError::Failed { message, .. }) => format!("Failed: {message}"),
        Err(PrimaryError::Inconsistent { .. }) => "Inconsistent".into(),
        Err(other) => format!("{other:?}"),
    }
}

fn failure(code: i64, message: &str) -> String {
    serde_json::json!({
        "success": false, "errors": [{ "code": code, "message": message }], "messages": [],
        "result": [],
    })
    .to_string()
}

fn success(cells: &str) -> String {
    format!(
        "{{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[{{\"success\":true,\
         \"results\":{{\"columns\":[\"a\"],\"rows\":[{cells}]}},\"meta\":{{}}}}]}}"
    )
}

#[test]
fn rows_are_texts_and_nulls() {
    for (cells, expected) in [
        ("", "[]"),
        ("[\"é\",null,7,-7,1.5,18446744073709551615]", {
            "[[Some(\"é\"), None, Some(\"7\"), Some(\"-7\"), Some(\"1.5\"), Some(\"18446744073709551615\")]]"
        }),
        ("[[1,2]]", "Inconsistent"),
        ("[{\"a\":1}]", "Inconsistent"),
        ("[true]", "Inconsistent"),
    ] {
        assert_eq!(meaning(true, 200, &success(cells)), expected, "{cells}");
    }
}

#[test]
fn what_is_no_answer_is_lost() {
    for body in [
        "",
        "garbage",
        "<!DOCTYPE html>",
        "{}",
        "[]",
        "null",
        "{\"success\":true}",
        "{\"success\":true,\"result\":null}",
        "{\"success\":true,\"result\":[]}",
        "{\"success\":true,\"result\":[{}]}",
        "{\"success\":true,\"result\":[{\"results\":{\"rows\":[7]}}]}",
        "{\"success\":false}",
        "{\"success\":false,\"errors\":[]}",
        &success("[1]")[..60],
        &"[".repeat(100_000),
    ] {
        assert_eq!(meaning(true, 200, body), "Lost", "{body:.80}");
    }
}

#[test]
fn messages_at_cloudflare() {
    for (status, code, message, expected) in [
        (400, 7500, "fastest:version_conflict: SQLITE_CONSTRAINT", "fastest:version_conflict"),
        (400, 7500, "no such table: fastest_push: SQLITE_ERROR", "NotMigrated"),
        (400, 7500, "no such table: d1_migrations: SQLITE_ERROR", "NotMigrated"),
        (400, 7500, "no such table: x: SQLITE_ERROR", "Failed: no such table: x: SQLITE_ERROR"),
        (400, 7500, "incomplete input", "Failed: incomplete input"),
        (400, 7400, "The request is malformed: x", "Failed: The request is malformed: x"),
        (404, 7404, "The database x could not be found", "NoDatabase"),
        (404, 7003, "Could not route to /x", "NoDatabase"),
        (403, 7403, "The given account is not valid", "Forbidden"),
        (403, 10000, "Authentication error", "Forbidden"),
        (401, 10000, "Authentication error", "BadToken"),
        (400, 10001, "Unable to authenticate request", "BadToken"),
        (403, 9109, "Invalid access token", "BadToken"),
        (403, 9109, "Unauthorized to access requested resource", "Forbidden"),
        (400, 6003, "Invalid request headers", "BadToken"),
        (429, 971, "More than 1200 requests per 300 seconds reached", "Busy"),
        (429, 0, "D1 DB is overloaded. Requests queued for too long.", "Busy"),
        (500, 7500, "D1 DB is overloaded. Too many requests queued.", "Busy"),
        (400, 7500, "Your account has exceeded D1's free tier daily row write limit.", "Busy"),
        (500, 7500, "internal error; reference = e_1", "Transient"),
        (500, 7500, "Network connection lost.", "Transient"),
        (400, 7500, "D1 DB reset because its code was updated.", "Transient"),
        (500, 7500, "Internal error in D1 DB storage caused object to be reset.", "Transient"),
        (500, 7500, "Cannot resolve D1 DB due to transient issue on remote node.", "Transient"),
        (500, 7500, "D1 DB storage operation exceeded timeout which caused object to be reset.", {
            "Transient"
        }),
        (500, 7500, "D1 DB's isolate exceeded its memory limit and was reset.", "Transient"),
        (503, 1, "something new", "Transient"),
        (400, 7500, "Exceeded maximum DB size", "Failed: Exceeded maximum DB size"),
    ] {
        assert_eq!(meaning(true, status, &failure(code, message)), expected, "{message}");
    }
}

#[test]
fn messages_of_a_server_on_this_machine() {
    let constraint = "D1_ERROR: fastest:device_counter: SQLITE_CONSTRAINT (extended: x)";
    for (status, code, message, expected) in [
        (500, 10001, constraint, "fastest:device_counter"),
        (500, 10001, "D1_ERROR: no such table: fastest_push: SQLITE_ERROR", "NotMigrated"),
        (500, 10001, "D1_ERROR: near \"x\": syntax error: SQLITE_ERROR", {
            "Failed: D1_ERROR: near \"x\": syntax error: SQLITE_ERROR"
        }),
        (400, 10001, "Invalid input", "Failed: Invalid input"),
        (404, 7404, "The database x could not be found", "NoDatabase"),
    ] {
        assert_eq!(meaning(false, status, &failure(code, message)), expected, "{message}");
    }
}

#[test]
fn statuses_without_words() {
    for (status, expected) in [
        (204, "Lost"),
        (302, "Lost"),
        (400, "Failed: it answered with HTTP 400"),
        (401, "BadToken"),
        (403, "Forbidden"),
        (404, "NoDatabase"),
        (408, "Transient"),
        (429, "Busy"),
        (500, "Transient"),
        (522, "Transient"),
    ] {
        assert_eq!(meaning(true, status, "no"), expected, "{status}");
    }
    // A proxy between us and D1 answers with a web page.
    for status in [403, 404] {
        assert_eq!(meaning(true, status, " <html>"), "Lost", "{status}");
    }
    // Other statuses keep their meaning, whatever the body is.
    assert_eq!(meaning(true, 413, "<html>"), "Failed: it answered with HTTP 413");
    assert_eq!(meaning(true, 429, "<html>"), "Busy");
}

#[test]
fn waits_that_servers_ask_for() {
    let now: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
    for (text, seconds) in [
        ("0", Some(0)),
        (" 7 ", Some(7)),
        ("Sat, 21 Nov 2026 09:30:05 GMT", Some(5)),
        ("Sat, 21 Nov 2026 09:29:00 GMT", Some(0)),
        ("99999999999", Some(86_400)),
        ("-1", None),
        ("soon", None),
        ("", None),
    ] {
        let wait = retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait, seconds, "{text}");
    }
    assert_eq!(until_midnight(now).as_secs(), 14 * 3_600 + 30 * 60);
}
