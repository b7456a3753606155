//! What an application that embeds the engine relies on: its futures can move between
//! threads.

use std::path::Path;

use fastest_sync::device::activity::Activity;
use fastest_sync::remote::open::Remote;
use fastest_sync::{Database, Device, WorkingCopy};

fn is_send<T: Send>(_: T) {}

fn futures_of_a_database_can_be_sent(mut database: Database, remote: &Remote) {
    is_send(database.push(remote, ""));
    is_send(database.push_all(remote));
    is_send(database.pull(remote, ""));
    is_send(database.pull_all(remote));
}

fn futures_of_a_device_can_be_sent(mut device: Device, copy: &WorkingCopy, activity: &Activity) {
    let path = Path::new("");
    is_send(device.push(path, None, activity));
    is_send(device.pull(copy, None, activity));
    is_send(device.drift(copy, None, false, activity));
    is_send(device.drift_all(copy, false, activity));
    is_send(device.projects());
    is_send(device.remote_check());
    is_send(device.remote_migrate());
    is_send(device.doctor_with_remote(false, true, activity));
    is_send(device.clone_project("", path, None, activity));
    is_send(device.join_project("", path, None, activity));
    is_send(device.workspace_new(copy, "", None, activity));
}

/// The test is that this compiles: nothing is opened.
#[test]
fn futures_can_be_sent() {
    let _: fn(Database, &Remote) = futures_of_a_database_can_be_sent;
    let _: fn(Device, &WorkingCopy, &Activity) = futures_of_a_device_can_be_sent;
}
