//! Whatever is done to `selvedge serve`, it answers.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    thread,
};

use crate::{project::Project, tenant::Tenant};

use super::{SOON, Served};

#[test]
fn nobody_can_occupy_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let served = Served::of(&tenant, &project, &[]);
    let connect = || TcpStream::connect(served.address).unwrap();
    // Slow loris: more than it takes at once, each with half a request.
    let mut idle: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    for stream in &mut idle {
        // It may be driven out already.
        drop(stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nX-"));
    }
    for _ in 0..20 {
        assert_eq!(served.get("/health", "*/*").status, 200);
    }
    assert_eq!(served.get("/ready", "*/*").status, 200);
    drop(idle);

    // A head that is too long, by one header and by many.
    let filler = "x".repeat(64 << 10);
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    for headers in [format!("X-Filler: {filler}\r\n"), many] {
        let mut stream = connect();
        stream.set_read_timeout(Some(SOON)).unwrap();
        // It may be answered before all of it is sent.
        drop(stream.write_all(format!("GET /health HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    }

    // A body is not waited for, and what is no HTTP is no request.
    let mut stream = connect();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n{").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer:?}");
    let mut stream = connect();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "), "{answer:?}");

    // A flood.
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(served.get("/livez", "*/*").status, 200)));
        }
    });
    assert_eq!(served.get("/ready", "*/*").status, 200);
    served.ends();
}

#[test]
fn few_file_descriptors_are_enough() {
    let project = Project::with(&[]);
    // Most of these the program needs for itself.
    let script = "ulimit -n 48 && exec \"$0\" serve --listen 127.0.0.1:0 --output json";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_selvedge")]).current_dir(project.path()).env_clear();
    let served = Served::start(command.env("FEATURE_USE_HEALTH_CHECKS", "true"));
    let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    for _ in 0..5 {
        assert_eq!(served.get("/health", "*/*").status, 200);
    }
    drop(idle);
    served.ends();
}
