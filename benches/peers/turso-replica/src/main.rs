//! Opens an embedded replica in a new file, syncs it once, and prints what that took.
//!
//! `turso-replica URL FILE`: URL is that of a `sqld` (plain http), and FILE must not exist. If the
//! server wants a token, it is in `TURSO_AUTH_TOKEN`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use hyper::client::HttpConnector;
use libsql::{Builder, Connection};

/// Bytes of a page; a frame of the log is one page and a header of 24 bytes.
const PAGE_BYTES: usize = 4096;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, file] = arguments.as_slice() else {
        return Err("usage: turso-replica URL FILE".into());
    };
    if Path::new(file).exists() {
        return Err(format!("{file} exists: the replica must be new").into());
    }
    let token = env::var("TURSO_AUTH_TOKEN").unwrap_or_default();

    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);

    let start = Instant::now();
    // Opens the file. The first request to the server is sent by `sync`.
    let database = Builder::new_remote_replica(file, url.clone(), token)
        .connector(connector)
        .build()
        .await?;
    let synced = database.sync().await?;
    let seconds = start.elapsed().as_secs_f64();
    // Measured before the count, which reads every page.
    let peak_kb = peak_memory_kb()?;

    let rows = count_rows(&database.connect()?).await?;
    let frames = synced.frames_synced();
    println!("rows {rows}");
    println!("seconds {seconds:.3}");
    println!("rows_per_second {:.0}", rows as f64 / seconds);
    println!("frames {frames}");
    println!("log_bytes {}", frames * (PAGE_BYTES + 24));
    println!("file_bytes {}", fs::metadata(file)?.len());
    println!("vm_hwm_kb {peak_kb}");
    Ok(())
}

/// Counts the rows of all tables other than those of SQLite and libSQL.
async fn count_rows(connection: &Connection) -> Result<i64, Box<dyn Error>> {
    let mut tables = connection
        .query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'libsql!_%' ESCAPE '!'",
            (),
        )
        .await?;
    let mut names = Vec::new();
    while let Some(row) = tables.next().await? {
        names.push(row.get::<String>(0)?);
    }
    let mut rows = 0;
    for name in names {
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let mut count = connection.query(&sql, ()).await?;
        let row = count.next().await?.ok_or("count(*) gave no row")?;
        rows += row.get::<i64>(0)?;
    }
    Ok(rows)
}

/// Returns the peak memory of this process in kB (Linux only).
fn peak_memory_kb() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
